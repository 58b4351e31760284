//! Certificates made for one test, and a client that speaks TLS over a blocking socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use serde_json::{Value, json};
use websocket::{Opcode, client};

use crate::waiting::patient;

const MASK: [u8; 4] = [0x5a, 0x11, 0xe0, 0x07];

/// Somebody who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub struct Identity {
    pub cert: CertificateDer<'static>,
    pub cert_pem: String,
    pub key: KeyPair,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs a certificate for localhost.
    pub fn issue(&self) -> Identity {
        self.issue_for(KeyPair::generate().unwrap())
    }

    pub fn issue_for(&self, key: KeyPair) -> Identity {
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.0).unwrap();
        Identity { cert: cert.der().clone(), cert_pem: cert.pem(), key }
    }

    /// A client that trusts this authority.
    pub fn client(&self) -> ClientConfig {
        self.builder().with_no_client_auth()
    }

    /// A client that trusts this authority and shows a certificate.
    pub fn client_with(&self, identity: &Identity) -> ClientConfig {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
        self.builder().with_client_auth_cert(vec![identity.cert.clone()], key).unwrap()
    }

    /// A client that trusts this authority and speaks one version.
    pub fn client_of(&self, version: &'static rustls::SupportedProtocolVersion) -> ClientConfig {
        let provider = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = provider.with_protocol_versions(&[version]).unwrap();
        builder.with_root_certificates(self.roots()).with_no_client_auth()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    fn builder(&self) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots())
    }
}

/// The files that a server reads.
pub struct Files {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub ca: PathBuf,
}

impl Files {
    pub fn of(folder: &Path, identity: &Identity) -> Self {
        let file = |name: &str| folder.join(name);
        let files = Files { cert: file("cert.pem"), key: file("key.pem"), ca: file("ca.pem") };
        files.replace(identity);
        files
    }

    /// Puts another certificate and key there, each at once.
    pub fn replace(&self, identity: &Identity) {
        put(&self.cert, &identity.cert_pem);
        put(&self.key, &identity.key.serialize_pem());
    }

    /// The environment of a server that uses certificate and key.
    pub fn env(&self) -> Vec<(&str, &str)> {
        vec![("SSL_CERT", self.cert.to_str().unwrap()), ("SSL_KEY", self.key.to_str().unwrap())]
    }
}

/// Replaces a file as a whole.
pub fn put(path: &Path, content: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, content).unwrap();
    std::fs::rename(&next, path).unwrap();
}

/// A connection over TLS.
pub struct TlsClient {
    pub stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: Vec<u8>,
}

impl TlsClient {
    /// Connects; the handshake happens with the first byte.
    pub fn new(address: SocketAddr, config: ClientConfig) -> Self {
        Self::over(TcpStream::connect(address).unwrap(), config)
    }

    /// Over a socket that is connected already.
    pub fn over(socket: TcpStream, config: ClientConfig) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        TlsClient { stream: StreamOwned::new(session, patient(socket)), buffer: Vec::new() }
    }

    /// Does the handshake now.
    pub fn handshake(&mut self) -> std::io::Result<()> {
        while self.stream.conn.is_handshaking() {
            self.stream.conn.complete_io(&mut self.stream.sock)?;
        }
        Ok(())
    }

    /// Opens a WebSocket of the default app.
    pub fn connect(address: SocketAddr, config: ClientConfig) -> Self {
        let mut client = Self::new(address, config);
        client.write(&upgrade());
        client.upgraded();
        client
    }

    /// Sends bytes as they are, in as few records as possible.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.flush().unwrap();
    }

    /// Sends a text frame.
    pub fn send(&mut self, payload: &Value) {
        self.write(&text(payload));
    }

    /// Reads the answer to the handshake and the first frame.
    pub fn upgraded(&mut self) {
        let head = self.head();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert_eq!(self.json()["event"], "pusher:connection_established");
    }

    /// The head of an HTTP answer.
    pub fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                return String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
            }
            assert!(self.fill().unwrap(), "closed before an answer");
        }
    }

    /// Reads more; false at the end of the stream.
    pub fn fill(&mut self) -> std::io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// The next frame, which is JSON text.
    pub fn json(&mut self) -> Value {
        let (opcode, payload) = self.frame();
        assert_eq!(opcode, Opcode::Text);
        serde_json::from_slice(&payload).unwrap()
    }

    /// The next frame.
    pub fn frame(&mut self) -> (Opcode, Vec<u8>) {
        loop {
            if let Some((frame, size)) = client::parse(&self.buffer).unwrap() {
                let whole = (frame.opcode, frame.payload.to_vec());
                self.buffer.drain(..size);
                return whole;
            }
            assert!(self.fill().unwrap(), "closed before a frame");
        }
    }

    /// Subscribes to a public channel.
    pub fn subscribe(&mut self, channel: &str) {
        self.send(&subscription(channel));
        assert_eq!(self.json()["event"], "pusher_internal:subscription_succeeded");
    }

    /// Whether the server ends the stream, and says so as TLS has it.
    pub fn ends(&mut self) -> bool {
        loop {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return true,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return false,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The certificate that the server has shown.
    pub fn server_cert(&self) -> CertificateDer<'static> {
        self.stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// The request for a WebSocket of the default app.
pub fn upgrade() -> Vec<u8> {
    b"GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
      Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec()
}

/// A masked text frame.
pub fn text(payload: &Value) -> Vec<u8> {
    client::encode(Opcode::Text, payload.to_string().as_bytes(), MASK)
}

/// A masked ping.
pub fn ping(payload: &[u8]) -> Vec<u8> {
    client::encode(Opcode::Ping, payload, MASK)
}

pub fn subscription(channel: &str) -> Value {
    json!({"event": "pusher:subscribe", "data": {"channel": channel}})
}
