//! TLS as everybody here speaks it: certificates and keys out of PEM text, who is believed, and what
//! clients and servers are configured with. It must not know files, nor whose connections they are.
//!
//! ```text
//!   identity, private_key    what we prove ourselves with
//!   roots                    the authorities that are believed
//!   client, server           the two ends of a connection
//!   any_name                 believing a server whatever its name
//! ```

mod any_name;
mod client;
mod identity;
mod private_key;
mod roots;
mod server;

use rustls::server::VerifierBuilderError;
use rustls_pki_types::pem;

pub use client::{Trust, client_config};
pub use identity::Identity;
pub use private_key::KeyError;
pub use roots::{NoRoots, add_roots, certificates, system_roots};
pub use server::{ClientAuth, server_config};

/// Why TLS cannot be spoken with what is configured. Who has read it knows which file that was.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no certificate where one should be.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error(transparent)]
    Pem(#[from] pem::Error),
    /// The private key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The private key is of a kind that cannot be used.
    #[error("the private key cannot be used: {0}")]
    UnusableKey(rustls::Error),
    /// The private key belongs to another certificate.
    #[error("the private key is not that of the certificate")]
    OtherKey,
    /// Authorities cannot be used.
    #[error(transparent)]
    Authorities(#[from] VerifierBuilderError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] rustls::Error),
}

impl TlsError {
    /// Whether it is the private key that is at fault.
    pub fn is_about_the_key(&self) -> bool {
        matches!(self, TlsError::Key(_) | TlsError::UnusableKey(_) | TlsError::OtherKey)
    }
}
