//! What can be said about a Redis.

use std::fmt;
use std::time::Duration;

use crate::masked::masked;
use crate::{Address, OptionError, TlsOptions};

/// Which servers there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Standalone(Address),
    /// A master with replicas, and sentinels that say which one is the master.
    Sentinel(Sentinels),
    /// A Redis Cluster, of which these nodes are known; the others are learnt from them.
    Cluster(Vec<Address>),
}

/// The sentinels, and how they are talked to.
#[derive(Clone, PartialEq, Eq)]
pub struct Sentinels {
    /// Where they are; one that answers is enough.
    pub nodes: Vec<Address>,
    /// What they call the master.
    pub master: String,
    /// The ACL user at the sentinels.
    pub username: Option<String>,
    /// The password at the sentinels.
    pub password: Option<String>,
    /// Encrypts the connections to the sentinels.
    pub tls: Option<TlsOptions>,
}

/// How to connect to a Redis. The default values are those of the options.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// Which servers there are.
    pub topology: Topology,
    /// The ACL user; without it the password is the default user's.
    pub username: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The number of the database. Channels are the same in all of them.
    pub database: u32,
    /// Comes before every key, if those who use the connection have it so; no channel's prefix.
    pub key_prefix: String,
    /// Encrypts the connections to the servers, not those to sentinels.
    pub tls: Option<TlsOptions>,
    /// How long one attempt to connect may take, until the server has let us in and has answered.
    pub connect_timeout: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        RedisOptions {
            topology: Topology::default(),
            username: None,
            password: None,
            database: 0,
            key_prefix: String::new(),
            tls: None,
            connect_timeout: Duration::from_secs(2),
        }
    }
}

impl Default for Topology {
    fn default() -> Self {
        Topology::Standalone(Address::new("127.0.0.1", 6379))
    }
}

impl Default for Sentinels {
    fn default() -> Self {
        Sentinels {
            nodes: Vec::new(),
            master: "mymaster".into(),
            username: None,
            password: None,
            tls: None,
        }
    }
}

impl RedisOptions {
    /// Finds what does not fit together before anything is connected.
    ///
    /// # Errors
    /// No connection could be made like this, see [`OptionError`].
    pub fn check(&self) -> Result<(), OptionError> {
        match &self.topology {
            Topology::Sentinel(sentinels) if sentinels.nodes.is_empty() => {
                return Err(OptionError::NoNodes("sentinels"));
            }
            Topology::Cluster(nodes) if nodes.is_empty() => {
                return Err(OptionError::NoNodes("nodes"));
            }
            Topology::Cluster(_) if self.database != 0 => {
                return Err(OptionError::DatabaseOfCluster(self.database));
            }
            _ => {}
        }
        if self.username.is_some() && self.password.is_none() {
            return Err(OptionError::UserWithoutPassword);
        }
        let sentinels = match &self.topology {
            Topology::Sentinel(sentinels) => sentinels.tls.as_ref(),
            _ => None,
        };
        for tls in self.tls.iter().chain(sentinels) {
            tls.check()?;
        }
        Ok(())
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("topology", &self.topology)
            .field("username", &self.username)
            .field("password", &masked(&self.password))
            .field("database", &self.database)
            .field("key_prefix", &self.key_prefix)
            .field("tls", &self.tls)
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels")
            .field("nodes", &self.nodes)
            .field("master", &self.master)
            .field("username", &self.username)
            .field("password", &masked(&self.password))
            .field("tls", &self.tls)
            .finish()
    }
}
