//! Response bodies of the HTTP API: each function appends one JSON object to `out`.
//! It must not know where the numbers come from.
//!
//! Members that hold objects stay objects when empty, never arrays: PHP and Go insist (H3, H6).

use crate::data::Data;
use crate::json::{number_into, string_into};

/// The body of a publish without `info`, and of every other success that has nothing to say (H1).
pub const EMPTY: &str = "{}";

/// The counts of a channel that were asked for; `None` is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct users of a presence channel.
    pub user_count: Option<u64>,
    /// Connections subscribed.
    pub subscription_count: Option<u64>,
}

/// One channel's state, for [`channel`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelState<'a> {
    /// Whether anybody is subscribed.
    pub occupied: bool,
    /// The counts asked for.
    pub counts: Counts,
    /// `None` if not asked for, `Some(None)` if there is nothing in the cache.
    pub cache: Option<Option<Cached<'a>>>,
}

/// A cached event, for [`channel`].
#[derive(Clone, Copy, Debug)]
pub struct Cached<'a> {
    /// The event's data.
    pub data: &'a Data<'a>,
    /// How many seconds it stays.
    pub ttl: u64,
}

/// `{"channels":{..}}`: of `GET channels`, and of `POST events` with `info` (H2, H6).
pub fn channels<N: AsRef<str>>(out: &mut Vec<u8>, channels: impl IntoIterator<Item = (N, Counts)>) {
    put(out, r#"{"channels":{"#);
    separated(out, channels, |out, (name, counts)| {
        string_into(out, name.as_ref());
        put(out, ":");
        object(out, |members| members.counts(counts));
    });
    put(out, "}}");
}

/// Of `POST batch_events` (H3): `{}` if no event asked for `info`, else one object per event.
pub fn batch(out: &mut Vec<u8>, events: &[Option<Counts>]) {
    if events.iter().all(Option::is_none) {
        return put(out, EMPTY);
    }
    put(out, r#"{"batch":["#);
    separated(out, events, |out, counts| {
        object(out, |members| members.counts(counts.unwrap_or_default()));
    });
    put(out, "]}");
}

/// Of `GET channels/{channel}` (H7).
pub fn channel(out: &mut Vec<u8>, state: &ChannelState<'_>) {
    object(out, |members| {
        members.boolean("occupied", state.occupied);
        members.counts(state.counts);
        match state.cache {
            None => {}
            Some(None) => put(members.name("cache"), "null"),
            Some(Some(cached)) => {
                let out = members.name("cache");
                put(out, r#"{"data":"#);
                put(out, cached.data.literal());
                put(out, r#","ttl":"#);
                number_into(out, cached.ttl);
                put(out, "}");
            }
        }
    });
}

/// Of the deprecated `GET channels/{channel}/stats`; `user_count` on presence channels.
pub fn stats(out: &mut Vec<u8>, user_count: Option<u64>, connection_count: u64) {
    object(out, |members| {
        members.boolean("occupied", connection_count > 0);
        members.number("user_count", user_count);
        members.number("connection_count", Some(connection_count));
    });
}

/// Of `GET channels/{channel}/users` (H8): the id in its string form and, if wanted, the user info
/// as JSON text.
pub fn users<I: AsRef<str>, J: AsRef<str>>(
    out: &mut Vec<u8>,
    users: impl IntoIterator<Item = (I, Option<J>)>,
) {
    put(out, r#"{"users":["#);
    separated(out, users, |out, (id, info_json)| {
        put(out, r#"{"id":"#);
        string_into(out, id.as_ref());
        if let Some(info_json) = info_json {
            put(out, r#","user_info":"#);
            put(out, info_json.as_ref());
        }
        put(out, "}");
    });
    put(out, "]}");
}

/// Of `GET connections`: how many connections the app has.
pub fn connections(out: &mut Vec<u8>, connections: u64) {
    object(out, |members| members.number("connections", Some(connections)));
}

/// Of a refused request: `{"error":"..","code":400}`.
pub fn error(out: &mut Vec<u8>, status: u16, message: &str) {
    object(out, |members| {
        string_into(members.name("error"), message);
        members.number("code", Some(u64::from(status)));
    });
}

/// The members of an object being written.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        string_into(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            number_into(self.name(name), value);
        }
    }

    fn boolean(&mut self, name: &str, value: bool) {
        put(self.name(name), if value { "true" } else { "false" });
    }

    fn counts(&mut self, counts: Counts) {
        self.number("user_count", counts.user_count);
        self.number("subscription_count", counts.subscription_count);
    }
}

fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Members<'_>)) {
    out.push(b'{');
    write(&mut Members { out: &mut *out, first: true });
    out.push(b'}');
}

fn separated<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
