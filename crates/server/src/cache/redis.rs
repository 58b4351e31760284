//! The connection to the Redis that keeps last events, on the background runtime: made again and
//! again where need be. It must not know who waits for an answer.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ::redis::{RedisError, RedisResult};
use failures::{Backoff, LogThrottle};
use redis_connections::{Commands, RedisOptions, is_away};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::shared::{Counters, Job};
use super::{CachedEvent, Key, Shared, stored};
use crate::node::Node;

/// Commands that are under way at a time.
const UNDER_WAY: usize = 32;
/// How long a command may take.
const SLOWEST: Duration = Duration::from_secs(2);
/// How often a connection that nobody needs is tried.
const IDLE: Duration = Duration::from_secs(5);
/// How long to wait before the next attempt to connect, at least and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long a node that ends goes on writing.
const FAREWELL: Duration = Duration::from_secs(1);

static REFUSED: LogThrottle = LogThrottle::new();
static INVALID: LogThrottle = LogThrottle::new();
static DROPPED: LogThrottle = LogThrottle::new();

/// What became of a command; none if Redis cannot do anything now.
enum Done {
    Read(Key, Option<RedisResult<(Vec<u8>, i64)>>),
    Written(Key, Option<RedisResult<()>>),
    Tried(bool),
}

/// Runs for as long as the node does.
pub(crate) async fn serve(node: Arc<Node>, options: RedisOptions) {
    let Some(shared) = &node.shared_cache else { return };
    let patience = node.clone();
    tokio::task::spawn_local(async move { patience.end_waits_for_last().await });
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    let mut was_up = true;
    loop {
        match timeout(options.connect_timeout, options.commands()).await {
            Ok(Ok(commands)) => {
                tracing::info!("the last events of cache channels are kept in Redis");
                let began = Instant::now();
                was_up = true;
                shared.set_reachable(true);
                let prefix = options.key_prefix.clone();
                Link { node: node.clone(), commands, prefix }.serve(shared).await;
                // One that lets us in but does nothing is not tried in a hurry.
                if began.elapsed() > PAUSES.1 {
                    backoff.reset();
                }
                tracing::warn!(
                    "Redis is away: the last events of cache channels are kept in memory"
                );
            }
            failed => {
                if std::mem::take(&mut was_up) {
                    let reason = match failed {
                        Ok(Err(error)) => error.to_string(),
                        _ => "it does not answer in time".to_owned(),
                    };
                    tracing::warn!(
                        reason,
                        "the last events of cache channels cannot be kept in Redis for now"
                    );
                }
                lose(&node, shared);
            }
        }
        sleep(backoff.pause()).await;
    }
}

