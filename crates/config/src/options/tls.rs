//! TLS on the main port.

use std::path::PathBuf;

use super::check::{flag, text_or_empty};
use super::row::{Table, TableRow, option, options};
use super::values::Values;
use crate::secret::Secret;

/// TLS on the main port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl {
    /// A PEM file with the certificate chain.
    pub cert: PathBuf,
    /// A PEM file with the private key.
    pub key: PathBuf,
    /// The passphrase of the private key.
    pub passphrase: Option<Secret>,
    /// A PEM file with the authorities that client certificates are verified against; `None` = no
    /// client certificate is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is refused; always false without
    /// [`client_ca`](Self::client_ca).
    pub require_client_cert: bool,
}

options! {
    /// What makes [`Ssl`], as it is written.
    pub(crate) struct SslOptions {
        /// PEM file with the certificate chain; set together with the key, it turns TLS on.
        cert: Option<PathBuf> = option("ssl.certPath", "SSL_CERT", text_or_empty());
        /// PEM file with the private key.
        key: Option<PathBuf> = option("ssl.keyPath", "SSL_KEY", text_or_empty());
        /// Passphrase of the private key.
        passphrase: Option<Secret> = option("ssl.passphrase", "SSL_PASS", text_or_empty());
        /// PEM file with the authorities that client certificates are verified against; set, it
        /// makes the server ask for one, and refuse one that does not verify.
        client_ca: Option<PathBuf> = option("ssl.caPath", "SSL_CA", text_or_empty());
        /// Refuse clients that present no certificate.
        require_client_cert: bool =
            option("ssl.requireClientCert", "SSL_REQUIRE_CLIENT_CERT", flag(false));
    }
}

/// The group of options that make [`Ssl`].
pub(crate) struct TlsFiles;

impl Table for TlsFiles {
    type Value = Option<Ssl>;

    const ENTRIES: &'static [TableRow] = SslOptions::ENTRIES;

    fn read(values: Values<'_>) -> Option<Ssl> {
        let SslOptions { cert, key, passphrase, client_ca, require_client_cert } =
            SslOptions::read(values);
        let require_client_cert = require_client_cert && client_ca.is_some();
        Some(Ssl { cert: cert?, key: key?, passphrase, client_ca, require_client_cert })
    }
}
