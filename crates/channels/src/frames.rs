//! The frames that follow from decisions, encoded once whoever gets them.

use bytes::Bytes;
use protocol::server_message;

use crate::registry::Member;

/// What the fixed parts of a frame take, to be allocated with its variable parts.
const FIXED: usize = 128;

pub(crate) fn member_added(channel: &str, member: &Member) -> Bytes {
    let info = member.info_json.as_deref();
    let size = FIXED + channel.len() + member.id.len() + info.map_or(0, |info| info.len() * 5 / 4);
    websocket::text_with(size, |to| {
        server_message::member_added(to, channel, &member.id_json, info);
    })
}

pub(crate) fn member_removed(channel: &str, member: &Member) -> Bytes {
    let size = FIXED + channel.len() + member.id.len();
    websocket::text_with(size, |to| server_message::member_removed(to, channel, &member.id_json))
}

pub(crate) fn subscription_count(channel: &str, count: u64) -> Bytes {
    websocket::text_with(FIXED + channel.len(), |to| {
        server_message::subscription_count(to, channel, count);
    })
}
