//! TLS on the main port, over real sockets: certificates and keys, client certificates, renewal,
//! WebSockets, and clients that speak the wrong protocol.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use rustls::{HandshakeKind, ProtocolVersion};
use serde_json::json;
use support::Server;
use testkit::http::AppKeys;
use testkit::tls::{Authority, Files, Identity, TlsClient, ping, put, subscription, text, upgrade};
use testkit::{Folder, TEST_TIMEOUT, eventually};
use websocket::Opcode;

/// An authority, a certificate of its, and the files of a server that uses it.
fn certified() -> (Folder, Authority, Identity, Files) {
    let folder = Folder::new();
    let authority = Authority::new("authority");
    let identity = authority.issue();
    let files = Files::of(folder.path(), &identity);
    (folder, authority, identity, files)
}

/// Publishes over TLS.
fn publish(server: &Server, authority: &Authority, channel: &str, data: &str) {
    let body = json!({"name": "e", "channels": [channel], "data": data}).to_string();
    let target = AppKeys::default().target("POST", "/events", &[], body.as_bytes());
    let request = testkit::http::request("POST", &target, &[], body.as_bytes());
    let mut client = TlsClient::new(server.address(), authority.client());
    client.write(&request);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

/// Why a server does not start.
fn start_error(env: &[(&str, &str)]) -> String {
    let folder = Folder::new();
    let host = [("HOST", "127.0.0.1"), ("PORT", "0")];
    let env = host.iter().chain(env).map(|(name, value)| (name.to_string(), value.to_string()));
    let dotenv_dir = folder.path().to_owned();
    let sources = config::Sources { config_file: None, env: env.collect(), dotenv_dir };
    match server::start(config::load(&sources).unwrap().config, None) {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

/// What the server says to bytes, until it closes.
fn answer(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn events_arrive_over_tls() {
    let (_folder, authority, _, files) = certified();
    let server = Server::with(&files.env());
    let mut client = TlsClient::connect(server.address(), authority.client());
    assert_eq!(client.stream.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    client.subscribe("room");
    publish(&server, &authority, "room", "hello");
    assert_eq!(client.json(), json!({"event": "e", "channel": "room", "data": "hello"}));
    // Frames in small pieces, and several in one record.
    let two = [ping(b"1"), ping(b"2")].concat();
    two.chunks(3).for_each(|piece| client.write(piece));
    client.write(&two);
    for payload in [b"1", b"2", b"1", b"2"] {
        assert_eq!(client.frame(), (Opcode::Pong, payload.to_vec()));
    }
    client.stream.conn.send_close_notify();
    client.stream.flush().unwrap();
    drop(client);
    server.is_clean();
}

#[test]
fn http_is_ended_as_tls_has_it() {
    let (_folder, authority, _, files) = certified();
    let server = Server::with(&files.env());
    let mut config = authority.client();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut client = TlsClient::new(server.address(), config);
    client.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 200"));
    assert_eq!(client.stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(client.ends(), "without close_notify");
}

#[test]
fn frames_in_the_record_of_the_handshake_are_heard() {
    let (_folder, authority, _, files) = certified();
    let server = Server::with(&files.env());
    let mut client = TlsClient::new(server.address(), authority.client());
    client.handshake().unwrap();
    // More than HTTP reads at once, so that some of it stays in the session.
    let pings: Vec<u8> = (0..1000u32).flat_map(|n| ping(&n.to_be_bytes())).collect();
    let first = [upgrade(), text(&subscription("room")), pings].concat();
    assert!(first.len() < 16 * 1024, "it fits into a record");
    client.write(&first);
    client.upgraded();
    assert_eq!(client.json()["event"], "pusher_internal:subscription_succeeded");
    for n in 0..1000u32 {
        assert_eq!(client.frame(), (Opcode::Pong, n.to_be_bytes().to_vec()));
    }
}

#[test]
fn a_slow_reader_gets_large_events_whole() {
    let (_folder, authority, _, files) = certified();
    let limits = [("EVENT_MAX_SIZE_IN_KB", "2048"), ("CONNECTION_MAX_PENDING_KB", "16384")];
    let server = Server::with(&[&files.env()[..], &limits].concat());
    let mut client = TlsClient::connect(server.address(), authority.client());
    client.subscribe("room");
    let large = |n: usize| char::from(b'a' + n as u8).to_string().repeat(1024 * 1024);
    for n in 0..8 {
        publish(&server, &authority, "room", &large(n));
        publish(&server, &authority, "room", "small");
    }
    // Nobody reads, so most of it has to wait in the server.
    server.wait_for("a backlog", |metrics| metrics.sum("pending_bytes") > 0.0);
    for n in 0..8 {
        assert!(client.json()["data"] == large(n), "event {n}");
        assert_eq!(client.json()["data"], "small");
    }
    server.wait_for("no backlog", |metrics| metrics.sum("pending_bytes") == 0.0);
    assert_eq!(server.metrics().sum("slow_consumers_total"), 0.0);
}

#[test]
fn who_never_reads_is_given_up() {
    let (_folder, authority, _, files) = certified();
    let limits = [("EVENT_MAX_SIZE_IN_KB", "2048"), ("CONNECTION_MAX_PENDING_KB", "1024")];
    let server = Server::with(&[&files.env()[..], &limits].concat());
    let mut client = TlsClient::connect(server.address(), authority.client());
    client.subscribe("room");
    let large = "x".repeat(1024 * 1024);
    eventually("it is given up", || {
        publish(&server, &authority, "room", &large);
        server.metrics().sum("slow_consumers_total") == 1.0
    });
    server.is_clean();
}

#[test]
fn a_refused_client_reads_why() {
    let (_folder, authority, _, files) = certified();
    let server = Server::with(&files.env());
    let mut client = TlsClient::new(server.address(), authority.client());
    let request = String::from_utf8(upgrade()).unwrap().replace("app-key", "nobody");
    client.write(request.as_bytes());
    assert!(client.head().starts_with("HTTP/1.1 101"));
    assert_eq!(client.json()["data"]["code"], 4001);
    let (opcode, payload) = client.frame();
    assert_eq!((opcode, &payload[..2]), (Opcode::Close, &4001u16.to_be_bytes()[..]));
    assert!(client.ends(), "without close_notify");
}

#[test]
fn sessions_resume_and_tls_1_2_works() {
    let (_folder, authority, _, files) = certified();
    let server = Server::with(&files.env());
    let config = authority.client();
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let client = TlsClient::connect(server.address(), config.clone());
        assert_eq!(client.stream.conn.handshake_kind(), Some(kind));
    }
    let socket = TcpStream::connect(server.address()).unwrap();
    let mut client = TlsClient::over(socket, authority.client_of(&rustls::version::TLS12));
    client.write(&upgrade());
    client.upgraded();
    assert_eq!(client.stream.conn.protocol_version(), Some(ProtocolVersion::TLSv1_2));
}

#[test]
fn client_certificates_are_verified() {
    let (folder, authority, _, files) = certified();
    let clients = Authority::new("clients");
    put(&files.ca, &clients.pem());
    let ca = [("SSL_CA", files.ca.to_str().unwrap())];
    let env = [&files.env()[..], &ca].concat();
    let optional = Server::with(&env);
    let required = Server::with(&[&env[..], &[("SSL_REQUIRE_CLIENT_CERT", "true")]].concat());

    let good = authority.client_with(&clients.issue());
    let bad = authority.client_with(&Authority::new("clients").issue());
    let served = |server: &Server, config: &rustls::ClientConfig| {
        let mut client = TlsClient::new(server.address(), config.clone());
        let said = client.stream.write_all(&upgrade()).and_then(|()| client.stream.flush());
        // With TLS 1.3 the client learns of the refusal when it reads.
        said.is_ok() && client.fill().is_ok_and(|more| more)
    };
    for server in [&optional, &required] {
        assert!(served(server, &good));
        assert!(!served(server, &bad), "signed by somebody else");
    }
    assert!(served(&optional, &authority.client()));
    assert!(!served(&required, &authority.client()));
    drop(folder);
}

#[test]
fn a_new_certificate_is_taken_over_and_a_broken_one_is_not() {
    let (_folder, authority, first, files) = certified();
    let server = Server::with(&files.env());
    let shown = || {
        let mut client = TlsClient::new(server.address(), authority.client());
        client.handshake().unwrap();
        client.server_cert()
    };
    let mut old = TlsClient::connect(server.address(), authority.client());
    old.subscribe("room");
    assert_eq!(old.server_cert(), first.cert);

    let second = authority.issue();
    files.replace(&second);
    eventually("the new certificate is shown", || shown() == second.cert);

    // A key that is not the certificate's, then a certificate that is none.
    let third = authority.issue();
    put(&files.key, &third.key.serialize_pem());
    put(&files.cert, "no certificate");
    // The file is looked at once a second: this is what is shown afterwards, too.
    let until = std::time::Instant::now() + std::time::Duration::from_millis(2500);
    eventually("the old certificate is kept", || {
        assert_eq!(shown(), second.cert);
        std::time::Instant::now() > until
    });
    files.replace(&third);
    eventually("the newest certificate is shown", || shown() == third.cert);

    publish(&server, &authority, "room", "still here");
    assert_eq!(old.json()["data"], "still here");
    assert_eq!(old.server_cert(), first.cert);
}

#[test]
fn every_form_of_key_serves() {
    let (_folder, authority, ec, files) = certified();
    let rsa = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let rsa = authority.issue_for(rsa.unwrap());
    let inner = |identity: &Identity| {
        let der = identity.key.serialize_der();
        let info = PrivateKeyInfoRef::try_from(&*der).unwrap();
        SecretDocument::try_from(info.private_key.as_bytes()).unwrap()
    };
    let der = ec.key.serialize_der();
    let params = Parameters::generate_pbkdf2_sha256_aes256cbc(1000, &[7; 16], [9; 16]).unwrap();
    let encrypted = PrivateKeyInfoRef::try_from(&*der).unwrap().encrypt_with_params(params, "pw");
    let cases = [
        (&ec, "EC PRIVATE KEY", inner(&ec)),
        (&rsa, "RSA PRIVATE KEY", inner(&rsa)),
        (&ec, "ENCRYPTED PRIVATE KEY", encrypted.unwrap()),
    ];
    for (identity, label, key) in cases {
        put(&files.cert, &identity.cert_pem);
        put(&files.key, &key.to_pem(label, LineEnding::LF).unwrap());
        let server = Server::with(&[&files.env()[..], &[("SSL_PASS", "pw")]].concat());
        TlsClient::connect(server.address(), authority.client());
    }
    let error = start_error(&[&files.env()[..], &[("SSL_PASS", "other")]].concat());
    assert_eq!(error, format!("{}: ssl.passphrase does not open the key", files.key.display()));
}

#[test]
fn files_that_cannot_be_used_are_named_at_start() {
    let (folder, authority, _, files) = certified();
    let key = files.key.display();
    put(&files.key, &authority.issue().key.serialize_pem());
    let cert = files.cert.display();
    assert_eq!(
        start_error(&files.env()),
        format!("{key}: is not the private key of the certificate in {cert}")
    );
    put(&files.key, "nothing");
    assert_eq!(start_error(&files.env()), format!("{key}: holds no private key in PEM form"));
    put(&files.cert, "nothing");
    put(&files.key, &authority.issue().key.serialize_pem());
    assert_eq!(start_error(&files.env()), format!("{cert}: holds no certificate in PEM form"));
    let missing = folder.path().join("missing.pem");
    let missing = missing.to_str().unwrap();
    let error = start_error(&[("SSL_CERT", missing), ("SSL_KEY", files.key.to_str().unwrap())]);
    assert!(error.starts_with(&format!("{missing}: No such file")), "{error}");
}

#[test]
fn who_does_not_finish_the_handshake_is_closed() {
    let (_folder, _authority, _, files) = certified();
    let server = Server::with(&[&files.env()[..], &[("HTTP_KEEP_ALIVE_TIMEOUT", "1")]].concat());
    assert_eq!(answer(&server, b""), b"");
    assert_eq!(answer(&server, b"\x16\x03\x01"), b"");
    server.is_clean();
}

#[test]
fn plain_http_on_a_tls_port_is_told() {
    let (_folder, authority, _, files) = certified();
    let server = Server::with(&files.env());
    let large = [&b"POST /apps/app-id/events HTTP/1.1\r\n\r\n"[..], &[b'x'; 100_000]].concat();
    for request in [&b"GET / HTTP/1.1\r\n\r\n"[..], &upgrade(), &large] {
        let answer = String::from_utf8(answer(&server, request)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], 400);
        assert!(body["error"].as_str().unwrap().contains("https or wss"), "{body}");
    }
    assert_eq!(
        answer(&server, b"\x16\x03\x01\x00\x05\xff\0\0\x01\0")[0],
        0x15,
        "an alert to nonsense"
    );
    TlsClient::connect(server.address(), authority.client());
}

#[test]
fn tls_on_a_plain_port_is_told() {
    let server = Server::with(&[]);
    let mut client = TlsClient::new(server.address(), Authority::new("any").client());
    let error = client.handshake().unwrap_err().to_string();
    assert!(error.contains("ProtocolVersion"), "{error}");
    server.connect().close();
}
