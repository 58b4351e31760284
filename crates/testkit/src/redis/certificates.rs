//! Certificates for a server and for clients.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::{folder, write};

/// An authority, and the certificate of a server that is called `redis.test`.
pub struct RedisCertificates {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl RedisCertificates {
    pub fn new() -> RedisCertificates {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of tests");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let certificates = RedisCertificates { authority, folder: folder() };
        let [certificate, key] = certificates.issue(&["redis.test", "127.0.0.1"]);
        write(&certificates.folder, "ca.pem", &certificates.ca());
        write(&certificates.folder, "server.pem", &certificate);
        write(&certificates.folder, "server-key.pem", &key);
        certificates
    }

    /// PEM of the authority.
    pub fn ca(&self) -> String {
        self.authority.pem()
    }

    /// PEM of a certificate and of its key.
    pub fn issue(&self, names: &[&str]) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).unwrap();
        [params.signed_by(&key, &self.authority).unwrap().pem(), key.serialize_pem()]
    }

    /// Paths of the authority, and of the server's certificate and key.
    pub fn server_files(&self) -> [PathBuf; 3] {
        ["ca.pem", "server.pem", "server-key.pem"].map(|name| self.folder.join(name))
    }
}

impl Drop for RedisCertificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
