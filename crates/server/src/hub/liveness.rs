//! Whether a connection's peer is still there (W10, W11, W50). Every second the shard looks at the
//! connections whose deadline has come, and at no others.

use std::sync::Arc;

use channels::ConnectionId;
use protocol::close::Close;

use super::connection::{Connection, Phase, live};
use super::shard::{Shard, ShardState};
use crate::apps::App;
use crate::inbox::Op;

impl Shard {
    /// When a connection has to be looked at next, in the shard's seconds.
    pub(super) fn deadline(&self, connection: &Connection) -> u32 {
        let config = &self.config;
        let pong = config.pong_timeout.as_secs() as u32;
        let idle = config.activity_timeout.as_secs() as u32 + 30;
        let silent = connection.heard + if connection.probed { idle + pong } else { idle };
        match self.authorization_deadline(connection) {
            Some(authorization) => silent.min(authorization),
            None => silent,
        }
    }

    /// By when a connection must have shown that it may be here (W50).
    fn authorization_deadline(&self, connection: &Connection) -> Option<u32> {
        let wanted = connection.app().settings.load().config.enable_user_authentication;
        let timeout = self.config.user_authentication_timeout;
        let seconds = timeout.as_millis().div_ceil(1000) as u32;
        (wanted && !connection.authorized).then_some(connection.since + seconds)
    }

    /// The client has sent something, so it is there. Its app; none if the connection is gone.
    pub(crate) fn heard(&self, id: ConnectionId) -> Option<Arc<App>> {
        let mut state = self.state.borrow_mut();
        let now = state.wheel.now();
        let connection = live(&mut state.connections, id)?;
        connection.heard = now;
        connection.probed = false;
        Some(connection.app().clone())
    }

    /// One second later.
    pub(super) fn second(&self) {
        let due = self.state.borrow_mut().wheel.tick();
        for index in due {
            self.look_at(index);
        }
        if self.id.0 == 0 {
            self.channels.say_late_counts();
        }
    }

    fn look_at(&self, index: u32) {
        let mut state = self.state.borrow_mut();
        let ShardState { connections, wheel, .. } = &mut *state;
        let now = wheel.now();
        let Some(connection) = connections.get_mut(index as usize) else { return };
        let id = connection.id(index);
        let mut verdict = None;
        if connection.phase == Phase::Closing {
            // It has had its time to answer the close frame.
            connection.transport.abort();
        } else if self.authorization_deadline(connection).is_some_and(|deadline| deadline <= now) {
            verdict = Some(Close::authorization_timeout());
        } else if self.deadline(connection) <= now {
            if connection.probed {
                verdict = Some(Close::pong_timeout());
            } else {
                connection.probed = true;
                self.inbox().send(Op::Send { to: id, frame: websocket::ping(&[]) });
            }
        }
        let next = self.deadline(connection).max(now + 1);
        wheel.set(connections, index, next);
        drop(state);
        if let Some(close) = verdict {
            self.condemn(id, close);
        }
    }
}
