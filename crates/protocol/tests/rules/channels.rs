//! W22, W41, W53, W54: names of channels and events.

use protocol::channel::{self, Class, InvalidChannel, Kind};
use protocol::event_name::{self, InvalidEventName};

#[test]
fn w22_class_by_anchored_dash_terminated_prefix() {
    let table = [
        ("a", Kind::Public, false),
        ("cache-a", Kind::Public, true),
        ("private-a", Kind::Private, false),
        ("private-cache-a", Kind::Private, true),
        ("private-encrypted-a", Kind::PrivateEncrypted, false),
        ("private-encrypted-cache-a", Kind::PrivateEncrypted, true),
        ("presence-a", Kind::Presence, false),
        ("presence-cache-a", Kind::Presence, true),
        ("#server-to-user-u1", Kind::User, false),
        ("my-private-x", Kind::Public, false),
        ("my-cache-b", Kind::Public, false),
        ("private", Kind::Public, false),
        ("privatex-a", Kind::Public, false),
        ("presence", Kind::Public, false),
        ("cache", Kind::Public, false),
        ("private-encrypted", Kind::Private, false),
        ("private-encryptedx-a", Kind::Private, false),
        ("private-cache", Kind::Private, false),
        ("presence-encrypted-a", Kind::Presence, false),
        ("cache-private-a", Kind::Public, true),
        ("Private-a", Kind::Public, false),
        ("private-", Kind::Private, false),
    ];
    for (name, kind, cache) in table {
        assert_eq!(channel::classify(name), Class { kind, cache }, "{name}");
    }
}

#[test]
fn w22_what_a_class_demands() {
    let class = |name| channel::classify(name);
    for name in ["private-a", "private-encrypted-cache-a", "presence-a", "presence-cache-a"] {
        assert!(class(name).requires_auth(), "{name}");
        assert!(class(name).allows_client_events(), "{name}");
    }
    for name in ["a", "cache-a", "#server-to-user-u1"] {
        assert!(!class(name).requires_auth(), "{name}");
        assert!(!class(name).allows_client_events(), "{name}");
    }
    assert!(class("presence-cache-a").is_presence() && class("presence-cache-a").is_cache());
    assert!(!class("private-a").is_presence() && !class("private-a").is_cache());
    assert!(class("#server-to-user-u1").is_user() && !class("private-a").is_user());
}

#[test]
fn w53_legal_names() {
    let longest = "a".repeat(200);
    for name in ["a", "A-z_0=9@,.;", "__proto__", "constructor", "private-", &longest] {
        assert_eq!(channel::validate(name, 200), Ok(channel::classify(name)), "{name}");
    }
    assert_eq!(channel::validate("#server-to-user-a@b.c", 200).unwrap().kind, Kind::User);
}

#[test]
fn w53_illegal_names() {
    for name in ["a b", "a/b", "a\n", "\na", "a\0", "ä", "a#b", "a:b", "a+b", "ａ"] {
        assert_eq!(channel::validate(name, 200), Err(InvalidChannel::Character(name.into())));
    }
    assert_eq!(channel::validate("", 200), Err(InvalidChannel::Empty));
    for name in ["#", "#x", "#server-to-user-", "#server-to-user", "##server-to-user-a"] {
        assert_eq!(channel::validate(name, 200), Err(InvalidChannel::Hash(name.into())));
    }
    for name in ["#server-to-user-a b", "#server-to-user-#", "#server-to-user-a\n"] {
        assert_eq!(channel::validate(name, 200), Err(InvalidChannel::Character(name.into())));
    }
    let long = "a".repeat(201);
    let error = channel::validate(&long, 200).unwrap_err();
    assert_eq!(
        error,
        InvalidChannel::TooLong { name: "a".repeat(100), length: 201, max: 200 },
        "the echo is cut"
    );
    assert!(error.to_string().starts_with("Invalid channel name"));
}

#[test]
fn w47_user_channels() {
    assert_eq!(channel::user_id("#server-to-user-u1"), Some("u1"));
    assert_eq!(channel::user_id("#server-to-user-"), None);
    assert_eq!(channel::user_id("server-to-user-u1"), None);
    assert_eq!(channel::user_channel("u1"), "#server-to-user-u1");
}

#[test]
fn w54_event_names_of_backends() {
    let longest = "ä".repeat(200);
    for name in ["E", "App\\Events\\X", ".x", "client-x", "Pusher:x", "my-pusher", &longest] {
        assert_eq!(event_name::validate(name, 200), Ok(()), "{name}");
    }
    for name in ["pusher:error", "pusher-foo", "pusher", "pusher_internal:x"] {
        assert_eq!(event_name::validate(name, 200), Err(InvalidEventName::Reserved), "{name}");
    }
    assert_eq!(event_name::validate("", 200), Err(InvalidEventName::Empty));
    let error = event_name::validate(&"ä".repeat(201), 200).unwrap_err();
    assert_eq!(error, InvalidEventName::TooLong { name: "ä".repeat(100), max: 200 });
}

#[test]
fn w41_event_names_of_clients() {
    assert_eq!(event_name::validate_client("client-x", 200), Ok(()));
    for name in ["client-", "client", "myclient-x", "Client-x", "", " client-x"] {
        let error = event_name::validate_client(name, 200).unwrap_err();
        assert_eq!(error, InvalidEventName::NotClient(name.into()));
    }
    let long = format!("client-{}", "x".repeat(300));
    assert!(matches!(
        event_name::validate_client(&long, 200),
        Err(InvalidEventName::TooLong { max: 200, .. })
    ));
}
