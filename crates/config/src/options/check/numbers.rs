//! Numbers: counts, sizes, durations, ports.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::super::apps::OwnLimit;
use super::Check;
use crate::kind::Kind;
use crate::options::DefaultValue;

const KB: usize = 1 << 10;
const MB: usize = 1 << 20;

/// A day in milliseconds, the longest of most durations.
pub(crate) const DAY: i64 = 86_400_000;

const U32_MAX: i64 = u32::MAX as i64;

/// A type of whole numbers.
pub(crate) trait Integer: TryFrom<i64> + Default {
    /// The least that an option of this type may be.
    const MIN: i64;
    /// The greatest.
    const MAX: i64;
}

macro_rules! integers {
    ($($name:ty: $max:expr),*) => {
        $(impl Integer for $name {
            const MIN: i64 = 0;
            const MAX: i64 = $max;
        })*
    };
}

// No option goes beyond 32 bits, so that sizes fit wherever the server runs.
integers!(u16: u16::MAX as i64, u32: U32_MAX, usize: U32_MAX, u64: i64::MAX);

const fn whole<T>(default: i64, range: RangeInclusive<i64>, read: fn(&Value) -> T) -> Check<T> {
    let (min, max) = (*range.start(), *range.end());
    assert!(min <= default && default <= max, "the default is out of range");
    Check::new(Kind::Int { min, max }, DefaultValue::Number(default as f64), read)
}

const fn fractional<T>(
    default: f64,
    range: RangeInclusive<f64>,
    read: fn(&Value) -> T,
) -> Check<T> {
    let (min, max) = (*range.start(), *range.end());
    assert!(min <= default && default <= max, "the default is out of range");
    Check::new(Kind::Float { min, max }, DefaultValue::Number(default), read)
}

/// A whole number of the value; the range makes sure that it is one.
fn read_int<T: Integer>(value: &Value) -> T {
    limit(value).unwrap_or_default()
}

/// A whole number where -1 = unlimited = `None`.
fn limit<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    value.as_i64().and_then(|n| T::try_from(n).ok())
}

/// Bytes of a number of `unit`s, where -1 = unlimited = `None`.
fn size(value: &Value, unit: usize) -> Option<usize> {
    // The ranges keep the product far below 2^53.
    let number = value.as_f64().filter(|n| *n >= 0.0)?;
    Some((number * unit as f64) as usize)
}

/// An integer.
pub(crate) const fn int<T: Integer>(default: i64, range: RangeInclusive<i64>) -> Check<T> {
    let fits = T::MIN <= *range.start() && *range.end() <= T::MAX;
    assert!(fits, "the range does not fit the field's type");
    whole(default, range, read_int)
}

/// An integer, or null by default.
pub(crate) const fn optional_int(range: RangeInclusive<i64>) -> Check<Option<i64>> {
    whole(*range.start(), range, Value::as_i64).null_by_default()
}

/// A port to listen on; 0 lets the system choose.
pub(crate) const fn listen_port(default: i64) -> Check<u16> {
    int(default, 0..=65_535)
}

/// A port to connect to.
pub(crate) const fn port(default: i64) -> Check<u16> {
    int(default, 1..=65_535)
}

/// A number that need not be whole.
pub(crate) const fn float(default: f64, range: RangeInclusive<f64>) -> Check<f64> {
    fractional(default, range, |value| value.as_f64().unwrap_or_default())
}

/// Bytes, in KB.
pub(crate) const fn kilobytes(default: i64, range: RangeInclusive<i64>) -> Check<usize> {
    whole(default, range, |value| read_int::<usize>(value) * KB)
}

/// Bytes, in MB.
pub(crate) const fn megabytes(default: i64, range: RangeInclusive<i64>) -> Check<usize> {
    whole(default, range, |value| read_int::<usize>(value) * MB)
}

/// Bytes, in MB that need not be whole.
pub(crate) const fn fractional_megabytes(default: f64, range: RangeInclusive<f64>) -> Check<usize> {
    fractional(default, range, |value| size(value, MB).unwrap_or(usize::MAX))
}

/// A duration, in milliseconds.
pub(crate) const fn millis(default: i64, range: RangeInclusive<i64>) -> Check<Duration> {
    whole(default, range, |value| Duration::from_millis(read_int(value)))
}

/// A duration, in seconds.
pub(crate) const fn seconds(default: i64, range: RangeInclusive<i64>) -> Check<Duration> {
    whole(default, range, |value| Duration::from_secs(read_int(value)))
}

/// A duration, in seconds; `None` = for ever, written -1.
pub(crate) const fn seconds_or_forever(default: i64, max: i64) -> Check<Option<Duration>> {
    whole(default, -1..=max, |value| limit(value).map(Duration::from_secs))
}

/// A limit of the server, which is always set.
pub(crate) const fn count(default: i64) -> Check<Option<usize>> {
    whole(default, 1..=U32_MAX, limit)
}

/// A limit of the server in bytes, in KB that need not be whole; always set.
pub(crate) const fn payload(default: f64) -> Check<Option<usize>> {
    fractional(default, 0.001..=1_048_576.0, |value| size(value, KB))
}

/// A limit of an app; unlimited by default.
pub(crate) const fn app_limit() -> Check<Option<u32>> {
    whole(-1, -1..=U32_MAX, limit)
}

/// A limit of an app; the server's by default, written null.
pub(crate) const fn own_limit() -> Check<OwnLimit> {
    let read = |value: &Value| match value {
        Value::Null => OwnLimit::Inherited,
        value => OwnLimit::Own(limit(value)),
    };
    whole(-1, -1..=U32_MAX, read).null_by_default()
}

/// Likewise in bytes, in KB that need not be whole.
pub(crate) const fn own_size() -> Check<OwnLimit> {
    Check::new(Kind::Limit { max: 1_048_576.0 }, DefaultValue::Null, |value| match value {
        Value::Null => OwnLimit::Inherited,
        value => OwnLimit::Own(size(value, KB)),
    })
}
