//! A connection after its handshake: messages in, messages out, until one end is done.

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::links::Link;
use super::message::{self, MeshMessage, MessageError};
use super::node::MeshNode;
use crate::{Flags, Packet, Received};

/// How much is read at once, in bytes, as long as messages are no longer than that.
const READ: usize = 64 << 10;
/// With less room than this, in bytes, a new buffer is begun.
const LEAST_READ: usize = 4 << 10;
/// How often a connection is looked at before it is given up as silent.
const LOOKS: u32 = 4;

/// A connected socket, encrypted or not.
pub(super) trait MeshStream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> MeshStream for S {}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The peer has closed it.
    Closed,
    /// The peer has left the cluster.
    Goodbye,
    /// It was cut on purpose.
    Cut,
}

#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("nothing was heard for {0:?}")]
    Silent(Duration),
    #[error("a bug: {0}")]
    Bug(JoinError),
}

/// Serves a connection until it ends. Each direction is a task of its own, so that what comes does
/// not look whether something goes, and the other way round.
pub(super) async fn serve(node: Rc<MeshNode>, stream: Box<dyn MeshStream>, link: Rc<Link>) {
    let enrolled = Enrolled::new(&node, &link);
    let (reader, writer) = split(stream);
    let mut directions = JoinSet::new();
    directions.spawn_local(read(node.clone(), reader, link.clone()));
    directions.spawn_local(write(node.clone(), writer, link.clone()));
    let end = tokio::select! {
        Some(end) = directions.join_next() => end.map_err(ConnectionError::Bug).flatten(),
        () = node.cut.notified() => Ok(End::Cut),
    };
    let name = &link.peer.name;
    tracing::debug!(peer = name, address = %link.address, ?end, "mesh connection ended");
    drop(enrolled);
    directions.shutdown().await;
    // Whoever was linked is dialled again, however it was found; unless it is gone.
    match end {
        Ok(End::Goodbye) => node.candidates.forget(link.peer.incarnation),
        _ => node.rediscover(&link),
    }
}

/// A link in the table of links, for as long as its connection is served.
struct Enrolled<'a> {
    node: &'a MeshNode,
    link: &'a Rc<Link>,
}

impl<'a> Enrolled<'a> {
    fn new(node: &'a MeshNode, link: &'a Rc<Link>) -> Self {
        node.counters.connections.add();
        node.driver.found(link.peer.clone());
        if node.links.add(link) {
            node.driver.reconnected(link.peer.incarnation);
        }
        Enrolled { node, link }
    }
}

impl Drop for Enrolled<'_> {
    fn drop(&mut self) {
        self.node.links.remove(self.link);
    }
}

async fn read<S: AsyncRead>(
    node: Rc<MeshNode>,
    mut reader: ReadHalf<S>,
    link: Rc<Link>,
) -> Result<End, ConnectionError> {
    // A peer of whom nothing was heard for that long is dead, or the connection is.
    let patience = node.driver.settings().node_timeout;
    let pause = patience / LOOKS;
    let mut looks = interval_at(Instant::now() + pause, pause);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = 0;
    let mut buffer = BytesMut::with_capacity(READ);
    loop {
        while let Some(message) = message::take(&mut buffer)? {
            match message {
                MeshMessage::Packet(packet) => {
                    if receive(&node, &link, packet) {
                        return Ok(End::Goodbye);
                    }
                }
                MeshMessage::Addresses(addresses) => node.told(&link, &addresses),
                MeshMessage::Unknown => {}
            }
        }
        if !buffer.is_empty() {
            // A message that takes long to arrive is a sign of life, too.
            node.driver.found(link.peer.clone());
        }
        node.driver.room().await;
        buffer.reserve(LEAST_READ);
        tokio::select! {
            biased;
            read = reader.read_buf(&mut buffer) => match read? {
                0 => return Ok(End::Closed),
                _ => silent = 0,
            },
            // A timer for each read would cost more than the read.
            _ = looks.tick() => match silent {
                LOOKS => return Err(ConnectionError::Silent(patience)),
                _ => silent += 1,
            },
        }
    }
}

/// Passes a packet on. Whether the peer has left the cluster with it.
fn receive(node: &MeshNode, link: &Link, packet: Packet) -> bool {
    let goodbye = packet.header.flags.has(Flags::GOODBYE);
    if node.driver.receive(packet) == Received::Unknown && !goodbye {
        // It was held for dead and is not: the connection still proves who it is. The packet is
        // of its old stream, so nothing is lost with it.
        node.driver.found(link.peer.clone());
    }
    goodbye
}

/// Sends whatever there is to send; ends only if that fails.
async fn write<S: AsyncWrite>(
    node: Rc<MeshNode>,
    mut writer: WriteHalf<S>,
    link: Rc<Link>,
) -> Result<End, ConnectionError> {
    loop {
        match next(&node, &link) {
            NextRead::Packet(packet) => {
                let head = message::packet_head(&packet);
                write_all(&mut writer, head, &packet.entries).await?;
            }
            NextRead::Addresses(message) => write_all(&mut writer, message, &[]).await?,
            NextRead::Wait => link.woken.notified().await,
            NextRead::Done => {
                writer.shutdown().await?;
                // The peer closes the connection when it has read everything, and so do we.
                std::future::pending().await
            }
        }
    }
}

/// What a connection sends next.
enum NextRead {
    Packet(Packet),
    Addresses(Bytes),
    Wait,
    /// Nothing will ever be sent again.
    Done,
}

fn next(node: &MeshNode, link: &Rc<Link>) -> NextRead {
    if !node.links.is_current(link) {
        return NextRead::Done;
    }
    if link.untold.take() {
        return NextRead::Addresses(message::addresses(&node.links.others(link)));
    }
    match node.driver.next_packet(link.peer.incarnation) {
        Some(packet) => NextRead::Packet(packet),
        None if node.leaving.get() => NextRead::Done,
        None => NextRead::Wait,
    }
}

/// Writes a message whose entries are not copied together.
async fn write_all<W: AsyncWrite + Unpin>(
    writer: &mut W,
    head: Bytes,
    entries: &[Bytes],
) -> io::Result<()> {
    let parts = std::iter::once(&head).chain(entries);
    let mut slices: Vec<IoSlice<'_>> = parts.map(|part| IoSlice::new(part)).collect();
    let mut rest = &mut slices[..];
    IoSlice::advance_slices(&mut rest, 0); // empty entries in front
    while !rest.is_empty() {
        match writer.write_vectored(rest).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut rest, written),
        }
    }
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn entries_follow_their_head_through_a_narrow_pipe() {
        let (mut near, mut far) = tokio::io::duplex(3);
        let entries: Vec<Bytes> = ["", "", "first", "", "second", ""].map(Bytes::from).to_vec();
        let write = async move {
            write_all(&mut near, "head".into(), &entries).await.unwrap();
            write_all(&mut near, Bytes::new(), &[Bytes::new()]).await.unwrap();
        };
        let mut wire = String::new();
        let (read, ()) = tokio::join!(far.read_to_string(&mut wire), write);
        read.unwrap();
        assert_eq!(wire, "headfirstsecond");
    }
}
