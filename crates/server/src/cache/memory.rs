//! What this node has: the last event of each cache channel, bounded. It must not know where else
//! events are kept.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use channels::replication::Stamp;
use parking_lot::Mutex;

/// An event as it was published to a cache channel.
#[derive(Debug)]
pub(crate) struct CachedEvent {
    /// The frame that its subscribers got.
    pub(crate) frame: Bytes,
    /// Its data, as a JSON string literal.
    pub(crate) data: Box<str>,
    /// Which of two events is the later one, whichever nodes they were published at.
    pub(crate) stamp: Stamp,
    /// When it stops being the last event.
    pub(crate) expires: Instant,
}

/// App and channel.
pub(crate) type Key = (Arc<str>, Arc<str>);

#[derive(Default)]
struct Kept {
    events: HashMap<Key, Arc<CachedEvent>>,
    /// In the order of publishing, which is the order of expiry since all live equally long. A
    /// channel's older turns stay until they expire.
    order: VecDeque<(Instant, Key)>,
    bytes: usize,
}

/// Events by (app, channel), bounded in bytes: beyond the limit the oldest go, and their channels'
/// next subscribers see a cache miss. Its lock is taken under a stripe's lock, never around one.
pub(crate) struct Cache {
    kept: Mutex<Kept>,
    ttl: Duration,
    limit: usize,
}

/// What an entry weighs besides its frame and data.
const OVERHEAD: usize = 256;

impl CachedEvent {
    fn weight(&self) -> usize {
        self.frame.len() + self.data.len() + OVERHEAD
    }
}

impl Cache {
    /// `ttl` none = for ever.
    pub(crate) fn new(ttl: Option<Duration>, limit: usize) -> Self {
        let for_ever = Duration::from_secs(100 * 365 * 24 * 3600);
        Cache { kept: Mutex::default(), ttl: ttl.unwrap_or(for_ever), limit }
    }

    /// How long an event is kept.
    pub(super) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Keeps an event that was published here, by the node with this incarnation, as its channel's
    /// last one; none if it is larger than everything that may be kept.
    pub(crate) fn put(
        &self,
        app: &Arc<str>,
        channel: &str,
        frame: Bytes,
        data: &str,
        (node, now): (u64, Instant),
    ) -> Option<Arc<CachedEvent>> {
        let key: Key = (app.clone(), channel.into());
        let mut kept = self.kept.lock();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let after = kept.events.get(&key).map_or(0, |event| event.stamp.millis.saturating_add(1));
        let stamp = Stamp { millis: (since_1970.as_millis() as u64).max(after), node };
        let event = CachedEvent { frame, data: data.into(), stamp, expires: now + self.ttl };
        kept.insert(key, event, self.limit, now)
    }

    /// Keeps an event that was published at another node, unless a later one is known.
    pub(crate) fn learn(&self, app: &Arc<str>, channel: &str, event: CachedEvent, now: Instant) {
        let key: Key = (app.clone(), channel.into());
        let mut kept = self.kept.lock();
        if kept.events.get(&key).is_none_or(|known| known.stamp < event.stamp) {
            kept.insert(key, event, self.limit, now);
        }
    }

    /// Every event, in no particular order.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<CachedEvent>)> {
        let kept = self.kept.lock();
        kept.events.iter().map(|(key, event)| (key.clone(), event.clone())).collect()
    }

    /// The last event of a channel.
    pub(crate) fn get(
        &self,
        app: &Arc<str>,
        channel: &str,
        now: Instant,
    ) -> Option<Arc<CachedEvent>> {
        let key: Key = (app.clone(), channel.into());
        let kept = self.kept.lock();
        kept.events.get(&key).filter(|event| event.expires > now).cloned()
    }

    /// Lets go of what has expired.
    pub(crate) fn sweep(&self, now: Instant) {
        self.kept.lock().sweep(now, self.limit);
    }

    /// Events kept, and the bytes that they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let kept = self.kept.lock();
        (kept.events.len(), kept.bytes)
    }
}

impl Kept {
    fn insert(
        &mut self,
        key: Key,
        event: CachedEvent,
        limit: usize,
        now: Instant,
    ) -> Option<Arc<CachedEvent>> {
        let weight = event.weight();
        if weight > limit {
            return None;
        }
        let event = Arc::new(event);
        self.bytes += weight;
        self.order.push_back((event.expires, key.clone()));
        if let Some(old) = self.events.insert(key, event.clone()) {
            self.bytes -= old.weight();
        }
        self.sweep(now, limit);
        Some(event)
    }

    fn sweep(&mut self, now: Instant, limit: usize) {
        // A busy channel's stale turns must not make the list longer than the table by much.
        let crowded = self.order.len() > 2 * self.events.len() + 1024;
        if crowded {
            let Kept { events, order, .. } = self;
            order.retain(|(at, key)| events.get(key).is_some_and(|event| event.expires == *at));
        }
        while let Some((expires, key)) = self.order.front() {
            let current = self.events.get(key).is_some_and(|event| event.expires == *expires);
            if current && *expires > now && self.bytes <= limit {
                break;
            }
            if current && let Some(event) = self.events.remove(key) {
                self.bytes -= event.weight();
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(limit: usize) -> (Cache, Arc<str>, Instant) {
        (Cache::new(Some(Duration::from_secs(60)), limit), "a".into(), Instant::now())
    }

    #[test]
    fn the_last_event_is_kept_until_it_expires() {
        let (cache, app, now) = cache(1 << 20);
        cache.put(&app, "cache-a", Bytes::from_static(b"1"), "one", (1, now));
        cache.put(
            &app,
            "cache-a",
            Bytes::from_static(b"2"),
            "two",
            (1, now + Duration::from_secs(30)),
        );
        let at = |seconds| cache.get(&app, "cache-a", now + Duration::from_secs(seconds));
        assert_eq!(&*at(61).expect("kept").data, "two");
        assert!(at(91).is_none());
        cache.sweep(now + Duration::from_secs(91));
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn beyond_its_limit_the_oldest_go_and_the_books_balance() {
        let (cache, app, now) = cache(10 * (OVERHEAD + 3));
        for n in 0..1000 {
            let at = now + Duration::from_millis(n);
            cache.put(&app, &format!("cache-{}", n % 50), Bytes::from_static(b"x"), "yz", (1, at));
            assert!(cache.size().1 <= 10 * (OVERHEAD + 3));
        }
        assert_eq!(cache.size().0, 10);
        assert!(cache.get(&app, "cache-49", now).is_some());
        assert!(cache.get(&app, "cache-0", now).is_none());
    }

    #[test]
    fn a_busy_channel_keeps_one_event_and_no_trail() {
        let (cache, app, now) = cache(1 << 20);
        for n in 0..100_000 {
            cache.put(&app, "cache-a", Bytes::new(), "", (1, now + Duration::from_nanos(n)));
        }
        assert_eq!(cache.size().0, 1);
        assert!(cache.kept.lock().order.len() < 3000);
    }
}
