//! The end of a connection that connects.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};

use crate::any_name::AnyName;
use crate::{Identity, TlsError};

/// Which servers are believed. That a server has the key of its certificate is verified in any case.
#[derive(Clone, Debug)]
pub enum Trust {
    /// One whose certificate is for its name, and signed by one of these authorities.
    Named(Arc<RootCertStore>),
    /// One whose certificate is signed by one of these authorities, for whatever name.
    AnyName(Arc<RootCertStore>),
    /// Every server.
    Anybody,
}

/// What a client encrypts with. With an identity it proves itself to servers that ask for that.
///
/// # Errors
/// There is no authority that can be used.
pub fn client_config(trust: Trust, identity: Option<&Identity>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let verified_by =
        |verifier| builder.clone().dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let builder = match trust {
        Trust::Named(roots) => builder.with_root_certificates(roots),
        Trust::AnyName(roots) => verified_by(AnyName::signed_by(roots, &provider)?),
        Trust::Anybody => verified_by(AnyName::unverified(&provider)),
    };
    Ok(match identity {
        Some(identity) => builder.with_client_cert_resolver(identity.0.clone()),
        None => builder.with_no_client_auth(),
    })
}
