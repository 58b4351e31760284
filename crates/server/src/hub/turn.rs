//! A shard's life is a row of turns: drain the inbox into the connections' lists, then one write for every connection
//! that has something to send.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use channels::registry::Member;
use channels::{ConnectionId, Delivery, LastEvent, Topic, Welcome};
use protocol::socket_id::SocketId;
use tokio::time::MissedTickBehavior;

use super::connection::{Connection, Phase, live};
use super::outbox::{Flushed, settle};
use super::shard::{Shard, ShardState};
use crate::apps::AppCounters;
use crate::frames;
use crate::inbox::Op;

impl Shard {
    /// Serves its connections until it is told to stop.
    pub(crate) async fn run(self: Rc<Self>) {
        tokio::task::spawn_local(self.clone().keep_time());
        let mut ops: Vec<Op> = Vec::new();
        while !self.stopped.get() {
            self.inbox().ready().await;
            // Everything that is ready runs first, so that what came together leaves together.
            tokio::task::yield_now().await;
            self.turn(&mut ops);
        }
        self.cut_off_everybody();
    }

    async fn keep_time(self: Rc<Self>) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        seconds.tick().await;
        loop {
            seconds.tick().await;
            self.second();
        }
    }

    pub(super) fn turn(self: &Rc<Self>, ops: &mut Vec<Op>) {
        let started = Instant::now();
        self.inbox().drain(ops);
        for op in ops.drain(..) {
            // The panic hook counts it; the other connections notice nothing.
            let _ = catch_unwind(AssertUnwindSafe(|| self.perform(op)));
        }
        ops.shrink_to(1 << 14);
        let _ = catch_unwind(AssertUnwindSafe(|| self.flush()));
        self.stats.turn(self.id, started.elapsed());
    }

    fn perform(self: &Rc<Self>, op: Op) {
        match op {
            Op::Channel(delivery) => self.carry_out(delivery),
            Op::Send { to, frame } => self.state.borrow_mut().send(to, frame),
            Op::WatchlistReady { to } => self.state.borrow_mut().watchlist_ready(to),
            Op::Close { to, close } => self.close(to, &close),
            Op::CloseApp { app, close } => self.close_app(&app, &close),
            Op::Disperse { close, over } => {
                tokio::task::spawn_local(self.clone().disperse(close, over));
            }
            Op::Stop => self.stopped.set(true),
            #[cfg(test)]
            Op::Panic => panic!("a bug in a shard's turn"),
            // Whoever asked may have gone meanwhile.
            Op::Report(to) => drop(to.send(self.report())),
        }
    }

    /// What was decided on a channel.
    fn carry_out(&self, delivery: Delivery) {
        match delivery {
            Delivery::Frame { topic, frame, except } => {
                self.state.borrow_mut().deliver(&topic, frame, except);
            }
            Delivery::Welcome { to, topic, welcome } => {
                self.state.borrow_mut().activate(to, &topic, welcome);
            }
            Delivery::Watched { to, user_id, online } => {
                self.state.borrow_mut().watched(to, user_id, online);
            }
            Delivery::Presence { topic, user_id, online } => {
                self.state.borrow_mut().presence(&topic, &user_id, online);
            }
            Delivery::Refuse { to, topic, limit } => self.turn_away(to, &topic, limit),
            Delivery::Close { topic, close } => self.close_topic(&topic, &close),
        }
    }

    fn flush(self: &Rc<Self>) {
        let mut state = self.state.borrow_mut();
        let dirty = state.outbox.take_dirty();
        for &index in &dirty {
            let ShardState { connections, outbox, .. } = &mut *state;
            let Some(connection) = connections.get_mut(index as usize) else { continue };
            let flushed = outbox.flush(connection);
            self.settled(connection, index, flushed);
        }
        state.outbox.clear(dirty);
    }

    fn settled(self: &Rc<Self>, connection: &mut Connection, index: u32, flushed: Flushed) {
        match flushed {
            Flushed::All if connection.phase == Phase::Closing => connection.transport.finish(),
            Flushed::All => {}
            Flushed::Waiting(bytes) if bytes > self.config.connection.max_pending => {
                self.give_up(connection, bytes);
            }
            Flushed::Waiting(_) => {
                let Some(backlog) = &mut connection.backlog else { return };
                if !std::mem::replace(&mut backlog.awaited, true) {
                    let id = connection.id(index);
                    tokio::task::spawn_local(self.clone().write_when_possible(id));
                }
            }
            Flushed::Gone => connection.transport.abort(),
        }
    }

    /// A slow socket's backlog leaves as the socket takes it.
    async fn write_when_possible(self: Rc<Self>, id: ConnectionId) {
        loop {
            let transport = match live(&mut self.state.borrow_mut().connections, id) {
                Some(connection) => connection.transport.clone(),
                None => return,
            };
            let writable = transport.writable().await;
            let mut state = self.state.borrow_mut();
            let Some(connection) = live(&mut state.connections, id) else { return };
            let Some(backlog) = &mut connection.backlog else { return };
            let written = writable.and_then(|()| backlog.write(&transport));
            let flushed = written.map_or(Flushed::Gone, |()| settle(connection));
            if !matches!(flushed, Flushed::Waiting(_)) {
                self.settled(connection, id.index, flushed);
                return;
            }
        }
    }
}

