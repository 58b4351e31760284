//! W19, W21, W39, W45 and appendix B: what clients send.

use protocol::client_message::{ClientMessage, parse};
use protocol::{Data, event_name};

fn rejection(frame: &str) -> String {
    match parse(frame) {
        Err(rejection) => rejection.message().to_owned(),
        Ok(message) => panic!("{frame} became {message:?}"),
    }
}

fn subscribe<'a>(
    channel: &'a str,
    auth: Option<&'a str>,
    channel_data: Option<&'a str>,
) -> ClientMessage<'a> {
    ClientMessage::Subscribe {
        channel: channel.into(),
        auth: auth.map(Into::into),
        channel_data: channel_data.map(Into::into),
    }
}

#[test]
fn w8_pings_and_pongs_with_or_without_data() {
    for data in ["", r#","data":{}"#, r#","data":"{}""#, r#", "data": null"#, r#","data":[1]"#] {
        assert_eq!(parse(&format!(r#"{{"event":"pusher:ping"{data}}}"#)), Ok(ClientMessage::Ping));
        assert_eq!(parse(&format!(r#"{{"event":"pusher:pong"{data}}}"#)), Ok(ClientMessage::Pong));
    }
    assert_eq!(parse(r#"{"event": "pusher:ping"}"#), Ok(ClientMessage::Ping), "Java's spacing");
}

#[test]
fn w21_subscribe() {
    let table = [
        (r#"{"auth":"","channel":"a"}"#, subscribe("a", Some(""), None)),
        (r#"{"channel":"a"}"#, subscribe("a", None, None)),
        (
            r#"{"channel":"presence-a","auth":"K:S","channel_data":"{\"user_id\":1}"}"#,
            subscribe("presence-a", Some("K:S"), Some(r#"{"user_id":1}"#)),
        ),
        (
            r#"{"channel":"private-a","auth":"K:S","channel_data":null}"#,
            subscribe("private-a", Some("K:S"), None),
        ),
        (r#"{"channel":"a","auth":null,"x":[{"y":1}]}"#, subscribe("a", None, None)),
        (r#""{\"channel\":\"a\",\"auth\":\"K:S\"}""#, subscribe("a", Some("K:S"), None)),
        (r#"{"channel":"b","channel":"a"}"#, subscribe("a", None, None)),
        (r#"{"ch\u0061nnel":"\u0061"}"#, subscribe("a", None, None)),
    ];
    for (data, message) in table {
        let frame = format!(r#"{{"event":"pusher:subscribe","data":{data}}}"#);
        assert_eq!(parse(&frame), Ok(message), "{frame}");
        let swapped = format!(r#" {{ "data":{data}, "event":"pusher:subscribe" }} "#);
        assert_eq!(parse(&swapped), parse(&frame), "order of keys");
    }
}

#[test]
fn w21_unsubscribe() {
    let message = ClientMessage::Unsubscribe { channel: "a".into() };
    for data in [r#"{"channel":"a"}"#, r#""{\"channel\":\"a\"}""#] {
        let frame = format!(r#"{{"event":"pusher:unsubscribe","data":{data}}}"#);
        assert_eq!(parse(&frame), Ok(message.clone()));
    }
}

#[test]
fn w45_signin() {
    let frame = r#"{"event":"pusher:signin","data":{"auth":"K:S","user_data":"{\"id\":\"u1\"}"}}"#;
    let user_data = r#"{"id":"u1"}"#.into();
    assert_eq!(parse(frame), Ok(ClientMessage::Signin { auth: "K:S".into(), user_data }));
}

#[test]
fn w39_client_events() {
    let event = |data: Option<&str>| ClientMessage::ClientEvent {
        event: "client-x".into(),
        channel: "private-y".into(),
        data: data.map(Data::from_text),
    };
    let table = [
        ("", None),
        (r#","data":{"k": 1}"#, Some(r#"{"k": 1}"#)),
        (r#","data":"{\"k\":1}""#, Some(r#"{"k":1}"#)),
        (r#","data":"""#, Some("")),
        (r#","data":[1,"\u00e9"]"#, Some(r#"[1,"\u00e9"]"#)),
        (r#","data":1.50"#, Some("1.50")),
        (r#","data":true"#, Some("true")),
        (r#","data":null"#, Some("null")),
        (r#","data":{},"user_id":"root","extra":1"#, Some("{}")),
    ];
    for (data, decoded) in table {
        let frame = format!(r#"{{"event":"client-x","channel":"private-y"{data}}}"#);
        assert_eq!(parse(&frame), Ok(event(decoded)), "{frame}");
    }
}

#[test]
fn w36_client_data_is_passed_on_byte_for_byte() {
    let frame = r#"{"event":"client-x","channel":"c","data":" \u00e9é\/\n "}"#;
    let Ok(ClientMessage::ClientEvent { data: Some(data), .. }) = parse(frame) else {
        panic!("not a client event");
    };
    assert_eq!(data.literal(), r#"" \u00e9é\/\n ""#);
    assert_eq!(data.decoded(), " éé/\n ");
}

#[test]
fn w18_unsupported_events() {
    for event in ["myclient-x", "pusher:error", "pusher_internal:x", "", "Client-x", "pusher:Ping"]
    {
        let frame = format!(r#"{{"event":"{event}","channel":"private-a","data":{{}}}}"#);
        assert_eq!(rejection(&frame), format!("Unsupported event received on socket: {event}"));
    }
    let long = format!(r#"{{"event":"{}"}}"#, "ä".repeat(5_000));
    let expected = format!("Unsupported event received on socket: {}", "ä".repeat(100));
    assert_eq!(rejection(&long), expected);
}

#[test]
fn w18_client_events_need_a_channel() {
    for channel in ["", r#","channel":null"#, r#","channel":1"#, r#","channel":{}"#] {
        let frame = format!(r#"{{"event":"client-x","data":{{}}{channel}}}"#);
        assert_eq!(rejection(&frame), "Invalid client event (must contain channel and data)");
    }
}

#[test]
fn w19_appendix_b_not_a_message() {
    for frame in [
        "",
        "null",
        "[]",
        "42",
        "\"x\"",
        "not json",
        "{",
        "{}x",
        "\0",
        "{\"event\":\"pusher:ping\"",
    ] {
        let message = rejection(frame);
        assert!(
            message.starts_with("Invalid message: must be a JSON object"),
            "{frame}: {message}"
        );
    }
    for event in ["", r#""event":1"#, r#""event":null"#, r#""event":{}"#, r#""event":[["x"]]"#] {
        let frame = format!("{{{event}}}");
        assert_eq!(rejection(&frame), "Invalid message: event must be a string", "{frame}");
    }
    let array = r#"["pusher:ping",null,null]"#;
    assert!(rejection(array).starts_with("Invalid message"), "an array is no object");
}

#[test]
fn w19_appendix_b_odd_arguments() {
    let without_channel = [
        "",
        r#","data":null"#,
        r#","data":{}"#,
        r#","data":[]"#,
        r#","data":1"#,
        r#","data":"""#,
        r#","data":"x""#,
        r#","data":"[]""#,
        r#","data":"\ud800""#,
        r#","data":{"channel":1}"#,
        r#","data":{"channel":null}"#,
        r#","data":{"channel":["a"]}"#,
        r#","data":["a"]"#,
        r#","data":"\"{\\\"channel\\\":\\\"a\\\"}\"""#,
        r#","data":{"channel":"\ud800"}"#,
    ];
    for data in without_channel {
        for event in ["subscribe", "unsubscribe"] {
            let message = rejection(&format!(r#"{{"event":"pusher:{event}"{data}}}"#));
            assert!(message.starts_with(&format!("Invalid {event}: data must be")), "{message}");
        }
    }
    for auth in [r#""auth":1"#, r#""channel_data":{}"#, r#""auth":[]"#, r#""channel_data":false"#] {
        let frame = format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"a",{auth}}}}}"#);
        assert_eq!(rejection(&frame), "Invalid subscribe: auth and channel_data must be strings");
    }
    for data in ["", r#","data":{"auth":1,"user_data":2}"#, r#","data":{"auth":"K:S"}"#] {
        let message = rejection(&format!(r#"{{"event":"pusher:signin"{data}}}"#));
        assert!(message.starts_with("Invalid signin: data must be"), "{message}");
    }
}

#[test]
fn w19_channel_names_are_not_judged_here() {
    for channel in ["", "a b", "a\\n", "#", "__proto__"] {
        let frame = format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}"}}}}"#);
        assert!(matches!(parse(&frame), Ok(ClientMessage::Subscribe { .. })), "{frame}");
    }
}

#[test]
fn w19_deep_nesting_costs_no_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let frame = format!(r#"{{"event":"client-x","channel":"private-a","data":{deep}}}"#);
        let Ok(ClientMessage::ClientEvent { data: Some(data), .. }) = parse(&frame) else {
            panic!("nesting is the receiver's business");
        };
        assert_eq!(data.decoded(), deep);
        assert_eq!(
            parse(&format!(r#"{{"x":{deep},"event":"pusher:ping"}}"#)),
            Ok(ClientMessage::Ping)
        );
        let event = format!(r#"{{"event":{deep}}}"#);
        assert_eq!(rejection(&event), "Invalid message: event must be a string");
        rejection(&format!(r#"{{"event":"pusher:subscribe","data":{deep}}}"#));
        rejection(&format!(r#"{{"event":"pusher:subscribe","data":{{"channel":{deep}}}}}"#));
        rejection(&deep);
    }
}

#[test]
fn w19_half_a_surrogate_pair_is_no_data() {
    for data in
        [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx""#, r#""\ud83d\u0041""#, r#""\ude00\ud83d""#]
    {
        let message = rejection(&format!(r#"{{"event":"client-x","channel":"c","data":{data}}}"#));
        assert_eq!(message, "Invalid data: the string holds an unpaired \\u surrogate");
    }
    let inside = r#"{"event":"client-x","channel":"c","data":{"a":"\ud83d"}}"#;
    let Ok(ClientMessage::ClientEvent { data: Some(data), .. }) = parse(inside) else {
        panic!("an object's text is passed on as it is");
    };
    assert_eq!(data.decoded(), r#"{"a":"\ud83d"}"#);
}

#[test]
fn w19_rejections_do_not_repeat_big_frames() {
    let big = format!("\"{}\"", "x".repeat(1_000_000));
    assert!(rejection(&big).len() < 300);
}

#[test]
fn w41_bare_client_prefix_parses_and_its_name_is_refused() {
    let frame = r#"{"event":"client-","channel":"private-a","data":{}}"#;
    let Ok(ClientMessage::ClientEvent { event, .. }) = parse(frame) else { panic!("{frame}") };
    assert!(event_name::validate_client(&event, 200).is_err());
}
