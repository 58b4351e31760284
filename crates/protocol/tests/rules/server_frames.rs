//! Appendix A: what the server sends, byte for byte.

use protocol::{Data, SocketId, server_message as frame};

use crate::{json, text};

fn check(write: impl FnOnce(&mut Vec<u8>), golden: &str) {
    assert_eq!(text(write), golden);
    json(golden);
}

#[test]
fn w5_connection_established() {
    check(
        |out| frame::connection_established(out, &SocketId(1, 2).text(), 30),
        r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":30}"}"#,
    );
}

#[test]
fn w9_pong() {
    check(frame::pong, r#"{"event":"pusher:pong","data":"{}"}"#);
}

#[test]
fn w24_subscription_succeeded() {
    check(
        |out| frame::subscription_succeeded(out, "a"),
        r#"{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"a"}"#,
    );
}

#[test]
fn w30_presence_succeeded() {
    check(
        |out| frame::presence_succeeded(out, "presence-x", [("1", Some(r#"{"n":"A"}"#))]),
        r#"{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":1,\"ids\":[\"1\"],\"hash\":{\"1\":{\"n\":\"A\"}}}}","channel":"presence-x"}"#,
    );
    check(
        |out| {
            let members = [("1", Some(r#"{"name":"A"}"#)), ("2", None)];
            frame::presence_succeeded(out, "presence-x", members);
        },
        r#"{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":2,\"ids\":[\"1\",\"2\"],\"hash\":{\"1\":{\"name\":\"A\"},\"2\":{}}}}","channel":"presence-x"}"#,
    );
    check(
        |out| frame::presence_succeeded(out, "presence-x", []),
        r#"{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":0,\"ids\":[],\"hash\":{}}}","channel":"presence-x"}"#,
    );
}

#[test]
fn w31_members_come_and_go() {
    check(
        |out| frame::member_added(out, "presence-x", r#""2""#, Some(r#"{"n":"B"}"#)),
        r#"{"event":"pusher_internal:member_added","data":"{\"user_id\":\"2\",\"user_info\":{\"n\":\"B\"}}","channel":"presence-x"}"#,
    );
    check(
        |out| frame::member_removed(out, "presence-x", r#""2""#),
        r#"{"event":"pusher_internal:member_removed","data":"{\"user_id\":\"2\"}","channel":"presence-x"}"#,
    );
}

#[test]
fn w32_the_original_type_is_echoed() {
    check(
        |out| frame::member_added(out, "presence-x", "8", None),
        r#"{"event":"pusher_internal:member_added","data":"{\"user_id\":8,\"user_info\":{}}","channel":"presence-x"}"#,
    );
    check(
        |out| frame::member_removed(out, "presence-x", "8"),
        r#"{"event":"pusher_internal:member_removed","data":"{\"user_id\":8}","channel":"presence-x"}"#,
    );
}

#[test]
fn w36_event() {
    check(
        |out| frame::event(out, "E", "a", &Data::from_text(r#"{"k":1}"#)),
        r#"{"event":"E","channel":"a","data":"{\"k\":1}"}"#,
    );
    check(
        |out| frame::event(out, "E", "cache-a", &Data::from_text("v1")),
        r#"{"event":"E","channel":"cache-a","data":"v1"}"#,
    );
    check(
        |out| {
            let data = Data::from_literal(r#"" \u00e9\/ ""#).unwrap();
            frame::event(out, r"App\Events\X", "a", &data);
        },
        r#"{"event":"App\\Events\\X","channel":"a","data":" \u00e9\/ "}"#,
    );
}

#[test]
fn w40_client_event() {
    let data = Data::from_text(r#"{"k":1}"#);
    check(
        |out| frame::client_event(out, "client-t", "presence-x", Some(&data), Some("1")),
        r#"{"event":"client-t","channel":"presence-x","data":"{\"k\":1}","user_id":"1"}"#,
    );
    check(
        |out| frame::client_event(out, "client-t", "private-x", Some(&data), None),
        r#"{"event":"client-t","channel":"private-x","data":"{\"k\":1}"}"#,
    );
    check(
        |out| frame::client_event(out, "client-t", "private-x", None, None),
        r#"{"event":"client-t","channel":"private-x"}"#,
    );
}

#[test]
fn w44_cache_miss() {
    check(
        |out| frame::cache_miss(out, "cache-a"),
        r#"{"event":"pusher:cache_miss","channel":"cache-a","data":"{}"}"#,
    );
}

#[test]
fn w13_error_data_is_an_object() {
    let message = "Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a, but got 00";
    check(
        |out| frame::error(out, None, message, None),
        r#"{"event":"pusher:error","data":{"code":null,"message":"Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a, but got 00"}}"#,
    );
    check(
        |out| frame::error(out, Some(4301), "..rate limit..", Some("presence-x")),
        r#"{"event":"pusher:error","data":{"code":4301,"message":"..rate limit.."},"channel":"presence-x"}"#,
    );
    check(
        |out| frame::error(out, Some(4009), "You got disconnected by the app.", None),
        r#"{"event":"pusher:error","data":{"code":4009,"message":"You got disconnected by the app."}}"#,
    );
}

#[test]
fn w25_subscription_error() {
    check(
        |out| {
            let error = "The connection is unauthorized.";
            frame::subscription_error(out, "private-a", "AuthError", error, 401);
        },
        r#"{"event":"pusher:subscription_error","channel":"private-a","data":{"type":"AuthError","error":"The connection is unauthorized.","status":401}}"#,
    );
}

#[test]
fn w46_signin_success() {
    check(
        |out| frame::signin_success(out, r#"{"id":"u1","watchlist":["u2"]}"#),
        r#"{"event":"pusher:signin_success","data":"{\"user_data\":\"{\\\"id\\\":\\\"u1\\\",\\\"watchlist\\\":[\\\"u2\\\"]}\"}"}"#,
    );
}

#[test]
fn w49_watchlist_events() {
    check(
        |out| frame::watchlist_events(out, &[], &["u2"]),
        r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"offline\",\"user_ids\":[\"u2\"]}]}"}"#,
    );
    check(
        |out| frame::watchlist_events(out, &["u2", "u4"], &["u3"]),
        r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"u2\",\"u4\"]},{\"name\":\"offline\",\"user_ids\":[\"u3\"]}]}"}"#,
    );
    check(
        |out| frame::watchlist_events::<&str>(out, &[], &[]),
        r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[]}"}"#,
    );
}

#[test]
fn w52_subscription_count() {
    check(
        |out| frame::subscription_count(out, "a", 3),
        r#"{"event":"pusher_internal:subscription_count","channel":"a","data":"{\"subscription_count\":3}"}"#,
    );
}

#[test]
fn frames_are_appended() {
    let mut out = b"x".to_vec();
    frame::pong(&mut out);
    assert_eq!(out, [b"x", frame::PONG.as_bytes()].concat());
}
