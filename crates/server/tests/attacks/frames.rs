//! Frames of a WebSocket: JSON that means nothing, and bytes that are no frames.

use serde_json::{Value, json};
use testkit::ws::{Client, Frame, raw, text, upgrade};

use super::Scene;

/// What a client may expect for a frame; it stays connected.
enum Answer {
    /// `pusher:error` with code null.
    Complaint,
    /// `pusher:subscription_error`, then `pusher:error` with code null.
    Refusal,
    /// `pusher:error` with code 4301.
    Dropped,
    /// The subscription succeeds.
    Success,
    /// Nothing.
    Silence,
}

use Answer::{Complaint, Dropped, Refusal, Silence, Success};

fn check(client: &mut Client, answer: &Answer, input: &str) {
    let shown: String = input.chars().take(100).collect();
    match answer {
        Silence => {}
        Complaint => drop(client.expect_complaint()),
        Refusal => {
            let frame = client.json();
            assert_eq!(frame["event"], "pusher:subscription_error", "{shown}: {frame}");
            client.expect_complaint();
        }
        Dropped => {
            let frame = client.json();
            assert_eq!(frame["data"]["code"], 4301, "{shown}: {frame}");
        }
        Success => {
            let frame = client.json();
            let succeeded = "pusher_internal:subscription_succeeded";
            assert_eq!(frame["event"], succeeded, "{shown}: {frame}");
        }
    }
    client.expect_silence();
}

fn subscribe(channel: &Value) -> String {
    json!({"event": "pusher:subscribe", "data": {"channel": channel}}).to_string()
}

