//! What the Redis that keeps last events is told and asked, on the background runtime. It must not
//! know who waits for an answer.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ::redis::RedisError;
use channels::{CachedEvent, ChannelKey, Runtime};
use failures::LogThrottle;
use redis_client::{CallError, Client, ConnectionChange, RedisOptions};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::stored;
use super::waiting::{end_questions, settle};
use crate::outside::NodeChannels;
use crate::shared_cache::{CacheCounters, CacheJob, SharedCache};

/// Commands that are under way at a time.
const UNDER_WAY: usize = 32;
/// How long a command may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a connection that nobody needs is tried.
const IDLE: Duration = Duration::from_secs(5);
/// How long a node that ends goes on writing.
const FAREWELL: Duration = Duration::from_secs(1);

static REFUSED: LogThrottle = LogThrottle::new();
static INVALID: LogThrottle = LogThrottle::new();
static DROPPED: LogThrottle = LogThrottle::new();

/// Runs for as long as the node does.
pub(crate) async fn serve(channels: Arc<NodeChannels>, options: RedisOptions) {
    let Some(shared) = &channels.runtime().shared_cache else { return };
    tokio::task::spawn_local(end_questions(channels.clone()));
    let (watcher, prefix) = (channels.clone(), options.key_prefix.clone());
    let client = Client::new(options, CALL_TIMEOUT).on_change(move |change| {
        if let Some(shared) = &watcher.runtime().shared_cache {
            follow(change, &watcher, shared);
        }
    });
    let link = Rc::new(CacheLink { channels: channels.clone(), client, prefix });
    tokio::join!(link.client.keep_connected(), link.clone().work(shared));
}

/// The connection has come or gone.
fn follow(change: ConnectionChange<'_>, channels: &NodeChannels, shared: &SharedCache) {
    match change {
        ConnectionChange::Up => {
            tracing::info!("the last events of cache channels are kept in Redis");
            shared.set_reachable(true);
            shared.work.notify_one();
        }
        ConnectionChange::Down(reason) => {
            tracing::warn!(
                reason,
                "Redis is away: the last events of cache channels are kept in memory"
            );
            // Nobody is kept waiting.
            for key in shared.set_reachable(false) {
                CacheCounters::count(&shared.counters.failed);
                settle(channels, shared, &key, None, false);
            }
        }
    }
}

/// Waits until Redis has been told everything, but not for long.
pub(crate) async fn finish(channels: &NodeChannels) {
    let Some(shared) = &channels.runtime().shared_cache else { return };
    let until = Instant::now() + FAREWELL;
    while !shared.is_idle() && Instant::now() < until {
        sleep(Duration::from_millis(5)).await;
    }
}

struct CacheLink {
    channels: Arc<NodeChannels>,
    client: Client,
    prefix: String,
}

impl CacheLink {
    /// Does what there is to do while there is a connection, for ever.
    async fn work(self: Rc<Self>, shared: &SharedCache) {
        let mut under_way = JoinSet::new();
        loop {
            while self.client.is_up()
                && under_way.len() < UNDER_WAY
                && let Some(job) = shared.next_job()
            {
                let link = self.clone();
                under_way.spawn_local(async move { link.begin(job).await });
            }
            tokio::select! {
                // A panic there has been counted and logged.
                Some(_) = under_way.join_next() => {}
                () = shared.work.notified(), if under_way.len() < UNDER_WAY => {}
                () = sleep(IDLE), if under_way.is_empty() => {
                    let link = self.clone();
                    under_way.spawn_local(async move {
                        // What comes of it, the client knows.
                        let _ = link.client.query::<String>(&::redis::cmd("PING")).await;
                    });
                }
            }
        }
    }

    async fn begin(&self, job: CacheJob) {
        let Some(shared) = &self.channels.runtime().shared_cache else { return };
        match job {
            CacheJob::Read(key) => self.read(shared, key).await,
            CacheJob::Write(key) => {
                let is_away = self.write(shared, &key).await;
                shared.has_written();
                if is_away {
                    shared.put(key);
                }
            }
        }
    }

