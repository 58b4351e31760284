//! Signatures that prove a client was let in by the app's own backend (W23, W45).
//! It must not know which apps exist.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clip::{ECHO, clip};
use crate::hex;

/// An app's secret, with the work that HMAC does on its key already done.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Takes the secret's bytes, of any length.
    pub fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length (RFC 2104 2)"))
    }

    /// HMAC-SHA256 over the parts, one after the other.
    pub fn sign<P: AsRef<[u8]>>(&self, parts: &[P]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part.as_ref());
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether `signature` is the hex HMAC-SHA256 over the parts; compared in constant time over
    /// the decoded bytes (H16).
    pub fn verify<P: AsRef<[u8]>>(&self, parts: &[P], signature: &str) -> bool {
        match hex::decode::<32>(signature.as_bytes()) {
            Some(given) => self.sign(parts).ct_eq(&given).into(),
            None => false,
        }
    }

    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a client's signature is refused: the message of a `pusher:error` with code null (W18).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// `auth` has no colon.
    #[error("Invalid auth data: '{0}' should be of the format 'key:signature'")]
    Format(String),
    /// The part before the colon is not the app's key.
    #[error("Invalid key in subscription auth data: '{0}'")]
    Key(String),
    /// The part after the colon is not the signature. The expected one is never told.
    #[error("Invalid signature: Expected HMAC SHA256 hex digest of {signed}, but got {got}")]
    Signature {
        /// What should have been signed, cut to a sane length.
        signed: String,
        /// What was sent, cut to a sane length.
        got: String,
    },
}

/// Checks the `auth` of a subscription (W23).
///
/// `channel_data` is the raw string received, on any kind of channel: if present it is signed too.
pub fn verify_subscription(
    key: &str,
    secret: &Secret,
    auth: &str,
    socket_id: &str,
    channel: &str,
    channel_data: Option<&str>,
) -> Result<(), AuthError> {
    match channel_data {
        None => verify(key, secret, auth, &[socket_id, ":", channel]),
        Some(data) => verify(key, secret, auth, &[socket_id, ":", channel, ":", data]),
    }
}

/// Checks the `auth` of a sign-in over the raw `user_data` received (W45).
pub fn verify_signin(
    key: &str,
    secret: &Secret,
    auth: &str,
    socket_id: &str,
    user_data: &str,
) -> Result<(), AuthError> {
    verify(key, secret, auth, &[socket_id, "::user::", user_data])
}

/// The `auth` that lets a connection subscribe, as a backend makes it (W23).
pub fn sign_subscription(
    key: &str,
    secret: &Secret,
    socket_id: &str,
    channel: &str,
    channel_data: Option<&str>,
) -> String {
    match channel_data {
        None => sign(key, secret, &[socket_id, ":", channel]),
        Some(data) => sign(key, secret, &[socket_id, ":", channel, ":", data]),
    }
}

/// The `auth` that signs a connection in, as a backend makes it (W45).
pub fn sign_signin(key: &str, secret: &Secret, socket_id: &str, user_data: &str) -> String {
    sign(key, secret, &[socket_id, "::user::", user_data])
}

fn sign(key: &str, secret: &Secret, signed: &[&str]) -> String {
    format!("{key}:{}", hex::encode(&secret.sign(signed)))
}

fn verify(key: &str, secret: &Secret, auth: &str, signed: &[&str]) -> Result<(), AuthError> {
    let Some((given_key, signature)) = auth.split_once(':') else {
        return Err(AuthError::Format(clip(auth, ECHO).to_owned()));
    };
    // The key is public, so it needs no constant-time comparison.
    if given_key != key {
        return Err(AuthError::Key(clip(given_key, ECHO).to_owned()));
    }
    if secret.verify(signed, signature) {
        return Ok(());
    }
    let signed = signed.iter().map(|part| clip(part, 2 * ECHO)).collect();
    Err(AuthError::Signature { signed, got: clip(signature, ECHO).to_owned() })
}
