//! W2, W6, W14: versions, socket ids, close codes.

use protocol::close::Close;
use protocol::{SocketId, version};

use crate::text;

#[test]
fn w2_tolerant_by_default() {
    for (given, spoken) in [
        (None, 7),
        (Some("4"), 4),
        (Some("5"), 5),
        (Some("7"), 7),
        (Some("3"), 7),
        (Some("8"), 7),
        (Some(""), 7),
        (Some("x"), 7),
        (Some("+5"), 7),
        (Some("999999999999"), 7),
    ] {
        assert_eq!(version::check(given, false), Ok(spoken), "{given:?}");
    }
}

#[test]
fn w2_strict() {
    for given in ["4", "5", "6", "7"] {
        assert_eq!(version::check(Some(given), true), Ok(given.parse().unwrap()));
    }
    for (given, code) in [
        (None, 4008),
        (Some(""), 4006),
        (Some("x"), 4006),
        (Some("+5"), 4006),
        (Some("-1"), 4006),
        (Some("5.0"), 4006),
        (Some("0"), 4007),
        (Some("3"), 4007),
        (Some("8"), 4007),
        (Some("999999999999"), 4007),
    ] {
        assert_eq!(version::check(given, true).unwrap_err().code, code, "{given:?}");
    }
}

#[test]
fn w6_socket_id_text() {
    let id: SocketId = "131160.155806628".parse().unwrap();
    assert_eq!(id, SocketId(131_160, 155_806_628));
    for id in [id, SocketId(0, 10), SocketId(u64::MAX, u64::MAX), SocketId(1, 9_999)] {
        assert_eq!(&*id.text(), id.to_string());
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}

#[test]
fn w6_socket_id_is_the_whole_text() {
    for text in [
        "", ".", "1", "1.", ".1", "1.2.3", "1.2\n", " 1.2", "1.2 ", "+1.2", "1.-2", "x", "1,2",
        "1.2e3", "１.２", "0x1.2",
    ] {
        assert!(text.parse::<SocketId>().is_err(), "{text:?}");
    }
}

#[test]
fn h5_a_huge_socket_id_is_well_formed_and_nobodys() {
    let id: SocketId = "99999999999999999999999.1".parse().unwrap();
    assert_eq!(id, SocketId(u64::MAX, 1));
    let biggest = SocketId::from_random(u64::MAX, u64::MAX);
    assert_eq!(biggest, SocketId((1 << 53) - 1, (1 << 53) - 1));
    assert_eq!(SocketId::from_random(0, 0), SocketId(1, 1));
}

#[test]
fn w14_codes_and_texts() {
    let table = [
        (Close::tls_only(), 4000),
        (Close::app_not_found("nope"), 4001),
        (Close::app_disabled(), 4003),
        (Close::over_quota(), 4004),
        (Close::path_not_found(), 4005),
        (Close::invalid_version("x"), 4006),
        (Close::unsupported_protocol("3"), 4007),
        (Close::no_protocol(), 4008),
        (Close::authorization_timeout(), 4009),
        (Close::terminated(), 4009),
        (Close::origin_not_allowed(), 4009),
        (Close::over_capacity(), 4100),
        (Close::reconnect(), 4200),
        (Close::pong_timeout(), 4201),
        (Close::inactivity(), 4202),
    ];
    for (close, code) in table {
        assert_eq!(close.code, code);
        assert!(!close.reason.is_empty());
        assert_eq!(close.frame_reason(), close.reason, "fits a close frame");
    }
    assert_eq!(Close::pong_timeout().reason, "Pong reply not received");
    assert_eq!(Close::path_not_found().reason, "Path not found");
    let timeout = "Connection not authorized within timeout.";
    assert_eq!(Close::authorization_timeout().reason, timeout);
}

#[test]
fn a7_fatal_at_connect() {
    let frame = text(|out| Close::app_not_found("nope").error_frame(out));
    assert_eq!(
        frame,
        r#"{"event":"pusher:error","data":{"code":4001,"message":"App key nope does not exist."}}"#
    );
}

#[test]
fn a7_reason_is_cut_to_123_bytes_between_characters() {
    let close = Close::unauthorized("ä".repeat(100));
    assert_eq!(close.frame_reason(), "ä".repeat(61));
    let key = "k".repeat(10_000);
    assert!(Close::app_not_found(&key).frame_reason().ends_with("k does not exist."));
}