/// Waits until Redis has been told everything, but not for long.
pub(crate) async fn finish(node: &Node) {
    let Some(shared) = &node.shared_cache else { return };
    let until = Instant::now() + FAREWELL;
    while !shared.is_idle() && Instant::now() < until {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Redis is away: nobody is kept waiting.
fn lose(node: &Node, shared: &Shared) {
    for key in shared.set_reachable(false) {
        Counters::count(&shared.counters.failed);
        node.settle_last(&key, None, false);
    }
}

/// A connection that stands.
struct Link {
    node: Arc<Node>,
    commands: Commands,
    prefix: String,
}

impl Link {
    /// Does what there is to do until the connection fails, and what was under way has ended.
    async fn serve(self, shared: &Shared) {
        let mut under_way = JoinSet::new();
        let mut is_lost = false;
        loop {
            while !is_lost
                && under_way.len() < UNDER_WAY
                && let Some(job) = shared.next_job()
            {
                self.begin(shared, job, &mut under_way);
            }
            if is_lost && under_way.is_empty() {
                return;
            }
            tokio::select! {
                // A panic there has been counted and logged.
                Some(done) = under_way.join_next() => {
                    let went_well = done.map_or(true, |done| self.take(shared, done));
                    if !went_well && !std::mem::replace(&mut is_lost, true) {
                        lose(&self.node, shared);
                    }
                }
                () = shared.work.notified(), if !is_lost && under_way.len() < UNDER_WAY => {}
                () = sleep(IDLE), if under_way.is_empty() => {
                    let mut commands = self.commands.clone();
                    under_way.spawn_local(async move {
                        let ping = ::redis::cmd("PING");
                        let ping = in_time(ping.query_async::<String>(&mut commands)).await;
                        Done::Tried(ping.is_some())
                    });
                }
            }
        }
    }

    fn begin(&self, shared: &Shared, job: Job, under_way: &mut JoinSet<Done>) {
        let mut commands = self.commands.clone();
        let name = |(app, channel): &Key| format!("{}dunlin:cache:{app}:{channel}", self.prefix);
        let mut eval = ::redis::cmd("EVAL");
        match job {
            Job::Read(key) => {
                eval.arg(stored::READ).arg(1).arg(name(&key)).arg(stored::LONGEST);
                under_way.spawn_local(async move {
                    let answer = in_time(eval.query_async(&mut commands)).await;
                    Done::Read(key, answer)
                });
            }
            Job::Write(key) => {
                let now = Instant::now();
                let event = self.node.cache.get(&key.0, &key.1, now);
                let left = event.as_ref().map(|event| event.expires.duration_since(now));
                let left = left.map(|left| left.as_millis() as u64).filter(|left| *left > 0);
                let value = event.as_deref().and_then(stored::encode);
                let (Some(event), Some(left), Some(value)) = (event, left, value) else {
                    // It had to make room in memory, or is too long to be shared.
                    shared.has_written();
                    return self.drop_write(shared, &key, "it is gone from memory, or too long");
                };
                eval.arg(stored::WRITE).arg(1).arg(name(&key)).arg(value);
                eval.arg(event.stamp.millis).arg(stored::node(event.stamp)).arg(left);
                eval.arg(stored::latest(since_1970()));
                under_way.spawn_local(async move {
                    let answer = in_time(eval.query_async::<u64>(&mut commands)).await;
                    Done::Written(key, answer.map(|answer| answer.map(drop)))
                });
            }
        }
    }

    /// False if the connection is of no use any longer.
    fn take(&self, shared: &Shared, done: Done) -> bool {
        let counters = &shared.counters;
        match done {
            Done::Tried(went_well) => went_well,
            Done::Read(key, Some(answer)) => {
                let event = answer.map_err(|error| error.to_string());
                let event = event.and_then(|(value, ttl)| self.event(&key, &value, ttl));
                let counter = match &event {
                    Ok(Some(_)) => &counters.hits,
                    Ok(None) => &counters.misses,
                    Err(_) => &counters.invalid,
                };
                Counters::count(counter);
                if let Err(reason) = &event
                    && INVALID.may_log()
                {
                    let (app, channel) = (&*key.0, &*key.1);
                    tracing::error!(app, channel, reason, "what Redis has is no last event");
                }
                self.node.settle_last(&key, event.ok().flatten(), true);
                true
            }
            // It is settled with all others.
            Done::Read(_, None) => false,
            Done::Written(key, answer) => {
                shared.has_written();
                match answer {
                    Some(Ok(())) => drop(counters.writes.fetch_add(1, Relaxed)),
                    Some(Err(error)) => self.refuse(shared, &key, &error),
                    None => {
                        shared.put(key);
                        return false;
                    }
                }
                true
            }
        }
    }

    /// The event that was read, unless there is none.
    fn event(&self, key: &Key, value: &[u8], ttl: i64) -> Result<Option<CachedEvent>, String> {
        let longest = self.node.cache.ttl();
        let ttl = match u64::try_from(ttl) {
            Ok(0) => return Ok(None),
            Ok(millis) => longest.min(Duration::from_millis(millis)),
            // Nobody said when it ends: not ours, or made to last.
            Err(_) if ttl == -1 => longest,
            Err(_) => return Ok(None),
        };
        let event = stored::decode(value, &key.1, ttl, since_1970());
        event.map(Some).map_err(|error| error.to_string())
    }

    fn refuse(&self, shared: &Shared, key: &Key, error: &RedisError) {
        Counters::count(&shared.counters.dropped);
        if REFUSED.may_log() {
            let (app, channel) = (&*key.0, &*key.1);
            tracing::error!(app, channel, %error, "Redis refuses to keep a last event");
        }
    }

    fn drop_write(&self, shared: &Shared, (app, channel): &Key, reason: &str) {
        Counters::count(&shared.counters.dropped);
        if DROPPED.may_log() {
            tracing::warn!(
                app = &**app,
                channel = &**channel,
                reason,
                "a last event is not kept in Redis"
            );
        }
    }
}

/// An answer; none if Redis cannot do anything now. Then the connection is opened again, since the
/// master may be another server by now.
async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> Option<RedisResult<T>> {
    let answer = timeout(SLOWEST, answer).await.ok()?;
    (!answer.as_ref().err().is_some_and(is_away)).then_some(answer)
}

/// The time in ms since 1970.
fn since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
