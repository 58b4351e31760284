//! Who believes whom, by handshakes in memory.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConnection, RootCertStore, ServerConnection};
use tls::{ClientAuth, Identity, TlsError, Trust, add_roots, client_config, server_config};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        add_roots(&mut roots, self.0.pem().as_bytes()).unwrap();
        Arc::new(roots)
    }

    /// A certificate and its key.
    fn issue(&self) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["right.test".to_owned()]).unwrap();
        [params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem()]
    }

    fn identity(&self) -> Identity {
        let [chain, key] = self.issue();
        Identity::from_pem(chain.as_bytes(), key.as_bytes(), None).unwrap()
    }
}

/// Whether both ends have agreed.
fn meet(
    (trust, identity): (Trust, Option<Identity>),
    called: &'static str,
    (server, clients): (&Identity, ClientAuth),
) -> bool {
    let client = Arc::new(client_config(trust, identity.as_ref()).unwrap());
    let mut client = ClientConnection::new(client, called.try_into().unwrap()).unwrap();
    let server = Arc::new(server_config(server, clients).unwrap());
    let mut server = ServerConnection::new(server).unwrap();
    for _ in 0..4 {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut there).unwrap();
        }
        server.read_tls(&mut there.as_slice()).unwrap();
        if server.process_new_packets().is_err() {
            return false;
        }
        while server.wants_write() {
            server.write_tls(&mut back).unwrap();
        }
        client.read_tls(&mut back.as_slice()).unwrap();
        if client.process_new_packets().is_err() {
            return false;
        }
    }
    !client.is_handshaking() && !server.is_handshaking()
}

#[test]
fn a_server_is_believed_by_its_authority_and_its_name() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = ours.identity();
    let believes = |trust, called| meet((trust, None), called, (&server, ClientAuth::None));
    assert!(believes(Trust::Named(ours.roots()), "right.test"));
    assert!(!believes(Trust::Named(ours.roots()), "wrong.test"));
    assert!(!believes(Trust::Named(theirs.roots()), "right.test"));
    assert!(believes(Trust::AnyName(ours.roots()), "wrong.test"));
    assert!(!believes(Trust::AnyName(theirs.roots()), "right.test"));
    assert!(believes(Trust::Anybody, "wrong.test"));
}

#[test]
fn a_client_proves_itself_where_it_has_to() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = ours.identity();
    let accepts =
        |client, auth| meet((Trust::Named(ours.roots()), client), "right.test", (&server, auth));
    let required = || ClientAuth::Required(ours.roots());
    assert!(accepts(Some(ours.identity()), required()));
    assert!(!accepts(Some(theirs.identity()), required()));
    assert!(!accepts(None, required()));
    let optional = || ClientAuth::Optional(ours.roots());
    assert!(accepts(None, optional()));
    assert!(!accepts(Some(theirs.identity()), optional()));
}

#[test]
fn a_certificate_and_the_key_of_another_are_no_identity() {
    let authority = Authority::new();
    let [[chain, _], [_, key]] = [authority.issue(), authority.issue()];
    let read = |chain: &str, key: &str| {
        Identity::from_pem(chain.as_bytes(), key.as_bytes(), None).map(drop).unwrap_err()
    };
    assert!(matches!(read(&chain, &key), TlsError::OtherKey));
    assert!(read(&chain, "").is_about_the_key());
    assert_eq!(read("", &key).to_string(), "holds no certificate in PEM form");
    assert!(!read("", &key).is_about_the_key());
}
