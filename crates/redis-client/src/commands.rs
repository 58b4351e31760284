//! A connection for commands, of the `redis` crate.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, ClientTlsConfig, Cmd, ConnectionAddr, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, RedisError, RedisFuture, TlsCertificates, TlsMode, Value,
};

use crate::stream::RedisStream;
use crate::tls::TlsOptions;
use crate::{Address, ConnectError, OptionError, RedisOptions, Topology};

/// Takes commands and gives their answers, many at a time; clones share one connection.
///
/// In a Redis Cluster it follows the slots and connects again by itself. Otherwise it ends with the
/// server that it was opened to, or when that is not the master any more, and another one is opened;
/// a task of the runtime in which it was opened serves it.
#[derive(Clone)]
pub struct Commands(CommandKind);

#[derive(Clone)]
enum CommandKind {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl RedisOptions {
    /// Connects to the master, or to all masters of a Redis Cluster. An answer that takes longer
    /// than `connect_timeout` is an error.
    ///
    /// # Errors
    /// There is no connection.
    pub async fn commands(&self) -> Result<Commands, ConnectError> {
        self.check()?;
        match self.master().await? {
            Some(address) => self.one(&address).await,
            None => self.cluster().await,
        }
        .map(Commands)
    }

    async fn one(&self, address: &Address) -> Result<CommandKind, ConnectError> {
        let wire = self.open(address).await?;
        let chatty = wire.unexpected("it sends what it was not asked for");
        let stream: RedisStream = wire.into_stream().ok_or(chatty)?;
        // The wire has logged in.
        let login = RedisConnectionInfo::default().set_db(self.database.into());
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.connect_timeout));
        let connection = self
            .in_time(address, async {
                Ok(MultiplexedConnection::new_with_config(&login, stream, config).await?)
            })
            .await;
        let (connection, serve) = connection?;
        let (options, address) = (self.clone(), address.clone());
        tokio::spawn(async move {
            tokio::select! {
                // It ends when the last clone is gone.
                () = serve => {}
                successor = options.successor(&address) => {
                    tracing::info!(%address, %successor, "Redis has another master now");
                }
            }
        });
        Ok(CommandKind::One(connection))
    }

    async fn cluster(&self) -> Result<CommandKind, ConnectError> {
        let Topology::Cluster(nodes) = &self.topology else { return Err(not_a_cluster()) };
        let nodes = nodes
            .iter()
            .map(|node| ConnectionAddr::Tcp(node.host.clone(), node.port).into_connection_info());
        let mut builder = ClusterClientBuilder::new(nodes.collect::<Result<Vec<_>, _>>()?)
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.connect_timeout);
        if let Some(username) = &self.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.password(password);
        }
        if let Some(tls) = &self.tls {
            builder = encrypted(builder, tls)?;
        }
        Ok(CommandKind::Cluster(builder.build()?.get_async_connection().await?))
    }
}

/// Whether the server cannot do anything now, rather than refuse this one command. The connection is
/// best opened again then, since the master may be another server by now.
pub fn is_away(error: &RedisError) -> bool {
    const NOT_NOW: [&str; 7] =
        ["READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY"];
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
        || error.code().is_some_and(|code| NOT_NOW.contains(&code))
}

fn encrypted(
    builder: ClusterClientBuilder,
    tls: &TlsOptions,
) -> Result<ClusterClientBuilder, ConnectError> {
    if tls.server_name.is_some() {
        let place = "on commands to a Redis Cluster, whose nodes prove the hosts that they tell";
        return Err(OptionError::NoEffect { name: "tls.servername", place }.into());
    }
    crate::tls::install_provider();
    let mut roots = Vec::new();
    for ca in &tls.ca {
        roots.extend(ca.read()?);
        roots.push(b'\n');
    }
    let client_tls = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            Some(ClientTlsConfig { client_cert: certificate.read()?, client_key: key.read()? })
        }
        _ => None,
    };
    let root_cert = (!roots.is_empty()).then_some(roots);
    let mode = if tls.verify { TlsMode::Secure } else { TlsMode::Insecure };
    Ok(builder.tls(mode).certs(TlsCertificates { client_tls, root_cert }))
}

fn not_a_cluster() -> ConnectError {
    OptionError::NoNodes("nodes").into()
}

impl ConnectionLike for Commands {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match &mut self.0 {
            CommandKind::One(connection) => connection.req_packed_command(cmd),
            CommandKind::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match &mut self.0 {
            CommandKind::One(connection) => connection.req_packed_commands(cmd, offset, count),
            CommandKind::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.0 {
            CommandKind::One(connection) => connection.get_db(),
            CommandKind::Cluster(connection) => connection.get_db(),
        }
    }
}
