//! Which NATS, and as whom.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::ServerAddr;
use tls::certificates;

/// Where the servers are and how to log in.
#[derive(Clone)]
pub struct NatsConfig {
    /// Servers of one NATS, each `host`, `host:port`, `nats://host:port` or `tls://host:port`. One
    /// of them is enough, others are tried when it is gone.
    pub servers: Vec<String>,
    /// The user to log in as, if any.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A token to log in with instead.
    pub token: Option<String>,
    /// The authorities that may have signed the servers' certificates, a PEM file; those of this
    /// system without it. It is read at every connect, so that a renewed one is noticed.
    pub ca: Option<PathBuf>,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// Keeps deployments on one NATS apart; in front of every subject. `prod.` makes a level of
    /// its own of it. What is not legal in a subject is encoded, see the module.
    pub prefix: String,
    /// What the server's monitoring shows for this node, behind `dunlin`.
    pub name: String,
}

impl Default for NatsConfig {
    fn default() -> Self {
        NatsConfig {
            servers: vec!["127.0.0.1:4222".into()],
            user: None,
            password: None,
            token: None,
            ca: None,
            connect_timeout: Duration::from_secs(10),
            prefix: String::new(),
            name: String::new(),
        }
    }
}

/// Why a connection to NATS is not even tried.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// No servers.
    #[error("no NATS servers, there must be one at least, such as 127.0.0.1:4222")]
    NoServers,
    /// What is in the list is no server.
    #[error(
        "NATS server {server:?}: {error}; it must be host:port, nats://host:port or tls://host:port"
    )]
    Server {
        /// What was configured.
        server: String,
        /// What is wrong.
        error: io::Error,
    },
    /// Who we are is in a server's address. Holds the address without it.
    #[error("NATS server {0:?} has a user in it, which must be in an option of its own")]
    UserInServer(String),
    /// The authorities cannot be read.
    #[error(
        "NATS certificate authority {path}: {reason}; it must be a file of certificates in PEM form"
    )]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else that the client does not like.
    #[error("NATS: {0}")]
    Client(String),
}

impl NatsConfig {
    pub(super) fn servers(&self) -> Result<Vec<ServerAddr>, NatsError> {
        if self.servers.is_empty() {
            return Err(NatsError::NoServers);
        }
        self.servers.iter().map(|server| parse(server)).collect()
    }

    /// The file of authorities, if there is something in it; the client says little about that.
    pub(super) fn authorities(&self) -> Result<Option<PathBuf>, NatsError> {
        let Some(path) = &self.ca else { return Ok(None) };
        let wrong = |reason: String| NatsError::Authority { path: path.clone(), reason };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        certificates(&pem).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(path.clone()))
    }
}

fn parse(server: &str) -> Result<ServerAddr, NatsError> {
    if let Some((_, host)) = server.rsplit_once('@') {
        return Err(NatsError::UserInServer(host.to_owned()));
    }
    let wrong = |error| NatsError::Server { server: server.to_owned(), error };
    let address: ServerAddr = server.parse().map_err(wrong)?;
    if !matches!(address.scheme(), "nats" | "tls") || address.host().is_empty() {
        return Err(wrong(io::ErrorKind::Unsupported.into()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(servers: &[&str]) -> Result<Vec<(String, u16, bool)>, String> {
        let servers = servers.iter().map(|server| server.to_string()).collect();
        let config = NatsConfig { servers, ..NatsConfig::default() };
        let servers = config.servers().map_err(|error| error.to_string())?;
        Ok(servers.iter().map(|at| (at.host().into(), at.port(), at.tls_required())).collect())
    }

    #[test]
    fn servers_have_a_host_and_may_have_a_port() {
        let all = ["a", "b:5000", "nats://c", "tls://d:6000", "[::1]:7000"];
        let expected = [
            ("a".into(), 4222, false),
            ("b".into(), 5000, false),
            ("c".into(), 4222, false),
            ("d".into(), 6000, true),
            ("::1".into(), 7000, false),
        ];
        assert_eq!(servers(&all).unwrap(), expected);
    }

    #[test]
    fn what_is_no_server_is_named() {
        for server in ["", "http://a", "ws://a", "a:99999", "nats://", "a b"] {
            let error = servers(&["fine", server]).unwrap_err();
            assert!(error.contains(&format!("{server:?}")), "{error}");
        }
        assert!(servers(&[]).unwrap_err().contains("one at least"));
    }

    #[test]
    fn a_password_in_a_server_is_refused_and_not_shown() {
        let error = servers(&["nats://me:hush@host:4222"]).unwrap_err();
        assert!(error.contains("host:4222") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        for (path, reason) in [("/dev/null", "no certificate"), ("/nowhere/ca.pem", "No such file")]
        {
            let config = NatsConfig { ca: Some(path.into()), ..NatsConfig::default() };
            let error = config.authorities().unwrap_err().to_string();
            assert!(error.contains(path) && error.contains(reason), "{error}");
        }
    }
}
