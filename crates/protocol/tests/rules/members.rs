//! W29, W32, W34, W45, W49: presence members and signed-in users.

use protocol::member::{MemberError, parse_channel_data, parse_user_data};

#[test]
fn w29_member() {
    let member = parse_channel_data(r#"{"user_id":"1","user_info":{"n": "A"}}"#, 2048).unwrap();
    assert_eq!(&*member.id, "1");
    assert_eq!(&*member.id_json, r#""1""#);
    assert_eq!(member.info_json.as_deref(), Some(r#"{"n": "A"}"#), "as received");
}

#[test]
fn w32_number_and_string_are_the_same_member() {
    for (given, id, id_json) in [
        ("1", "1", "1"),
        (r#""1""#, "1", r#""1""#),
        ("-5", "-5", "-5"),
        ("-0", "0", "0"),
        ("9007199254740992", "9007199254740992", "9007199254740992"),
        (r#""__proto__""#, "__proto__", r#""__proto__""#),
        (r#""a\"b""#, "a\"b", r#""a\"b""#),
        (r#""\u00e9""#, "é", r#""é""#),
    ] {
        let member = parse_channel_data(&format!(r#"{{"user_id":{given}}}"#), 2048).unwrap();
        assert_eq!((&*member.id, &*member.id_json), (id, id_json), "{given}");
        assert_eq!(member.info_json, None);
    }
}

#[test]
fn w29_user_info_may_be_anything_and_null_is_none() {
    for (given, info) in [("null", None), ("true", Some("true")), ("[]", Some("[]"))] {
        let data = format!(r#"{{"user_info":{given},"user_id":"1"}}"#);
        assert_eq!(parse_channel_data(&data, 2048).unwrap().info_json.as_deref(), info);
    }
}

#[test]
fn w29_appendix_b() {
    for data in ["", "null", "[]", "{", "x", "\"{}\"", "1", r#"["1",{}]"#, r#"{"user_id":"1"}x"#] {
        let error = parse_channel_data(data, 2048).unwrap_err();
        assert_eq!(error, MemberError::NotObject("channel_data"), "{data}");
    }
    for id in [
        "null",
        "{}",
        "[]",
        r#""""#,
        "true",
        "1.0",
        "1e3",
        "9007199254740993",
        "-9007199254740993",
        "99999999999999999999",
        r#""\ud800""#,
    ] {
        let error = parse_channel_data(&format!(r#"{{"user_id":{id}}}"#), 2048).unwrap_err();
        assert_eq!(error, MemberError::Id("user_id"), "{id}");
    }
    assert_eq!(parse_channel_data("{}", 2048), Err(MemberError::Id("user_id")));
}

#[test]
fn w29_limits() {
    let data = |length| format!(r#"{{"user_id":"{}"}}"#, "é".repeat(length));
    assert!(parse_channel_data(&data(128), 2048).is_ok(), "characters, not bytes");
    assert!(matches!(
        parse_channel_data(&data(129), 2048),
        Err(MemberError::IdTooLong { field: "user_id", .. })
    ));
    let data = r#"{"user_id":"1","user_info":"12345678"}"#;
    assert!(parse_channel_data(data, 10).is_ok());
    let error = parse_channel_data(data, 9).unwrap_err();
    assert_eq!(error, MemberError::InfoTooLarge { size: 10, max: 9 });
}

#[test]
fn w45_user() {
    let user = parse_user_data(r#"{"id":"u1","user_info":{"n":1},"watchlist":["u2","3",3,"u2"]}"#);
    let user = user.unwrap();
    assert_eq!(user.id, "u1");
    assert_eq!(user.info_json.as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(user.watchlist, ["u2", "3"], "distinct");
    assert!(!user.watchlist_cut);
    let user = parse_user_data(r#"{"id":1,"watchlist":null}"#).unwrap();
    assert_eq!((user.id.as_str(), user.watchlist.len()), ("1", 0), "soketi accepts numbers");
}

#[test]
fn w45_appendix_b() {
    for data in ["null", "[]", "x", "", "\"u1\""] {
        assert_eq!(parse_user_data(data), Err(MemberError::NotObject("user_data")), "{data}");
    }
    for data in ["{}", r#"{"id":""}"#, r#"{"id":{}}"#, r#"{"id":null}"#, r#"{"id":1.5}"#] {
        assert_eq!(parse_user_data(data), Err(MemberError::Id("id")), "{data}");
    }
    for list in ["1", "{}", "\"u2\"", "[null]", "[[]]", "[\"\"]"] {
        let data = format!(r#"{{"id":"u1","watchlist":{list}}}"#);
        assert_eq!(parse_user_data(&data), Err(MemberError::Watchlist), "{list}");
    }
}

#[test]
fn w49_only_the_first_hundred_are_watched() {
    let list = |count: usize| {
        let ids: Vec<String> = (0..count).map(|n| format!("\"u{n}\"")).collect();
        parse_user_data(&format!(r#"{{"id":"u1","watchlist":[{}]}}"#, ids.join(","))).unwrap()
    };
    let user = list(100);
    assert_eq!((user.watchlist.len(), user.watchlist_cut), (100, false));
    let user = list(101);
    assert_eq!((user.watchlist.len(), user.watchlist_cut), (100, true));
    assert_eq!(user.watchlist.last().map(String::as_str), Some("u99"));
}

#[test]
fn w34_a_user_as_a_member() {
    let user = parse_user_data(r#"{"id":7,"user_info":{"n":1}}"#).unwrap();
    let member = user.to_member(7).unwrap();
    assert_eq!((&*member.id, &*member.id_json), ("7", r#""7""#));
    assert_eq!(member.info_json.as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(user.to_member(6), Err(MemberError::InfoTooLarge { size: 7, max: 6 }));
}