    async fn read(&self, shared: &SharedCache, key: ChannelKey) {
        let mut eval = ::redis::cmd("EVAL");
        eval.arg(stored::READ).arg(1).arg(self.name(&key)).arg(stored::MAX_VALUE_BYTES);
        let event = match self.client.query::<(Vec<u8>, i64)>(&eval).await {
            Ok((value, ttl)) => self.event(&key, &value, ttl),
            Err(CallError::Refused(error)) => Err(error.to_string()),
            // It is settled with all others.
            Err(CallError::Away(_)) => return,
        };
        let counters = &shared.counters;
        CacheCounters::count(match &event {
            Ok(Some(_)) => &counters.hits,
            Ok(None) => &counters.misses,
            Err(_) => &counters.invalid,
        });
        if let Err(reason) = &event
            && INVALID.may_log()
        {
            let (app, channel) = (&*key.0, &*key.1);
            tracing::error!(app, channel, reason, "what Redis has is no last event");
        }
        settle(&self.channels, shared, &key, event.ok().flatten(), true);
    }

    /// True if Redis is away, so that it has to be tried again.
    async fn write(&self, shared: &SharedCache, key: &ChannelKey) -> bool {
        let now = self.channels.runtime().now();
        let event = self.channels.last_events().get(&key.0, &key.1, now);
        let left = event.as_ref().map(|event| event.expires.saturating_sub(now));
        let left = left.map(|left| left.as_millis() as u64).filter(|left| *left > 0);
        let value = event.as_deref().and_then(stored::encode);
        let (Some(event), Some(left), Some(value)) = (event, left, value) else {
            // It had to make room in memory, or is too long to be shared.
            self.drop_write(shared, key, "it is gone from memory, or too long");
            return false;
        };
        let mut eval = ::redis::cmd("EVAL");
        eval.arg(stored::WRITE).arg(1).arg(self.name(key)).arg(value);
        eval.arg(event.stamp.millis).arg(stored::node(event.stamp)).arg(left);
        eval.arg(stored::latest(since_1970()));
        match self.client.query::<u64>(&eval).await {
            Ok(_) => CacheCounters::count(&shared.counters.writes),
            Err(CallError::Refused(error)) => self.refuse(shared, key, &error),
            Err(CallError::Away(_)) => return true,
        }
        false
    }

    /// What a channel's last event is called in Redis.
    fn name(&self, (app, channel): &ChannelKey) -> String {
        format!("{}dunlin:cache:{app}:{channel}", self.prefix)
    }

    /// The event that was read, unless there is none.
    fn event(
        &self,
        key: &ChannelKey,
        value: &[u8],
        ttl: i64,
    ) -> Result<Option<CachedEvent>, String> {
        let longest = self.channels.last_events().ttl();
        let ttl = match u64::try_from(ttl) {
            Ok(0) => return Ok(None),
            Ok(millis) => longest.min(Duration::from_millis(millis)),
            // Nobody said when it ends: not ours, or made to last.
            Err(_) if ttl == -1 => longest,
            Err(_) => return Ok(None),
        };
        let expires = self.channels.runtime().now().saturating_add(ttl);
        let event = stored::decode(value, &key.1, expires, since_1970());
        event.map(Some).map_err(|error| error.to_string())
    }

    fn refuse(&self, shared: &SharedCache, key: &ChannelKey, error: &RedisError) {
        CacheCounters::count(&shared.counters.dropped);
        if REFUSED.may_log() {
            let (app, channel) = (&*key.0, &*key.1);
            tracing::error!(app, channel, %error, "Redis refuses to keep a last event");
        }
    }

    fn drop_write(&self, shared: &SharedCache, (app, channel): &ChannelKey, reason: &str) {
        CacheCounters::count(&shared.counters.dropped);
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

/// The time in ms since 1970.
fn since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
