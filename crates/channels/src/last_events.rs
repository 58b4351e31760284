//! The last event of each cache channel, as this node has it, bounded (W43). It must not know where
//! else events are kept.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::Now;
use parking_lot::Mutex;

use crate::replication::{EventFrame, LastEventInfo, Stamp};

/// An event as it was published to a cache channel.
#[derive(Debug)]
pub struct CachedEvent {
    /// The frame that its subscribers got.
    pub frame: Bytes,
    /// Its data, as a JSON string literal.
    pub data: Box<str>,
    /// Which of two events is the later one, whichever nodes they were published at.
    pub stamp: Stamp,
    /// When it stops being the last event.
    pub expires: Now,
    /// Another node told of it than its publisher, which was not there: newcomers may have it before
    /// those who were here.
    pub is_hearsay: bool,
}

/// App and channel.
pub type ChannelKey = (Arc<str>, Arc<str>);

#[derive(Default)]
struct EventTable {
    events: HashMap<ChannelKey, Arc<CachedEvent>>,
    /// In the order of publishing, which is the order of expiry since all live equally long. A
    /// channel's older turns stay until they expire.
    order: VecDeque<(Now, ChannelKey)>,
    bytes: usize,
}

/// Events by (app, channel), bounded in bytes: beyond the limit the oldest go, and their channels'
/// next subscribers see a cache miss. Its lock is taken under a stripe's lock, never around one.
pub struct LastEvents {
    kept: Mutex<EventTable>,
    ttl: Duration,
    limit: usize,
}

/// When and where an event is published.
#[derive(Clone, Copy, Debug)]
pub struct PublishedAt {
    /// The run of the node.
    pub node: u64,
    /// By the node's clock.
    pub now: Now,
    /// The same, since 1970.
    pub unix_time: Duration,
}

/// What an entry weighs besides its frame and data.
const OVERHEAD: usize = 256;

impl CachedEvent {
    /// As another node told of it.
    pub(crate) fn received(event: &EventFrame, kept: &LastEventInfo<'_>, now: Now) -> Self {
        CachedEvent {
            // A copy, for the frame is a piece of a whole packet.
            frame: Bytes::copy_from_slice(&event.frame),
            data: kept.data.into(),
            stamp: kept.stamp,
            expires: now.saturating_add(Duration::from_millis(kept.ttl)),
            is_hearsay: false,
        }
    }

    /// Whether newcomers had this event before an event of the same publisher came, which that may
    /// tell only now.
    pub(crate) fn supersedes(&self, told: &LastEventInfo<'_>) -> bool {
        self.is_hearsay && self.stamp.node == told.stamp.node && self.stamp >= told.stamp
    }

    /// As peers are told of it; `fresh` if it was just published.
    pub(crate) fn told(&self, now: Now, fresh: bool) -> LastEventInfo<'_> {
        let ttl = self.expires.saturating_sub(now);
        LastEventInfo { data: &self.data, stamp: self.stamp, ttl: ttl.as_millis() as u64, fresh }
    }

    fn weight(&self) -> usize {
        self.frame.len() + self.data.len() + OVERHEAD
    }
}

impl LastEvents {
    /// `ttl` none = for ever.
    pub fn new(ttl: Option<Duration>, limit: usize) -> Self {
        let for_ever = Duration::from_secs(100 * 365 * 24 * 3600);
        LastEvents { kept: Mutex::default(), ttl: ttl.unwrap_or(for_ever), limit }
    }

    /// How long an event is kept.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Keeps an event that was published here as its channel's last one; none if it is larger than
    /// everything that may be kept.
    pub fn put(
        &self,
        app: &Arc<str>,
        channel: &str,
        frame: Bytes,
        data: &str,
        at: PublishedAt,
    ) -> Option<Arc<CachedEvent>> {
        let PublishedAt { node, now, unix_time } = at;
        let key: ChannelKey = (app.clone(), channel.into());
        let mut kept = self.kept.lock();
        let after = kept.events.get(&key).map_or(0, |event| event.stamp.millis.saturating_add(1));
        let stamp = Stamp { millis: (unix_time.as_millis() as u64).max(after), node };
        let event = CachedEvent {
            frame,
            data: data.into(),
            stamp,
            expires: now + self.ttl,
            is_hearsay: false,
        };
        kept.insert(key, Arc::new(event), self.limit, now)
    }

    /// Keeps an event that was published at another node, unless a later one is known.
    pub(crate) fn learn(&self, app: &Arc<str>, channel: &str, event: Arc<CachedEvent>, now: Now) {
        let key: ChannelKey = (app.clone(), channel.into());
        let mut kept = self.kept.lock();
        if kept.events.get(&key).is_none_or(|known| known.stamp < event.stamp) {
            kept.insert(key, event, self.limit, now);
        }
    }

