//! One cycle: a connection from its first byte to its end.

use super::Churn;
use crate::client::marker::{self, Finder};
use crate::client::subscribers::{mentions, refusal};
use crate::client::websocket::WebSocket;
use crate::net::reactor::Reactor;
use crate::server::target::TargetNode;
use anyhow::{Result, bail};
use mio::event::Event;
use std::io;

/// What a cycle waits for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Step {
    Connecting,
    Subscribing,
    Receiving,
    Closing,
}

/// One cycle on its way.
pub(super) struct Cycle {
    socket: WebSocket,
    /// What it waits for.
    pub(super) step: Step,
    /// The channel it subscribes to.
    pub(super) channel: String,
    /// What marks the event that it waits for.
    pub(super) id: u32,
}

impl Cycle {
    /// Begins the `number`th one, which subscribes to `channel`.
    pub(super) fn connect(node: &TargetNode, number: usize, channel: String) -> Result<Self> {
        // Ports in TIME_WAIT add up: every so many connections come from another address.
        let socket = WebSocket::connect(node, number)?;
        let id = (number % marker::LIMIT as usize) as u32;
        Ok(Self { socket, step: Step::Connecting, channel, id })
    }

    /// Has `reactor` report its events with this token.
    pub(super) fn register(&mut self, reactor: &Reactor, token: usize) -> io::Result<()> {
        self.socket.register(reactor.poll.registry(), token)
    }

    /// Takes the steps that `event` allows; false once the cycle is over.
    pub(super) fn ready(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        finder: &mut Finder,
        options: &Churn,
    ) -> Result<bool> {
        let (mut step, mut refused, id) = (self.step, None, self.id);
        let open = self.socket.ready(event, buffer, |frame| {
            refused = refused.take().or_else(|| refusal(frame));
            let after = if options.publish { Step::Receiving } else { Step::Closing };
            step = match step {
                Step::Connecting if mentions(frame, "connection_established") => Step::Subscribing,
                Step::Subscribing if mentions(frame, "subscription_succeeded") => after,
                Step::Receiving if finder.find(frame) == Some(id) => Step::Closing,
                same => same,
            };
        })?;
        if let Some(frame) = refused {
            bail!("the server refused: {frame}");
        }
        if !open && self.step != Step::Closing {
            let why = self.socket.close.as_deref().unwrap_or("without a close frame");
            bail!("the server closed a connection in the middle of its cycle: {why}");
        }
        let changed = std::mem::replace(&mut self.step, step) != step;
        match step {
            Step::Subscribing if changed => self.socket.queue_subscribe(&self.channel, ""),
            Step::Closing if changed && options.abrupt => return Ok(false),
            Step::Closing if changed => self.socket.queue_close(),
            _ => {}
        }
        self.socket.flush()?;
        Ok(open)
    }
}
