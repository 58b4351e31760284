//! Webhooks (K6): `{url | lambda_function, event_types, headers, filter, lambda, region}`.

use serde_json::{Map, Value};

use super::lists::is_token;
use super::text::scalar;
use super::{boolean, object};
use crate::mask::show;
use crate::model::{ClientOptions, Webhook, WebhookTarget};
use crate::secret::Secret;
use crate::suggest::suggest;

/// The events that webhooks tell of (K2).
pub(crate) const EVENT_TYPES: [&str; 7] = [
    "channel_occupied",
    "channel_vacated",
    "member_added",
    "member_removed",
    "client_event",
    "cache_miss",
    "subscription_count",
];

const FIELDS: [&str; 7] =
    ["url", "lambda_function", "event_types", "headers", "filter", "lambda", "region"];

/// The array as it is, once every item has been seen to be a webhook; else what is wrong with it.
pub(super) fn accept(value: &Value) -> Result<Value, String> {
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => items,
            _ => return Err(String::new()),
        },
        _ => return Err(String::new()),
    };
    for (index, item) in items.iter().enumerate() {
        parse(item).map_err(|why| format!("webhook {index}: {why}"))?;
    }
    Ok(Value::Array(items))
}

/// One webhook, or what is wrong with it.
pub(crate) fn parse(value: &Value) -> Result<Webhook, String> {
    let hook = value.as_object().ok_or("not a JSON object")?;
    known_fields(hook, &FIELDS)?;
    let filter = members(hook, "filter")?;
    known_fields(&filter, &["channel_name_starts_with", "channel_name_ends_with"])?;
    Ok(Webhook {
        target: target(hook)?,
        event_types: event_types(hook)?,
        headers: headers(hook)?,
        channel_name_starts_with: text(&filter, "channel_name_starts_with")?,
        channel_name_ends_with: text(&filter, "channel_name_ends_with")?,
    })
}

fn target(hook: &Map<String, Value>) -> Result<WebhookTarget, String> {
    let lambda = members(hook, "lambda")?;
    known_fields(&lambda, &["async", "region", "client_options"])?;
    match (text(hook, "url")?, text(hook, "lambda_function")?) {
        (Some(_), Some(_)) => Err("has both url and lambda_function".to_owned()),
        (None, None) => Err("has neither url nor lambda_function".to_owned()),
        (Some(url), None) => match is_url(&url) {
            true => Ok(WebhookTarget::Url(url)),
            false => Err("url must start with http:// or https:// and name a host".to_owned()),
        },
        (None, Some(function)) => Ok(WebhookTarget::Lambda {
            function,
            asynchronous: match lambda.get("async") {
                None | Some(Value::Null) => false,
                Some(value) => boolean(value).ok_or("lambda.async must be true or false")?,
            },
            region: text(&lambda, "region")?.or(text(hook, "region")?),
            client_options: ClientOptions(members(&lambda, "client_options")?),
        }),
    }
}

fn event_types(hook: &Map<String, Value>) -> Result<Vec<String>, String> {
    match hook.get("event_types") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(types)) => types
            .iter()
            .map(|name| match name {
                Value::String(name) if !name.is_empty() => Ok(name.clone()),
                other => Err(format!("event_types has {} in it: must be strings", show(other))),
            })
            .collect(),
        Some(_) => Err("event_types must be an array of strings".to_owned()),
    }
}

fn headers(hook: &Map<String, Value>) -> Result<Vec<(String, Secret)>, String> {
    members(hook, "headers")?
        .iter()
        .map(|(name, value)| {
            if !is_token(name) {
                return Err(format!("headers has {name:?} in it: not the name of a header"));
            }
            // RFC 9110 5.5: visible characters, space and tab.
            let fits = |text: &String| text.chars().all(|c| c == '\t' || !c.is_control());
            match scalar(value).filter(fits) {
                Some(value) => Ok((name.clone(), Secret::new(value))),
                None => Err(format!("headers.{name} must be a string on one line")),
            }
        })
        .collect()
}

/// A field that is a string, if it is there and not empty.
fn text(map: &Map<String, Value>, field: &str) -> Result<Option<String>, String> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match scalar(value) {
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => Err(format!("{field} must be a string")),
        },
    }
}

/// A field that is an object; empty if it is not there.
fn members(map: &Map<String, Value>, field: &str) -> Result<Map<String, Value>, String> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(Map::new()),
        // Some tools write an empty object as an empty array.
        Some(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        Some(value) => match object(value) {
            Some(Value::Object(members)) => Ok(members),
            _ => Err(format!("{field} must be a JSON object")),
        },
    }
}

fn known_fields(map: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(match suggest(unknown, known.iter().copied()) {
            Some(name) => format!("unknown field {unknown:?}, did you mean {name:?}?"),
            None => format!("unknown field {unknown:?}, known are {}", known.join(", ")),
        }),
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with(['/', '?', '#', ':'])
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}
