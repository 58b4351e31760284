//! What a client may do, frame by frame: the protocol's rules applied to one connection. It must not
//! know HTTP, nor how frames reach their subscribers; replies go through the shard's inbox like
//! everything else, so that they leave in the order of the requests (W28).
//!
//! `connect` decides whether there is a connection, `reader` reads it, the others are the rules of what
//! it says. Only `reader` knows its socket.

mod client_event;
mod connect;
mod reader;
mod signin;
mod socket_ids;
mod subscribe;

use std::sync::Arc;

use bytes::Bytes;
use channels::{ConnectionId, Topic};
use protocol::client_message::{self, ClientMessage};

pub(crate) use connect::{Admission, Gate, Handshake};
pub(crate) use reader::{Arrival, serve};
pub(crate) use socket_ids::new_socket_id;

use crate::apps::App;
use crate::frames;
use crate::hub::Shard;
use crate::inbox::Op;

/// One connection at the moment at which it says something.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    pub(crate) shard: &'a Shard,
    pub(crate) id: ConnectionId,
    pub(crate) app: &'a Arc<App>,
}

impl Session<'_> {
    /// A text frame from the client (W19: whatever it is, the connection stays open).
    pub(crate) fn on_text(self, text: &str) {
        #[cfg(test)]
        assert_ne!(text, "panic", "a bug in a connection's task");
        match client_message::parse(text) {
            Ok(ClientMessage::Ping) => self.reply(frames::pong()),
            Ok(ClientMessage::Pong) => {}
            Ok(ClientMessage::Subscribe { channel, auth, channel_data }) => {
                self.subscribe(&channel, auth.as_deref(), channel_data.as_deref());
            }
            Ok(ClientMessage::Unsubscribe { channel }) => self.unsubscribe(&channel),
            Ok(ClientMessage::Signin { auth, user_data }) => self.signin(&auth, &user_data),
            Ok(ClientMessage::ClientEvent { event, channel, data }) => {
                self.client_event(&event, &channel, data.as_ref());
            }
            Err(rejection) => self.reply(frames::error(None, rejection.message(), None)),
        }
    }

    /// A binary frame from the client (W4).
    pub(crate) fn on_binary(self) {
        let message = "Binary messages are not supported, send text frames holding JSON";
        self.reply(frames::error(None, message, None));
    }

    /// Sends a frame to the client, after everything that was decided before.
    pub(crate) fn reply(self, frame: Bytes) {
        self.shard.inbox().send(Op::Send { to: self.id, frame });
    }

    /// The subscribers of a channel of the connection's app.
    fn subscribers(self, channel: &str) -> Topic {
        Topic::subscribers(&self.app.id, channel.into())
    }
}
