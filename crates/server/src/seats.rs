//! Connections' places among their app's; a quota of them counts over all nodes. It must not know what
//! a connection is.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use channels::{Answer, Slot};
use tokio::sync::oneshot;

use crate::apps::{App, AppCounters};
use crate::outside::NodeChannels;

/// What becomes of the request for a place.
pub(crate) enum SeatRequest {
    Granted(Seat),
    /// The quota is used up.
    Denied,
    /// Another node has been asked.
    Asked(PendingSeat),
}

/// A request that another node has been asked about. Dropped, it is taken back.
pub(crate) struct PendingSeat {
    app: Arc<App>,
    channels: Arc<NodeChannels>,
    request: u64,
    answer: oneshot::Receiver<Answer>,
}

/// A connection's place; given back when it is dropped, so the count is true whatever ended the
/// connection.
pub(crate) struct Seat {
    app: Arc<App>,
    /// Whom its slot is given back to, if the app has a quota.
    slot: Option<Arc<NodeChannels>>,
}

/// A place for one more connection, if the app's quota has one.
pub(crate) fn take_seat(app: &Arc<App>, channels: &Arc<NodeChannels>) -> SeatRequest {
    let Some(limit) = app.settings.load().config.max_connections else {
        return SeatRequest::Granted(Seat::new(app.clone(), None));
    };
    // Connections from before there was a quota count here, without a slot.
    let without_slot = app.seats.load(Relaxed).saturating_sub(app.leased.load(Relaxed));
    let (reply, answer) = oneshot::channel();
    match channels.take_slot(&app.id, limit.saturating_sub(without_slot), reply) {
        Slot::Granted => SeatRequest::Granted(Seat::new(app.clone(), Some(channels.clone()))),
        Slot::Denied => SeatRequest::Denied,
        Slot::Asked(request) => {
            let (app, channels) = (app.clone(), channels.clone());
            SeatRequest::Asked(PendingSeat { app, channels, request, answer })
        }
    }
}

impl PendingSeat {
    /// The place; none if the quota is used up.
    pub(crate) async fn answer(mut self) -> Option<Seat> {
        let granted = matches!((&mut self.answer).await, Ok(Answer::Slot(true)));
        granted.then(|| Seat::new(self.app.clone(), Some(self.channels.clone())))
    }
}

impl Drop for PendingSeat {
    fn drop(&mut self) {
        let was_answered = !self.channels.cancel_slot(&self.app.id, self.request);
        // Nobody has looked at the answer; one that was looked at is not there any more.
        if was_answered && matches!(self.answer.try_recv(), Ok(Answer::Slot(true))) {
            self.channels.give_slot_back(&self.app.id);
        }
    }
}

impl Seat {
    fn new(app: Arc<App>, slot: Option<Arc<NodeChannels>>) -> Self {
        app.seats.fetch_add(1, Relaxed);
        app.leased.fetch_add(u32::from(slot.is_some()), Relaxed);
        AppCounters::add(&app.counters.new_connections, 1);
        Seat { app, slot }
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.app.seats.fetch_sub(1, Relaxed);
        if let Some(channels) = &self.slot {
            self.app.leased.fetch_sub(1, Relaxed);
            channels.give_slot_back(&self.app.id);
        }
        AppCounters::add(&self.app.counters.new_disconnections, 1);
    }
}
