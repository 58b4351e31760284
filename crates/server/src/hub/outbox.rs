//! What the present turn of a shard sends: frames are appended to connections' lists while the
//! inbox is drained, then every connection that has some gets one write.
//!
//! The lists are links in one arena that is used again every turn, so a delivery allocates nothing
//! and wakes nobody. Small frames are copied together into the cork buffer, which costs less than
//! one `iovec` each; large ones are written from where they are.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};

use super::connection::Connection;
use crate::net::Transport;

/// Frames up to this size are copied into the cork buffer.
const COPIED: usize = 1024;
/// The most that the cork buffer holds per connection and write.
const CORK: usize = 64 * 1024;
const END: u32 = u32::MAX;

/// A connection's list of frames in the present turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    first: u32,
    last: u32,
}

impl Default for Turn {
    fn default() -> Self {
        Turn { first: END, last: END }
    }
}

#[derive(Clone, Copy)]
struct Link {
    frame: u32,
    next: u32,
}

/// Output that a socket did not take, in order.
#[derive(Default)]
pub(crate) struct Backlog {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// A task waits for the socket to become writable.
    pub(crate) awaited: bool,
}

/// How a connection's output stands after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// Some waits; this many bytes.
    Waiting(usize),
    /// The socket is gone.
    Gone,
}

/// Owned by one shard; empty between turns.
#[derive(Default)]
pub(crate) struct Outbox {
    frames: Vec<Bytes>,
    links: Vec<Link>,
    dirty: Vec<u32>,
    cork: Vec<u8>,
}

impl Outbox {
    /// Takes a frame in, to be appended to any number of connections.
    pub(crate) fn frame(&mut self, frame: Bytes) -> u32 {
        self.frames.push(frame);
        self.frames.len() as u32 - 1
    }

    /// Appends a frame of this turn to a connection's list.
    pub(crate) fn append(&mut self, index: u32, turn: &mut Turn, frame: u32) {
        let link = self.links.len() as u32;
        self.links.push(Link { frame, next: END });
        if turn.first == END {
            turn.first = link;
            self.dirty.push(index);
        } else {
            self.links[turn.last as usize].next = link;
        }
        turn.last = link;
    }

    /// The connections that have something to send, in the order in which they got it.
    pub(crate) fn take_dirty(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.dirty)
    }

    /// Ends the turn. `dirty` is what [`take_dirty`](Self::take_dirty) gave, to be used again.
    pub(crate) fn clear(&mut self, mut dirty: Vec<u32>) {
        dirty.clear();
        self.dirty = dirty;
        self.frames.clear();
        self.links.clear();
        // A rare huge turn does not keep its memory.
        self.links.shrink_to(1 << 18);
        self.frames.shrink_to(1 << 14);
    }

    /// Writes a connection's list with one call, or as much of it as the socket takes.
    pub(crate) fn flush(&mut self, connection: &mut Connection) -> Flushed {
        let turn = std::mem::take(&mut connection.turn);
        let mut at = turn.first;
        if connection.backlog.is_none() {
            match self.write_small(&connection.transport, &mut at) {
                Ok(0) => {}
                Ok(left) => {
                    let rest = Bytes::copy_from_slice(&self.cork[self.cork.len() - left..]);
                    connection.backlog.get_or_insert_default().push(rest);
                }
                Err(_) => return Flushed::Gone,
            }
            if at == END && connection.backlog.is_none() && !connection.transport.has_unsent() {
                return Flushed::All;
            }
        }
        let backlog = connection.backlog.get_or_insert_default();
        while at != END {
            let link = self.links[at as usize];
            backlog.push(self.frames[link.frame as usize].clone());
            at = link.next;
        }
        backlog.write(&connection.transport).map_or(Flushed::Gone, |()| settle(connection))
    }

    /// Writes the small frames at the head of a list together, moving `at` to the first frame that
    /// was not among them. Returns how many bytes at the end of the cork buffer are left over.
    fn write_small(&mut self, transport: &Transport, at: &mut u32) -> io::Result<usize> {
        self.cork.clear();
        while *at != END {
            let link = self.links[*at as usize];
            let frame = &self.frames[link.frame as usize];
            if frame.len() > COPIED || self.cork.len() + frame.len() > CORK {
                break;
            }
            self.cork.extend_from_slice(frame);
            *at = link.next;
        }
        if self.cork.is_empty() {
            return Ok(0);
        }
        let written = transport.try_write(&[IoSlice::new(&self.cork)])?;
        Ok(self.cork.len() - written)
    }
}

/// Drops a backlog that has been written, and says how the connection stands.
pub(crate) fn settle(connection: &mut Connection) -> Flushed {
    let waiting = connection.backlog.as_ref().map_or(0, |backlog| backlog.bytes);
    if waiting > 0 || connection.transport.has_unsent() {
        return Flushed::Waiting(waiting);
    }
    connection.backlog = None;
    Flushed::All
}

impl Backlog {
    /// Bytes waiting.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// Writes what the socket takes now.
    pub(crate) fn write(&mut self, transport: &Transport) -> io::Result<()> {
        transport.push_unsent()?;
        while self.bytes > 0 {
            let mut slices = [IoSlice::new(&[]); 64];
            let filled = slices.iter_mut().zip(&self.frames);
            let count = filled.map(|(slice, frame)| *slice = IoSlice::new(frame)).count();
            let mut written = transport.try_write(&slices[..count])?;
            if written == 0 {
                break;
            }
            self.bytes -= written;
            while let Some(frame) = self.frames.front_mut().filter(|_| written > 0) {
                let of_frame = written.min(frame.len());
                frame.advance(of_frame);
                written -= of_frame;
                if frame.is_empty() {
                    self.frames.pop_front();
                }
            }
        }
        Ok(())
    }
}
