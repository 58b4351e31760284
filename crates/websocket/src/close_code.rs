//! Close codes of RFC 6455 7.4 and which of them may appear on the wire.

/// 1000: the purpose of the connection has been fulfilled.
pub const NORMAL: u16 = 1000;
/// 1001: the server goes down or the page was left.
pub const GOING_AWAY: u16 = 1001;
/// 1002: the peer broke the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// 1003: a type of message that cannot be accepted, such as binary.
pub const UNSUPPORTED: u16 = 1003;
/// 1005: stands for "no code was sent"; never on the wire.
pub const NO_STATUS: u16 = 1005;
/// 1007: text that is not UTF-8.
pub const INVALID_PAYLOAD: u16 = 1007;
/// 1008: a policy was broken and no better code fits.
pub const POLICY: u16 = 1008;
/// 1009: a message over the size limit.
pub const TOO_LARGE: u16 = 1009;
/// 1011: the server met an unexpected condition.
pub const INTERNAL: u16 = 1011;

/// Whether `code` may stand in a close frame.
///
/// That is 1000-1003 and 1007-1014 (RFC 6455 7.4.1 and the IANA registry), 3000-3999
/// (registered by libraries) and 4000-4999 (private use); not 1004, 1005, 1006, 1015, nor any
/// number that nobody has defined (RFC 6455 7.4.2).
pub fn is_valid(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
