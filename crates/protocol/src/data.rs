//! Event data, kept as the JSON string literal that goes into a frame.
//! It must not know what the data means, nor any size limit.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json;

/// The `data` of an event as a JSON string literal, quotes included.
///
/// A string that arrives as JSON is passed on byte for byte (W36); any other value becomes a string
/// holding its JSON text. The literal is well-formed and decodes to valid Unicode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    literal: Cow<'a, str>,
}

/// Why a value cannot be an event's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidData {
    /// The string holds half of a surrogate pair, which is no character (RFC 8259 8.2).
    #[error("Invalid data: the string holds an unpaired \\u surrogate")]
    Surrogate,
    /// The text is not a JSON string literal.
    #[error("Invalid data: not a JSON string literal")]
    NotLiteral,
}

impl<'a> Data<'a> {
    /// The data `{}`, as in frames that have none of their own.
    pub const EMPTY_OBJECT: Data<'static> = Data { literal: Cow::Borrowed("\"{}\"") };

    /// The data in a JSON value as received: a string stays as it is, all else is stringified.
    pub fn from_raw(raw: &'a RawValue) -> Result<Self, InvalidData> {
        let text = raw.get();
        if !text.starts_with('"') {
            return Ok(Self { literal: json::string_literal(text).into() });
        }
        match decoded_len(text) {
            Some(_) => Ok(Self { literal: Cow::Borrowed(text) }),
            None => Err(InvalidData::Surrogate),
        }
    }

    /// The data whose literal was taken from [`Data::literal`] before, checked again.
    pub fn from_literal(literal: &'a str) -> Result<Self, InvalidData> {
        match serde_json::from_str::<&RawValue>(literal) {
            Ok(raw) if literal.starts_with('"') => Self::from_raw(raw),
            _ => Err(InvalidData::NotLiteral),
        }
    }

    /// The data that decodes to `text`.
    pub fn from_text(text: &str) -> Data<'static> {
        Data { literal: json::string_literal(text).into() }
    }

    /// The JSON string literal, quotes included, ready to stand in a frame.
    pub fn literal(&self) -> &str {
        &self.literal
    }

    /// Whether the decoded string has at most `max` bytes. Cheap for data well below the limit.
    pub fn fits(&self, max: usize) -> bool {
        // An escape is never shorter than what it stands for.
        self.literal.len().saturating_sub(2) <= max || self.decoded_len() <= max
    }

    /// The length of the decoded string in bytes of UTF-8.
    pub fn decoded_len(&self) -> usize {
        decoded_len(&self.literal).unwrap_or_default()
    }

    /// The decoded string; borrowed if it has no escapes.
    pub fn decoded(&self) -> Cow<'_, str> {
        // The literal was checked when this was made, so decoding does not fail.
        serde_json::from_str::<json::Text<'_>>(&self.literal)
            .ok()
            .and_then(json::Text::string)
            .unwrap_or_default()
    }

    /// The same data, borrowing nothing.
    pub fn into_owned(self) -> Data<'static> {
        Data { literal: Cow::Owned(self.literal.into_owned()) }
    }
}

/// The decoded length of a well-formed literal, `None` if it holds an unpaired surrogate.
fn decoded_len(literal: &str) -> Option<usize> {
    let bytes = literal.as_bytes();
    let mut length = bytes.len().saturating_sub(2);
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
        } else if bytes.get(at + 1) == Some(&b'u') {
            let (escape, decoded) = match code_unit(bytes, at)? {
                0xD800..0xDC00 => {
                    let low = code_unit(bytes, at + 6)?;
                    (0xDC00..0xE000).contains(&low).then_some((12, 4))?
                }
                0xDC00..0xE000 => return None,
                0..0x80 => (6, 1),
                0x80..0x800 => (6, 2),
                _ => (6, 3),
            };
            at += escape;
            length -= escape - decoded;
        } else {
            at += 2;
            length -= 1;
        }
    }
    Some(length)
}

/// The UTF-16 code unit of the `\uXXXX` at `at`, if there is one.
fn code_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let escape = bytes.get(at..at + 6)?;
    let digits = std::str::from_utf8(escape.strip_prefix(b"\\u")?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}
