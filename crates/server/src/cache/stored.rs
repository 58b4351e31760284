//! An event as it stands in Redis: a line of text, `1 {millis} {node} {frame}`, where millis and
//! node are its stamp and the frame is the JSON that subscribers get, without its WebSocket header.
//! It is read as something that anybody may have written.

use std::time::Duration;

use bytes::Bytes;
use channels::CachedEvent;
use channels::replication::Stamp;
use cluster::Now;
use protocol::data::{Data, InvalidData};
use protocol::event_name::{self, InvalidEventName};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::frames;

/// The most bytes that a value may have; longer ones are neither written nor taken.
pub(super) const MAX_VALUE_BYTES: usize = 16 << 20;

/// How far ahead of ours another node's clock may be. An event from the far future would be the
/// last one for ever.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// Keeps an event unless there is a later one: KEYS[1] is its key; ARGV are the value, its stamp
/// (millis, node), how long it lives in ms, and the highest millis that are believed.
pub(super) const WRITE: &str = "
local there = redis.pcall('GETRANGE', KEYS[1], 0, 63)
if type(there) == 'string' then
  local millis, node = string.match(there, '^1 (%d+) (%x+) ')
  millis = tonumber(millis or '')
  local ours = tonumber(ARGV[2])
  if millis and millis <= tonumber(ARGV[5]) then
    if millis > ours or millis == ours and node > ARGV[3] then return 0 end
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
return 1";

/// An event and how long it has to live in ms; no more than ARGV[1] bytes of it, and one to show
/// that there are more.
pub(super) const READ: &str = "
return {redis.call('GETRANGE', KEYS[1], 0, ARGV[1]), redis.call('PTTL', KEYS[1])}";

/// Why what is in Redis is no event.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("it has more than {MAX_VALUE_BYTES} bytes")]
    Long,
    #[error("it does not start with \"1 \", a stamp and a frame")]
    Version,
    #[error("it is from the future: {0} ms since 1970, by our clock it is {1}")]
    Future(u64, u64),
    #[error("its frame is not the JSON of an event: {0}")]
    Frame(#[from] serde_json::Error),
    #[error("it is an event of another channel")]
    Channel,
    #[error(transparent)]
    Name(#[from] InvalidEventName),
    #[error(transparent)]
    Data(#[from] InvalidData),
}

#[derive(Deserialize)]
struct StoredFrame<'a> {
    event: String,
    channel: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The highest stamp that is believed, in ms, at a time in ms since 1970.
pub(super) fn latest(since_1970: u64) -> u64 {
    since_1970.saturating_add(AHEAD.as_millis() as u64)
}

/// A stamp's node as it is written.
pub(super) fn node(stamp: Stamp) -> String {
    format!("{:016x}", stamp.node)
}

/// The value of an event; none if it is too long to be shared.
pub(super) fn encode(event: &CachedEvent) -> Option<Vec<u8>> {
    // We have made the frame ourselves.
    let (frame, _) = websocket::client::parse(&event.frame).ok()??;
    let mut value = format!("1 {} {} ", event.stamp.millis, node(event.stamp)).into_bytes();
    value.extend_from_slice(frame.payload);
    (value.len() <= MAX_VALUE_BYTES).then_some(value)
}

/// The event that a value holds. `since_1970` is the time in ms.
pub(super) fn decode(
    value: &[u8],
    channel: &str,
    expires: Now,
    since_1970: u64,
) -> Result<CachedEvent, Invalid> {
    if value.len() > MAX_VALUE_BYTES {
        return Err(Invalid::Long);
    }
    let (stamp, frame) = split(value).ok_or(Invalid::Version)?;
    if stamp.millis > latest(since_1970) {
        return Err(Invalid::Future(stamp.millis, since_1970));
    }
    let StoredFrame { event, channel: of, data } = serde_json::from_slice(frame)?;
    if of != channel {
        return Err(Invalid::Channel);
    }
    event_name::validate(&event, usize::MAX)?;
    let data = Data::from_literal(data.get())?;
    // Made anew, so that no byte reaches a client that we would not have written.
    let frame: Bytes = frames::event(&event, channel, &data);
    Ok(CachedEvent { frame, data: data.literal().into(), stamp, expires, is_hearsay: false })
}

fn split(value: &[u8]) -> Option<(Stamp, &[u8])> {
    let mut parts = value.splitn(4, |byte| *byte == b' ');
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let (version, millis, node) = (text()?, text()?, text()?);
    let stamp = Stamp { millis: millis.parse().ok()?, node: u64::from_str_radix(node, 16).ok()? };
    (version == "1").then_some((stamp, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn read(value: &[u8]) -> Result<CachedEvent, String> {
        decode(value, "cache-a", Duration::from_secs(60), NOW).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read() {
        let data = Data::from_text("ä\"\n");
        let stamp = Stamp { millis: NOW, node: u64::MAX };
        let event = CachedEvent {
            frame: frames::event("e", "cache-a", &data),
            data: data.literal().into(),
            stamp,
            expires: Now::ZERO,
            is_hearsay: false,
        };
        let again = read(&encode(&event).expect("a value")).expect("an event");
        assert_eq!((again.frame, again.data, again.stamp), (event.frame, event.data, stamp));
    }

    #[test]
    fn anything_else_is_refused() {
        for (value, reason) in [
            ("", "does not start with"),
            ("garbage", "does not start with"),
            ("1 5 5", "does not start with"),
            ("2 5 5 {}", "does not start with"),
            ("1 -5 5 {}", "does not start with"),
            ("1 5 zz {}", "does not start with"),
            ("1 99999999999999 1 {}", "from the future"),
            ("1 18446744073709551615 1 {}", "from the future"),
            ("1 5 5 {}", "not the JSON of an event"),
            (r#"1 5 5 {"event":"e","channel":"cache-b","data":"x"}"#, "another channel"),
            (r#"1 5 5 {"event":"pusher:e","channel":"cache-a","data":"x"}"#, "namespace"),
            (r#"1 5 5 {"event":"e","channel":"cache-a","data":{}}"#, "not a JSON string"),
            (r#"1 5 5 {"event":"e","channel":"cache-a","data":"\ud800"}"#, "surrogate"),
        ] {
            let error = read(value.as_bytes()).expect_err(value);
            assert!(error.contains(reason), "{value}: {error}");
        }
        assert!(read(&vec![b'1'; MAX_VALUE_BYTES + 1]).expect_err("long").contains("more than"));
        assert!(read(b"1 5 5 \xff\xfe").expect_err("no text").contains("not the JSON"));
    }
}
