//! What crosses between two servers, seen from one of them, which runs under callgrind: as the one
//! where it happens, and as the one that is told.

use std::net::{Ipv4Addr, TcpListener};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::binaries::Binaries;
use crate::callgrind::Count;
use crate::client::{self, Backend, SocketClient, unsubscription};
use crate::node::WatchedNode;

/// After every operation both nodes may do what they do later (acknowledge, look whether a join has
/// waited for 50 ms), so that it never falls together with the next operation and makes that cheaper:
/// with less, the counts depended on how fast the machine was. There are two rests to a join.
const OPERATION_PAUSE: Duration = Duration::from_millis(30);

/// How long the nodes may take to know each other.
const JOIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Counts all of them.
pub(crate) fn count(binaries: &Binaries) -> Result<Vec<Count>> {
    let port = free_port()?.to_string();
    // An hour between two heartbeats and before somebody is held for dead: there are none.
    let options = [
        ("ADAPTER_DRIVER", "cluster"),
        ("CLUSTER_HOST", "127.0.0.1"),
        ("CLUSTER_BROADCAST_ADDRESS", "127.255.255.255"),
        ("CLUSTER_PORT", port.as_str()),
        ("CLUSTER_MIN_PEERS", "1"),
        ("CLUSTER_KEEPALIVE_INTERVAL", "3600000"),
        ("CLUSTER_CHECK_INTERVAL", "3600000"),
        ("CLUSTER_NODE_TIMEOUT", "7200000"),
    ];
    let (watched, mut counters) = WatchedNode::watched(&binaries.dunlin, "two-nodes", &options)?;
    let other = WatchedNode::start(&binaries.dunlin, &options)?;
    await_joined(&[&watched, &other])?;

    let mut counts = Vec::new();
    let mut near = SocketClient::connect(watched.address)?;
    let mut far = SocketClient::connect(other.address)?;

    let mut backend = Backend::connect(watched.address, "far-room")?;
    far.subscribe("far-room", None)?;
    counts.push(counters.count("crossing_sent", 200, || {
        backend.publish()?;
        far.expect("message").map(drop).map(rest)
    })?);

    let mut backend = Backend::connect(other.address, "near-room")?;
    near.subscribe("near-room", None)?;
    counts.push(counters.count("crossing_received", 200, || {
        backend.publish()?;
        near.expect("message").map(drop).map(rest)
    })?);

    let mut presence = |name, member: &mut SocketClient, watcher: &mut SocketClient| {
        let channel = format!("presence-{name}");
        let (join, leave) =
            (member.subscription(&channel, Some("member")), unsubscription(&channel));
        watcher.subscribe(&channel, Some("watcher"))?;
        counters.count(name, 200, || {
            member.send(&[&join])?;
            member.expect("pusher_internal:subscription_succeeded")?;
            watcher.expect("pusher_internal:member_added").map(drop).map(rest)?;
            member.send(&[&leave])?;
            watcher.expect("pusher_internal:member_removed").map(drop).map(rest)
        })
    };
    counts.push(presence("presence_join_sent", &mut near, &mut far)?);
    counts.push(presence("presence_join_received", &mut far, &mut near)?);
    Ok(counts)
}

fn rest((): ()) {
    sleep(OPERATION_PAUSE);
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn await_joined(nodes: &[&WatchedNode]) -> Result<()> {
    let began = Instant::now();
    for node in nodes {
        while !client::is_ready(node.address)? {
            if began.elapsed() > JOIN_TIMEOUT {
                bail!("two nodes did not know each other within {JOIN_TIMEOUT:?}");
            }
            sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}
