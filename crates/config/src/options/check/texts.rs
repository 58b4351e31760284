//! Strings: free ones, secrets, paths of files, and names out of a few.

use std::path::PathBuf;

use serde_json::Value;

use super::Check;
use crate::kind::Kind;
use crate::model::{
    AdapterDriver, AppManagerDriver, CacheDriver, Choice, LogFormat, MetricsDriver, Mode,
    QueueDriver, RateLimiterDriver,
};
use crate::options::DefaultValue;
use crate::secret::Secret;

/// A type that is written as a string.
pub(crate) trait FromText: Sized {
    /// Whether the text is masked wherever it is printed.
    const SECRET: bool;

    /// Makes it of any text.
    fn from_text(text: &str) -> Self;

    /// Makes it of a value, if that is a string.
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(Self::from_text)
    }
}

impl FromText for String {
    const SECRET: bool = false;

    fn from_text(text: &str) -> Self {
        text.to_owned()
    }
}

impl FromText for PathBuf {
    const SECRET: bool = false;

    fn from_text(text: &str) -> Self {
        Self::from(text)
    }
}

impl FromText for Secret {
    const SECRET: bool = true;

    fn from_text(text: &str) -> Self {
        Self::new(text)
    }
}

const fn of_text<T: FromText, F>(
    kind: Kind,
    default: DefaultValue,
    read: fn(&Value) -> F,
) -> Check<F> {
    assert!(kind.is_text(), "a string needs a kind of string");
    let mut check = Check::new(kind, default, read);
    check.secret = T::SECRET;
    check
}

/// A string of this kind.
pub(crate) const fn text<T: FromText>(kind: Kind, default: &'static str) -> Check<T> {
    of_text::<T, T>(kind, DefaultValue::Text(default), |value| {
        T::from_value(value).unwrap_or_else(|| T::from_text(""))
    })
}

/// A string of this kind, or null by default.
pub(crate) const fn optional<T: FromText>(kind: Kind) -> Check<Option<T>> {
    of_text::<T, _>(kind, DefaultValue::Null, T::from_value)
}

/// A string, empty by default, which stands for none.
pub(crate) const fn text_or_empty<T: FromText>() -> Check<Option<T>> {
    of_text::<T, _>(Kind::Text, DefaultValue::Text(""), |value| {
        value.as_str().filter(|text| !text.is_empty()).map(T::from_text)
    })
}

fn chosen<T: Choice>(value: &Value) -> Option<T> {
    value.as_str().and_then(T::from_name)
}

/// Gives enums of names a check whose default is one of them.
macro_rules! by_default {
    ($($name:ident),* $(,)?) => {
        $(impl $name {
            /// The check of an option that is one of these names, and this one by default.
            pub(crate) const fn by_default(self) -> Check<Self> {
                choice(self.name())
            }
        })*
    };
}

by_default!(
    Mode,
    AdapterDriver,
    AppManagerDriver,
    CacheDriver,
    QueueDriver,
    RateLimiterDriver,
    MetricsDriver,
    LogFormat
);

/// One of the names of an enum; the default is a name of `T`, which `by_default` sees to.
const fn choice<T: Choice>(default: &'static str) -> Check<T> {
    Check::new(Kind::OneOf(T::NAMES), DefaultValue::Text(default), |value| {
        chosen(value).unwrap_or_default()
    })
}

/// One of the names of an enum, or null by default.
pub(crate) const fn choice_or_null<T: Choice>() -> Check<Option<T>> {
    Check::new(Kind::OneOf(T::NAMES), DefaultValue::Null, chosen)
}
