//! The shared secret: it proves who belongs, and never leaves this module.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The length of a proof in bytes.
pub(super) const PROOF: usize = 32;

/// The secret of a mesh, with the work that HMAC does on its key already done. No secret is the
/// empty one, so a node that has one and a node that has none refuse each other.
#[derive(Clone)]
pub(super) struct ClusterSecret(Hmac<Sha256>);

/// What a proof is for. It is part of what is signed, so that no proof can be used for another
/// purpose: what a dialler has proved cannot be thrown back at it by an acceptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Hello,
    Dialler,
    Acceptor,
}

impl ClusterSecret {
    pub(super) fn new(secret: &[u8]) -> Self {
        ClusterSecret(
            Hmac::new_from_slice(secret).expect("HMAC takes a key of any length (RFC 2104 2)"),
        )
    }

    /// HMAC-SHA256 over the purpose and the parts, one after the other.
    pub(super) fn prove(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; PROOF] {
        self.mac(purpose, parts).finalize().into_bytes().into()
    }

    /// Whether `proof` was made with the same secret, purpose and parts. Takes the same time
    /// wherever they differ.
    pub(super) fn verify(&self, purpose: Purpose, parts: &[&[u8]], proof: &[u8]) -> bool {
        self.mac(purpose, parts).verify_slice(proof).is_ok()
    }

    fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&[purpose as u8]);
        for part in parts {
            mac.update(part);
        }
        mac
    }
}
