//! What every transport shares: the core joined with a clock, with somebody who takes its outputs
//! and with those who append to its logs. It must not know how packets travel.
//!
//! A driver lives on one thread, with a current-thread runtime; only [`Wake`] and the logs cross
//! threads. A transport passes in what it hears, and pulls packets when it can send:
//!
//! ```text
//!   other threads           the driver's thread
//!     Log::append --Wake-->   woken() -> due() -> next_packet() -> the wire
//!                             the wire -> receive(), found()    -> Owner::output()
//! ```

mod wake;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};

pub use wake::Wake;

use crate::{
    Cluster, Incarnation, Losses, Now, Output, Packet, PeerInfo, PeerStatus, Received, Settings,
    Slot,
};

/// How often to look whether the owner has room again.
const LOOK_FOR_ROOM: std::time::Duration = std::time::Duration::from_millis(1);

/// Who does something with what the cluster tells: drops and keeps facts, passes events on.
/// Called on the driver's thread.
pub trait Owner {
    /// Something happened, in order. Every method of `driver` may be called from here; what comes
    /// of it follows after this call.
    fn output(&mut self, driver: &Driver, output: Output);

    /// Whether more entries should come now. If not, transports do not read for a while, but not
    /// for so long that peers seem dead: what comes then has to be taken or dropped.
    fn has_room(&self) -> bool {
        true
    }

    /// Called at least every half heartbeat, after the core has noticed that time has passed.
    fn tick(&mut self, driver: &Driver) {
        let _ = driver;
    }
}

/// The core, its clock and its owner. Every input hands what follows from it to the owner at once.
pub struct Driver {
    cluster: RefCell<Cluster>,
    /// Borrowed while it is called; an input that comes from within leaves the rest to that call.
    owner: RefCell<Box<dyn Owner>>,
    me: Incarnation,
    settings: Settings,
    /// Where the core's time begins.
    zero: Instant,
    wake: Wake,
    /// Until when [`woken`](Self::woken) waits, if nobody wakes it.
    alarm: Cell<Option<Now>>,
}

impl Driver {
    /// A cluster of one. `me` is this run of this node; no other may ever have the same. `wake` is
    /// what those who append to logs have a clone of.
    pub fn new(me: Incarnation, settings: Settings, wake: Wake, owner: Box<dyn Owner>) -> Rc<Self> {
        Rc::new(Driver {
            cluster: RefCell::new(Cluster::new(me, settings.clone())),
            owner: RefCell::new(owner),
            me,
            settings,
            zero: Instant::now(),
            wake,
            alarm: Cell::new(None),
        })
    }

    /// This run of this node.
    pub fn me(&self) -> Incarnation {
        self.me
    }

    /// How patient the core is.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// See [`Cluster::found`].
    pub fn found(&self, info: PeerInfo) {
        self.input(|cluster, now| cluster.found(now, info));
    }

    /// See [`Cluster::reconnected`].
    pub fn reconnected(&self, peer: Incarnation) {
        self.input(|cluster, _| cluster.reconnected(peer));
    }

    /// See [`Cluster::receive`].
    pub fn receive(&self, packet: Packet) -> Received {
        self.input(|cluster, now| cluster.receive(now, packet))
    }

    /// See [`Cluster::set_blind`].
    pub fn set_blind(&self, blind: bool) {
        self.input(|cluster, now| cluster.set_blind(now, blind));
    }

    /// See [`Cluster::set_ready`].
    pub fn set_ready(&self, ready: bool) {
        self.input(|cluster, _| cluster.set_ready(ready));
    }

    /// See [`Cluster::lost`].
    pub fn lost(&self, peer: Incarnation) {
        self.input(|cluster, _| cluster.lost(peer));
    }

    /// See [`Cluster::goodbye`].
    pub fn goodbye(&self) {
        self.input(|cluster, _| cluster.goodbye());
    }

    /// See [`Cluster::forget`].
    pub fn forget(&self, slot: Slot) {
        self.cluster.borrow_mut().forget(slot);
    }

    /// See [`Cluster::next_packet`].
    pub fn next_packet(&self, peer: Incarnation) -> Option<Packet> {
        let (now, mut cluster) = (self.now(), self.cluster.borrow_mut());
        let packet = cluster.next_packet(now, peer);
        if packet.is_none() && self.is_too_late_for(cluster.lingers(now)) {
            self.wake.wake(); // So that somebody sees to it in time.
        }
        packet
    }

    /// The peers for which [`next_packet`](Self::next_packet) has something now.
    pub fn due(&self) -> Vec<Incarnation> {
        self.cluster.borrow_mut().peers_with_output(self.now()).collect()
    }

    /// See [`Cluster::peers`].
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.cluster.borrow().peers(self.now())
    }

    /// See [`Cluster::losses`].
    pub fn losses(&self) -> Arc<Losses> {
        self.cluster.borrow().losses().clone()
    }

    /// Waits until there may be something [`due`](Self::due): after an input, when a log was
    /// appended to, and when what was appended has waited for long enough. For one task, the
    /// transport's.
    pub async fn woken(&self) {
        self.alarm.set(self.cluster.borrow().lingers(self.now()));
        match self.alarm.get() {
            // Whether it was woken meanwhile or not, it is time to look.
            Some(until) => drop(timeout_at(self.zero + until, self.wake.woken()).await),
            None => self.wake.woken().await,
        }
    }

    /// Waits until the owner has room for more, a quarter of the node timeout at most. To be called
    /// before reading.
    pub async fn room(&self) {
        // Almost always so, and then there is no need to look at the clock.
        if self.has_room() {
            return;
        }
        let until = Instant::now() + self.settings.node_timeout / 4;
        while !self.has_room() && Instant::now() < until {
            sleep(LOOK_FOR_ROOM).await;
        }
    }

    fn has_room(&self) -> bool {
        self.owner.try_borrow().is_ok_and(|owner| owner.has_room())
    }

    /// Lets time pass for the core, for ever. The transport runs it as a task.
    pub async fn keep_time(self: Rc<Self>) {
        let mut ticks = interval((self.settings.heartbeat / 2).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.input(Cluster::tick);
            self.owner.borrow_mut().tick(&self);
            self.drain();
        }
    }

    fn now(&self) -> Now {
        self.zero.elapsed()
    }

    fn input<R>(&self, act: impl FnOnce(&mut Cluster, Now) -> R) -> R {
        let now = self.now();
        let result = act(&mut self.cluster.borrow_mut(), now);
        self.drain();
        let mut cluster = self.cluster.borrow_mut();
        let due = cluster.peers_with_output(now).next().is_some();
        if due || self.is_too_late_for(cluster.lingers(now)) {
            self.wake.wake();
        }
        result
    }

    /// Whether the alarm is not there in time for what is due at `until`.
    fn is_too_late_for(&self, until: Option<Now>) -> bool {
        until.is_some_and(|until| self.alarm.get().is_none_or(|alarm| until < alarm))
    }

    fn drain(&self) {
        let Ok(mut owner) = self.owner.try_borrow_mut() else { return };
        while let Some(output) = self.poll_output() {
            owner.output(self, output);
        }
    }

    /// On its own so that the core is not borrowed while the owner is called.
    fn poll_output(&self) -> Option<Output> {
        self.cluster.borrow_mut().poll_output()
    }
}

#[cfg(test)]
mod tests;
