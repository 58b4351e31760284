//! How connections leave: the server's reasons to close them, and taking them out of the tables.

use std::rc::Rc;
use std::time::{Duration, Instant};

use channels::registry::Member;
use channels::{ConnectionId, Topic};
use protocol::close::Close;

use super::connection::{Connection, Phase, live};
use super::shard::{Shard, ShardState};
use crate::frames::{self, Refused};
use crate::inbox::Op;

/// How long the peer's close frame is awaited, in seconds.
const CLOSE_WAIT: u32 = 5;
/// The pause between two portions of a dispersal.
const STEP: Duration = Duration::from_millis(10);

impl Shard {
    /// Decides to close a connection, after everything that it has been told already. What it
    /// still sends is not heard.
    pub(crate) fn condemn(&self, id: ConnectionId, close: Close) {
        let mut state = self.state.borrow_mut();
        let Some(connection) = live(&mut state.connections, id) else { return };
        if connection.phase == Phase::Open {
            connection.phase = Phase::Condemned;
            drop(state);
            self.inbox().send(Op::Close { to: id, close });
        }
    }

    /// Says why, closes, and waits for the peer to do the same (RFC 6455 7.1.1).
    pub(super) fn close(&self, id: ConnectionId, close: &Close) {
        let mut state = self.state.borrow_mut();
        let Some(connection) = live(&mut state.connections, id) else { return };
        if connection.phase == Phase::Closing {
            return;
        }
        connection.phase = Phase::Closing;
        self.leave_everything(&mut state, id.index);
        if close.code >= 4000 {
            state.send(id, frames::error(Some(close.code), &close.reason, None));
        }
        state.send(id, websocket::close(close.code, close.frame_reason()));
        let ShardState { connections, wheel, .. } = &mut *state;
        wheel.clear(connections, connections[id.index as usize].timer);
        wheel.set(connections, id.index, wheel.now() + CLOSE_WAIT);
    }

    pub(super) fn close_topic(&self, topic: &Topic, close: &Close) {
        let ids: Vec<ConnectionId> = {
            let state = self.state.borrow();
            let subscribers = state.channels.subscribers(topic).iter();
            subscribers.map(|s| state.connections[s.connection as usize].id(s.connection)).collect()
        };
        ids.into_iter().for_each(|id| self.close(id, close));
    }

    pub(super) fn close_app(&self, app: &str, close: &Close) {
        let of_app = |c: &Connection| *c.app().id == *app;
        self.connections(of_app).into_iter().for_each(|id| self.close(id, close));
    }

    /// Closes every connection, a few at a time: whoever is closed comes back at once somewhere
    /// else, and all of them together would be a storm (W17).
    pub(super) async fn disperse(self: Rc<Self>, close: Close, over: Duration) {
        let ids = self.connections(|_| true);
        let start = Instant::now();
        let mut closed = 0;
        while closed < ids.len() {
            // By the clock, not by counting pauses: on a busy machine they take longer, and the
            // last ones would be cut off by the end of the grace period.
            let passed = (start.elapsed() + STEP).as_secs_f64() / over.as_secs_f64();
            let due = (ids.len() as f64 * passed.min(1.0)).ceil() as usize;
            for id in &ids[closed..due] {
                self.condemn(*id, close.clone());
            }
            closed = due;
            if closed < ids.len() {
                tokio::time::sleep(STEP).await;
            }
        }
        // Those whose handshake was on its way when we looked.
        for id in self.connections(|_| true) {
            self.condemn(id, close.clone());
        }
    }

    /// Nobody is served any more: whoever is still here has not closed in time.
    pub(super) fn cut_off_everybody(&self) {
        let state = self.state.borrow();
        state.connections.iter().for_each(|(_, connection)| connection.transport.shut_down());
    }

    /// The connections that fit.
    pub(crate) fn connections(&self, fits: impl Fn(&Connection) -> bool) -> Vec<ConnectionId> {
        let state = self.state.borrow();
        let fitting = state.connections.iter().filter(|(_, connection)| fits(connection));
        fitting.map(|(index, connection)| connection.id(index as u32)).collect()
    }

    /// A consumer that is too slow is cut off: a close frame would wait behind everything else.
    pub(super) fn give_up(self: &Rc<Self>, connection: &mut Connection, pending: usize) {
        self.stats.slow_consumer();
        tracing::warn!(
            app = %connection.app().id, socket_id = &*connection.socket_id.text(), pending,
            limit = self.config.connection.max_pending,
            "a connection reads too slowly and is closed (connection.maxPendingInKb)"
        );
        connection.phase = Phase::Closing;
        connection.backlog = None;
        connection.transport.abort();
    }

    /// Takes a connection out of all tables; everything that it held goes with it.
    pub(super) fn remove(&self, id: ConnectionId) {
        let mut state = self.state.borrow_mut();
        if live(&mut state.connections, id).is_none() {
            return;
        }
        self.leave_everything(&mut state, id.index);
        let ShardState { connections, wheel, .. } = &mut *state;
        wheel.clear(connections, connections[id.index as usize].timer);
        let connection = connections.remove(id.index as usize);
        if connection.backlog.is_some_and(|backlog| backlog.awaited) {
            // Whoever waits for the socket to take more need not wait any longer.
            connection.transport.shut_down();
        }
    }

    fn leave_everything(&self, state: &mut ShardState, index: u32) {
        let ShardState { connections, channels, .. } = state;
        let app = connections[index as usize].app().clone();
        while let Some(last) = connections[index as usize].subscriptions.len().checked_sub(1) {
            let (topic, member) = channels.detach(connections, index, last);
            let who = self.own(connections[index as usize].id(index));
            let interests = app.settings.load().interests;
            self.channels.unsubscribe(&topic, interests, who, member.as_deref());
        }
        connections[index as usize].user = None;
    }

    /// Takes a connection that waited for a place out of its presence channel, and says why.
    pub(super) fn turn_away(&self, id: ConnectionId, topic: &Topic, limit: usize) {
        if !self.channels.take_refusal(topic, self.own(id)) {
            return;
        }
        let mut state = self.state.borrow_mut();
        let ShardState { connections, channels, .. } = &mut *state;
        if live(connections, id).is_none() {
            return;
        }
        if let Some(at) = channels.find(connections, id.index, topic) {
            channels.detach(connections, id.index, at);
        }
        for frame in Refused::full(limit).frames(&topic.app, &topic.channel) {
            state.send(id, frame);
        }
    }

    /// Takes a connection out of one topic, if it is in it.
    pub(crate) fn leave(&self, state: &mut ShardState, index: u32, topic: &Topic) {
        let ShardState { connections, channels, .. } = state;
        let Some(at) = channels.find(connections, index, topic) else { return };
        let (topic, member) = channels.detach(connections, index, at);
        let connection = &connections[index as usize];
        let (who, member): (_, Option<&Member>) =
            (self.own(connection.id(index)), member.as_deref());
        let interests = connection.app().settings.load().interests;
        self.channels.unsubscribe(&topic, interests, who, member);
    }
}
