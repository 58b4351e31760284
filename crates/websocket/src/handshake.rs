//! The server's part of the opening handshake (RFC 6455 4.2) as pure functions over header values.
//!
//! It must not know an HTTP library: the caller takes the values from its own request and puts
//! the verdict into its own response.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest, Sha1};

/// The value that every `Sec-WebSocket-Accept` is derived with (RFC 6455 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Clients that make up 22 characters instead of encoding 16 bytes may leave bits over at the
/// end; they do no harm.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Why a request cannot become a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Not a GET request (RFC 6455 4.1).
    #[error("method is {0:?}, it must be GET")]
    Method(String),
    /// `Upgrade` does not name `websocket`.
    #[error("upgrade header does not ask for websocket")]
    Upgrade,
    /// `Connection` does not name `upgrade`.
    #[error("connection header does not name upgrade")]
    Connection,
    /// `Sec-WebSocket-Version` is missing or not 13.
    #[error("sec-websocket-version is not 13")]
    Version,
    /// `Sec-WebSocket-Key` is missing or not the base64 of 16 bytes.
    #[error("sec-websocket-key is not the base64 of 16 bytes")]
    Key,
}

impl HandshakeError {
    /// The HTTP status of the refusal: 405, 426 (RFC 6455 4.4, RFC 9110 15.5.22) or 400.
    pub fn status(&self) -> u16 {
        match self {
            Self::Method(_) => 405,
            Self::Upgrade | Self::Version => 426,
            Self::Connection | Self::Key => 400,
        }
    }

    /// Names and values of the headers that the refusal must carry.
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Method(_) => &[("allow", "GET")],
            Self::Upgrade => &[("connection", "upgrade"), ("upgrade", "websocket")],
            Self::Version => &[
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
            ],
            Self::Connection | Self::Key => &[],
        }
    }
}

/// Judges an upgrade request and returns the `Sec-WebSocket-Accept` value for the 101 response.
///
/// `upgrade` and `connection` are lists that may come in several headers: give all values, or an
/// `Option` of the only one. Names compare without case. Path, origin and subprotocol are the
/// caller's affair.
///
/// # Errors
///
/// The first rule of RFC 6455 4.2.1 that the request breaks, see [`HandshakeError`].
pub fn validate<'a>(
    method: &str,
    upgrade: impl IntoIterator<Item = &'a [u8]>,
    connection: impl IntoIterator<Item = &'a [u8]>,
    version: Option<&[u8]>,
    key: Option<&[u8]>,
) -> Result<[u8; 28], HandshakeError> {
    if method != "GET" {
        return Err(HandshakeError::Method(method.chars().take(16).collect()));
    }
    if !names(upgrade, b"websocket") {
        return Err(HandshakeError::Upgrade);
    }
    if !names(connection, b"upgrade") {
        return Err(HandshakeError::Connection);
    }
    if version.map(<[u8]>::trim_ascii) != Some(b"13") {
        return Err(HandshakeError::Version);
    }
    accept_key(key.ok_or(HandshakeError::Key)?)
}

/// The whole 101 response (RFC 6455 4.2.2) for an accept value, for a caller without an HTTP library.
pub fn response(accept: &[u8; 28]) -> Vec<u8> {
    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Accept: ";
    [HEAD, accept, b"\r\n\r\n"].concat()
}

/// The `Sec-WebSocket-Accept` value, base64 in ASCII, for a `Sec-WebSocket-Key` (RFC 6455 4.2.2).
///
/// # Errors
///
/// [`HandshakeError::Key`] when the key is not the base64 of 16 bytes.
pub fn accept_key(sec_websocket_key: &[u8]) -> Result<[u8; 28], HandshakeError> {
    let key = sec_websocket_key.trim_ascii();
    let mut nonce = [0; 18]; // what 24 characters may decode to
    if key.len() != 24 || BASE64.decode_slice(key, &mut nonce) != Ok(16) {
        return Err(HandshakeError::Key);
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    match BASE64.encode_slice(digest, &mut accept) {
        Ok(_) => Ok(accept),
        // 20 bytes always make 28 characters.
        Err(_) => Err(HandshakeError::Key),
    }
}

/// Whether a comma-separated list, perhaps spread over several headers, has `token` in it.
fn names<'a>(values: impl IntoIterator<Item = &'a [u8]>, token: &[u8]) -> bool {
    values
        .into_iter()
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}
