//! The configuration of the adapter, as the `cluster` crate takes it.

use cluster::mesh::{Discovery, MeshConfig, MeshTls};
use cluster::nats::NatsConfig;
use cluster::redis::{OptionError, RedisConfig};
use config::{Config, Secret};
use redis_client::RedisOptions;

use super::join_error::JoinError;

/// `adapter.driver` = `cluster`.
pub(super) fn mesh(config: &Config, tls: Option<MeshTls>) -> Result<MeshConfig, JoinError> {
    let cluster = &config.cluster;
    let discovery = match &cluster.multicast {
        _ if !cluster.unicast.is_empty() => Discovery::Unicast(cluster.unicast.clone()),
        Some(group) => match group.parse() {
            Ok(address) => Discovery::Multicast(address),
            Err(_) => return Err(JoinError::Multicast(group.clone())),
        },
        None => Discovery::Broadcast(cluster.broadcast.clone()),
    };
    Ok(MeshConfig {
        host: cluster.host.clone(),
        port: cluster.port,
        prefix: cluster.prefix.clone(),
        secret: cluster.secret.as_ref().map(|secret| secret.expose().as_bytes().to_vec()),
        name: name(),
        discovery,
        hello_interval: cluster.hello_interval,
        dns: cluster.dns.clone(),
        peers: cluster.peers.clone(),
        tls,
    })
}

/// `adapter.driver` = `redis`.
pub(super) fn redis(config: &Config) -> Result<RedisConfig, OptionError> {
    let adapter = &config.adapter.redis;
    let connect = |overlay| RedisOptions::configured(config, adapter.cluster_mode, overlay);
    Ok(RedisConfig {
        prefix: adapter.prefix.clone(),
        subscribe: connect(&adapter.sub_options)?,
        publish: connect(&adapter.pub_options)?,
        // So that we notice it before the others could think that we are dead.
        silence: config.cluster.node_timeout.mul_f64(0.75),
    })
}

/// `adapter.driver` = `nats`.
pub(super) fn nats(config: &Config) -> NatsConfig {
    let nats = &config.adapter.nats;
    let exposed = |secret: &Option<Secret>| secret.as_ref().map(|s| s.expose().to_owned());
    NatsConfig {
        servers: nats.servers.clone(),
        user: nats.user.clone(),
        password: exposed(&nats.password),
        token: exposed(&nats.token),
        ca: nats.ca.clone(),
        connect_timeout: nats.timeout,
        prefix: nats.prefix.clone(),
        name: name(),
    }
}

/// What operators call this node: its host's name and the process.
pub(super) fn name() -> String {
    let system = rustix::system::uname();
    format!("{}:{}", system.nodename().to_string_lossy(), std::process::id())
}
