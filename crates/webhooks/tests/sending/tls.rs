//! Targets that prove who they are, or do not.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;
use webhooks::SettingsError;

use super::target::{Reply, Target};
use super::*;

/// Signs certificates, and is written to a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    path: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = format!("dunlin-webhooks-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(file);
        fs::write(&path, issuer.pem()).unwrap();
        Authority { issuer, path }
    }

    fn acceptor(&self, host: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config).into()
    }

    fn settings(&self) -> Settings {
        Settings { ca_path: Some(self.path.clone()), ..impatient() }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[tokio::test]
async fn a_target_whose_authority_is_in_the_file_is_believed() {
    let authority = Authority::new("believed");
    let target =
        Target::listen(Some(authority.acceptor("localhost")), |_, _| Reply::status(200)).await;
    let sender = sender(authority.settings());
    let url = format!("https://localhost:{}/hook", target.port);
    for _ in 0..3 {
        assert_eq!(send(&sender, job(&url, "{}")).await, Outcome::Delivered);
    }
    assert_eq!((target.received().len(), target.connections()), (3, 1));
    assert!(target.received()[0].head.contains("\r\nX-Pusher-Key: "));
}

#[tokio::test]
async fn no_other_target_is() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let stranger =
        Target::listen(Some(theirs.acceptor("localhost")), |_, _| Reply::status(200)).await;
    let misnamed =
        Target::listen(Some(ours.acceptor("example.com")), |_, _| Reply::status(200)).await;
    let sender = sender(ours.settings());
    for target in [&stranger, &misnamed] {
        let url = format!("https://localhost:{}/", target.port);
        let why = given_up(send(&sender, job(&url, "{}")).await);
        assert!(why.contains("unreachable") && why.contains("certificate"), "{why}");
        assert_eq!(target.received().len(), 0);
    }
}

#[tokio::test]
async fn a_file_without_authorities_is_refused() {
    for (name, content) in [("missing", None), ("empty", Some("")), ("wrong", Some("no PEM"))] {
        let file = format!("dunlin-webhooks-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(file);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let settings = Settings { ca_path: Some(path.clone()), ..settings() };
        let refused = Sender::new(settings, Arc::new(Apps::default()));
        let _ = fs::remove_file(&path);
        match refused {
            Err(error @ SettingsError::Authorities { .. }) => {
                assert!(error.to_string().starts_with("webhooks.caPath is "), "{error}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}
