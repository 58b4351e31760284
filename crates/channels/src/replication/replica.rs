//! What peers tell, as it arrives: their facts go into the registry beside our own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::registry::{Fact, Found, Locked, Member, NodeId, Registry, STRIPES, Transitions};

use crate::replication::PeerMessage;

type Names = (Arc<str>, Arc<str>);

/// Whoever has to do what follows from what a peer told.
pub trait Follow {
    /// A channel has changed.
    fn follow(&mut self, locked: Locked<'_>, found: Found<'_>, transitions: Transitions);

    /// No channel is locked at the moment.
    fn unlocked(&mut self) {}
}

/// What a message was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// A fact, which the registry has now.
    Fact,
    /// The peer's snapshot is whole: everything that it holds is known.
    Whole,
    /// A part of a fact, which counts when the rest has come.
    Part,
    /// No fact: something for the caller to do.
    NoFact,
}

/// What a peer has told of a channel since its stream began.
enum Mention {
    /// Everything, and every change after it.
    Everything,
    /// Changes alone, which leave so many subscriptions and these members. If the snapshot is whole
    /// without everything about the channel, the peer held nothing of it when the snapshot came
    /// past, so what it told in an earlier stream is over.
    Changes(u32, Vec<Arc<Member>>),
}

/// Owned by the cluster's thread.
#[derive(Default)]
pub struct Replica {
    /// The channels that a peer has mentioned since its stream began, until its snapshot is whole.
    mentioned: HashMap<NodeId, HashMap<Names, Mention>>,
    /// Members that a peer has told, and that count when it has told everything about the channel.
    parts: HashMap<(NodeId, Names), Vec<Arc<Member>>>,
}

impl Replica {
    /// A peer begins to tell everything anew.
    pub fn restarted(&mut self, node: NodeId) {
        self.mentioned.insert(node, HashMap::new());
        self.drop_parts(node);
    }

    /// Takes in one message; `app` gives an app's id as it is shared.
    pub fn apply(
        &mut self,
        registry: &Registry,
        node: NodeId,
        message: &PeerMessage<'_>,
        app: impl Fn(&str) -> Arc<str>,
        follower: &mut impl Follow,
    ) -> Applied {
        let whole: Cow<'_, [Arc<Member>]>;
        let (topic, fact) = match message {
            PeerMessage::Subscriptions(topic, count) => (topic, Fact::Subscriptions(*count)),
            PeerMessage::Joined(topic, member) => (topic, Fact::Joined(member)),
            PeerMessage::Left(topic, user_id) => (topic, Fact::Left(user_id)),
            PeerMessage::Everything(topic, subscriptions, members) => {
                let names = || (app(topic.app), topic.channel.into());
                whole = self.whole(node, names, members);
                (topic, Fact::Everything { subscriptions: *subscriptions, members: &whole })
            }
            PeerMessage::Part(topic, members) => {
                let names = (app(topic.app), topic.channel.into());
                self.parts.entry((node, names)).or_default().extend_from_slice(members);
                return Applied::Part;
            }
            PeerMessage::Whole => {
                if let Some(mentioned) = self.mentioned.remove(&node) {
                    let keep = |app: &Arc<str>, channel: &Arc<str>| {
                        mentioned.contains_key(&(app.clone(), channel.clone()))
                    };
                    sweep(registry, node, keep, follower);
                    for (names, told) in &mentioned {
                        told.sweep(registry, node, names, follower);
                    }
                }
                return Applied::Whole;
            }
            _ => return Applied::NoFact,
        };
        let (app, channel): Names = (app(topic.app), topic.channel.into());
        registry.update(&app, &channel, |locked, entry| {
            let transitions = entry.apply_fact(node, fact);
            let found = Found { app: &app, channel: &channel, entry };
            follower.follow(locked, found, transitions);
        });
        if let Some(mentioned) = self.mentioned.get_mut(&node) {
            let told =
                mentioned.entry((app, channel)).or_insert_with(|| Mention::Changes(0, vec![]));
            told.take(fact);
        }
        Applied::Fact
    }

    /// A peer is gone, and with it everything that it held.
    pub fn forget(&mut self, registry: &Registry, node: NodeId, follower: &mut impl Follow) {
        self.mentioned.remove(&node);
        self.drop_parts(node);
        sweep(registry, node, |_, _| false, follower);
    }

    /// The members that came in parts, and the rest.
    fn whole<'a>(
        &mut self,
        node: NodeId,
        names: impl FnOnce() -> Names,
        rest: &'a [Arc<Member>],
    ) -> Cow<'a, [Arc<Member>]> {
        if self.parts.is_empty() {
            return Cow::Borrowed(rest);
        }
        match self.parts.remove(&(node, names())) {
            Some(parts) => Cow::Owned([&parts, rest].concat()),
            None => Cow::Borrowed(rest),
        }
    }

    fn drop_parts(&mut self, node: NodeId) {
        self.parts.retain(|(of, _), _| *of != node);
    }
}

impl Mention {
    fn take(&mut self, fact: Fact<'_>) {
        match (&mut *self, fact) {
            (Mention::Everything, _) => {}
            (_, Fact::Everything { .. }) => *self = Mention::Everything,
            (Mention::Changes(subscriptions, _), Fact::Subscriptions(count)) => {
                *subscriptions = count
            }
            (Mention::Changes(_, members), Fact::Joined(member)) => members.push(member.clone()),
            (Mention::Changes(_, members), Fact::Left(id)) => members.retain(|m| *m.id != *id),
        }
    }

    /// Removes what an earlier stream told, and this one did not.
    fn sweep(
        &self,
        registry: &Registry,
        node: NodeId,
        (app, channel): &Names,
        follower: &mut impl Follow,
    ) {
        let Mention::Changes(subscriptions, members) = self else { return };
        registry.update(app, channel, |locked, entry| {
            let fact = Fact::Everything { subscriptions: *subscriptions, members };
            let transitions = entry.apply_fact(node, fact);
            if transitions != Transitions::default() {
                follower.follow(locked, Found { app, channel, entry }, transitions);
            }
        });
    }
}

/// Forgets what a node held, but for the channels that are to be kept.
fn sweep(
    registry: &Registry,
    node: NodeId,
    keep: impl Fn(&Arc<str>, &Arc<str>) -> bool,
    follower: &mut impl Follow,
) {
    for stripe in 0..STRIPES {
        registry.sweep(node, stripe, &keep, |locked, found, transitions| {
            follower.follow(locked, found, transitions);
        });
        follower.unlocked();
    }
}
