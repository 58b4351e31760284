//! Bodies of publish requests (H3, H4, H5, H9, W54): bytes in, validated events out.
//! It must not know who receives them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::ApiError;
use super::info::{self, Info};
use crate::channel;
use crate::data::Data;
use crate::event_name;
use crate::json::{self, Raw, Text, object};
use crate::socket_id::SocketId;

/// What an app allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most channels in one event.
    pub max_channels: usize,
    /// Longest event name in characters.
    pub max_event_name: usize,
    /// Most bytes of an event's decoded data.
    pub max_payload_bytes: usize,
    /// Most events in one batch.
    pub max_batch: usize,
    /// Longest channel name in bytes.
    pub max_channel_name: usize,
}

/// A validated event. Borrows from the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Where it goes: at least one channel, each once, in the order given.
    pub channels: Vec<Cow<'a, str>>,
    /// Its data.
    pub data: Data<'a>,
    /// The connection that does not get it (H5).
    pub socket_id: Option<SocketId>,
    /// What the response should tell about the channels.
    pub info: Info,
}

object! {
    struct EventBody<'a> {
        name: Text<'a>,
        data: Raw<'a>,
        channel: Text<'a>,
        channels: Raw<'a>,
        socket_id: Text<'a>,
        info: Text<'a>,
    }
}

object! {
    struct BatchBody<'a> {
        batch: Raw<'a>,
    }
}

/// Reads the body of `POST events`.
pub fn event<'a>(body: &'a [u8], limits: &Limits) -> Result<Event<'a>, ApiError> {
    validate(object_body(body)?, limits)
}

/// Reads the body of `POST batch_events`: all events are valid, or none is returned (H3).
pub fn batch<'a>(body: &'a [u8], limits: &Limits) -> Result<Vec<Event<'a>>, ApiError> {
    let BatchBody { batch } = object_body(body)?;
    let Some(text) = batch.present().filter(|text| text.starts_with('[')) else {
        return Err(ApiError::bad_request("Expected batch parameter to be an array"));
    };
    let (events, count) =
        json::array::<EventBody<'a>>(text, limits.max_batch).map_err(|error| {
            ApiError::bad_request(format!("Invalid batch: {}", json::reason(&error)))
        })?;
    if count > limits.max_batch {
        return Err(ApiError::bad_request(format!(
            "Batch too large: it has {count} events, at most {} are allowed",
            limits.max_batch
        )));
    }
    events.into_iter().map(|event| validate(event, limits)).collect()
}

/// Reads a request to the deprecated `POST channels/{channel}/events`, whose body is the data.
pub fn channel_event<'a>(
    channel: &'a str,
    name: Option<&'a str>,
    socket_id: Option<&'a str>,
    body: &[u8],
    limits: &Limits,
) -> Result<Event<'a>, ApiError> {
    let text = |text: Option<&'a str>| text.map_or(Text::Absent, |t| Text::String(t.into()));
    let name = event_name_of(text(name), limits)?;
    let channels = vec![channel_of(channel.into(), limits)?];
    let data = limited(Data::from_text(utf8(body)?), limits)?;
    Ok(Event {
        name,
        channels,
        data,
        socket_id: socket_id_of(text(socket_id))?,
        info: Info::default(),
    })
}

fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body)
        .map_err(|error| ApiError::bad_request(format!("Invalid body: not UTF-8 ({error})")))
}

fn object_body<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_str(utf8(body)?).map_err(|error| {
        let reason = json::reason(&error);
        ApiError::bad_request(format!("Invalid body: must be a JSON object ({reason})"))
    })
}

fn validate<'a>(body: EventBody<'a>, limits: &Limits) -> Result<Event<'a>, ApiError> {
    let name = event_name_of(body.name, limits)?;
    let channels = channels_of(body.channels, body.channel, limits)?;
    let Some(data) = body.data.0 else {
        return Err(ApiError::bad_request("Expected data parameter to be a string"));
    };
    let data = Data::from_raw(data).map_err(|error| ApiError::bad_request(error.to_string()))?;
    let data = limited(data, limits)?;
    let socket_id = socket_id_of(body.socket_id)?;
    let Ok(info) = body.info.optional() else {
        return Err(ApiError::bad_request("Expected info parameter to be a string"));
    };
    Ok(Event { name, channels, data, socket_id, info: info::for_event(info.as_deref())? })
}

fn event_name_of<'a>(name: Text<'a>, limits: &Limits) -> Result<Cow<'a, str>, ApiError> {
    let Some(name) = name.string() else {
        return Err(ApiError::bad_request("Expected name parameter to be a string"));
    };
    event_name::validate(&name, limits.max_event_name)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    Ok(name)
}

/// `channels`, or else `channel` (H4).
fn channels_of<'a>(
    channels: Raw<'a>,
    channel: Text<'a>,
    limits: &Limits,
) -> Result<Vec<Cow<'a, str>>, ApiError> {
    let expected =
        || ApiError::bad_request("Expected channels parameter to be an array of strings");
    let Some(list) = channels.present() else {
        return match channel {
            Text::String(channel) => Ok(vec![channel_of(channel, limits)?]),
            Text::Other => Err(ApiError::bad_request("Expected channel parameter to be a string")),
            Text::Absent => Err(expected()),
        };
    };
    let (names, count) =
        json::array::<Text<'a>>(list, limits.max_channels).map_err(|_| expected())?;
    if count == 0 {
        return Err(ApiError::bad_request(
            "Expected channels parameter to hold at least one channel",
        ));
    }
    if count > limits.max_channels {
        return Err(ApiError::bad_request(format!(
            "Cannot publish to {count} channels at once, at most {} are allowed",
            limits.max_channels
        )));
    }
    let mut valid = Vec::with_capacity(count);
    for name in names {
        valid.push(channel_of(name.string().ok_or_else(expected)?, limits)?);
    }
    Ok(distinct(valid))
}

fn distinct(names: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    if names.len() < 2 {
        return names;
    }
    let mut seen = HashSet::with_capacity(names.len());
    let first: Vec<bool> = names.iter().map(|name| seen.insert(&**name)).collect();
    names.into_iter().zip(first).filter_map(|(name, first)| first.then_some(name)).collect()
}

fn channel_of<'a>(name: Cow<'a, str>, limits: &Limits) -> Result<Cow<'a, str>, ApiError> {
    match channel::validate(&name, limits.max_channel_name) {
        Ok(_) => Ok(name),
        Err(error) => Err(ApiError::bad_request(error.to_string())),
    }
}

fn limited<'a>(data: Data<'a>, limits: &Limits) -> Result<Data<'a>, ApiError> {
    if data.fits(limits.max_payload_bytes) {
        return Ok(data);
    }
    Err(ApiError {
        status: 413,
        message: format!(
            "The data content of this event exceeds the allowed maximum ({} bytes). See \
             https://pusher.com/docs/channels/server_api/http-api#publishing-events for more info",
            limits.max_payload_bytes
        ),
    })
}

fn socket_id_of(text: Text<'_>) -> Result<Option<SocketId>, ApiError> {
    let Ok(text) = text.optional() else {
        return Err(ApiError::bad_request("Expected socket_id parameter to be a string"));
    };
    let id = text.map(|text| text.parse::<SocketId>()).transpose();
    id.map_err(|error| ApiError::bad_request(error.to_string()))
}