impl ShardState {
    fn deliver(&mut self, topic: &Topic, frame: Bytes, except: Option<SocketId>) {
        let subscribers = self.channels.subscribers(topic);
        let Some(first) = subscribers.first() else { return };
        let app = self.connections[first.connection as usize].app().clone();
        let size = frame.len();
        let frame = self.outbox.frame(frame);
        let mut deliveries = 0;
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.active) {
            let connection = &mut self.connections[subscriber.connection as usize];
            if except == Some(connection.socket_id) {
                continue;
            }
            self.outbox.append(subscriber.connection, &mut connection.turn, frame);
            deliveries += 1;
        }
        AppCounters::add(&app.counters.deliveries, deliveries);
        AppCounters::add(&app.counters.ws_messages_sent, deliveries);
        AppCounters::add(&app.counters.socket_transmitted_bytes, deliveries * size);
    }

    /// Appends a frame to one connection's list.
    pub(super) fn send(&mut self, to: ConnectionId, frame: Bytes) {
        let Some(connection) = live(&mut self.connections, to) else { return };
        let counters = &connection.seat.app().counters;
        AppCounters::add(&counters.ws_messages_sent, 1);
        AppCounters::add(&counters.socket_transmitted_bytes, frame.len());
        let frame = self.outbox.frame(frame);
        self.outbox.append(to.index, &mut connection.turn, frame);
    }

    fn activate(&mut self, to: ConnectionId, topic: &Topic, welcome: Welcome) {
        if live(&mut self.connections, to).is_none() {
            return;
        }
        // It may have unsubscribed meanwhile: then it is told that it had succeeded, and no more.
        self.channels.activate(&self.connections, to.index, topic);
        if let Welcome::Succeeded { roster, last } = welcome {
            self.welcome(to, &topic.channel, roster, last);
        }
    }

    fn welcome(
        &mut self,
        to: ConnectionId,
        channel: &str,
        roster: Option<Vec<Arc<Member>>>,
        last: LastEvent,
    ) {
        let succeeded = match roster {
            Some(roster) => frames::presence_succeeded(channel, &roster),
            None => frames::subscription_succeeded(channel),
        };
        self.send(to, succeeded);
        match last {
            LastEvent::Event(event) => self.send(to, event.frame.clone()),
            LastEvent::Missing => self.send(to, frames::cache_miss(channel)),
            LastEvent::NotKept => {}
        }
    }

    fn watched(&mut self, to: ConnectionId, user_id: Arc<str>, online: bool) {
        let user = live(&mut self.connections, to).and_then(|c| c.user.as_mut());
        if let Some(gathering) = user.and_then(|user| user.gathering.as_mut()) {
            gathering.push((user_id, online));
        }
    }

    fn watchlist_ready(&mut self, to: ConnectionId) {
        let user = live(&mut self.connections, to).and_then(|c| c.user.as_mut());
        let Some(states) = user.and_then(|user| user.gathering.take()) else { return };
        let of = |wanted| -> Vec<&str> {
            let wanted = states.iter().filter(|(_, online)| *online == wanted);
            wanted.map(|(user_id, _)| &**user_id).collect()
        };
        self.send(to, frames::watchlist_events(&of(true), &of(false)));
    }

    fn presence(&mut self, topic: &Topic, user_id: &Arc<str>, online: bool) {
        let watchers = self.channels.subscribers(topic);
        let watchers: Vec<u32> = watchers.iter().map(|watcher| watcher.connection).collect();
        let (on, off): (&[&str], &[&str]) =
            if online { (&[user_id], &[]) } else { (&[], &[user_id]) };
        let frame = frames::watchlist_events(on, off);
        for index in watchers {
            let connection = &mut self.connections[index as usize];
            let user = connection.user.as_mut();
            let known = user.and_then(|user| user.gathering.as_mut());
            // Before the first states are told, a change only corrects them.
            match known.map(|g| g.iter_mut().find(|(watched, _)| watched == user_id)) {
                Some(Some((_, state))) => *state = online,
                Some(None) => {}
                None => {
                    let to = connection.id(index);
                    self.send(to, frame.clone());
                }
            }
        }
    }
}
