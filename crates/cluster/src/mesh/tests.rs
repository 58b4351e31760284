//! What takes more than one node, and cannot be seen from outside.

use std::net::Ipv4Addr;

use tokio::task::LocalSet;

use super::*;
use crate::driver::{Owner, Wake};
use crate::{Incarnation, Output, Settings};

/// The tasks of a mesh that serve no connection: they wake, tell and keep time.
const TASKS: usize = 3;

struct Nobody;

impl Owner for Nobody {
    fn output(&mut self, _: &Driver, _: Output) {}
}

async fn start(incarnation: u64) -> Mesh {
    let me = Incarnation(incarnation);
    let driver = Driver::new(me, Settings::default(), Wake::new(), Box::new(Nobody));
    // All claim the same port of the options, so they are one cluster; none gets it.
    let config = MeshConfig {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port: 0,
        discovery: Discovery::Off,
        ..MeshConfig::default()
    };
    Mesh::start(config, driver).await.unwrap()
}

impl Mesh {
    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port()).into()
    }

    fn suggest(&self, other: &Mesh, known: bool) {
        let peer = known.then(|| other.node.me());
        self.node.suggest(other.address(), peer, Duration::from_secs(10));
    }

    /// The connection to the only peer: by which end it was dialled, and which attempt it was.
    fn rank(&self) -> Option<links::Rank> {
        self.node.links.ranks().first().copied()
    }
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(5), waiting).await.expect("it happens in time");
}

#[tokio::test]
async fn two_that_dial_at_once_keep_the_connection_of_the_smaller() {
    let test = async {
        let (one, two) = (start(1).await, start(2).await);
        one.suggest(&two, false);
        two.suggest(&one, false);
        let both = || [&one, &two].map(|mesh| mesh.counters().connections.get()) == [2, 2];
        until(both).await;
        until(|| one.rank() == two.rank()).await;
        assert!(one.rank().unwrap().by_smaller);
        // The other one is closed, and no third one is made.
        until(|| [&one, &two].iter().all(|mesh| mesh.node.servers.len() == TASKS + 1)).await;
        assert!(both());
        assert_eq!(one.node.driver.peers()[0].gaps + two.node.driver.peers()[0].gaps, 0);
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn the_greater_one_dials_only_if_the_smaller_one_does_not() {
    let test = async {
        let (one, two) = (start(1).await, start(2).await);
        one.suggest(&two, true);
        two.suggest(&one, true);
        until(|| one.answered() + two.answered() == 2).await;
        assert!(one.rank().unwrap().by_smaller);

        let three = start(3).await;
        let began = tokio::time::Instant::now();
        three.suggest(&one, true);
        until(|| three.answered() > 0).await;
        assert!(began.elapsed() > Duration::from_millis(900));
        assert_eq!(three.counters().dialled.get(), 1);
        until(|| three.answered() == 2).await;
    };
    LocalSet::new().run_until(test).await;
}
