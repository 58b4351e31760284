//! What goes to the broker: hellos first, and then one packet to each peer in turn.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use failures::LogThrottle;
use tokio::time::sleep_until;

use super::bus::{Bus, BusError, To};
use super::message;
use super::node::BrokerNode;
use super::parts;
use crate::{Incarnation, Packet};

/// How often to say that a message is too long for the broker.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// Sends whatever there is to send, for ever.
pub(super) async fn write<B: Bus>(bus: Rc<B>, node: Rc<BrokerNode>) {
    let writer = Writer { bus, node, cut: Cell::new(0), too_long: LogThrottle::every(SAY_EVERY) };
    let mut parting = false;
    loop {
        writer.hello().await;
        let sent = writer.round().await;
        if !sent && !parting && writer.node.leaving.get() {
            // It comes back when all that went before has arrived at the broker.
            parting = true;
            let me = writer.node.driver.me();
            writer.publish(To::Node(me), message::echo(me)).await;
        }
        if !sent {
            writer.wait().await;
        }
    }
}

struct Writer<B> {
    bus: Rc<B>,
    node: Rc<BrokerNode>,
    /// How many packets were cut into parts.
    cut: Cell<u64>,
    too_long: LogThrottle,
}

impl<B: Bus> Writer<B> {
    /// Waits until there may be something to do.
    async fn wait(&self) {
        let hello = async {
            match self.node.hello_due() {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.node.driver.woken() => {}
            () = self.node.changed.notified() => {}
            () = hello => {}
        }
    }

    async fn hello(&self) {
        if let Some(hello) = self.node.next_hello() {
            self.publish(To::Everybody, hello).await;
        }
    }

    /// One packet to each peer that is to get one. Whether there was any. While we are blind,
    /// packets are left in the logs, which are the buffers for that.
    async fn round(&self) -> bool {
        let mut sent = false;
        if !self.node.sees() {
            return false;
        }
        for peer in self.node.driver.due() {
            self.hello().await;
            if !self.node.sees() {
                return false;
            }
            if let Some(packet) = self.node.driver.next_packet(peer) {
                self.packet(peer, &packet).await;
                sent = true;
            }
        }
        // Where the bus never lets us wait, others get their turn here.
        tokio::task::coop::consume_budget().await;
        sent
    }

    async fn packet(&self, to: Incarnation, packet: &Packet) {
        let whole = message::packet(packet);
        let size = whole.len();
        let max = match self.bus.max_message() {
            Some(max) if size > max => max,
            _ => {
                self.publish(To::Node(to), whole).await;
                return;
            }
        };
        self.cut.set(self.cut.get() + 1);
        match parts::cut(self.node.driver.me(), self.cut.get(), &whole, max) {
            Some(parts) => {
                for part in parts {
                    if !self.publish(To::Node(to), part).await {
                        return; // What is left is of no use without this one.
                    }
                }
            }
            None => self.too_long(&BusError::TooLong { size, max }),
        }
    }

    /// Whether the broker has taken the message.
    async fn publish(&self, to: To, message: Bytes) -> bool {
        let size = message.len();
        match self.bus.publish(&to, message).await {
            Ok(()) => {
                self.node.counters.messages_out.add();
                self.node.counters.bytes_out.add_many(size);
                return true;
            }
            Err(error @ BusError::TooLong { .. }) => self.too_long(&error),
            Err(error) => {
                self.node.counters.failed.add();
                self.node.interrupt(&error);
            }
        }
        false
    }

    /// Nothing helps against that but another configuration of the broker.
    fn too_long(&self, error: &BusError) {
        self.node.counters.failed.add();
        if self.too_long.may_log() {
            let least = parts::LEAST_MESSAGE;
            tracing::error!(%error, "peers miss what we tell; it must take {least} bytes at least");
        }
    }
}
