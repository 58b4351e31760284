//! Frames to clients: the protocol's text in a WebSocket frame, encoded once whoever gets it.

mod refused;

use std::sync::Arc;

use bytes::Bytes;
use channels::registry::Member;
use protocol::data::Data;
use protocol::server_message;

pub(crate) use refused::Refused;

/// What the fixed parts of a frame take, to be allocated with its variable parts.
const FIXED: usize = 128;

pub(crate) fn connection_established(socket_id: &str, activity_timeout: u32) -> Bytes {
    websocket::text_with(FIXED, |to| {
        server_message::connection_established(to, socket_id, activity_timeout);
    })
}

pub(crate) fn pong() -> Bytes {
    websocket::text_with(FIXED, server_message::pong)
}

pub(crate) fn event(event: &str, channel: &str, data: &Data<'_>) -> Bytes {
    let size = FIXED + event.len() + channel.len() + data.literal().len();
    websocket::text_with(size, |to| server_message::event(to, event, channel, data))
}

pub(crate) fn client_event(
    event: &str,
    channel: &str,
    data: Option<&Data<'_>>,
    user_id: Option<&str>,
) -> Bytes {
    let size = FIXED + event.len() + channel.len() + data.map_or(0, |data| data.literal().len());
    websocket::text_with(size, |to| {
        server_message::client_event(to, event, channel, data, user_id);
    })
}

pub(crate) fn subscription_succeeded(channel: &str) -> Bytes {
    websocket::text_with(FIXED + channel.len(), |to| {
        server_message::subscription_succeeded(to, channel);
    })
}

pub(crate) fn presence_succeeded(channel: &str, roster: &[Arc<Member>]) -> Bytes {
    let size = |member: &Arc<Member>| {
        2 * member.id.len() + member.info_json.as_ref().map_or(0, |info| info.len() * 5 / 4) + 32
    };
    let size = FIXED + channel.len() + roster.iter().map(size).sum::<usize>();
    let members = roster.iter().map(|member| (&*member.id, member.info_json.as_deref()));
    websocket::text_with(size, |to| server_message::presence_succeeded(to, channel, members))
}

pub(crate) fn cache_miss(channel: &str) -> Bytes {
    websocket::text_with(FIXED + channel.len(), |to| server_message::cache_miss(to, channel))
}

pub(crate) fn error(code: Option<u16>, message: &str, channel: Option<&str>) -> Bytes {
    let size = FIXED + message.len() + channel.map_or(0, str::len);
    websocket::text_with(size, |to| server_message::error(to, code, message, channel))
}

pub(crate) fn subscription_error(channel: &str, kind: &str, error: &str, status: u16) -> Bytes {
    websocket::text_with(FIXED + channel.len() + error.len(), |to| {
        server_message::subscription_error(to, channel, kind, error, status);
    })
}

pub(crate) fn signin_success(user_data: &str) -> Bytes {
    websocket::text_with(FIXED + user_data.len() * 5 / 4, |to| {
        server_message::signin_success(to, user_data);
    })
}

pub(crate) fn watchlist_events(online: &[&str], offline: &[&str]) -> Bytes {
    websocket::text_with(2 * FIXED, |to| server_message::watchlist_events(to, online, offline))
}
