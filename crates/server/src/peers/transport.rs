//! The transport that the configuration names: how this node reaches the others.

use std::rc::Rc;
use std::sync::Arc;

use cluster::broker::{self, Broker, BrokerConfig};
use cluster::driver::Driver;
use cluster::mesh::{self, Mesh, MeshTls};
use cluster::nats::Nats;
use cluster::redis::RedisBus;
use config::{AdapterDriver, Config};

use super::adapter;
use super::join_error::JoinError;

/// Lives on the cluster's thread.
pub(super) enum PeerTransport {
    Mesh(Mesh),
    Broker(Broker),
}

/// What a transport counts; read on any thread.
#[derive(Clone)]
pub(crate) enum TransportCounters {
    Mesh(Arc<mesh::MeshCounters>),
    Broker(Arc<broker::BrokerCounters>),
}

impl PeerTransport {
    /// Begins to look for the others. Whether a broker can be reached shows later. A mesh is
    /// encrypted with `tls`.
    pub(super) async fn start(
        config: &Config,
        tls: Option<MeshTls>,
        driver: Rc<Driver>,
    ) -> Result<Self, JoinError> {
        let hellos =
            BrokerConfig { name: adapter::name(), hello_interval: config.cluster.hello_interval };
        Ok(match config.adapter.driver {
            AdapterDriver::Redis => {
                let bus = RedisBus::start(adapter::redis(config)?, driver.me())?;
                PeerTransport::Broker(Broker::start(bus, driver, hellos).await)
            }
            AdapterDriver::Nats => {
                let bus = Nats::connect(adapter::nats(config), driver.me()).await?;
                PeerTransport::Broker(Broker::start(bus, driver, hellos).await)
            }
            AdapterDriver::Cluster | AdapterDriver::Local => {
                PeerTransport::Mesh(Mesh::start(adapter::mesh(config, tls)?, driver).await?)
            }
        })
    }

    /// Whether there is a way to the others; a mesh needs nobody else for that.
    pub(super) fn is_up(&self) -> bool {
        match self {
            PeerTransport::Mesh(_) => true,
            PeerTransport::Broker(broker) => broker.is_up(),
        }
    }

    pub(super) fn counters(&self) -> TransportCounters {
        match self {
            PeerTransport::Mesh(mesh) => TransportCounters::Mesh(mesh.counters().clone()),
            PeerTransport::Broker(broker) => TransportCounters::Broker(broker.counters().clone()),
        }
    }

    /// Says goodbye.
    pub(super) async fn stop(self) {
        match self {
            PeerTransport::Mesh(mesh) => mesh.stop().await,
            PeerTransport::Broker(broker) => broker.stop().await,
        }
    }
}
