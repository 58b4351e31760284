//! Redis as the server's options say: one block of options, and what is laid over it for one use.

use crate::{Address, OptionError, RedisOptions, Sentinels, Topology, has_no_effect};
use config::{ClientOptions, Config, NodeAddress, Secret};

impl RedisOptions {
    /// How to connect: `database.redis`, in `cluster_mode` to its `clusterNodes`, with `overlay`
    /// over it. Options without effect are logged.
    ///
    /// # Errors
    /// No connection could be made like this, see [`OptionError`].
    pub fn configured(
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
        for laid in [&redis.options.0, &overlay.0] {
            options.overlay(laid)?;
            for option in laid.keys().filter(|option| has_no_effect(option)) {
                tracing::warn!(option, "an option of a connection to Redis has no effect here");
            }
        }
        options.check()?;
        Ok(options)
    }
}
