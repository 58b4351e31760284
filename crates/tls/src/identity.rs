//! What we prove ourselves with.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::private_key::private_key;
use crate::{TlsError, certificates};

/// A certificate with what leads from it to its authority, and its private key.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<SingleCertAndKey>);

impl Identity {
    /// Takes the certificate, and behind it what leads to its authority, and the first private key
    /// of another PEM text: PKCS#8, encrypted PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    /// They cannot be used, or do not fit each other.
    pub fn from_pem(
        chain: &[u8],
        key: &[u8],
        passphrase: Option<&str>,
    ) -> Result<Identity, TlsError> {
        let key = private_key(key, passphrase)?;
        Identity::new(certificates(chain)?, key)
    }

    /// The same, of what was read already.
    ///
    /// # Errors
    /// They cannot be used, or do not fit each other.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Identity, TlsError> {
        let key = default_provider().key_provider.load_private_key(key);
        let certified = CertifiedKey::new(chain, key.map_err(TlsError::UnusableKey)?);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => return Err(TlsError::OtherKey),
            Err(error) => return Err(error.into()),
        }
        Ok(Identity(Arc::new(certified.into())))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}
