//! What of a decision may be a backend's business, noted under the channel's lock like everything
//! else about it.

use channels::announcer::Subject;
use channels::registry::{MemberChange, Occupancy, Transitions};
use protocol::channel;
use protocol::webhook::EventKind;

use super::notices::{Notice, Origin};
use crate::apps::App;
use crate::hub::{Dispatch, Topic};

/// Whoever wants to hear of one half has to be spared what is taken back with the other (K4), so
/// both are noted.
const OCCUPANCY: [EventKind; 2] = [EventKind::ChannelOccupied, EventKind::ChannelVacated];
const MEMBERS: [EventKind; 2] = [EventKind::MemberAdded, EventKind::MemberRemoved];

impl Dispatch<'_> {
    /// Notes who came and who went. Every node does for every channel, whoever will speak for it.
    /// `app` is none if this node does not know it; its webhooks are found out later.
    pub(crate) fn notify(&mut self, app: Option<&App>, topic: &Topic, transitions: &Transitions) {
        let nothing = transitions.occupancy.is_none() && transitions.members.is_empty();
        if nothing || channel::user_id(&topic.channel).is_some() {
            return;
        }
        let settings = app.map(|app| app.settings.load());
        let wants = |kinds: [EventKind; 2]| {
            let wanted = |kind| settings.as_ref().is_none_or(|app| app.routes.want(kind));
            kinds.into_iter().any(wanted)
        };
        let occupancy = transitions.occupancy.filter(|_| wants(OCCUPANCY));
        // A channel is occupied before its first member is added, and vacated after its last one
        // was removed.
        if occupancy == Some(Occupancy::Occupied) {
            self.note(Notice::Came(subject(topic)));
        }
        for change in transitions.members.iter().filter(|_| wants(MEMBERS)) {
            let of = |id: &str| Subject { member: Some(id.into()), ..subject(topic) };
            self.note(match change {
                MemberChange::Added(member) => Notice::Came(of(&member.id)),
                MemberChange::Removed(member) => Notice::Went(of(&member.id)),
            });
        }
        if occupancy == Some(Occupancy::Vacated) {
            self.note(Notice::Went(subject(topic)));
        }
    }

    /// Notes how many are subscribed.
    pub(crate) fn notify_count(&mut self, topic: &Topic, count: u64) {
        self.note(Notice::Counted(subject(topic), count));
    }

    /// Notes that somebody found a cache channel empty.
    pub(crate) fn notify_miss(&mut self, app: Option<&App>, topic: &Topic) {
        let wants = |app: &App| app.settings.load().routes.want(EventKind::CacheMiss);
        if app.is_none_or(wants) {
            self.note(Notice::Missed(subject(topic), Origin::Here));
        }
    }

    fn note(&mut self, notice: Notice) {
        self.notices.push(notice);
        self.wake_desk = true;
    }
}

/// A channel, as the desk knows it.
fn subject(topic: &Topic) -> Subject {
    Subject { app: topic.app.clone(), channel: topic.channel.clone(), member: None }
}
