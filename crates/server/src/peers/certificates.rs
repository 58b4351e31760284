//! What the links of a mesh are encrypted with, read again when the files change. It must not know
//! a link.

use std::path::PathBuf;

use cluster::mesh::MeshTls;
use config::ClusterTls;

use super::join_error::JoinError;
use crate::changed_files::Changes;
use crate::net::{self, TlsError};

/// The files, and what they held when they were last good.
#[derive(Clone)]
pub(crate) struct Certificates {
    files: Files,
    tls: MeshTls,
}

#[derive(Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
}

impl Certificates {
    /// Reads the certificate, its key and the authority, if there are such files.
    ///
    /// # Errors
    /// Only some of them are configured, or they are of no use.
    pub(super) fn load(files: &ClusterTls) -> Result<Option<Self>, JoinError> {
        let ClusterTls { cert, key, ca } = files.clone();
        let files = match (cert, key, ca) {
            (None, None, None) => return Ok(None),
            (Some(certificate), Some(key), Some(authority)) => {
                Files { certificate, key, authority }
            }
            _ => return Err(JoinError::SomeTlsFiles),
        };
        let tls = files.read()?;
        Ok(Some(Certificates { files, tls }))
    }

    /// What links are encrypted with; it changes by itself.
    pub(super) fn tls(&self) -> MeshTls {
        self.tls.clone()
    }

    /// Takes over what the files hold whenever that is something else, for ever.
    pub(crate) async fn keep_fresh(self) {
        let Files { certificate, key, authority } = &self.files;
        let mut changes = Changes::of(&[certificate.clone(), key.clone(), authority.clone()]);
        loop {
            // At first, too: they may have changed since the start.
            match self.files.read() {
                Ok(now) => self.tls.replace(&now),
                Err(error) => {
                    tracing::error!(%error, "the cluster's certificate is kept as it was")
                }
            }
            changes.next().await;
            tracing::info!(path = %certificate.display(), "the cluster's certificate is read again");
        }
    }
}

impl Files {
    fn read(&self) -> Result<MeshTls, JoinError> {
        let identity = net::read_identity(&self.certificate, &self.key)?;
        let tls = MeshTls::new(&identity, net::read_roots(&self.authority)?);
        Ok(tls.map_err(|error| TlsError::new(&self.authority, error))?)
    }
}
