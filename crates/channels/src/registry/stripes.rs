//! The registry itself: entries striped by channel, each stripe behind one short lock.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::registry::lock::Held;
use crate::registry::{ChannelFacts, Entry, Fact, Locked, NodeId, Transitions};

/// The number of stripes: enough that shards rarely meet at one, few enough to walk through.
pub const STRIPES: usize = 128;

type ChannelTable = HashMap<Arc<str>, Entry, RandomState>;

#[derive(Default)]
pub(crate) struct Stripe {
    apps: HashMap<Arc<str>, ChannelTable, RandomState>,
}

/// A channel that somebody holds, with its names as the registry keeps them.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The app's id.
    pub app: &'a Arc<str>,
    /// The channel's name.
    pub channel: &'a Arc<str>,
    /// Who holds it.
    pub entry: &'a Entry,
}

/// Every fact of every node, by (app, channel). Owned by the node, shared by all its shards.
pub struct Registry {
    stripes: Box<[Mutex<Stripe>]>,
    hasher: RandomState,
}

impl Default for Registry {
    fn default() -> Self {
        let stripes = (0..STRIPES).map(|_| Mutex::default()).collect();
        Registry { stripes, hasher: RandomState::default() }
    }
}

impl Registry {
    /// Runs `decide` on the entry of a channel, which is made if there is none and goes if it is
    /// empty afterwards. What `decide` does happens in the order of decisions on this channel.
    pub fn update<R>(
        &self,
        app: &Arc<str>,
        channel: &Arc<str>,
        decide: impl FnOnce(Locked<'_>, &mut Entry) -> R,
    ) -> R {
        let (mut stripe, held) = (self.stripe(app, channel).lock(), Held::new());
        let channels = stripe.apps.entry(app.clone()).or_default();
        let entry = channels.entry(channel.clone()).or_default();
        let result = decide(held.proof(), entry);
        if entry.is_empty() {
            channels.remove(channel);
            if channels.is_empty() {
                stripe.apps.remove(app);
            } else if channels.capacity() > 64 && channels.len() < channels.capacity() / 8 {
                channels.shrink_to(channels.len() * 2);
            }
        }
        result
    }

    /// Runs `read` on the entry of a channel as it is, in the order of decisions. The entry comes
    /// with the names as the registry keeps them, so that passing them on copies nothing.
    pub fn read<R>(
        &self,
        app: &str,
        channel: &str,
        read: impl FnOnce(Locked<'_>, Option<Found<'_>>) -> R,
    ) -> R {
        let (stripe, held) = (self.stripe(app, channel).lock(), Held::new());
        let found = stripe.apps.get_key_value(app).and_then(|(app, channels)| {
            let (channel, entry) = channels.get_key_value(channel)?;
            Some(Found { app, channel, entry })
        });
        read(held.proof(), found)
    }

    /// Shows every channel of an app, stripe by stripe, in no particular order.
    pub fn for_each(&self, app: &str, mut show: impl FnMut(&Arc<str>, &Entry)) {
        for stripe in &self.stripes {
            let (stripe, _held) = (stripe.lock(), Held::new());
            for (channel, entry) in stripe.apps.get(app).into_iter().flatten() {
                show(channel, entry);
            }
        }
    }

    /// Forgets what another node held in one stripe, but for the (app, channel) that are to be kept.
    /// `decide` sees every entry that this changed, with what follows from it. `stripe` is below
    /// [`STRIPES`]: between two of them nothing is locked, so that whoever has to be woken can be.
    pub fn sweep(
        &self,
        node: NodeId,
        stripe: usize,
        mut keep: impl FnMut(&Arc<str>, &Arc<str>) -> bool,
        mut decide: impl FnMut(Locked<'_>, Found<'_>, Transitions),
    ) {
        let nothing = Fact::Everything { subscriptions: 0, members: &[] };
        let (mut stripe, held) = (self.stripes[stripe].lock(), Held::new());
        stripe.apps.retain(|app, channels| {
            channels.retain(|channel, entry| {
                if entry.is_held_by(node) && !keep(app, channel) {
                    let transitions = entry.apply_fact(node, nothing);
                    decide(held.proof(), Found { app, channel, entry }, transitions);
                }
                !entry.is_empty()
            });
            !channels.is_empty()
        });
    }

    /// One node's facts in one stripe, handed to `take` under the stripe's lock, so that the
    /// changes that `take` lets follow cannot be lost or come twice. `stripe` is below [`STRIPES`].
    pub fn snapshot<R>(
        &self,
        node: NodeId,
        stripe: usize,
        take: impl FnOnce(Vec<ChannelFacts>) -> R,
    ) -> R {
        let (stripe, _held) = (self.stripes[stripe].lock(), Held::new());
        let entries = stripe.apps.iter().flat_map(|(app, channels)| {
            channels.iter().map(move |(channel, entry)| (app, channel, entry))
        });
        let facts = entries
            .filter_map(|(app, channel, entry)| ChannelFacts::of_node(node, app, channel, entry));
        take(facts.collect())
    }

    /// How many channels, of all apps, have an entry.
    pub fn len(&self) -> usize {
        let channels = |stripe: &Stripe| stripe.apps.values().map(HashMap::len).sum::<usize>();
        self.stripes.iter().map(|stripe| channels(&stripe.lock())).sum()
    }

    /// Whether nothing is known of any channel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn stripe(&self, app: &str, channel: &str) -> &Mutex<Stripe> {
        // The high bits, since the maps inside use the low ones.
        let hash = self.hasher.hash_one((app, channel)) >> 32;
        &self.stripes[hash as usize % STRIPES]
    }
}
