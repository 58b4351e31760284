//! What peers tell, as the server takes it in: facts into the registry, with everything that
//! follows for our own subscribers; events to them.

use bytes::Bytes;
use channels::registry::NodeId;
use channels::replication::{Learned, Message};
use cluster::{Incarnation, Now, Output, Slot};

use crate::Channel;
use crate::ledger::Ledger;
use crate::node::{APP, Node, Peer};
use crate::socket::Frame;
use crate::speaking;
use crate::version;

fn node_id(slot: Slot) -> NodeId {
    NodeId(slot.0)
}

impl Node {
    /// Takes everything that comes out of the cluster after an input.
    pub(crate) fn drain(&mut self, now: Now, ledger: &mut Ledger) {
        self.local.woken = true;
        while let Some(output) = self.cluster.poll_output() {
            self.take(now.as_millis() as u64, output, ledger);
        }
    }

    fn take(&mut self, now: u64, output: Output, ledger: &mut Ledger) {
        match output {
            Output::Up { slot, info, log } => {
                let peer = Peer { incarnation: info.incarnation, whole: false, ready: false };
                assert!(self.peers.insert(node_id(slot), peer).is_none(), "{slot:?} is taken");
                self.snapshots.begin(&self.local.outlets, node_id(slot), log);
                self.local.places.claims.up(slot.0);
                self.tell_claims(node_id(slot));
                self.advance();
            }
            Output::Stream { slot, log } => {
                ledger.summary.streams_renewed += 1;
                let (me, peer) = (self.me(), self.incarnation(slot));
                ledger.disturb(me, peer);
                ledger.is_not_whole(peer, me);
                self.snapshots.begin(&self.local.outlets, node_id(slot), log);
                self.tell_claims(node_id(slot));
                self.advance();
                ledger.summary.long_snapshots += u64::from(!self.snapshots.is_idle());
            }
            Output::Restarted { slot } => {
                ledger.is_not_whole(self.me(), self.incarnation(slot));
                self.replica.restarted(node_id(slot));
                self.local.places.claims.restarted(slot.0);
                self.tell_claims(node_id(slot));
            }
            Output::Entry { slot, entry } => self.hear(now, node_id(slot), &entry, ledger),
            Output::Acked { .. } => {
                self.settle_waits(now, ledger);
                self.advance();
            }
            Output::Ready { slot, ready } => {
                // Where packets overtake each other, it may seem to take its readiness back.
                let known = self.peers.get_mut(&node_id(slot));
                known.expect("only who is up is ready").ready = ready;
                let peer = self.incarnation(slot);
                if ready {
                    self.local.speaker.ready(peer.0, ledger.statements.serving[&peer]);
                } else {
                    self.local.speaker.retired(peer.0);
                }
            }
            Output::Down { slot, incarnation, .. } => {
                ledger.summary.deaths += 1;
                ledger.disturb(self.me(), incarnation);
                let heard = self.local.now.saturating_sub(speaking::SETTINGS.memory);
                self.local.speaker.dead(incarnation.0, heard, self.local.now);
                ledger.is_not_whole(self.me(), incarnation);
                self.lose(node_id(slot));
                self.local.places.claims.down(slot.0);
                self.settle_waits(now, ledger);
                self.settle_all_places(now, ledger);
                self.cluster.forget(slot);
                self.gone.push(incarnation);
            }
        }
    }

    fn incarnation(&self, slot: Slot) -> Incarnation {
        self.peers[&node_id(slot)].incarnation
    }

    /// A peer is gone: so is everything that it held.
    fn lose(&mut self, id: NodeId) {
        let local = &mut self.local;
        self.snapshots.end(&local.outlets, id);
        self.replica.forget(&self.registry, id, |_, channel, entry, transitions| {
            local.announce(channel, entry, &transitions);
        });
        self.peers.remove(&id).expect("only what is up can go down");
    }

    fn hear(&mut self, now: u64, id: NodeId, entry: &Bytes, ledger: &mut Ledger) {
        let message = Message::decode(entry).unwrap();
        let (app, local) = (&self.app, &mut self.local);
        let learned = self.replica.learn(
            &self.registry,
            id,
            &message,
            |_| app.clone(),
            |_, channel, entry, transitions| local.announce(channel, entry, &transitions),
        );
        match (learned, message) {
            (Learned::Fact, message) => {
                let channel = message.topic().unwrap().channel.into();
                self.settle_places(now, &channel, ledger);
            }
            (Learned::Whole, _) => {
                let me = self.me();
                let peer = self.peers.get_mut(&id).expect("nothing comes from who is not up");
                peer.whole = true;
                ledger.is_whole(me, peer.incarnation);
                self.settle_all_places(now, ledger);
            }
            (Learned::Part, _) => ledger.summary.parts += 1,
            (Learned::NoFact, Message::Event(topic, event)) => {
                assert_eq!(topic.app, APP);
                let channel: Channel = topic.channel.into();
                let frame = Frame::decode(&event.frame);
                self.registry.read(APP, &channel, |entry| {
                    if let Some((channel, entry)) = entry
                        && entry.subscribers().shards().next().is_some()
                    {
                        local.deliver(channel, entry, &frame, event.except, ledger);
                    }
                });
            }
            (Learned::NoFact, Message::Claim(topic, claim)) => {
                self.hear_claim(now, id, &topic.channel.into(), claim, ledger);
            }
            (Learned::NoFact, Message::Unknown(tag)) if tag == version::NEWS[0] => {
                ledger.summary.news += 1;
            }
            (Learned::NoFact, message) => panic!("nobody tells {message:?}"),
        }
    }
}
