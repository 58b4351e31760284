//! Query strings. It must not know which parameters exist.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The decoded parameters in the order given; a parameter without `=` has an empty value.
pub fn params(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

/// The first parameter of this name, decoded; bytes that are not UTF-8 are replaced.
pub fn get<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    params(query).find(|(key, _)| **key == *name.as_bytes()).map(|(_, value)| match value {
        Cow::Borrowed(value) => String::from_utf8_lossy(value),
        Cow::Owned(value) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
    })
}

/// Decodes as HTML forms do: `%XX` and `+` for a space. Borrowed if there is neither.
fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text.as_bytes());
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode(spaced.as_bytes()).collect())
}
