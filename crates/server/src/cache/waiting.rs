//! What follows when Redis has answered for a cache channel, or does not. What is said of the channel
//! meanwhile is in memory by then, and subscriptions that wait have not begun: nothing is missed, and
//! nothing comes twice (W44).

use std::sync::Arc;
use std::time::Instant;

use channels::{CachedEvent, ChannelKey, Runtime, Topic};

use crate::outside::NodeChannels;
use crate::shared_cache::{CacheCounters, STORE_TIMEOUT, SharedCache};

/// Waits until a cache channel's last event is in memory if there is one, but not for long.
pub(crate) async fn last_is_known(channels: &NodeChannels, app: &Arc<str>, channel: &str) {
    let outside = channels.runtime();
    let Some(shared) = &outside.shared_cache else { return };
    let key: ChannelKey = (app.clone(), channel.into());
    let is_known = channels.last_events().get(app, channel, outside.now()).is_some();
    if let Some(answered) = shared.read(&key, is_known) {
        shared.wake();
        // An error means that there is an answer.
        let _ = tokio::time::timeout(STORE_TIMEOUT, answered).await;
    }
}

/// Nobody waits for a channel's last event any longer: there is an answer, or none will come.
/// If it `is_settled`, Redis is not asked again for a moment.
pub(super) fn settle(
    channels: &NodeChannels,
    shared: &SharedCache,
    key: &ChannelKey,
    event: Option<CachedEvent>,
    is_settled: bool,
) {
    let topic = Topic::subscribers(&key.0, key.1.clone());
    let end = || shared.end(key, is_settled);
    let ended = channels.last_event_fetched(&topic, event, end);
    // Requests go on, without a lock.
    drop(ended);
}

/// Sees to it that nobody waits for too long. Runs for as long as the node does.
pub(super) async fn end_questions(channels: Arc<NodeChannels>) {
    let Some(shared) = &channels.runtime().shared_cache else { return };
    loop {
        let asked = shared.asked.notified();
        match shared.first_ends() {
            Some(until) => {
                tokio::time::sleep_until(until.into()).await;
                for key in shared.overdue(Instant::now()) {
                    CacheCounters::count(&shared.counters.late);
                    // Settled, or whoever comes next would wait as long for nothing.
                    settle(&channels, shared, &key, None, true);
                }
            }
            None => asked.await,
        }
    }
}
