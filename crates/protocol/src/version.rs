//! The `protocol` parameter of the connect URL (W2).
//! It must not know the other parameters.

use crate::close::Close;

/// The newest protocol version, spoken to clients that name none.
pub const NEWEST: u8 = 7;
const OLDEST: u8 = 4;

/// The protocol version to speak: 4 to 7.
///
/// Unless `strict`, a missing, odd or unknown version counts as the newest one: servers of this
/// kind never checked it, so hand-written clients leave it out.
///
/// # Errors
/// Only if `strict`: 4008 if missing, 4006 if not a number, 4007 if not 4 to 7.
pub fn check(protocol: Option<&str>, strict: bool) -> Result<u8, Close> {
    let Some(text) = protocol else {
        return if strict { Err(Close::no_protocol()) } else { Ok(NEWEST) };
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u8>() {
        Ok(version @ OLDEST..=NEWEST) if digits => Ok(version),
        _ if !strict => Ok(NEWEST),
        _ if digits => Err(Close::unsupported_protocol(text)),
        _ => Err(Close::invalid_version(text)),
    }
}
