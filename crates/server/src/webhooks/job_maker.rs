//! What this node has to say, to those who want to hear it: filters and batches, then either this
//! process sends it, or it goes into the queue that the nodes share.

use std::sync::Arc;
use std::time::Duration;

use ::webhooks::{Happening, Job, Outgoing, Sender};
use channels::announcer::Subject;
use config::Webhooks;
use protocol::webhook::{Event, EventKind};
use tokio::time::Instant;

use super::producer::JobProducer;
use super::unknown::Unknown;
use crate::apps::{App, Apps};

/// Where jobs go.
pub(crate) enum Way {
    /// This process sends them itself (`queue.driver` = `sync`).
    Sender(Arc<Sender>),
    /// Into the queue, from which whoever is a worker takes them.
    Queue(Arc<JobProducer>),
    /// Nobody sends: a node that leaves that to workers, without a queue to them.
    Nowhere,
}

/// Owned by the webhook task.
pub(crate) struct JobMaker {
    apps: Arc<Apps>,
    way: Way,
    outgoing: Outgoing,
    /// What happened in apps that this node does not know yet.
    unknown: Unknown,
    jobs: Vec<Job>,
    started: Instant,
}

impl JobMaker {
    pub(crate) fn new(apps: Arc<Apps>, way: Way, batching: &Webhooks) -> Self {
        let outgoing = Outgoing::new(batching.batching.then_some(batching.batching_duration));
        let unknown = Unknown::new(apps.clone());
        JobMaker { apps, way, outgoing, unknown, jobs: Vec::new(), started: Instant::now() }
    }

    /// When something that is gathered is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.outgoing.due().map(|due| self.started + due)
    }

    /// Something happened in an app, at a time since 1970.
    pub(super) fn take(&mut self, app: &Arc<str>, event: &Event<'_>, at: Duration) {
        if !matches!(self.way, Way::Nowhere) {
            self.route(Happening::new(app.clone(), event, at.as_millis() as u64));
        }
    }

    /// A client sent an event; it comes as webhooks have it.
    pub(super) fn take_client_event(&mut self, of: Subject, json: String, at: Duration) {
        if !matches!(self.way, Way::Nowhere) {
            let (kind, at_ms) = (EventKind::ClientEvent, at.as_millis() as u64);
            self.route(Happening { app: of.app, kind, channel: of.channel, json, at_ms });
        }
    }

    /// Resolves when an app that was not known has been looked up.
    pub(super) async fn looked_up(&mut self) {
        let (app, happenings) = self.unknown.next().await;
        for happening in happenings {
            self.push(&app, &happening);
        }
    }

    /// Time has passed: what was gathered for long enough goes.
    pub(super) fn tick(&mut self) {
        self.outgoing.tick(self.started.elapsed(), &mut self.jobs);
        self.hand_over();
    }

    /// Everything goes, as far as it can within a time.
    pub(super) async fn close(mut self, within: Duration) {
        let deadline = Instant::now() + within;
        while self.unknown.is_waiting()
            && tokio::time::timeout_at(deadline, self.looked_up()).await.is_ok()
        {}
        self.outgoing.flush(&mut self.jobs);
        self.hand_over();
        let left = match &self.way {
            Way::Sender(sender) => sender.flush(deadline - Instant::now()).await,
            Way::Queue(producer) => producer.flush(deadline).await,
            Way::Nowhere => 0,
        };
        if left > 0 {
            tracing::error!(left, ?within, "webhooks are lost: they could not be sent in time");
        }
    }

    fn route(&mut self, happening: Happening) {
        match self.apps.by_id(&happening.app) {
            Some(app) if !self.unknown.is_about(&happening.app) => self.push(&app, &happening),
            _ => self.unknown.push(happening),
        }
    }

    fn push(&mut self, app: &App, happening: &Happening) {
        let settings = app.settings.load();
        let now = self.started.elapsed();
        self.outgoing.push(now, &settings.routes, happening, &mut self.jobs);
        self.hand_over();
    }

    fn hand_over(&mut self) {
        for job in self.jobs.drain(..) {
            match &self.way {
                // What comes of it is counted and logged there.
                Way::Sender(sender) => sender.submit(job, |_| ()),
                Way::Queue(producer) => producer.push(&job),
                Way::Nowhere => {}
            }
        }
    }
}
