//! What comes out of a node's cluster goes into its channels; on the way it is written down what
//! that means for what may go missing.

use channels::replication::PeerMessage;
use cluster::{Incarnation, Now, Output, Slot};

use crate::ledger::Ledger;
use crate::load::Names;
use crate::node::Node;
use crate::version;

impl Node {
    /// Takes everything that comes out of the cluster after an input.
    pub(crate) fn drain(&mut self, now: Now, names: &Names, ledger: &mut Ledger) {
        self.woken = true;
        while let Some(output) = self.cluster.poll_output() {
            self.note_output(&output, ledger);
            let begins = matches!(output, Output::Stream { .. });
            if let Some(free) = self.peers.take(&self.channels, output) {
                self.cluster.forget(free);
            }
            ledger.summary.long_snapshots += u64::from(begins && !self.peers.has_told());
            self.settle(now, names, ledger);
        }
    }

    fn note_output(&mut self, output: &Output, ledger: &mut Ledger) {
        let me = self.me();
        match output {
            Output::Up { slot, log, .. } => {
                assert!(self.peers.info(*slot).is_none(), "{slot:?} is taken");
                self.told.begin(*slot, log.clone());
            }
            Output::Stream { slot, log } => {
                self.told.begin(*slot, log.clone());
                ledger.summary.streams_renewed += 1;
                let peer = self.incarnation(*slot);
                ledger.disturb(me, peer);
                ledger.is_not_whole(peer, me);
            }
            Output::Restarted { slot } => ledger.is_not_whole(me, self.incarnation(*slot)),
            Output::Entry { slot, entry } => match PeerMessage::decode(entry).unwrap() {
                PeerMessage::Whole => ledger.is_whole(me, self.incarnation(*slot)),
                PeerMessage::Part(..) => ledger.summary.parts += 1,
                PeerMessage::Unknown(tag) => {
                    assert_eq!(tag, version::NEWS[0], "nobody tells anything else");
                    ledger.summary.news += 1;
                }
                _ => {}
            },
            Output::Acked { .. } | Output::Ready { .. } => {}
            Output::Down { slot, incarnation, .. } => {
                self.told.end(*slot);
                ledger.summary.deaths += 1;
                ledger.disturb(me, *incarnation);
                ledger.is_not_whole(me, *incarnation);
                self.gone.push(*incarnation);
            }
        }
    }

    fn incarnation(&self, slot: Slot) -> Incarnation {
        self.peers.info(slot).expect("who tells something is up").incarnation
    }
}
