//! Options that are strings.

use std::net::IpAddr;

use serde_json::Value;

use super::{EXACT, Kind};

/// The canonical string of a string option.
pub(super) fn accept(kind: &Kind, value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(n) if *kind == Kind::Ident => {
            n.as_i64().map(|n| n.to_string()).or_else(|| n.as_u64().map(|n| n.to_string()))?
        }
        other => scalar(other)?,
    };
    if text.contains('\0') {
        return None;
    }
    match kind {
        Kind::NonEmpty => Some(text).filter(|text| !text.is_empty()),
        Kind::Ident => Some(text).filter(|text| is_ident(text)),
        Kind::Host => Some(text).filter(|text| is_host(text)),
        Kind::PathPrefix => path_prefix(&text),
        Kind::MetricPrefix => Some(text).filter(|text| is_metric_prefix(text)),
        _ => Some(text),
    }
}

/// A string, or what stands for one: a number or a boolean.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        // A number that a float cannot hold exactly was not what the file says any more.
        Value::Number(n) if n.is_f64() && n.as_f64().is_none_or(|n| n.abs() >= EXACT) => None,
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

fn is_ident(text: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"/?#:".contains(c);
    !text.is_empty() && text.chars().all(fits)
}

fn is_host(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bare.unwrap_or(text).parse::<IpAddr>().is_ok() {
        return true;
    }
    // RFC 1123 2.1. Digits and dots alone are a broken IPv4 address.
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253
        && text.trim_end_matches('.').split('.').all(label)
        && !text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn path_prefix(text: &str) -> Option<String> {
    let bare = text.trim_matches('/');
    let fits = |c: char| c.is_ascii_graphic() && !"?#\"<>\\^`{|}".contains(c);
    if !bare.chars().all(fits) || bare.contains("//") {
        return None;
    }
    Some(if bare.is_empty() { String::new() } else { format!("/{bare}") })
}

fn is_metric_prefix(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.chars().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit())
}
