//! Values borrowed from JSON text, without recursion: a string where one should be, raw text, arrays
//! of bounded size, objects. It must not know any frame or body.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::clip::{ECHO, clip};

/// A member of an object that should be a string; whatever else it is costs no allocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Text<'a> {
    /// The member is missing, or null.
    #[default]
    Absent,
    /// The member is a string, borrowed unless it had escapes.
    String(Cow<'a, str>),
    /// The member is of another type.
    Other,
}

impl<'a> Text<'a> {
    /// The string, `None` if absent, `Err` if of another type.
    pub(crate) fn optional(self) -> Result<Option<Cow<'a, str>>, NotString> {
        match self {
            Text::Absent => Ok(None),
            Text::String(text) => Ok(Some(text)),
            Text::Other => Err(NotString),
        }
    }

    /// The same, borrowing nothing.
    pub(crate) fn into_owned<'b>(self) -> Text<'b> {
        match self {
            Text::Absent => Text::Absent,
            Text::String(text) => Text::String(Cow::Owned(text.into_owned())),
            Text::Other => Text::Other,
        }
    }

    /// The string, `None` if absent or of another type.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        self.optional().ok().flatten()
    }
}

/// A JSON value that should have been a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotString;

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::String(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text::String(Cow::Owned(text.to_owned())))
    }
    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::Absent)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text::Other)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
        Ok(Text::Other)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
        Ok(Text::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text::Other)
    }
    // `IgnoredAny` is skipped without recursion, so nesting cannot exhaust the stack.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }
}

/// A member's text as it was written; null counts as present.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw<'a>(pub(crate) Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Raw(Some(raw)))
    }
}

impl<'a> Raw<'a> {
    /// The text, `None` if the member is missing or null.
    pub(crate) fn present(self) -> Option<&'a str> {
        self.0.map(RawValue::get).filter(|text| *text != "null")
    }
}

/// The first `max` elements of the JSON array in `text`, and how many it has.
///
/// The rest is skipped, not stored, so a long array costs no memory.
pub(crate) fn array<'a, T: Deserialize<'a>>(
    text: &'a str,
    max: usize,
) -> Result<(Vec<T>, usize), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Array { max, element: std::marker::PhantomData };
    let elements = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(elements)
}

struct Array<T> {
    max: usize,
    element: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Array<T> {
    type Value = (Vec<T>, usize);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Array<T> {
    type Value = (Vec<T>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.max {
            match seq.next_element()? {
                Some(element) => elements.push(element),
                None => {
                    let count = elements.len();
                    return Ok((elements, count));
                }
            }
        }
        let mut count = elements.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((elements, count))
    }
}

/// What is wrong with a JSON text, cut to a sane length: it may quote the input.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    clip(&error.to_string(), ECHO).to_owned()
}

/// Declares a struct read from a JSON object and from nothing else.
///
/// Unknown members are skipped, missing ones take their default, and of a repeated one the last
/// counts, as in JavaScript's `JSON.parse`.
macro_rules! object {
    ($(#[$meta:meta])* struct $name:ident<'a> { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Default)]
        struct $name<'a> { $($field: $type,)* }

        impl<'de: 'a, 'a> serde::de::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Members<'a>($name<'a>);
                impl<'de: 'a, 'a> serde::de::Visitor<'de> for Members<'a> {
                    type Value = $name<'a>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        mut self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        while let Some(key) = map.next_key::<$crate::json::Text<'de>>()? {
                            match key.string().as_deref().unwrap_or_default() {
                                $(stringify!($field) => self.0.$field = map.next_value()?,)*
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(self.0)
                    }
                }
                d.deserialize_map(Members($name::default()))
            }
        }
    };
}
pub(crate) use object;
