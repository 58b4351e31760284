//! The end of a connection that accepts.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::{Identity, TlsError};

/// What clients have to prove themselves with.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// Nothing; they are not asked.
    None,
    /// A certificate of one of these authorities, if they have any certificate.
    Optional(Arc<RootCertStore>),
    /// A certificate of one of these authorities.
    Required(Arc<RootCertStore>),
}

/// What a server encrypts with.
///
/// # Errors
/// There is no authority that can be used.
pub fn server_config(identity: &Identity, clients: ClientAuth) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(default_provider());
    let verifier = |roots| WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
    let verifier = match clients {
        ClientAuth::None => WebPkiClientVerifier::no_client_auth(),
        ClientAuth::Optional(roots) => verifier(roots).allow_unauthenticated().build()?,
        ClientAuth::Required(roots) => verifier(roots).build()?,
    };
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(identity.0.clone()))
}
