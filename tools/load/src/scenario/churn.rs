//! `load churn`: connections that come, subscribe, and go again, with an event for each if asked
//! for. For the price of a connection, and for finding what a server forgets to free.

use super::fanout::seconds;
use crate::lane::Lane;
use crate::marker::{self, Finder};
use crate::meter::Meter;
use crate::process::{Server, raise_descriptors};
use crate::reactor::Reactor;
use crate::report::Report;
use crate::request::Request;
use crate::socket::Socket;
use crate::subscribers::{Subscribers, Waiting, refusal, tells};
use crate::target::{self, Target};
use anyhow::{Result, bail};
use mio::event::Event;
use std::time::{Duration, Instant};

/// Channels that the cycles share.
const SHARED: usize = 256;

/// Connections that publish, for `--publish`.
const LANES: usize = 4;

/// Options of `load churn`.
#[derive(clap::Args, Clone)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: target::Options,
    #[command(flatten)]
    pub(crate) shape: Shape,
}

/// How much, how long.
#[derive(clap::Args, Clone)]
pub(crate) struct Shape {
    /// Cycles going on at one time
    #[arg(long, default_value_t = 32)]
    pub(crate) concurrency: usize,
    /// Cycles that are measured
    #[arg(long, default_value_t = 20_000, conflicts_with = "seconds")]
    pub(crate) cycles: usize,
    /// Seconds that are measured, instead of a number of cycles
    #[arg(long)]
    pub(crate) seconds: Option<f64>,
    /// Cycles before them; the server's memory after these is `rss_warm_bytes`
    #[arg(long, default_value_t = 2_000)]
    pub(crate) warmup_cycles: usize,
    /// Publish an event in every cycle, to a channel of its own, and wait for it
    #[arg(long)]
    pub(crate) publish: bool,
    /// Subscribe to a channel of its own in every cycle instead of one of 256
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Have each of the 256 channels occupied on every node all the time, by a subscriber that stays
    #[arg(long, conflicts_with_all = ["fresh", "publish"])]
    pub(crate) occupied: bool,
    /// End the TCP connection at once instead of exchanging close frames first
    #[arg(long)]
    pub(crate) abrupt: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Connecting,
    Subscribing,
    Receiving,
    Closing,
}

/// One cycle on its way.
struct Cycle {
    socket: Socket,
    step: Step,
    number: usize,
}

struct Churn<'a> {
    shape: &'a Shape,
    target: &'a Target,
    reactor: Reactor,
    cycles: Vec<Option<Cycle>>,
    lanes: Vec<Lane>,
    finder: Finder,
    begun: usize,
    done: usize,
    deliveries: usize,
    answered: usize,
}

/// Runs the scenario.
pub(crate) fn run(target: &Target, server: &Server, shape: &Shape) -> Result<Report> {
    if shape.concurrency == 0 {
        bail!("--concurrency is 0: at least one cycle at a time is needed");
    }
    let kept = if shape.occupied { SHARED * target.len() } else { 0 };
    raise_descriptors(shape.concurrency + LANES + kept)?;
    let mut aside = Reactor::new()?;
    let mut keepers = Subscribers::connect(&mut aside, target, kept)?;
    keepers.subscribe(&mut aside, target, |index| std::iter::once(shared(index, target)))?;
    let reactor = Reactor::new()?;
    let lanes = (0..if shape.publish { LANES } else { 0 })
        .map(|lane| {
            let token = shape.concurrency + lane;
            Lane::connect(target.publishing(lane), reactor.poll.registry(), token)
        })
        .collect::<Result<_>>()?;
    let mut churn = Churn {
        shape,
        target,
        reactor,
        cycles: (0..shape.concurrency).map(|_| None).collect(),
        lanes,
        finder: Finder::default(),
        begun: 0,
        done: 0,
        deliveries: 0,
        answered: 0,
    };

    let far = Instant::now() + Duration::from_secs(86_400);
    churn.until(shape.warmup_cycles, far)?;
    let warm = server.settled_rss()?;
    let meter = Meter::start(server)?;
    match shape.seconds {
        Some(limit) => churn.until(usize::MAX, Instant::now() + seconds(limit)?)?,
        None => churn.until(shape.warmup_cycles + shape.cycles, far)?,
    }
    let measured = meter.stop(server)?;
    let after = server.settled_rss()?;

    let mut report = Report::new("churn");
    report.count("cycles", churn.done - shape.warmup_cycles);
    report.count("warmup_cycles", shape.warmup_cycles);
    report.count("published", churn.answered);
    report.count("deliveries", churn.deliveries);
    measured.per(&mut report, ("cycle", "cycles"), churn.done - shape.warmup_cycles);
    if let (Some(warm), Some(after)) = (warm, after) {
        report.figure("rss_warm_bytes", warm as f64, "B");
        report.figure("rss_after_bytes", after as f64, "B");
        report.figure("rss_after_to_warm", after as f64 / warm as f64, "x");
    }
    measured.shares(&mut report);
    drop(keepers);
    Ok(report)
}