#[test]
fn texts_that_mean_nothing() {
    let mut scene = Scene::new();
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let nested = format!(r#"{{"event":"pusher:subscribe","data":{}}}"#, deep(10_000));
    let objects = r#"{"a":"#.repeat(10_000) + "1" + &"}".repeat(10_000);
    let inputs: Vec<(Answer, String)> = vec![
        (Complaint, "".into()),
        (Complaint, "null".into()),
        (Complaint, "[]".into()),
        (Complaint, "42".into()),
        (Complaint, "\"x\"".into()),
        (Complaint, "{}".into()),
        (Complaint, r#"{"event":1}"#.into()),
        (Complaint, r#"{"event":null}"#.into()),
        (Complaint, r#"{"event":{}}"#.into()),
        (Complaint, r#"{"event":""}"#.into()),
        (Complaint, "not json".into()),
        (Complaint, r#"{"event":"pusher:ping""#.into()),
        (Complaint, r#"{"event":"pusher:ping"} x"#.into()),
        (Complaint, r#"{"event":"\ud800"}"#.into()),
        (Complaint, "\u{0}".into()),
        (Complaint, deep(10_000)),
        (Complaint, objects),
        (Complaint, nested),
        (Complaint, r#"{"event":"pusher:subscribe"}"#.into()),
        (Complaint, r#"{"event":"pusher:subscribe","data":null}"#.into()),
        (Success, r#"{"event":"pusher:subscribe","data":"{\"channel\":\"a\"}"}"#.into()),
        (Complaint, r#"{"event":"pusher:subscribe","data":"\"channel\""}"#.into()),
        (Complaint, r#"{"event":"pusher:subscribe","data":{}}"#.into()),
        (Complaint, r#"{"event":"pusher:subscribe","data":[]}"#.into()),
        (Complaint, r#"{"event":"pusher:subscribe","data":{"channel":1}}"#.into()),
        (Complaint, r#"{"event":"pusher:subscribe","data":{"channel":"a","auth":1}}"#.into()),
        (
            Complaint,
            r#"{"event":"pusher:subscribe","data":{"channel":"a","channel_data":{}}}"#.into(),
        ),
        (Refusal, subscribe(&json!(""))),
        (Refusal, subscribe(&json!("a b"))),
        (Refusal, subscribe(&json!("a/b"))),
        (Refusal, subscribe(&json!("a\n"))),
        (Refusal, subscribe(&json!("a\u{0}"))),
        (Refusal, subscribe(&json!("ä"))),
        (Refusal, subscribe(&json!("x".repeat(201)))),
        (Refusal, subscribe(&json!("x".repeat(100_000)))),
        (Refusal, subscribe(&json!("#"))),
        (Refusal, subscribe(&json!("#server-to-user-"))),
        (Refusal, subscribe(&json!("#server-to-user-x"))),
        (Refusal, subscribe(&json!("#x"))),
        (Refusal, subscribe(&json!("private-"))),
        (Refusal, subscribe(&json!("presence-"))),
        (Success, subscribe(&json!("__proto__"))),
        (Success, subscribe(&json!("constructor"))),
        (Success, subscribe(&json!("cache"))),
        (Complaint, r#"{"event":"pusher:unsubscribe"}"#.into()),
        (Complaint, r#"{"event":"pusher:unsubscribe","data":{"channel":{}}}"#.into()),
        (Silence, r#"{"event":"pusher:unsubscribe","data":{"channel":"never-joined"}}"#.into()),
        (Silence, r#"{"event":"pusher:unsubscribe","data":{"channel":"never-joined"}}"#.into()),
        (
            Silence,
            r##"{"event":"pusher:unsubscribe","data":{"channel":"#server-to-user-x"}}"##.into(),
        ),
        (Complaint, r#"{"event":"pusher:signin"}"#.into()),
        (Complaint, r#"{"event":"pusher:signin","data":{"auth":1,"user_data":2}}"#.into()),
        (Complaint, r#"{"event":"pusher:signin","data":{"auth":"","user_data":""}}"#.into()),
        (Complaint, r#"{"event":"pusher:signin","data":{"auth":":","user_data":"{}"}}"#.into()),
        (Complaint, r#"{"event":"pusher:connection_established","data":"{}"}"#.into()),
        (Complaint, r#"{"event":"pusher_internal:subscription_succeeded","channel":"a"}"#.into()),
    ];
    for (answer, input) in inputs {
        let mut client = scene.server.connect();
        client.send(&input);
        check(&mut client, &answer, &input);
        client.subscribe("still-works");
        client.close();
        scene.is_calm(&input.chars().take(100).collect::<String>());
    }
    scene.ends();
}

#[test]
fn well_signed_nonsense() {
    let mut scene = Scene::new();
    let long_id = json!({"user_id": "x".repeat(129)}).to_string();
    let big_info = json!({"user_id": "x", "user_info": "x".repeat(100_000)}).to_string();
    let inputs = [
        (Refusal, ""),
        (Refusal, "null"),
        (Refusal, "[]"),
        (Refusal, "{"),
        (Refusal, r#"{"user_id":null}"#),
        (Refusal, r#"{"user_id":{}}"#),
        (Refusal, r#"{"user_id":""}"#),
        (Refusal, r#"{"user_id":1.5}"#),
        (Refusal, r#"{"user_id":1e400}"#),
        (Refusal, r#"{"user_id":99999999999999999999}"#),
        (Refusal, r#"{"user_id":true}"#),
        (Refusal, r#"{"user_id":"\ud800"}"#),
        (Success, r#"{"user_id":"__proto__"}"#),
        (Success, r#"{"user_id":"\" \\ \u0000 <>"}"#),
        (Refusal, &long_id),
        (Refusal, &big_info),
    ];
    for (answer, channel_data) in inputs {
        let mut client = scene.server.connect();
        client.ask_for_signed("presence-x", Some(channel_data));
        check(&mut client, &answer, channel_data);
        client.close();
        scene.is_calm(&channel_data.chars().take(100).collect::<String>());
    }
    for user_data in ["null", "[]", "x", "", r#"{"id":""}"#, r#"{"id":{}}"#, r#"{"id":null}"#, "{}"]
    {
        let mut client = scene.server.connect();
        client.sign_in(user_data);
        check(&mut client, &Complaint, user_data);
        scene.is_calm(user_data);
    }
    let strange = [r#"{"id":"a b\u0000"}"#, r#"{"id":"__proto__"}"#, r#"{"id":1}"#];
    for user_data in strange {
        let mut client = scene.server.connect();
        client.sign_in(user_data);
        assert_eq!(client.json()["event"], "pusher:signin_success");
        client.expect_silence();
        scene.is_calm(user_data);
    }
    for watchlist in [json!("u"), json!({}), json!([{}]), json!([[1]])] {
        let mut client = scene.server.connect();
        client.sign_in(&json!({"id": "w", "watchlist": watchlist}).to_string());
        check(&mut client, &Complaint, "watchlist");
    }
    scene.is_calm("watchlists");
    scene.ends();
}

#[test]
fn client_events_that_may_not_be() {
    let mut scene = Scene::new();
    let event = |event: &str, channel: &str, data: &str| {
        format!(r#"{{"event":"{event}","channel":"{channel}","data":{data}}}"#)
    };
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let inputs = [
        (Complaint, r#"{"event":"client-x"}"#.to_owned()),
        (Complaint, r#"{"event":"client-x","channel":1,"data":{}}"#.to_owned()),
        (Complaint, event("client-x", "a", "{}")),
        (Complaint, event("client-x", "", "{}")),
        (Complaint, event("client-x", "private-elsewhere", "{}")),
        (Complaint, event("client-x", "#server-to-user-x", "{}")),
        (Dropped, event("client-x", "private-a", &format!("\"{}\"", "x".repeat(101 * 1024)))),
        (Silence, event("client-x", "private-a", &deep)),
        (Complaint, event("client-x", "private-a", r#""\ud800""#)),
        (Complaint, event("client-x", "private-a", "{")),
        (Dropped, event("client-", "private-a", "{}")),
        (Complaint, event("myclient-x", "private-a", "{}")),
        (Dropped, event(&format!("client-{}", "x".repeat(300)), "private-a", "{}")),
        (Silence, event("client-\\u0000\\\"", "private-a", "{}")),
    ];
    let mut victim = scene.server.connect();
    victim.subscribe_signed("private-a", None);
    for (answer, input) in inputs {
        let mut client = scene.server.connect();
        client.subscribe_signed("private-a", None);
        client.subscribe("a");
        client.send(&input);
        check(&mut client, &answer, &input);
        if matches!(answer, Silence) {
            // It was passed on, as a string whatever was inside.
            assert!(victim.json()["data"].is_string());
        }
        victim.expect_silence();
        scene.is_calm(&input.chars().take(100).collect::<String>());
    }
    victim.close();
    scene.ends();
}

#[test]
fn bytes_that_are_no_frames_close_their_connection_alone() {
    let mut scene = Scene::with(&[("CONNECTION_MAX_FRAME_KB", "128")]);
    let unmasked = b"\x81\x02{}".to_vec();
    let huge = [&[0x81, 0xff][..], &(1u64 << 62).to_be_bytes(), &[0; 4]].concat();
    let impossible = [&[0x81, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let not_minimal = [&[0x81, 0xfe, 0, 5][..], &[0; 4], b"hello"].concat();
    let fragments = [raw(0x01, &vec![b'x'; 100_000]), raw(0x80, &vec![b'x'; 100_000])].concat();
    let inputs = [
        ("unmasked", 1002, unmasked),
        ("reserved bit 1", 1002, raw(0xc1, b"{}")),
        ("reserved bit 2", 1002, raw(0xa1, b"{}")),
        ("reserved bit 3", 1002, raw(0x91, b"{}")),
        ("unknown opcode", 1002, raw(0x83, b"")),
        ("unknown control opcode", 1002, raw(0x8b, b"")),
        ("fragmented ping", 1002, raw(0x09, b"")),
        ("long ping", 1002, raw(0x89, &[0; 126])),
        ("continuation of nothing", 1002, raw(0x80, b"x")),
        ("text inside a fragmented text", 1002, [raw(0x01, b"{"), text("{}")].concat()),
        ("a length that is not minimal", 1002, not_minimal),
        ("2^62 bytes", 1009, huge),
        ("a length with the highest bit", 1002, impossible),
        ("fragments above the limit", 1009, fragments),
        ("no UTF-8", 1007, raw(0x81, b"\xff\xfe")),
        ("half a character at the end", 1007, raw(0x81, b"\xe2\x82")),
        ("a close frame of one byte", 1002, raw(0x88, &[3])),
        ("a close code that may not be sent", 1002, raw(0x88, &1005u16.to_be_bytes())),
        ("a close reason that is no UTF-8", 1007, raw(0x88, b"\x03\xe8\xff")),
    ];
    for (name, code, bytes) in inputs {
        let mut client = scene.server.connect();
        client.write(&bytes);
        match client.next() {
            Frame::Close(got, reason) => assert_eq!(got, code, "{name}: {reason}"),
            other => panic!("{name}: {other:?}"),
        }
        client.write(&raw(0x88, &[]));
        assert_eq!(client.next(), Frame::End, "{name}");
        scene.is_calm(name);
    }
    // Legal, if unusual: binary is refused politely, fragments and pings in between are put together.
    let mut client = scene.server.connect();
    client.write(&raw(0x82, b"\x00\xff"));
    client.expect_complaint();
    let parts = [
        raw(0x01, br#"{"event":"pus"#),
        raw(0x89, b"!"),
        raw(0x00, b""),
        raw(0x80, br#"her:ping"}"#),
    ];
    client.write(&parts.concat());
    assert_eq!(client.next(), Frame::Pong(b"!".to_vec()));
    client.expect(r#"{"event":"pusher:pong","data":"{}"}"#);
    for byte in text(r#"{"event":"pusher:ping"}"#) {
        client.write(&[byte]);
    }
    client.expect(r#"{"event":"pusher:pong","data":"{}"}"#);
    client.write(&raw(0x88, &[]));
    assert!(matches!(client.next(), Frame::Close(..)), "a close without a code is fine");
    scene.is_calm("binary and fragments");
    scene.ends();
}

#[test]
fn ten_thousand_subscribes_in_one_write() {
    let mut scene = Scene::new();
    let mut client = scene.server.connect();
    let mut reader = Client::over(client.stream().try_clone().unwrap());
    let reading = std::thread::spawn(move || {
        let (mut succeeded, mut refused) = (0, 0);
        for _ in 0..10_000 {
            match reader.json()["event"].as_str().unwrap() {
                "pusher_internal:subscription_succeeded" => succeeded += 1,
                "pusher:subscription_error" => {
                    refused += 1;
                    reader.expect_complaint();
                }
                other => panic!("{other}"),
            }
        }
        (succeeded, refused)
    });
    let frames: Vec<u8> =
        (0..10_000).flat_map(|n| text(&subscribe(&json!(format!("c{n}"))))).collect();
    client.write(&frames);
    assert_eq!(reading.join().unwrap(), (1000, 9000), "the limit of subscriptions");
    client.expect_silence();
    client.subscribe("c0");
    scene.is_calm("10000 subscribes");
    client.close();
    scene.ends();
}

#[test]
fn subscribes_in_the_segment_of_the_handshake() {
    let mut scene = Scene::new();
    for key in ["app-key", "nope"] {
        let mut client = Client::raw(scene.server.address());
        let mut bytes = upgrade(&format!("/app/{key}?protocol=7"), &[]);
        bytes.extend(text(&subscribe(&json!("early"))));
        bytes.extend(text(r#"{"event":"pusher:ping"}"#));
        client.write(&bytes);
        client.upgraded();
        if key == "nope" {
            client.expect_refusal(4001);
            continue;
        }
        client.established();
        client.expect_subscribed("early");
        client.expect(r#"{"event":"pusher:pong","data":"{}"}"#);
        client.close();
    }
    scene.is_calm("early frames");
    scene.ends();
}

#[test]
fn leaving_in_the_middle_of_everything() {
    let mut scene = Scene::new();
    for round in 0..20 {
        for bytes in [
            text(&subscribe(&json!("a")))[..10].to_vec(),
            [text(&subscribe(&json!("a"))), raw(0x88, &1000u16.to_be_bytes())].concat(),
            [raw(0x88, &[]), text(&subscribe(&json!("a")))].concat(),
            text(&subscribe(&json!("cache-a"))).repeat(round + 1),
        ] {
            let mut client = scene.server.connect();
            client.ask_for_signed("presence-x", Some(r#"{"user_id":"1"}"#));
            client.sign_in(r#"{"id":"u","watchlist":["v"]}"#);
            client.write(&bytes);
            if round % 2 == 0 { client.abort() } else { client.half_close() }
        }
        let mut client = Client::raw(scene.server.address());
        client.write(&upgrade("/app/app-key?protocol=7", &[]));
        client.abort();
    }
    scene.is_calm("leaving");
    scene.ends();
}
