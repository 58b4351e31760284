//! What one server does on its own. Every operation is over when its clients have what is due to
//! them, and only then the next one begins, so that none is cheaper for coming with others.

use anyhow::Result;

use crate::binaries::Binaries;
use crate::callgrind::Count;
use crate::client::{Backend, SocketClient, unsubscription};
use crate::node::WatchedNode;

/// How many receive an event of `fan_out`.
const AUDIENCE: usize = 100;

/// Counts all of them.
pub(crate) fn count(binaries: &Binaries) -> Result<Vec<Count>> {
    let (node, mut counters) = WatchedNode::watched(&binaries.dunlin, "one-node", &[])?;
    let server = node.address;
    let mut counts = Vec::new();

    // Handshake and farewell.
    counts.push(counters.count("connect", 300, || SocketClient::connect(server)?.close())?);

    // The least that a message costs: it is read, understood and answered.
    let mut client = SocketClient::connect(server)?;
    counts.push(counters.count("ping", 500, || {
        client.send(&[r#"{"event":"pusher:ping","data":{}}"#])?;
        client.expect("pusher:pong").map(drop)
    })?);

    // Both in one piece, as ending a subscription has no answer to wait for.
    let leave = unsubscription("private-room");
    let join = client.subscription("private-room", None);
    counts.push(counters.count("subscribe", 500, || {
        client.send(&[&join, &leave])?;
        client.expect("pusher_internal:subscription_succeeded").map(drop)
    })?);

    // With one who is told, both of the joining and of the leaving.
    let mut watcher = SocketClient::connect(server)?;
    watcher.subscribe("presence-room", Some("watcher"))?;
    let leave = unsubscription("presence-room");
    let join = client.subscription("presence-room", Some("member"));
    counts.push(counters.count("presence_join", 300, || {
        client.send(&[&join])?;
        client.expect("pusher_internal:subscription_succeeded")?;
        watcher.expect("pusher_internal:member_added")?;
        client.send(&[&leave])?;
        watcher.expect("pusher_internal:member_removed").map(drop)
    })?);

    // A request whose event nobody receives.
    let mut backend = Backend::connect(server, "empty-room")?;
    counts.push(counters.count("publish_request", 500, || backend.publish())?);

    // The same with one who does: dispatch, turn, and a write.
    let mut backend = Backend::connect(server, "room")?;
    client.subscribe("room", None)?;
    counts.push(counters.count("publish_to_one", 500, || {
        backend.publish()?;
        client.expect("message").map(drop)
    })?);

    // The same with many, where the turn is most of it.
    let mut backend = Backend::connect(server, "hall")?;
    let mut audience =
        (0..AUDIENCE).map(|_| SocketClient::connect(server)).collect::<Result<Vec<_>>>()?;
    audience.iter_mut().try_for_each(|client| client.subscribe("hall", None))?;
    counts.push(counters.count("publish_to_100", 100, || {
        backend.publish()?;
        audience.iter_mut().try_for_each(|client| client.expect("message").map(drop))
    })?);

    client.subscribe("private-room", None)?;
    watcher.subscribe("private-room", None)?;
    counts.push(counters.count("client_event", 500, || {
        client.send(&[
            r#"{"event":"client-typing","channel":"private-room","data":{"line":"Not all those who wander are lost"}}"#,
        ])?;
        watcher.expect("client-typing").map(drop)
    })?);
    Ok(counts)
}
