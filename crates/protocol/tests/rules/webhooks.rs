//! Bodies of webhooks (K1, K2).

use protocol::Data;
use protocol::auth::Secret;
use protocol::webhook::{Event, EventKind, body, sign};

use super::json;

/// One of each kind, with what it looks like.
fn examples<'a>(data: &'a Data<'a>) -> Vec<(Event<'a>, &'static str)> {
    let (channel, user_id) = ("presence-a", "8");
    let client_event = |user_id| Event::ClientEvent {
        channel,
        event: "client-x",
        data: Some(data),
        socket_id: "123.456",
        user_id,
    };
    vec![
        (Event::ChannelOccupied { channel: "a" }, r#"{"name":"channel_occupied","channel":"a"}"#),
        (Event::ChannelVacated { channel: "a" }, r#"{"name":"channel_vacated","channel":"a"}"#),
        (
            Event::MemberAdded { channel, user_id },
            r#"{"name":"member_added","channel":"presence-a","user_id":"8"}"#,
        ),
        (
            Event::MemberRemoved { channel, user_id },
            r#"{"name":"member_removed","channel":"presence-a","user_id":"8"}"#,
        ),
        (
            client_event(Some("8")),
            r#"{"name":"client_event","channel":"presence-a","event":"client-x","data":"{\"k\":1}","socket_id":"123.456","user_id":"8"}"#,
        ),
        (
            client_event(None),
            r#"{"name":"client_event","channel":"presence-a","event":"client-x","data":"{\"k\":1}","socket_id":"123.456"}"#,
        ),
        (Event::CacheMiss { channel: "cache-a" }, r#"{"name":"cache_miss","channel":"cache-a"}"#),
        (
            Event::SubscriptionCount { channel: "a", count: 2 },
            r#"{"name":"subscription_count","channel":"a","subscription_count":2}"#,
        ),
    ]
}

#[test]
fn k2_events_are_exact() {
    let data = Data::from_text(r#"{"k":1}"#);
    for (event, text) in examples(&data) {
        assert_eq!(event.json(), text);
        assert_eq!(json(text)["name"], event.kind().name());
        assert_eq!(json(text)["channel"], event.channel());
    }
}

#[test]
fn k2_everything_is_a_string_whatever_is_in_it() {
    let evil = "\"\\\u{1}\n</script>\u{2028}ä🦆";
    let object: Box<serde_json::value::RawValue> = serde_json::from_str(r#"{"a":[1]}"#).unwrap();
    let data = Data::from_raw(&object).unwrap();
    let event = Event::ClientEvent {
        channel: evil,
        event: evil,
        data: Some(&data),
        socket_id: evil,
        user_id: Some(evil),
    };
    let event = json(&event.json());
    for field in ["channel", "event", "socket_id", "user_id"] {
        assert_eq!(event[field], evil);
    }
    assert_eq!(event["data"], r#"{"a":[1]}"#);
    let none = Event::ClientEvent {
        channel: "a",
        event: "b",
        data: None,
        socket_id: "1.1",
        user_id: None,
    };
    assert_eq!(json(&none.json())["data"], "");
}

#[test]
fn k2_kinds_have_names() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(EventKind::from_name("channel_existed"), None);
}

#[test]
fn k1_bodies_are_exact_and_signed() {
    let none: [&str; 0] = [];
    assert_eq!(body(1, &none), r#"{"time_ms":1,"events":[]}"#);
    let data = Data::from_text("x");
    let events: Vec<_> = examples(&data).iter().map(|(event, _)| event.json()).collect();
    let all = json(&body(1_327_078_148_132, &events));
    assert_eq!(all["time_ms"], 1_327_078_148_132_u64);
    assert_eq!(all["events"].as_array().unwrap().len(), events.len());
    // The test vector's event has its members in another order.
    let vector =
        body(1_403_175_510_755, &[r#"{"channel":"test_channel","name":"channel_vacated"}"#]);
    let signature = "c17257e92037cd7de407ebc1ed174ceb7b2e518db127f44411b9ffc4f5b28cc5";
    assert_eq!(sign(&Secret::new(b"tofu"), vector.as_bytes()), signature);
}
