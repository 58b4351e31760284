//! Who connects to whom: one task for each address that may be a peer's, and one that accepts.
//!
//! Of two nodes that know each other, the one with the smaller incarnation dials. The other one
//! waits for a while, and dials too if nothing comes: perhaps only it can reach the other. An
//! address of nobody knows whom is dialled at once.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use failures::Backoff;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, sleep_until, timeout};

use super::handshake::{HandshakeError, Role};
use super::node::MeshNode;
use crate::Incarnation;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// The pauses between attempts.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long the greater incarnation waits for the smaller one to dial.
const COURTESY: Duration = Duration::from_secs(1);
/// How many accepted connections may be in their handshake; more wait to be accepted.
const HANDSHAKES: usize = 128;

/// Connects to whoever is at an address whenever there is no link to it, until nobody believes in
/// the address any more.
pub(super) async fn pursue(node: Rc<MeshNode>, address: SocketAddr) {
    let mut backoff = Backoff::new(SHORTEST_PAUSE, LONGEST_PAUSE);
    let mut courteous = true;
    while let Some(candidate) = node.candidates.get(address) {
        if let Some(peer) = candidate.incarnation {
            if peer == node.me() || node.links.has(peer) {
                tokio::select! {
                    () = node.links.until(|links| peer != node.me() && !links.has(peer)) => {}
                    () = sleep_until(candidate.until) => {}
                }
                courteous = true;
                continue;
            }
            if courteous && peer < node.me() {
                courteous = false;
                let _ = timeout(COURTESY, node.links.until(|links| links.has(peer))).await;
                continue;
            }
        }
        match dial(&node, address, candidate.incarnation).await {
            Ok(Dialled::Linked) => backoff.reset(),
            Ok(Dialled::NoNeed) => {}
            Err(HandshakeError::Myself) => node.candidates.identify(address, node.me()),
            Err(error) => node.failed(address, &error),
        }
        sleep(backoff.pause()).await;
    }
}

/// What came of an attempt to connect.
enum Dialled {
    Linked,
    /// Another of the peer's addresses is or was faster.
    NoNeed,
}

/// Tries to connect to an address once, where `expected` was last.
async fn dial(
    node: &Rc<MeshNode>,
    address: SocketAddr,
    expected: Option<Incarnation>,
) -> Result<Dialled, HandshakeError> {
    node.counters.dialled.add();
    let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(stream) => stream?,
        Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    };
    let _shaking = match expected {
        None => None,
        Some(peer) if node.links.has(peer) => return Ok(Dialled::NoNeed),
        Some(peer) => match node.candidates.shake(peer) {
            None => return Ok(Dialled::NoNeed),
            shaking => shaking,
        },
    };
    let peer = node.greet(stream, address, node.dialler()).await?;
    node.candidates.identify(address, peer);
    Ok(Dialled::Linked)
}

/// Accepts connections, for ever.
pub(super) async fn accept(node: Rc<MeshNode>, listener: TcpListener) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(permit) = handshakes.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, address)) => {
                node.counters.accepted.add();
                let accepting = node.clone();
                node.finders.spawn(async move {
                    if let Err(error) = accepting.greet(stream, address, Role::Acceptor).await {
                        accepting.failed(address, &error);
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                // The connection may be gone again already; or we are out of file descriptors,
                // which does not get better by trying again at once.
                node.warn(format!("mesh cannot accept connections: {error}"));
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
