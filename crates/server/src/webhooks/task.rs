//! The task: what of the notes this node has to say, and how it is said.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use channels::announcer::{
    Announcer, AnnouncerSettings, Missed, Statement, StatementKind, Subject,
};
use channels::{Note, Origin};
use config::Config;
use protocol::webhook::Event;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::job_maker::JobMaker;
use crate::outside::NodeChannels;

/// The most departures that wait for the end of their grace, and the most statements that other
/// nodes answer for.
const MOST_WAITING: usize = 1_000_000;

/// The announcer's time when this node started: others may have been ready for long then.
const ERA: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the end of this node may take for what is left to be said.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Owned by its task on the background runtime.
pub(crate) struct WebhookTask {
    channels: Arc<NodeChannels>,
    announcer: Announcer,
    missed: Missed,
    delivery: JobMaker,
    started: Instant,
}

impl WebhookTask {
    /// Nothing has happened yet.
    pub(crate) fn new(config: &Config, channels: Arc<NodeChannels>, delivery: JobMaker) -> Self {
        let settings = AnnouncerSettings {
            grace: config.webhooks.grace,
            silence: config.cluster.node_timeout,
            // A dead node is noticed a heartbeat later than it is silent for too long.
            memory: config.cluster.node_timeout + 2 * config.cluster.check_interval,
            most: MOST_WAITING,
        };
        let announcer = Announcer::new(channels.incarnation(), settings);
        WebhookTask {
            channels,
            announcer,
            missed: Missed::default(),
            delivery,
            started: Instant::now(),
        }
    }

    /// Works until it is told to close; then says what is left to say.
    pub(crate) async fn work(mut self, mut close: oneshot::Receiver<()>) {
        let channels = self.channels.clone();
        loop {
            let deadline = self.deadline();
            tokio::select! {
                () = channels.runtime().notes.some() => {}
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
                () = self.delivery.looked_up() => {}
                _ = &mut close => break,
            }
            self.turn();
        }
        self.turn();
        self.announcer.close(self.now());
        self.say();
        self.delivery.close(LAST_WORDS).await;
    }

    fn deadline(&self) -> Option<Instant> {
        let announcer = self.announcer.deadline().map(|deadline| self.started + (deadline - ERA));
        [announcer, self.delivery.deadline()].into_iter().flatten().min()
    }

    fn now(&self) -> Duration {
        ERA + self.started.elapsed()
    }

    fn turn(&mut self) {
        for note in self.channels.runtime().notes.take() {
            self.hear(note);
        }
        self.announcer.tick(self.now());
        self.say();
        self.delivery.tick();
    }

    fn hear(&mut self, note: Note) {
        match self.announcer.take(note, self.now()) {
            Some(Note::Counted(subject, count)) if self.speaks_for(&subject) => {
                let event = Event::SubscriptionCount { channel: &subject.channel, count };
                self.delivery.take(&subject.app, &event, wall_clock());
            }
            Some(Note::Missed(subject, origin)) => self.missed(&subject, origin),
            Some(Note::ClientEvent(subject, json)) => {
                self.delivery.take_client_event(subject, json, wall_clock());
            }
            _ => {}
        }
        self.say();
    }

    fn missed(&mut self, subject: &Subject, origin: Origin) {
        match self.announcer.announcer_of(subject, self.now()) {
            Some(other) if other != self.channels.incarnation() && origin == Origin::Here => {
                self.channels.send_miss(other, &subject.app, &subject.channel);
            }
            _ if self.missed.is_news(subject, self.now()) => {
                let event = Event::CacheMiss { channel: &subject.channel };
                self.delivery.take(&subject.app, &event, wall_clock());
            }
            _ => {}
        }
    }

    fn speaks_for(&self, subject: &Subject) -> bool {
        self.announcer.announcer_of(subject, self.now()) == Some(self.channels.incarnation())
    }

    /// Says what the announcer has to say.
    fn say(&mut self) {
        while let Some(Statement { subject, turn, at }) = self.announcer.poll() {
            let Subject { app, channel, member } = &subject;
            let event = match (turn, member.as_deref()) {
                (StatementKind::Came, None) => Event::ChannelOccupied { channel },
                (StatementKind::Went, None) => Event::ChannelVacated { channel },
                (StatementKind::Came, Some(user_id)) => Event::MemberAdded { channel, user_id },
                (StatementKind::Went, Some(user_id)) => Event::MemberRemoved { channel, user_id },
            };
            let ago = self.now().saturating_sub(at);
            self.delivery.take(app, &event, wall_clock().saturating_sub(ago));
        }
    }
}

/// The time since 1970.
fn wall_clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
