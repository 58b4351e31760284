//! H3, H4, H5, H9, W54 and appendix B: publish bodies.

use protocol::SocketId;
use protocol::api::ApiError;
use protocol::api::info::Info;
use protocol::api::publish::{Event, Limits, batch, channel_event, event};

const LIMITS: Limits = Limits {
    max_channels: 100,
    max_event_name: 200,
    max_payload_bytes: 10_240,
    max_batch: 10,
    max_channel_name: 200,
};

fn ok(body: &str) -> Event<'_> {
    event(body.as_bytes(), &LIMITS).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn refused(body: &str) -> ApiError {
    match event(body.as_bytes(), &LIMITS) {
        Err(error) => error,
        Ok(event) => panic!("{body} became {event:?}"),
    }
}

/// An event whose members are all right, but for those given.
fn with(members: &str) -> String {
    format!(r#"{{"name":"E","channel":"a","data":"x",{members}}}"#)
}

#[test]
fn a8_event() {
    let event = ok(r#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#);
    assert_eq!(event.name, "foo");
    assert_eq!(event.channels, ["project-3"]);
    assert_eq!(event.data.literal(), r#""{\"some\":\"data\"}""#);
    assert_eq!((event.socket_id, event.info), (None, Info::default()));
}

#[test]
fn h4_channel_or_channels_each_once_in_order() {
    assert_eq!(ok(r#"{"name":"E","channel":"a","data":""}"#).channels, ["a"]);
    assert_eq!(ok(&with(r#""channels":null"#)).channels, ["a"]);
    let event = ok(r#"{"name":"E","data":"","channel":null,"channels":["b","a","b","c","a"]}"#);
    assert_eq!(event.channels, ["b", "a", "c"]);
    assert_eq!(
        ok(&with(r##""channels":["#server-to-user-u1"]"##)).channels,
        ["#server-to-user-u1"]
    );
}

#[test]
fn h4_data_of_any_type() {
    for (data, decoded) in [
        (r#""""#, ""),
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        ("[]", "[]"),
        ("7", "7"),
        ("false", "false"),
        ("null", "null"),
        (r#""\ud83d\ude00""#, "😀"),
    ] {
        let body = format!(r#"{{"name":"E","channel":"a","data":{data}}}"#);
        assert_eq!(ok(&body).data.decoded(), decoded);
    }
    let error = refused(r#"{"name":"E","channel":"a"}"#);
    assert_eq!(
        (error.status, error.message.as_str()),
        (400, "Expected data parameter to be a string")
    );
    assert_eq!(refused(&with(r#""data":"\ud83d""#)).status, 400);
}

#[test]
fn h5_socket_id() {
    assert_eq!(ok(&with(r#""socket_id":"1.2""#)).socket_id, Some(SocketId(1, 2)));
    assert_eq!(ok(&with(r#""socket_id":null"#)).socket_id, None);
    for id in [r#""x""#, r#""""#, "1.2", r#""1.2\n""#] {
        assert_eq!(refused(&with(&format!(r#""socket_id":{id}"#))).status, 400, "{id}");
    }
}

#[test]
fn h2_info() {
    let info = ok(&with(r#""info":"subscription_count,user_count""#)).info;
    assert!(info.subscription_count && info.user_count && !info.cache);
    assert!(ok(&with(r#""info":"""#)).info.is_empty());
    assert_eq!(refused(&with(r#""info":"x""#)).status, 400);
    assert_eq!(refused(&with(r#""info":["user_count"]"#)).status, 400);
}

#[test]
fn h9_names() {
    let name = |name: &str| refused(&with(&format!(r#""name":{name}"#))).message;
    assert_eq!(name("1"), "Expected name parameter to be a string");
    assert_eq!(name("null"), "Expected name parameter to be a string");
    let reserved = "Bad request: The 'pusher' namespace is reserved for internal usage";
    assert_eq!(name(r#""pusher:error""#), reserved);
    assert!(name(&format!("\"{}\"", "x".repeat(201))).contains("at most 200"));
    assert!(name(r#""""#).contains("empty"));
    for channel in ["a b", "#x", "", "#server-to-user-", "a\\n"] {
        let body = with(&format!(r#""channels":["ok","{channel}"]"#));
        assert!(refused(&body).message.starts_with("Invalid channel name"), "{channel}");
    }
}

#[test]
fn w54_channels_per_event() {
    let body = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("\"c{n}\"")).collect();
        with(&format!(r#""channels":[{}]"#, names.join(",")))
    };
    assert_eq!(ok(&body(100)).channels.len(), 100);
    let error = refused(&body(101));
    assert_eq!(error.status, 400);
    assert_eq!(error.message, "Cannot publish to 101 channels at once, at most 100 are allowed");
    for channels in ["[]", "[1]", "[null]", "\"a\"", "{}", "1"] {
        assert_eq!(refused(&with(&format!(r#""channels":{channels}"#))).status, 400, "{channels}");
    }
    assert_eq!(refused(r#"{"name":"E","data":""}"#).status, 400);
    assert_eq!(refused(r#"{"name":"E","data":"","channel":1}"#).status, 400);
}

#[test]
fn w54_payload_limit_counts_decoded_bytes() {
    let body = |data: &str| format!(r#"{{"name":"E","channel":"a","data":"{data}"}}"#);
    ok(&body(&"x".repeat(10_240)));
    ok(&body(&"\\u00e9".repeat(5_120)));
    ok(&body(&"\\\"".repeat(10_240)));
    for data in ["x".repeat(10_241), "\\u00e9".repeat(5_121), "\\\"".repeat(10_241)] {
        let error = refused(&body(&data));
        assert_eq!(error.status, 413);
        assert_eq!(
            error.message,
            "The data content of this event exceeds the allowed maximum (10240 bytes). See \
             https://pusher.com/docs/channels/server_api/http-api#publishing-events for more info"
        );
    }
}

#[test]
fn appendix_b_bodies() {
    for body in ["", "null", "[]", "x", "42", "{", "\"{}\"", r#"["E"]"#] {
        assert_eq!(refused(body).status, 400, "{body}");
        assert_eq!(batch(body.as_bytes(), &LIMITS).unwrap_err().status, 400, "{body}");
    }
    assert_eq!(event(b"\xff{}", &LIMITS).unwrap_err().status, 400);
    let big = format!("\"{}\"", "x".repeat(100_000));
    assert!(refused(&big).message.len() < 300, "the body is not echoed");
}

#[test]
fn h3_batch() {
    let item = r#"{"channel":"a","name":"E","data":"1"}"#;
    let body = format!(
        r#"{{"batch":[{item},{{"channel":"b","name":"F","data":{{}},"info":"user_count"}}]}}"#
    );
    let events = batch(body.as_bytes(), &LIMITS).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!((&*events[0].name, &*events[0].channels[0]), ("E", "a"));
    assert!(events[1].info.user_count);
    assert_eq!(batch(br#"{"batch":[]}"#, &LIMITS), Ok(vec![]));
}

#[test]
fn h3_batch_is_all_or_nothing() {
    let item = r#"{"channel":"a","name":"E","data":"1"}"#;
    for bad in ["null", "1", "[]", "{}", r#"{"channel":"a b","name":"E","data":"1"}"#] {
        let body = format!(r#"{{"batch":[{item},{bad}]}}"#);
        assert_eq!(batch(body.as_bytes(), &LIMITS).unwrap_err().status, 400, "{bad}");
    }
    let heavy = format!(r#"{{"channel":"a","name":"E","data":"{}"}}"#, "x".repeat(10_241));
    let body = format!(r#"{{"batch":[{item},{heavy}]}}"#);
    assert_eq!(batch(body.as_bytes(), &LIMITS).unwrap_err().status, 413);
}

#[test]
fn h3_batch_size() {
    let body = |count: usize| {
        let item = r#"{"channel":"a","name":"E","data":"1"}"#;
        format!(r#"{{"batch":[{}]}}"#, vec![item; count].join(","))
    };
    assert_eq!(batch(body(10).as_bytes(), &LIMITS).unwrap().len(), 10);
    let error = batch(body(11).as_bytes(), &LIMITS).unwrap_err();
    assert_eq!(error.message, "Batch too large: it has 11 events, at most 10 are allowed");
    for body in ["{}", r#"{"batch":null}"#, r#"{"batch":{}}"#, r#"{"batch":"[]"}"#] {
        let error = batch(body.as_bytes(), &LIMITS).unwrap_err();
        assert_eq!(error.message, "Expected batch parameter to be an array", "{body}");
    }
}

#[test]
fn deprecated_channel_event() {
    let read = |name, socket_id, body| channel_event("a", name, socket_id, body, &LIMITS);
    let event = read(Some("E"), Some("1.2"), br#"{"k":1}"#).unwrap();
    assert_eq!((&*event.name, event.channels.as_slice()), ("E", &["a".into()][..]));
    assert_eq!(event.data.decoded(), r#"{"k":1}"#, "the body is the data");
    assert_eq!(event.socket_id, Some(SocketId(1, 2)));
    assert_eq!(
        read(None, None, b"").unwrap_err().message,
        "Expected name parameter to be a string"
    );
    assert_eq!(read(Some("E"), Some("x"), b"").unwrap_err().status, 400);
    assert_eq!(read(Some("E"), None, b"\xff").unwrap_err().status, 400);
    assert_eq!(channel_event("#", Some("E"), None, b"", &LIMITS).unwrap_err().status, 400);
}