    /// Lets go of a channel's event unless it is later than that.
    pub(crate) fn forget(&self, app: &Arc<str>, channel: &str, stamp: Stamp) {
        let key: ChannelKey = (app.clone(), channel.into());
        let mut kept = self.kept.lock();
        if kept.events.get(&key).is_some_and(|event| event.stamp <= stamp) {
            kept.remove(&key);
        }
    }

    /// Takes out what a node has published.
    pub(crate) fn take_of(&self, node: u64) -> Vec<(ChannelKey, Arc<CachedEvent>)> {
        let mut kept = self.kept.lock();
        let of_it = |(_, event): &(&ChannelKey, &Arc<CachedEvent>)| event.stamp.node == node;
        let keys: Vec<ChannelKey> =
            kept.events.iter().filter(of_it).map(|(key, _)| key.clone()).collect();
        let take = |key: ChannelKey| kept.remove(&key).map(|event| (key, event));
        keys.into_iter().filter_map(take).collect()
    }

    /// Every event, in no particular order.
    pub fn all(&self) -> Vec<(ChannelKey, Arc<CachedEvent>)> {
        let kept = self.kept.lock();
        kept.events.iter().map(|(key, event)| (key.clone(), event.clone())).collect()
    }

    /// The last event of a channel.
    pub fn get(&self, app: &Arc<str>, channel: &str, now: Now) -> Option<Arc<CachedEvent>> {
        let key: ChannelKey = (app.clone(), channel.into());
        let kept = self.kept.lock();
        kept.events.get(&key).filter(|event| event.expires > now).cloned()
    }

    /// Lets go of what has expired.
    pub fn sweep(&self, now: Now) {
        self.kept.lock().sweep(now, self.limit);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.lock().events.is_empty()
    }

    /// Events kept, and the bytes that they take.
    pub fn size(&self) -> (usize, usize) {
        let kept = self.kept.lock();
        (kept.events.len(), kept.bytes)
    }
}

impl EventTable {
    fn insert(
        &mut self,
        key: ChannelKey,
        event: Arc<CachedEvent>,
        limit: usize,
        now: Now,
    ) -> Option<Arc<CachedEvent>> {
        let weight = event.weight();
        if weight > limit {
            return None;
        }
        self.bytes += weight;
        self.order.push_back((event.expires, key.clone()));
        if let Some(old) = self.events.insert(key, event.clone()) {
            self.bytes -= old.weight();
        }
        self.sweep(now, limit);
        Some(event)
    }

    fn remove(&mut self, key: &ChannelKey) -> Option<Arc<CachedEvent>> {
        let event = self.events.remove(key)?;
        self.bytes -= event.weight();
        Some(event)
    }

    fn sweep(&mut self, now: Now, limit: usize) {
        // A busy channel's stale turns must not make the list longer than the table by much.
        let crowded = self.order.len() > 2 * self.events.len() + 1024;
        if crowded {
            let EventTable { events, order, .. } = self;
            order.retain(|(at, key)| events.get(key).is_some_and(|event| event.expires == *at));
        }
        while let Some((expires, key)) = self.order.front() {
            let current = self.events.get(key).is_some_and(|event| event.expires == *expires);
            if current && *expires > now && self.bytes <= limit {
                break;
            }
            if current {
                let key = key.clone();
                self.remove(&key);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: Now) -> PublishedAt {
        PublishedAt { node: 1, now, unix_time: now }
    }

    fn cache(limit: usize) -> (LastEvents, Arc<str>, Now) {
        (LastEvents::new(Some(Duration::from_secs(60)), limit), "a".into(), Now::ZERO)
    }

    #[test]
    fn the_last_event_is_kept_until_it_expires() {
        let (cache, app, now) = cache(1 << 20);
        cache.put(&app, "cache-a", Bytes::from_static(b"1"), "one", at(now));
        cache.put(
            &app,
            "cache-a",
            Bytes::from_static(b"2"),
            "two",
            at(now + Duration::from_secs(30)),
        );
        let after = |seconds| cache.get(&app, "cache-a", now + Duration::from_secs(seconds));
        assert_eq!(&*after(61).expect("kept").data, "two");
        assert_eq!(cache.size(), (1, OVERHEAD + 1 + 3));
        assert!(after(91).is_none());
        cache.sweep(now + Duration::from_secs(91));
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn beyond_its_limit_the_oldest_go_and_the_books_balance() {
        let (cache, app, now) = cache(10 * (OVERHEAD + 3));
        for n in 0..1000 {
            let at = at(now + Duration::from_millis(n));
            cache.put(&app, &format!("cache-{}", n % 50), Bytes::from_static(b"x"), "yz", at);
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
            cache.put(&app, "cache-a", Bytes::new(), "", at(now + Duration::from_nanos(n)));
        }
        assert_eq!(cache.size().0, 1);
        assert!(cache.kept.lock().order.len() < 3000);
    }
}
