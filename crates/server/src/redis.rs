//! Redis as the options say, for whoever uses it: one block of options, and what is laid over it for
//! one use.

use config::{ClientOptions, Config, NodeAddress, Secret};
use redis_connections::{Address, OptionError, RedisOptions, Sentinels, Topology};

/// How to connect: `database.redis`, in `cluster_mode` to its `clusterNodes`, with `overlay` over it.
pub(crate) fn options(
    config: &Config,
    cluster_mode: bool,
    overlay: &ClientOptions,
) -> Result<RedisOptions, OptionError> {
    let redis = &config.database.redis;
    let exposed = |secret: &Option<Secret>| secret.as_ref().map(|s| s.expose().to_owned());
    let addresses = |nodes: &[NodeAddress]| -> Vec<Address> {
        nodes.iter().map(|node| Address::new(node.host.clone(), node.port)).collect()
    };
    let topology = if cluster_mode {
        Topology::Cluster(addresses(&redis.cluster_nodes))
    } else if redis.sentinels.is_empty() {
        Topology::Standalone(Address::new(redis.host.clone(), redis.port))
    } else {
        Topology::Sentinel(Sentinels {
            nodes: addresses(&redis.sentinels),
            master: redis.master_name.clone(),
            password: exposed(&redis.sentinel_password),
            ..Sentinels::default()
        })
    };
    let mut options = RedisOptions {
        topology,
        username: redis.username.clone(),
        password: exposed(&redis.password),
        database: redis.db,
        key_prefix: redis.key_prefix.clone(),
        ..RedisOptions::default()
    };
    options.overlay(&redis.options.0)?;
    options.overlay(&overlay.0)?;
    options.check()?;
    Ok(options)
}
