//! H1, H2, H3, H6, H7, H8: response bodies, byte for byte.

use protocol::Data;
use protocol::api::response::{self, Cached, ChannelState, Counts};

use crate::{json, text};

fn counts(user_count: Option<u64>, subscription_count: Option<u64>) -> Counts {
    Counts { user_count, subscription_count }
}

fn check(write: impl FnOnce(&mut Vec<u8>), golden: &str) {
    assert_eq!(text(write), golden);
    json(golden);
}

#[test]
fn h2_channels() {
    check(
        |out| {
            let channels = [("presence-a", counts(Some(1), None)), ("b", counts(None, Some(2)))];
            response::channels(out, channels);
        },
        r#"{"channels":{"presence-a":{"user_count":1},"b":{"subscription_count":2}}}"#,
    );
    check(
        |out| response::channels(out, [("presence-a", counts(Some(42), Some(43)))]),
        r#"{"channels":{"presence-a":{"user_count":42,"subscription_count":43}}}"#,
    );
}

#[test]
fn h6_empty_objects_stay_objects() {
    check(|out| response::channels::<&str>(out, []), r#"{"channels":{}}"#);
    check(
        |out| response::channels(out, [("presence-a", Counts::default())]),
        r#"{"channels":{"presence-a":{}}}"#,
    );
}

#[test]
fn h3_batch() {
    check(|out| response::batch(out, &[]), "{}");
    check(|out| response::batch(out, &[None, None]), "{}");
    check(
        |out| response::batch(out, &[None, Some(counts(Some(1), Some(2)))]),
        r#"{"batch":[{},{"user_count":1,"subscription_count":2}]}"#,
    );
}

#[test]
fn h7_channel() {
    check(|out| response::channel(out, &ChannelState::default()), r#"{"occupied":false}"#);
    let data = Data::from_text("{\"k\":1}");
    check(
        |out| {
            let cache = Some(Some(Cached { data: &data, ttl: 60 }));
            let state = ChannelState { occupied: true, counts: counts(Some(42), Some(43)), cache };
            response::channel(out, &state);
        },
        r#"{"occupied":true,"user_count":42,"subscription_count":43,"cache":{"data":"{\"k\":1}","ttl":60}}"#,
    );
    check(
        |out| {
            let state =
                ChannelState { occupied: false, counts: counts(None, Some(0)), cache: Some(None) };
            response::channel(out, &state);
        },
        r#"{"occupied":false,"subscription_count":0,"cache":null}"#,
    );
}

#[test]
fn h8_users() {
    check(|out| response::users::<&str, &str>(out, []), r#"{"users":[]}"#);
    check(
        |out| response::users(out, [("1", None), ("a\"b", Some(r#"{"n":1}"#))]),
        r#"{"users":[{"id":"1"},{"id":"a\"b","user_info":{"n":1}}]}"#,
    );
}

#[test]
fn the_rest() {
    check(|out| response::connections(out, 7), r#"{"connections":7}"#);
    check(
        |out| response::stats(out, Some(1), 2),
        r#"{"occupied":true,"user_count":1,"connection_count":2}"#,
    );
    check(|out| response::stats(out, None, 0), r#"{"occupied":false,"connection_count":0}"#);
    check(
        |out| response::error(out, 400, "Invalid \"x\""),
        r#"{"error":"Invalid \"x\"","code":400}"#,
    );
    assert_eq!(response::EMPTY, "{}");
}
