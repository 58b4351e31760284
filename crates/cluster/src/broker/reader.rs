//! What comes from the broker.

use std::rc::Rc;

use bytes::Bytes;

use super::bus::{Bus, BusEvent};
use super::message::{BrokerMessage, Part};
use super::node::BrokerNode;
use super::parts::Parts;
use crate::{Flags, Incarnation, Packet, Received};

/// Passes on whatever comes, for ever.
pub(super) async fn read<B: Bus>(bus: Rc<B>, node: Rc<BrokerNode>) {
    let mut reader = Reader { node, parts: Parts::default(), was_up: false };
    loop {
        reader.node.driver.room().await;
        match bus.next().await {
            BusEvent::Up => reader.node.up(std::mem::replace(&mut reader.was_up, true)),
            BusEvent::Down { reason } => reader.node.down(&reason),
            BusEvent::Message(wire) => reader.message(wire),
        }
    }
}

struct Reader {
    node: Rc<BrokerNode>,
    parts: Parts,
    /// It is not the first connection.
    was_up: bool,
}

impl Reader {
    fn message(&mut self, wire: Bytes) {
        self.node.counters.messages_in.add();
        self.node.counters.bytes_in.add_many(wire.len());
        match BrokerMessage::decode(wire) {
            Some(BrokerMessage::Hello(hello)) => {
                // Our own ones come regularly, if nothing else does.
                self.parts.expire(self.node.driver.settings().node_timeout);
                self.node.heard(hello);
            }
            Some(BrokerMessage::Packet(wire)) => self.packet(wire),
            Some(BrokerMessage::Part(part)) => self.part(part),
            Some(BrokerMessage::Echo(whose)) if whose == self.node.driver.me() => {
                self.node.parted.notify_one();
            }
            Some(BrokerMessage::Echo(_)) => {}
            None => self.node.counters.malformed.add(),
        }
    }

    fn part(&mut self, part: Part) {
        let from = part.from;
        // Whoever is no peer has no claim to our memory.
        if !self.parts.knows(from) && !self.is_peer(from) {
            return self.stranger(from);
        }
        if let Some(whole) = self.parts.take(part) {
            match BrokerMessage::decode(whole) {
                Some(BrokerMessage::Packet(wire)) => self.packet(wire),
                _ => self.node.counters.malformed.add(),
            }
        }
    }

    fn packet(&self, wire: Bytes) {
        let packet = match Packet::decode(wire) {
            Ok(packet) => packet,
            Err(error) => {
                self.node.counters.malformed.add();
                return tracing::debug!(%error, "a broken packet came over the broker");
            }
        };
        let (from, goodbye) = (packet.header.from, packet.header.flags.has(Flags::GOODBYE));
        match self.node.driver.receive(packet) {
            Received::Taken if goodbye => self.node.depart(from),
            Received::Unknown if !goodbye => self.stranger(from),
            Received::Taken | Received::Unknown | Received::NotForUs => {}
        }
    }

    /// Somebody talks to us whom we do not know, so we ask who is there.
    fn stranger(&self, from: Incarnation) {
        if !self.node.has_departed(from) {
            self.node.want_hello(true);
        }
    }

    fn is_peer(&self, from: Incarnation) -> bool {
        self.node.driver.peers().iter().any(|peer| peer.info.incarnation == from)
    }
}
