//! Frames to clients: each function appends one frame's JSON text to `out`.
//! It must not know sockets, nor who receives the frame.
//!
//! `data` is a JSON string in every frame except the two error frames, whose `data` is an object
//! (W13, W25): that is what the strictest client libraries insist on.

use crate::data::Data;
use crate::json::{escape_into, escape_twice_into, number_into, string_into};

/// The answer to `pusher:ping` (W9).
pub const PONG: &str = r#"{"event":"pusher:pong","data":"{}"}"#;

/// The first frame on a connection (W5). `activity_timeout` is in seconds and must not be 0.
pub fn connection_established(out: &mut Vec<u8>, socket_id: &str, activity_timeout: u32) {
    put(out, r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\""#);
    escape_twice_into(out, socket_id);
    put(out, r#"\",\"activity_timeout\":"#);
    number_into(out, u64::from(activity_timeout));
    put(out, r#"}"}"#);
}

/// The answer to `pusher:ping` (W9).
pub fn pong(out: &mut Vec<u8>) {
    put(out, PONG);
}

/// A subscription has begun, on a channel without members (W24).
pub fn subscription_succeeded(out: &mut Vec<u8>, channel: &str) {
    put(out, r#"{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"#);
    string_into(out, channel);
    put(out, "}");
}

/// A subscription to a presence channel has begun (W30).
///
/// `members` are all distinct members, the subscriber included: the id in its string form and the
/// user info as JSON text. A member without user info gets `{}`, so `count`, `ids` and `hash` agree.
pub fn presence_succeeded<'m, I>(out: &mut Vec<u8>, channel: &str, members: I)
where
    I: IntoIterator<Item = (&'m str, Option<&'m str>)>,
    I::IntoIter: Clone,
{
    let members = members.into_iter();
    put(out, r#"{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{"#);
    put(out, r#"\"count\":"#);
    number_into(out, members.clone().count() as u64);
    put(out, r#",\"ids\":["#);
    separated(out, members.clone(), |out, (id, _)| inner_string(out, id));
    put(out, r#"],\"hash\":{"#);
    separated(out, members, |out, (id, info_json)| {
        inner_string(out, id);
        put(out, ":");
        escape_into(out, info_json.unwrap_or("{}"));
    });
    put(out, r#"}}}","channel":"#);
    string_into(out, channel);
    put(out, "}");
}

/// A member has joined (W31). `id_json` is the user id as JSON text of its original type (W32);
/// a member without user info gets `{}`, as in [`presence_succeeded`].
pub fn member_added(out: &mut Vec<u8>, channel: &str, id_json: &str, info_json: Option<&str>) {
    put(out, r#"{"event":"pusher_internal:member_added","data":"{\"user_id\":"#);
    escape_into(out, id_json);
    put(out, r#",\"user_info\":"#);
    escape_into(out, info_json.unwrap_or("{}"));
    put(out, r#"}","channel":"#);
    string_into(out, channel);
    put(out, "}");
}

/// A member has left (W31). `id_json` is the user id as JSON text of its original type (W32).
pub fn member_removed(out: &mut Vec<u8>, channel: &str, id_json: &str) {
    put(out, r#"{"event":"pusher_internal:member_removed","data":"{\"user_id\":"#);
    escape_into(out, id_json);
    put(out, r#"}","channel":"#);
    string_into(out, channel);
    put(out, "}");
}

/// An event that a backend published (W36).
pub fn event(out: &mut Vec<u8>, event: &str, channel: &str, data: &Data<'_>) {
    out.reserve(event.len() + channel.len() + data.literal().len() + 40);
    event_and_channel(out, event, channel);
    put(out, r#","data":"#);
    put(out, data.literal());
    put(out, "}");
}

/// An event that another client triggered (W40). `user_id` is that of the sender's membership on
/// presence channels. Without data there is no `data` member, as the sender sent none.
pub fn client_event(
    out: &mut Vec<u8>,
    event: &str,
    channel: &str,
    data: Option<&Data<'_>>,
    user_id: Option<&str>,
) {
    event_and_channel(out, event, channel);
    if let Some(data) = data {
        put(out, r#","data":"#);
        put(out, data.literal());
    }
    if let Some(user_id) = user_id {
        put(out, r#","user_id":"#);
        string_into(out, user_id);
    }
    put(out, "}");
}

/// A cache channel has no event to replay (W44).
pub fn cache_miss(out: &mut Vec<u8>, channel: &str) {
    event(out, "pusher:cache_miss", channel, &Data::EMPTY_OBJECT);
}

/// `pusher:error` (W13): `code` null leaves the connection open; `channel` if the error is about one.
pub fn error(out: &mut Vec<u8>, code: Option<u16>, message: &str, channel: Option<&str>) {
    put(out, r#"{"event":"pusher:error","data":{"code":"#);
    match code {
        Some(code) => number_into(out, u64::from(code)),
        None => put(out, "null"),
    }
    put(out, r#","message":"#);
    string_into(out, message);
    put(out, "}");
    if let Some(channel) = channel {
        put(out, r#","channel":"#);
        string_into(out, channel);
    }
    put(out, "}");
}

/// A subscription is refused (W25): `kind` such as `AuthError`, `status` as of HTTP.
pub fn subscription_error(out: &mut Vec<u8>, channel: &str, kind: &str, error: &str, status: u16) {
    event_and_channel(out, "pusher:subscription_error", channel);
    put(out, r#","data":{"type":"#);
    string_into(out, kind);
    put(out, r#","error":"#);
    string_into(out, error);
    put(out, r#","status":"#);
    number_into(out, u64::from(status));
    put(out, "}}");
}

/// A sign-in is accepted (W46). `user_data` is the string that the client sent.
pub fn signin_success(out: &mut Vec<u8>, user_data: &str) {
    put(out, r#"{"event":"pusher:signin_success","data":"{\"user_data\":"#);
    inner_string(out, user_data);
    put(out, r#"}"}"#);
}

/// Watched users that have come online or gone offline (W49); an empty list is left out.
pub fn watchlist_events<S: AsRef<str>>(out: &mut Vec<u8>, online: &[S], offline: &[S]) {
    put(out, r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":["#);
    let lists = [("online", online), ("offline", offline)];
    separated(out, lists.into_iter().filter(|(_, ids)| !ids.is_empty()), |out, (name, ids)| {
        put(out, r#"{\"name\":"#);
        inner_string(out, name);
        put(out, r#",\"user_ids\":["#);
        separated(out, ids.iter(), |out, id| inner_string(out, id.as_ref()));
        put(out, "]}");
    });
    put(out, r#"]}"}"#);
}

/// How many subscriptions a channel has (W52).
pub fn subscription_count(out: &mut Vec<u8>, channel: &str, count: u64) {
    event_and_channel(out, "pusher_internal:subscription_count", channel);
    put(out, r#","data":"{\"subscription_count\":"#);
    number_into(out, count);
    put(out, r#"}"}"#);
}

fn event_and_channel(out: &mut Vec<u8>, event: &str, channel: &str) {
    put(out, r#"{"event":"#);
    string_into(out, event);
    put(out, r#","channel":"#);
    string_into(out, channel);
}

/// A string inside the JSON text that is itself inside the `data` string.
fn inner_string(out: &mut Vec<u8>, text: &str) {
    put(out, r#"\""#);
    escape_twice_into(out, text);
    put(out, r#"\""#);
}

fn separated<T>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
