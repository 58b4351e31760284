//! What belongs to one node and is changed under a channel's lock, and what follows there for our
//! own subscribers.

use std::collections::{BTreeMap, BTreeSet};

use channels::announcer::{Speaker, Subject};
use channels::registry::{Entry, MemberChange, Occupancy, Place, Transitions};
use channels::replication::Outlets;
use cluster::{Incarnation, Now};

use crate::Channel;
use crate::ledger::Ledger;
use crate::node::APP;
use crate::places::Places;
use crate::socket::{Frame, Socket, SocketNumber, Subscription, Told};
use crate::speaking;
use crate::waits::{Wait, Waits};

/// What a decision may touch while it holds the channel's lock.
pub(crate) struct Local {
    pub(crate) me: Incarnation,
    pub(crate) sockets: BTreeMap<SocketNumber, Socket>,
    pub(crate) outlets: Outlets,
    pub(crate) waits: Waits,
    pub(crate) places: Places,
    /// Channels whose number of subscriptions is to be told.
    pub(crate) counts: BTreeSet<Channel>,
    /// Says what a backend has to hear of.
    pub(crate) speaker: Speaker,
    pub(crate) now: Now,
    /// The driver has to look what there is to send.
    pub(crate) woken: bool,
    /// When the driver looks by itself.
    pub(crate) lingers: Option<Now>,
    /// Which channels were said to be occupied.
    occupied: BTreeSet<Channel>,
    /// The last first subscription of each channel, and whether it was told too early.
    pub(crate) interest: BTreeMap<Channel, (Wait, bool)>,
}

impl Local {
    pub(crate) fn new(me: Incarnation) -> Self {
        Local {
            me,
            sockets: BTreeMap::new(),
            outlets: Outlets::default(),
            waits: Waits::default(),
            places: Places::new(me),
            counts: BTreeSet::new(),
            speaker: Speaker::new(me.0, speaking::SETTINGS),
            now: Now::ZERO,
            woken: true,
            lingers: None,
            occupied: BTreeSet::new(),
            interest: BTreeMap::new(),
        }
    }

    /// What follows for our own subscribers from a change.
    pub(crate) fn announce(&mut self, channel: &Channel, entry: &Entry, transitions: &Transitions) {
        for change in &transitions.members {
            self.each_told(channel, entry, |_, told| told.change(change));
        }
        let news = match transitions.occupancy {
            Some(Occupancy::Occupied) => self.occupied.insert(channel.clone()),
            Some(Occupancy::Vacated) => self.occupied.remove(channel),
            None => true,
        };
        assert!(news, "{channel} becomes what it is: {transitions:?}");
        assert_eq!(self.occupied.contains(channel), entry.is_occupied());
        self.note(channel, transitions);
    }

    /// Notes what a backend has to hear of, from whichever node.
    fn note(&mut self, channel: &Channel, transitions: &Transitions) {
        let subject = |member: Option<&str>| Subject {
            app: APP.into(),
            channel: channel.clone(),
            member: member.map(Into::into),
        };
        let now = self.now;
        match transitions.occupancy {
            Some(Occupancy::Occupied) => self.speaker.came(subject(None), now),
            Some(Occupancy::Vacated) => self.speaker.went(subject(None), now),
            None => {}
        }
        for change in &transitions.members {
            match change {
                MemberChange::Added(member) => {
                    self.speaker.came(subject(Some(&member.id)), now);
                }
                MemberChange::Removed(member) => {
                    self.speaker.went(subject(Some(&member.id)), now);
                }
            }
        }
    }

    pub(crate) fn deliver(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        frame: &Frame,
        except: Option<(u64, u64)>,
        ledger: &mut Ledger,
    ) {
        let me = self.me;
        self.each_told(channel, entry, |number, told| {
            if except == Some((me.0, number)) {
                told.sent(frame);
            } else {
                told.hear(me, frame, ledger);
            }
        });
    }

    fn each_told(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        mut show: impl FnMut(SocketNumber, &mut Told),
    ) {
        for (number, socket) in &mut self.sockets {
            let Some(subscription) = socket.subscriptions.get_mut(channel) else { continue };
            if let Some(told) = &mut subscription.told {
                assert!(entry.subscribers().at(Place::Shard(socket.shard)) > 0);
                show(*number, told);
            }
        }
    }

    pub(crate) fn activate(
        &mut self,
        channel: &Channel,
        entry: &Entry,
        socket: SocketNumber,
        ledger: &mut Ledger,
    ) {
        let early = |(wait, early): &(Wait, bool)| *early && !wait.is_known();
        let excused = self.interest.get(channel).is_some_and(early);
        let me = self.me;
        if let Some(subscription) = self.subscription(socket, channel) {
            subscription.succeed(me, channel, entry, excused, ledger);
        }
    }

    pub(crate) fn subscription(
        &mut self,
        socket: SocketNumber,
        channel: &Channel,
    ) -> Option<&mut Subscription> {
        self.sockets.get_mut(&socket)?.subscriptions.get_mut(channel)
    }
}
