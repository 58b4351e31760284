//! What holds for every input.

use proptest::prelude::*;
use protocol::api::auth::{Request, sign_query, verify};
use protocol::api::{publish, query};
use protocol::auth::{Secret, sign_subscription, verify_subscription};
use protocol::client_message::{ClientMessage, parse};
use protocol::{Data, SocketId, channel, json, member, server_message as frame, version};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::text;

const LIMITS: publish::Limits = publish::Limits {
    max_channels: 3,
    max_event_name: 20,
    max_payload_bytes: 100,
    max_batch: 2,
    max_channel_name: 20,
};

/// Text with many of the characters that JSON treats in a special way.
fn awkward() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        proptest::sample::select(vec![
            '"', '\\', '\n', '\0', '\u{1f}', '\u{7f}', '/', '\u{2028}', 'é', '😀', '{', 'u'
        ]),
    ];
    proptest::collection::vec(character, 0..40)
        .prop_map(|characters| characters.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        awkward().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((awkward(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Frames that are nearly right.
fn nearly() -> impl Strategy<Value = String> {
    let event = proptest::sample::select(vec![
        "pusher:ping",
        "pusher:subscribe",
        "pusher:unsubscribe",
        "pusher:signin",
        "client-x",
        "x",
    ]);
    (event, value(), value(), value(), value()).prop_map(|(event, channel, auth, data, whole)| {
        let arguments = serde_json::json!({
            "channel": channel, "auth": auth, "channel_data": data, "user_data": data,
        });
        let data = if whole.is_null() { arguments } else { whole };
        serde_json::json!({ "event": event, "channel": channel, "data": data }).to_string()
    })
}

/// Checks what every frame must be (W20, rule 1): an object with an `event` string whose `data`
/// is a string.
fn well_formed(frame: &str) -> Result<Value, TestCaseError> {
    let value: Value = serde_json::from_str(frame)
        .map_err(|error| TestCaseError::fail(format!("{error}: {frame}")))?;
    prop_assert!(value["event"].is_string());
    Ok(value)
}

fn inner(frame: &Value) -> Result<Value, TestCaseError> {
    let data = frame["data"].as_str().ok_or_else(|| TestCaseError::fail("data is no string"))?;
    serde_json::from_str(data).map_err(|error| TestCaseError::fail(format!("{error}: {data}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_input_panics(input in prop_oneof![awkward(), nearly(), value().prop_map(|v| v.to_string())]) {
        let _ = parse(&input);
        let _ = channel::validate(&input, 20);
        let _ = input.parse::<SocketId>();
        let _ = version::check(Some(&input), true);
        let _ = member::parse_channel_data(&input, 100);
        let _ = member::parse_user_data(&input);
        let _ = publish::event(input.as_bytes(), &LIMITS);
        let _ = publish::batch(input.as_bytes(), &LIMITS);
        let _ = query::get(&input, "a");
        let _ = Data::from_literal(&input);
        let secret = Secret::new(input.as_bytes());
        let _ = verify_subscription("k", &secret, &input, &input, &input, Some(&input));
        let request = Request {
            method: "POST", path: &input, alt_path: Some("/"), query: &input, body: input.as_bytes(),
        };
        let _ = verify(&request, "k", &secret, 0);
    }

    #[test]
    fn what_parse_makes_is_what_the_frame_said(frame in nearly()) {
        let value: Value = serde_json::from_str(&frame).unwrap();
        match parse(&frame) {
            Ok(ClientMessage::ClientEvent { event, channel, data }) => {
                prop_assert_eq!(value["event"].as_str(), Some(&*event));
                prop_assert_eq!(value["channel"].as_str(), Some(&*channel));
                let expected = match &value["data"] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let data = data.unwrap();
                prop_assert_eq!(data.decoded(), expected);
            }
            Ok(ClientMessage::Subscribe { channel, .. }) if value["data"].is_object() => {
                prop_assert_eq!(value["data"]["channel"].as_str(), Some(&*channel));
            }
            Err(rejection) => prop_assert!(rejection.message().chars().count() < 300),
            _ => {}
        }
    }

    #[test]
    fn escaping_is_undone_by_any_json_parser(input in awkward()) {
        let literal = json::string_literal(&input);
        prop_assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), input);
    }

    #[test]
    fn data_embeds_what_it_decodes_to(value in value()) {
        let raw: Box<RawValue> = serde_json::from_str(&value.to_string()).unwrap();
        let data = Data::from_raw(&raw).unwrap();
        let expected = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let embedded = well_formed(&text(|out| frame::event(out, "E", "c", &data)))?;
        prop_assert_eq!(embedded["data"].as_str(), Some(expected.as_str()));
        prop_assert_eq!(data.decoded(), expected.as_str());
        prop_assert_eq!(data.decoded_len(), expected.len());
        prop_assert!(data.fits(expected.len()) && (expected.is_empty() || !data.fits(expected.len() - 1)));
        prop_assert_eq!(&Data::from_literal(data.literal()).unwrap(), &data);
    }

    #[test]
    fn escaped_units_are_counted_as_they_decode(units in proptest::collection::vec(any::<u16>(), 0..8)) {
        let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let literal = format!("\"{escapes}\"");
        match (String::from_utf16(&units), Data::from_literal(&literal)) {
            (Ok(decoded), Ok(data)) => {
                prop_assert_eq!(data.decoded_len(), decoded.len());
                prop_assert_eq!(data.decoded(), decoded);
            }
            (Err(_), Err(_)) => {}
            (decoded, data) => prop_assert!(false, "{decoded:?} against {data:?}"),
        }
    }

    #[test]
    fn every_frame_is_json_with_string_data(a in awkward(), b in awkward(), info in value(), n in any::<u32>()) {
        let info_json = info.to_string();
        let id_json = json::string_literal(&b);
        let data = Data::from_text(&b);

        let frames = [
            text(frame::pong),
            text(|out| frame::subscription_succeeded(out, &a)),
            text(|out| frame::event(out, &a, &b, &data)),
            text(|out| frame::client_event(out, &a, &b, Some(&data), Some(&b))),
            text(|out| frame::cache_miss(out, &a)),
            text(|out| frame::subscription_count(out, &a, n.into())),
        ];
        for frame in &frames {
            prop_assert!(well_formed(frame)?["data"].is_string());
        }
        let established = well_formed(&text(|out| frame::connection_established(out, &a, n)))?;
        prop_assert_eq!(inner(&established)?, serde_json::json!({"socket_id": a, "activity_timeout": n}));

        let added = well_formed(&text(|out| frame::member_added(out, &a, &id_json, Some(&info_json))))?;
        prop_assert_eq!(inner(&added)?, serde_json::json!({"user_id": b, "user_info": info}));
        prop_assert_eq!(added["channel"].as_str(), Some(a.as_str()));
        let removed = well_formed(&text(|out| frame::member_removed(out, &a, &id_json)))?;
        prop_assert_eq!(inner(&removed)?, serde_json::json!({"user_id": b}));

        let signin = well_formed(&text(|out| frame::signin_success(out, &a)))?;
        prop_assert_eq!(inner(&signin)?, serde_json::json!({"user_data": a}));
        let watch = well_formed(&text(|out| frame::watchlist_events(out, &[&a], &[&b])))?;
        prop_assert_eq!(&inner(&watch)?["events"][1]["user_ids"][0], &Value::from(b.clone()));

        let error = well_formed(&text(|out| frame::error(out, None, &a, Some(&b))))?;
        prop_assert_eq!(&error["data"], &serde_json::json!({"code": null, "message": a}));
        let error = well_formed(&text(|out| frame::subscription_error(out, &a, &b, &a, 401)))?;
        prop_assert_eq!(&error["data"], &serde_json::json!({"type": b, "error": a, "status": 401}));
    }

    #[test]
    fn w30_count_ids_and_hash_agree(members in proptest::collection::btree_map(awkward(), proptest::option::of(value()), 0..6)) {
        let texts: Vec<_> =
            members.iter().map(|(id, info)| (id.as_str(), info.as_ref().map(Value::to_string))).collect();
        let roster = texts.iter().map(|(id, info)| (*id, info.as_deref()));
        let frame = well_formed(&text(|out| frame::presence_succeeded(out, "presence-x", roster)))?;
        let presence = inner(&frame)?["presence"].clone();
        prop_assert_eq!(presence["count"].as_u64(), Some(members.len() as u64));
        prop_assert_eq!(presence["ids"].as_array().map(Vec::len), Some(members.len()));
        prop_assert_eq!(presence["hash"].as_object().map(serde_json::Map::len), Some(members.len()));
        for (index, (id, info)) in members.iter().enumerate() {
            prop_assert_eq!(presence["ids"][index].as_str(), Some(id.as_str()));
            let expected = info.clone().unwrap_or_else(|| serde_json::json!({}));
            prop_assert_eq!(&presence["hash"][id.as_str()], &expected);
        }
    }

    #[test]
    fn a_signature_holds_for_exactly_what_was_signed(
        secret in awkward(), channel in awkward(), data in proptest::option::of(awkward()), bit in 0usize..256,
    ) {
        let secret = Secret::new(secret.as_bytes());
        let auth = sign_subscription("key", &secret, "1.2", &channel, data.as_deref());
        let verify = |auth: &str, id: &str, channel: &str| {
            verify_subscription("key", &secret, auth, id, channel, data.as_deref())
        };
        prop_assert_eq!(verify(&auth, "1.2", &channel), Ok(()));
        prop_assert!(verify(&auth, "1.3", &channel).is_err());
        let longer = channel.clone() + "x";
        prop_assert!(verify(&auth, "1.2", &longer).is_err());

        let mut digest = protocol::hex::decode::<32>(&auth.as_bytes()[4..]).unwrap();
        digest[bit / 8] ^= 1 << (bit % 8);
        let forged = format!("key:{}", protocol::hex::encode(&digest));
        prop_assert!(verify(&forged, "1.2", &channel).is_err());
    }

    #[test]
    fn a_signed_request_verifies_and_no_changed_one_does(
        name in "[a-z]{1,8}", value in awkward(), body in proptest::collection::vec(any::<u8>(), 1..50),
        at in any::<proptest::sample::Index>(), bit in 0u8..8,
    ) {
        let secret = Secret::new(b"secret");
        let query = sign_query("POST", "/apps/1/events", &[(&name, &value)], &body, "key", &secret, 1_000);
        let check = |query: &str, body: &[u8]| {
            let request = Request { method: "POST", path: "/apps/1/events", alt_path: None, query, body };
            verify(&request, "key", &secret, 1_000)
        };
        prop_assert_eq!(check(&query, &body), Ok(()));
        let read = query::get(&query, &name);
        prop_assert_eq!(read.as_deref(), Some(value.as_str()));

        let mut changed = body.clone();
        changed[at.index(body.len())] ^= 1 << bit;
        prop_assert!(check(&query, &changed).is_err());

        // Hex digits are read in either case, so a changed case is no change.
        let mut forged = query.clone().into_bytes();
        forged[at.index(query.len())] ^= 1 << bit;
        if let Ok(forged) = String::from_utf8(forged) && !forged.eq_ignore_ascii_case(&query) {
            prop_assert!(check(&forged, &body).is_err(), "{}", forged);
        }
    }

    #[test]
    fn socket_ids_round_trip(first in any::<u64>(), second in any::<u64>()) {
        for id in [SocketId(first, second), SocketId::from_random(first, second)] {
            prop_assert_eq!(&*id.text(), id.to_string());
            prop_assert_eq!(id.text().parse(), Ok(id));
        }
    }
}
