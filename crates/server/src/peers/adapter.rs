//! The configuration of the adapter, as the `cluster` crate takes it.

use std::path::PathBuf;

use cluster::mesh::{Discovery, MeshConfig, Tls, TlsError};
use cluster::nats::NatsConfig;
use cluster::redis::{OptionError, RedisConfig};
use config::{Config, Secret};

use crate::start_error::StartError;
use crate::{net, redis_options};

/// `adapter.driver` = `cluster`.
pub(super) fn mesh(config: &Config) -> Result<MeshConfig, StartError> {
    let cluster = &config.cluster;
    let discovery = match &cluster.multicast {
        _ if !cluster.unicast.is_empty() => Discovery::Unicast(cluster.unicast.clone()),
        Some(group) => match group.parse() {
            Ok(address) => Discovery::Multicast(address),
            Err(_) => return Err(StartError::Multicast(group.clone())),
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
        tls: tls(&cluster.tls)?,
    })
}

/// `adapter.driver` = `redis`.
pub(super) fn redis(config: &Config) -> Result<RedisConfig, OptionError> {
    let adapter = &config.adapter.redis;
    let connect = |overlay| redis_options::of(config, adapter.cluster_mode, overlay);
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

fn tls(files: &[Option<PathBuf>; 3]) -> Result<Option<Tls>, StartError> {
    let (certificate, key, authority) = match files {
        [None, None, None] => return Ok(None),
        [Some(certificate), Some(key), Some(authority)] => (certificate, key, authority),
        _ => return Err(StartError::ClusterTls),
    };
    let chain = net::read_certificates(certificate)?;
    let tls = Tls::new(chain, net::read_private_key(key)?, net::read_certificates(authority)?);
    let error =
        |error: TlsError| StartError::Tls { path: certificate.clone(), reason: error.to_string() };
    tls.map(Some).map_err(error)
}
