//! Certificates of one authority, as files: of a server on loopback, and of a client.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use testkit::Folder;

pub(crate) struct Certificates {
    folder: Folder,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of tests");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let certificates = Certificates { folder: Folder::new() };
        let write = |name: &str, pem: &str| fs::write(certificates.file(name), pem).unwrap();
        write("ca", &authority.pem());
        for (who, name) in [("server", "127.0.0.1"), ("client", "client")] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            write(who, &params.signed_by(&key, &authority).unwrap().pem());
            write(&format!("{who}-key"), &key.serialize_pem());
        }
        certificates
    }

    /// `ca`, `server`, `server-key`, `client` or `client-key`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }
}
