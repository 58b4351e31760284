//! How long what is known of an app holds. Times are milliseconds since the node started; it must
//! not know how an app is asked for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use config::AppManager;

use super::App;

/// How often apps that are used are looked up where apps are not cached: so soon an app that is
/// disabled loses its connections.
const UNCACHED: Duration = Duration::from_secs(5);
/// For how long an app that nobody uses is still known.
const IDLE: Duration = Duration::from_secs(300);
/// Being asked for is noted this often: every note is seen by all threads.
const NOTED: u64 = 1000;

/// When an app was last seen in its store, and last asked for.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    /// What is known of it is at least as young as this.
    seen: AtomicU64,
    asked: AtomicU64,
}

impl Freshness {
    /// The store had it, at the latest at that time.
    pub(super) fn see(&self, at: u64) {
        self.seen.store(at, Relaxed);
        self.asked.fetch_max(at, Relaxed);
    }

    /// Somebody asks for it.
    pub(super) fn ask(&self, at: u64) {
        let asked = self.asked.load(Relaxed);
        if asked <= self.seen.load(Relaxed) || at >= asked + NOTED {
            self.asked.store(at, Relaxed);
        }
    }

    /// When it was last asked for.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }
}

/// What the options say about caching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// How long an answer serves those who ask later, in milliseconds; `None` = for ever.
    ttl: Option<u64>,
    cached: bool,
}

impl Policy {
    pub(super) fn of(options: &AppManager) -> Self {
        let ttl = options.cache_ttl.map(|ttl| ttl.as_millis() as u64);
        match options.cache && ttl != Some(0) {
            true => Policy { ttl, cached: true },
            false => Policy { ttl: Some(0), cached: false },
        }
    }

    /// Whether what is known of an app may be used without a question.
    pub(super) fn is_fresh(&self, app: &App, now: u64) -> bool {
        self.ttl.is_none_or(|ttl| now < app.freshness.seen.load(Relaxed) + ttl)
    }

    /// Whether what is known of an app may be used while the store cannot be asked: what is
    /// cached, and what connections use.
    pub(super) fn may_be_stale(&self, app: &App) -> bool {
        self.cached || app.connections() > 0
    }

    /// Whether the store has to be asked again although nobody waits for it: soon enough that a
    /// change takes effect within the TTL.
    pub(super) fn is_due(&self, app: &App, now: u64) -> Due {
        let seen = app.freshness.seen.load(Relaxed);
        let after = match (self.cached, self.ttl) {
            (true, None) => return Due::No,
            (true, Some(ttl)) => ttl / 5 * 4,
            (false, _) => UNCACHED.as_millis() as u64,
        };
        let is_used = app.connections() > 0 || app.freshness.asked() > seen;
        match now.saturating_sub(seen) {
            _ if !is_used => Due::No,
            age if age >= after => Due::Now,
            // Those who go along with others share their question from then on.
            age if age >= after / 2 => Due::Along,
            _ => Due::No,
        }
    }

    /// Whether an app may be forgotten.
    pub(super) fn is_idle(&self, app: &App, now: u64) -> bool {
        let since = now.saturating_sub(app.freshness.asked());
        app.connections() == 0 && since >= IDLE.as_millis() as u64 && !self.is_fresh(app, now)
    }

    /// How often due apps have to be looked for.
    pub(super) fn look_every(&self) -> Duration {
        let ttl = self.ttl.filter(|_| self.cached).unwrap_or(u64::MAX);
        Duration::from_millis((ttl / 10).clamp(50, 500))
    }
}

/// Whether an app has to be looked up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    No,
    /// Not yet, but it may go along with others.
    Along,
    Now,
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.ttl {
            _ if !self.cached => f.write_str("asked each time"),
            None => f.write_str("cached for ever"),
            Some(ttl) => write!(f, "cached for {:?}", Duration::from_millis(ttl)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::tests::config_of;

    fn app_seen_at(at: u64) -> App {
        let app = App::new(config_of("1", "k1"));
        app.freshness.see(at);
        app
    }

    const TEN_SECONDS: Policy = Policy { ttl: Some(10_000), cached: true };
    const FOR_EVER: Policy = Policy { ttl: None, cached: true };
    const UNCACHED: Policy = Policy { ttl: Some(0), cached: false };

    #[test]
    fn an_answer_holds_for_the_ttl() {
        let app = app_seen_at(500);
        assert!(TEN_SECONDS.is_fresh(&app, 10_499));
        assert!(!TEN_SECONDS.is_fresh(&app, 10_500));
        assert!(FOR_EVER.is_fresh(&app, u64::MAX));
        assert!(!UNCACHED.is_fresh(&app, 500));
    }

    #[test]
    fn what_is_used_is_due_before_it_expires() {
        let app = app_seen_at(0);
        assert_eq!(TEN_SECONDS.is_due(&app, 9_000), Due::No, "nobody has asked since");
        app.freshness.ask(1);
        assert_eq!(TEN_SECONDS.is_due(&app, 3_999), Due::No);
        assert_eq!(TEN_SECONDS.is_due(&app, 4_000), Due::Along);
        assert_eq!(TEN_SECONDS.is_due(&app, 8_000), Due::Now);
        assert_eq!(FOR_EVER.is_due(&app, u64::MAX), Due::No);
        assert_eq!(UNCACHED.is_due(&app, 4_999), Due::Along);
        assert_eq!(UNCACHED.is_due(&app, 5_000), Due::Now);
    }

    #[test]
    fn what_is_not_used_may_be_forgotten_when_it_has_expired() {
        let app = app_seen_at(0);
        app.freshness.ask(7_000);
        assert!(!TEN_SECONDS.is_idle(&app, 306_999));
        assert!(TEN_SECONDS.is_idle(&app, 307_000));
        assert!(!FOR_EVER.is_idle(&app, 307_000));
    }

    #[test]
    fn asking_is_noted_now_and_then() {
        let freshness = Freshness::default();
        freshness.see(100);
        freshness.ask(200);
        freshness.ask(900);
        assert_eq!(freshness.asked(), 200);
        freshness.ask(1200);
        assert_eq!(freshness.asked(), 1200);
    }
}