/// The `number`th cycle's channel; every channel has its turn on every node.
fn shared(number: usize, target: &Target) -> String {
    format!("load-{}", number / target.len() % SHARED)
}

impl Churn<'_> {
    /// Goes on until `total` cycles are done, or until `end` has come and the begun ones are.
    fn until(&mut self, total: usize, end: Instant) -> Result<()> {
        let mut waiting = Waiting::new("churn");
        loop {
            let ending = Instant::now() >= end;
            for slot in 0..self.cycles.len() {
                if self.cycles[slot].is_none() && self.begun < total && !ending {
                    self.begin(slot)?;
                }
            }
            if self.cycles.iter().all(Option::is_none) && self.answered == self.published() {
                return Ok(());
            }
            self.turn()?;
            waiting.check(self.done, "cycles")?;
        }
    }

    /// Every cycle that is past its subscription has published once.
    fn published(&self) -> usize {
        let not_yet = |cycle: &&Cycle| matches!(cycle.step, Step::Connecting | Step::Subscribing);
        let waiting = self.cycles.iter().flatten().filter(not_yet).count();
        if self.shape.publish { self.begun - waiting } else { 0 }
    }

    fn begin(&mut self, slot: usize) -> Result<()> {
        let number = self.begun;
        self.begun += 1;
        // Ports in TIME_WAIT add up: every so many connections come from another address.
        let mut socket = Socket::connect(self.target.node(number), number)?;
        socket.register(self.reactor.poll.registry(), slot)?;
        self.cycles[slot] = Some(Cycle { socket, step: Step::Connecting, number });
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        self.reactor.wait(Instant::now() + Duration::from_secs(1))?;
        let Self { reactor, cycles, lanes, shape, target, finder, .. } = self;
        for event in &reactor.events {
            let slot = event.token().0;
            if let Some(lane) = slot.checked_sub(cycles.len()) {
                self.answered += lanes[lane].ready(event, &mut reactor.buffer)?;
                continue;
            }
            let Some(cycle) = &mut cycles[slot] else { continue };
            let before = cycle.step;
            let open = cycle.ready(event, &mut reactor.buffer, finder, (shape, target))?;
            if before == Step::Subscribing && cycle.step == Step::Receiving {
                let lane = slot % lanes.len();
                let node = target.publishing(lane);
                let data = marker::payload(cycle.id(), marker::MIN_PAYLOAD);
                let mut request = Request::new(&cycle.channel(shape, target), &data);
                lanes[lane].queue(request.bytes(node, Instant::now()));
                lanes[lane].flush()?;
            }
            if before == Step::Receiving && cycle.step == Step::Closing {
                self.deliveries += 1;
            }
            if !open {
                cycles[slot] = None;
                self.done += 1;
            }
        }
        Ok(())
    }
}

impl Cycle {
    /// Published to or fresh: a channel of its own. Otherwise one of a few hundred, as users have.
    fn channel(&self, shape: &Shape, target: &Target) -> String {
        if shape.publish || shape.fresh {
            format!("load-churn-{}", self.number)
        } else {
            shared(self.number, target)
        }
    }

    fn id(&self) -> u32 {
        (self.number % marker::LIMIT as usize) as u32
    }

    /// Takes the steps that `event` allows; false once the cycle is over.
    fn ready(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        finder: &mut Finder,
        (shape, target): (&Shape, &Target),
    ) -> Result<bool> {
        let (mut step, mut refused, id) = (self.step, None, self.id());
        let open = self.socket.ready(event, buffer, |frame| {
            refused = refused.take().or_else(|| refusal(frame));
            let after = if shape.publish { Step::Receiving } else { Step::Closing };
            step = match step {
                Step::Connecting if tells(frame, "connection_established") => Step::Subscribing,
                Step::Subscribing if tells(frame, "subscription_succeeded") => after,
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
        let turned = std::mem::replace(&mut self.step, step) != step;
        match step {
            Step::Subscribing if turned => {
                self.socket.queue_subscribe(&self.channel(shape, target), "");
            }
            Step::Closing if turned && shape.abrupt => return Ok(false),
            Step::Closing if turned => self.socket.queue_close(),
            _ => {}
        }
        self.socket.flush()?;
        Ok(open)
    }
}
