//! Which server is the master now, as the sentinels say.

use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use crate::first::first;
use crate::reply::Reply;
use crate::wire::{Login, Wire};
use crate::{Address, ConnectError, RedisOptions, Sentinels, Topology};

/// How often sentinels are asked whether the master is still the master.
const ASK: Duration = Duration::from_secs(2);

impl RedisOptions {
    /// The server that commands and messages go to now: the only one, or the one that the
    /// sentinels call the master. None for a Redis Cluster, where it depends on the slot.
    ///
    /// # Errors
    /// No sentinel knows.
    pub async fn master(&self) -> Result<Option<Address>, ConnectError> {
        match &self.topology {
            Topology::Standalone(address) => Ok(Some(address.clone())),
            Topology::Sentinel(sentinels) => {
                let what = || format!("no sentinel knows the master {:?}", sentinels.master);
                let attempt = |sentinel: &Address| {
                    let (options, sentinels) = (self.clone(), sentinels.clone());
                    let sentinel = sentinel.clone();
                    async move { options.in_time(&sentinel, sentinels.ask(&sentinel)).await }
                };
                let attempts: Vec<_> = sentinels.nodes.iter().map(attempt).collect();
                first(what, attempts).await.map(Some)
            }
            Topology::Cluster(_) => Ok(None),
        }
    }

    /// Waits until the sentinels call another server the master, and says which: one that they have
    /// replaced may take ten seconds to notice, or for ever if it is cut off from them, and what is
    /// written to it meanwhile is lost. Never ends without sentinels.
    pub async fn successor(&self, of: &Address) -> Address {
        if !matches!(self.topology, Topology::Sentinel(_)) {
            return pending().await;
        }
        loop {
            sleep(ASK).await;
            // If none of them answers, nobody has said that it is another one.
            match self.master().await {
                Ok(Some(master)) if master != *of => return master,
                _ => {}
            }
        }
    }
}

impl Sentinels {
    async fn ask(&self, sentinel: &Address) -> Result<Address, ConnectError> {
        let mut wire = Wire::open(sentinel, Login::sentinel(self)).await?;
        let reply = wire.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.master]).await?;
        let address = match reply.elements() {
            [host, port] => host.text().zip(port.text().and_then(|port| port.parse().ok())),
            _ => None,
        };
        match address {
            Some((host, port)) => Ok(Address::new(host, port)),
            None => Err(wire.unexpected(format!("it knows no master {:?}", self.master))),
        }
    }
}

impl Wire {
    /// Finds out whether this server takes itself for a master. If the user may not ask, the
    /// sentinels' word has to do.
    pub(crate) async fn check_master(&mut self) -> Result<(), ConnectError> {
        match self.call(&["ROLE"]).await {
            Ok(reply) => match reply.elements().first().and_then(Reply::text) {
                Some("master") => Ok(()),
                _ => Err(ConnectError::NoMaster(self.address().clone())),
            },
            Err(ConnectError::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
