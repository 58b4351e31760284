//! All that a node holds of a channel, as entries of a stream.

use std::sync::Arc;

use crate::registry::Member;
use bytes::Bytes;
use smallvec::SmallVec;

use crate::replication::{ChannelName, PeerMessage};

/// How many bytes of members one entry has, about, far below [`cluster::MAX_ENTRY`]; a single member
/// may be longer.
const ENTRY: usize = 1 << 20;

/// The entries that tell everything about one channel; one, unless it has very many members.
pub type Entries = SmallVec<[Bytes; 1]>;

/// Tells everything about a channel: so many subscriptions and these members. To be appended in one
/// piece, under the channel's lock.
pub fn everything(
    topic: ChannelName<'_>,
    subscriptions: u32,
    members: Vec<Arc<Member>>,
) -> Entries {
    let mut entries = Entries::new();
    let (mut rest, mut size) = (Vec::new(), 0);
    for member in members {
        size += weight(&member);
        if size > ENTRY && !rest.is_empty() {
            entries.push(PeerMessage::Part(topic, std::mem::take(&mut rest)).encode());
            size = weight(&member);
        }
        rest.push(member);
    }
    entries.push(PeerMessage::Everything(topic, subscriptions, rest).encode());
    entries
}

/// What a member takes in an entry, in bytes, about.
fn weight(member: &Member) -> usize {
    let info = member.info_json.as_ref().map_or(0, |info| info.len());
    member.id.len() + member.id_json.len() + info + 16
}
