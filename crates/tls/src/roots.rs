//! The authorities that are believed.

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::TlsError;

/// The certificates in a PEM text, one at least, in their order.
///
/// # Errors
/// There is none, or one cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    match certificates.is_empty() {
        true => Err(TlsError::NoCertificate),
        false => Ok(certificates),
    }
}

/// Believes the authorities in a PEM text, too.
///
/// # Errors
/// There is none, or one cannot be used.
pub fn add_roots(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TlsError> {
    for certificate in certificates(pem)? {
        roots.add(certificate)?;
    }
    Ok(())
}

/// This system has no authority that can be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoRoots(String);

/// The system's authorities, read once: there are many of them.
///
/// # Errors
/// There are none. They are looked for again the next time.
pub fn system_roots() -> Result<Arc<RootCertStore>, NoRoots> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A few that cannot be used are normal.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let error = found.errors.first();
        return Err(NoRoots(error.map_or("there are none".into(), ToString::to_string)));
    }
    Ok(ROOTS.get_or_init(|| Arc::new(roots)).clone())
}
