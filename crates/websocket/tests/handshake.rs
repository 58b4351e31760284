//! The opening handshake: which requests may become a WebSocket, and the answer to the rest.

use websocket::handshake::{HandshakeError, accept_key, validate};

const KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

/// Judges a request with one value per header, `""` for a missing header.
fn judge(
    method: &str,
    upgrade: &str,
    connection: &str,
    version: &str,
) -> Result<(), HandshakeError> {
    let header = |value: &'static str| (!value.is_empty()).then_some(value.as_bytes());
    let [upgrade, connection, version] =
        [upgrade, connection, version].map(|value| header(value.to_owned().leak()));
    validate(method, upgrade, connection, version, Some(KEY)).map(drop)
}

#[test]
fn the_example_of_the_rfc() {
    // RFC 6455 1.3
    assert_eq!(
        accept_key(KEY).as_ref().map(|key| &key[..]),
        Ok(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..])
    );
}

#[test]
fn what_browsers_and_proxies_send_is_taken() {
    for (upgrade, connection) in [
        ("websocket", "Upgrade"),
        ("WebSocket", "keep-alive, Upgrade"),
        ("h2c, websocket", "upgrade"),
        ("websocket", " Upgrade\t,keep-alive"),
    ] {
        assert_eq!(judge("GET", upgrade, connection, "13"), Ok(()), "{upgrade} {connection}");
    }
    let connection = [&b"keep-alive"[..], b"upgrade"];
    let accept = validate("GET", [&b"websocket"[..]], connection, Some(b"13"), Some(KEY));
    assert_eq!(accept, accept_key(KEY), "lists in several headers");
}

#[test]
fn every_other_request_is_refused_with_a_status() {
    use HandshakeError::{Connection, Method, Upgrade, Version};
    for (method, upgrade, connection, version, error, status) in [
        ("POST", "websocket", "upgrade", "13", Method("POST".into()), 405),
        ("get", "websocket", "upgrade", "13", Method("get".into()), 405),
        ("GET", "", "upgrade", "13", Upgrade, 426),
        ("GET", "websockets", "upgrade", "13", Upgrade, 426),
        ("GET", "web socket", "upgrade", "13", Upgrade, 426),
        ("GET", "websocket", "", "13", Connection, 400),
        ("GET", "websocket", "keep-alive", "13", Connection, 400),
        ("GET", "websocket", "upgraded", "13", Connection, 400),
        ("GET", "websocket", "upgrade", "", Version, 426),
        ("GET", "websocket", "upgrade", "8", Version, 426),
        ("GET", "websocket", "upgrade", "013", Version, 426),
    ] {
        assert_eq!(judge(method, upgrade, connection, version), Err(error.clone()));
        assert_eq!(error.status(), status, "{error}");
    }
}

#[test]
fn the_refusal_says_what_would_be_right() {
    assert!(HandshakeError::Version.headers().contains(&("sec-websocket-version", "13")));
    assert!(HandshakeError::Upgrade.headers().contains(&("upgrade", "websocket")));
    assert_eq!(HandshakeError::Method("PUT".into()).headers(), [("allow", "GET")]);
}

#[test]
fn a_key_is_the_base64_of_16_bytes() {
    for key in [
        &b""[..],
        b"dGhlIHNhbXBsZSBub25jZQ", // without padding
        b"dGhlIHNhbXBsZSBub25jZQ=",
        b"dGhlIHNhbXBsZSBub25j",     // 15 bytes
        b"dGhlIHNhbXBsZSBub25jZSE=", // 17 bytes
        b"dGhlIHNhbXBsZSBub25jZSEh", // 18 bytes
        b"dGhlIHNhbXBsZSBub25jZQ==AAAA",
        b"dGhlIHNhbXBsZSBub25j!Q==",
        b"dGhlIHNhbXBsZSBub25j\xffQ==",
    ] {
        assert_eq!(accept_key(key), Err(HandshakeError::Key), "{key:?}");
    }
    let missing =
        validate("GET", Some(&b"websocket"[..]), Some(&b"upgrade"[..]), Some(b"13"), None);
    assert_eq!(missing, Err(HandshakeError::Key));
    assert_eq!(HandshakeError::Key.status(), 400);
}

#[test]
fn a_made_up_key_with_bits_left_over_is_taken() {
    assert!(accept_key(b"AAAAAAAAAAAAAAAAAAAAAB==").is_ok());
}

#[test]
fn a_long_method_is_not_kept() {
    let error = judge(&"X".repeat(10_000), "websocket", "upgrade", "13");
    assert_eq!(error, Err(HandshakeError::Method("X".repeat(16))));
}
