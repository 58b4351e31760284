//! Frames from clients: text in, a typed message or a polite refusal out (W19, W21, W39, W45).
//! It must not know the connection they came from, nor any limit.

use std::borrow::Cow;
use std::fmt;

use crate::clip::{ECHO, clip};
use crate::data::Data;
use crate::event_name::CLIENT_PREFIX;
use crate::json::{self, Raw, Text, object};

/// What a client asks for. Strings borrow from the frame unless they hold escapes.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientMessage<'a> {
    /// `pusher:ping`, to be answered with `pusher:pong` (W9).
    Ping,
    /// `pusher:pong`, the answer to a server's `pusher:ping` (W10).
    Pong,
    /// `pusher:subscribe` (W21).
    Subscribe {
        /// The channel's name, not validated.
        channel: Cow<'a, str>,
        /// `key:signature`; empty on public channels.
        auth: Option<Cow<'a, str>>,
        /// The signed string that describes a presence member (W29).
        channel_data: Option<Cow<'a, str>>,
    },
    /// `pusher:unsubscribe`, which has no reply (W21).
    Unsubscribe {
        /// The channel's name, not validated.
        channel: Cow<'a, str>,
    },
    /// `pusher:signin` (W45).
    Signin {
        /// `key:signature`.
        auth: Cow<'a, str>,
        /// The signed string that describes the user.
        user_data: Cow<'a, str>,
    },
    /// An event for the other subscribers of a channel (W39).
    ClientEvent {
        /// The event's name: starts with `client-`, otherwise not validated.
        event: Cow<'a, str>,
        /// The channel's name, not validated.
        channel: Cow<'a, str>,
        /// The data, if the frame had any: Laravel Echo's `whisper('x')` sends none.
        data: Option<Data<'a>>,
    },
}

/// Why a frame is refused: the message of a `pusher:error` with code null; the connection stays
/// open (W19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection(Cow<'static, str>);

impl Rejection {
    /// The text for the error frame.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rejection {}

object! {
    struct Envelope<'a> {
        event: Text<'a>,
        channel: Text<'a>,
        data: Raw<'a>,
    }
}

object! {
    /// The `data` of subscribe, unsubscribe and signin frames.
    struct Arguments<'a> {
        channel: Text<'a>,
        auth: Text<'a>,
        channel_data: Text<'a>,
        user_data: Text<'a>,
    }
}

/// Reads a text frame from a client. Never panics; nesting is not limited and not recursed into.
pub fn parse(text: &str) -> Result<ClientMessage<'_>, Rejection> {
    let Envelope { event, channel, data } = serde_json::from_str(text).map_err(|error| {
        let reason = json::reason(&error);
        Rejection(format!("Invalid message: must be a JSON object with an event ({reason})").into())
    })?;
    let Some(event) = event.string() else {
        return refuse("Invalid message: event must be a string");
    };
    match &*event {
        "pusher:ping" => Ok(ClientMessage::Ping),
        "pusher:pong" => Ok(ClientMessage::Pong),
        "pusher:subscribe" => subscribe(arguments(data)),
        "pusher:unsubscribe" => match arguments(data).channel.string() {
            Some(channel) => Ok(ClientMessage::Unsubscribe { channel }),
            None => refuse("Invalid unsubscribe: data must be an object whose channel is a string"),
        },
        "pusher:signin" => signin(arguments(data)),
        name if name.starts_with(CLIENT_PREFIX) => client_event(event, channel, data),
        name => {
            let name = clip(name, ECHO);
            Err(Rejection(format!("Unsupported event received on socket: {name}").into()))
        }
    }
}

fn subscribe(arguments: Arguments<'_>) -> Result<ClientMessage<'_>, Rejection> {
    let Some(channel) = arguments.channel.string() else {
        return refuse("Invalid subscribe: data must be an object whose channel is a string");
    };
    match (arguments.auth.optional(), arguments.channel_data.optional()) {
        (Ok(auth), Ok(channel_data)) => {
            Ok(ClientMessage::Subscribe { channel, auth, channel_data })
        }
        _ => refuse("Invalid subscribe: auth and channel_data must be strings"),
    }
}

fn signin(arguments: Arguments<'_>) -> Result<ClientMessage<'_>, Rejection> {
    match (arguments.auth.string(), arguments.user_data.string()) {
        (Some(auth), Some(user_data)) => Ok(ClientMessage::Signin { auth, user_data }),
        _ => refuse("Invalid signin: data must be an object whose auth and user_data are strings"),
    }
}

fn client_event<'a>(
    event: Cow<'a, str>,
    channel: Text<'a>,
    data: Raw<'a>,
) -> Result<ClientMessage<'a>, Rejection> {
    let Some(channel) = channel.string() else {
        return refuse("Invalid client event (must contain channel and data)");
    };
    let data = data.0.map(Data::from_raw).transpose();
    let data = data.map_err(|error| Rejection(error.to_string().into()))?;
    Ok(ClientMessage::ClientEvent { event, channel, data })
}

/// The members of a frame's `data`, which is an object or a string holding one; all absent if not.
fn arguments(data: Raw<'_>) -> Arguments<'_> {
    let Some(text) = data.present() else {
        return Arguments::default();
    };
    if !text.starts_with('"') {
        return serde_json::from_str(text).unwrap_or_default();
    }
    let Ok(Text::String(inner)) = serde_json::from_str(text) else {
        return Arguments::default();
    };
    let inner: Arguments<'_> = serde_json::from_str(&inner).unwrap_or_default();
    Arguments {
        channel: inner.channel.into_owned(),
        auth: inner.auth.into_owned(),
        channel_data: inner.channel_data.into_owned(),
        user_data: inner.user_data.into_owned(),
    }
}

fn refuse<T>(message: &'static str) -> Result<T, Rejection> {
    Err(Rejection(message.into()))
}
