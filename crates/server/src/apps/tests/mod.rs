//! Apps in a store that the tests make up, on a clock that stands still while nobody waits for it.

mod changes;
mod floods;
mod outages;

use std::sync::Arc;
use std::time::Duration;

use app_stores::{AppStore, Broken, Found, Lookup, StoreError, Wanted};
use channels::ChannelSettings;
use config::{AppConfig, AppManager, Sources};
use parking_lot::Mutex;
use tokio::time::sleep;

use super::{App, Apps, By, Unavailable, look_up_in};
use crate::outside::{NodeChannels, NodeRuntime};
use crate::seats::{Seat, SeatRequest, take_seat};
use crate::stats::Stats;

/// An app with these names; its secret is `secret`.
pub(super) fn config_of(id: &str, key: &str) -> AppConfig {
    let env = [("DEFAULT_APP_ID", id), ("DEFAULT_APP_KEY", key), ("DEFAULT_APP_SECRET", "secret")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let sources = Sources { config_file: None, env, dotenv_dir: "/nonexistent".into() };
    config::load(&sources).unwrap().config.apps.remove(0)
}

/// How the store behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Answers,
    Fails,
    Hangs,
    Panics,
}

#[derive(Default)]
struct Contents {
    apps: Vec<AppConfig>,
    broken: Vec<Broken>,
    mood: Mood,
    takes: Duration,
    questions: Vec<Wanted>,
}

/// A database that answers whatever the test says, and notes what it was asked.
#[derive(Default)]
struct Store(Mutex<Contents>);

impl AppStore for Store {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> Lookup<'a> {
        Box::pin(async move {
            let (mood, takes) = {
                let mut contents = self.0.lock();
                contents.questions.push(wanted.clone());
                (contents.mood, contents.takes)
            };
            sleep(takes).await;
            match mood {
                Mood::Answers => {}
                Mood::Fails => {
                    let error = "it is off".to_owned();
                    return Err(StoreError::Unreachable { store: "fake", error });
                }
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("a bug in a driver"),
            }
            let contents = self.0.lock();
            // As some databases do, it makes no difference between `a` and `A`.
            let has = |list: &[String], name: &str| {
                list.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
            };
            let is_wanted = |id: &str, key: &str| has(&wanted.ids, id) || has(&wanted.keys, key);
            let apps = contents.apps.iter().filter(|app| is_wanted(&app.id, &app.key));
            let broken = contents.broken.iter().filter(|app| is_wanted(&app.id, &app.key));
            Ok(Found { apps: apps.cloned().collect(), broken: broken.cloned().collect() })
        })
    }

    fn name(&self) -> &'static str {
        "fake"
    }

    fn batch(&self) -> usize {
        200
    }
}

/// Apps, their store, and whose connections were to be closed with which code.
struct Bench {
    apps: Arc<Apps>,
    store: Arc<Store>,
    gone: Arc<Mutex<Vec<(String, u16)>>>,
    channels: Arc<NodeChannels>,
}

impl Bench {
    /// `cache` is the TTL, where `None` stands for ever; none if apps are not cached. The store
    /// has been asked once, whether it is there.
    async fn with(cache: Option<Option<Duration>>, apps: Vec<AppConfig>) -> Self {
        let sources = Sources { config_file: None, env: vec![], dotenv_dir: "/nonexistent".into() };
        let options = config::load(&sources).unwrap().config.app_manager;
        let options = AppManager { cache: cache.is_some(), cache_ttl: cache.flatten(), ..options };
        let known = Arc::new(Apps::in_store("fake", &options));
        let outside =
            NodeRuntime::new(known.clone(), Box::default(), None, Arc::new(Stats::new(0)));
        let settings = ChannelSettings { me: 1, last_event_ttl: None, last_event_bytes: 0 };
        let bench = Bench {
            apps: known,
            store: Arc::new(Store(Mutex::new(Contents { apps, ..Contents::default() }))),
            gone: Arc::default(),
            channels: Arc::new(NodeChannels::new(settings, outside)),
        };
        let (apps, store, gone) = (bench.apps.clone(), bench.store.clone(), bench.gone.clone());
        tokio::spawn(async move {
            let close =
                |app: super::Gone| gone.lock().push((app.app.id.to_string(), app.close.code));
            look_up_in(&apps, store, close).await;
        });
        sleep(Duration::from_millis(100)).await;
        assert_eq!(bench.take_questions().len(), 1, "the probe");
        bench
    }

    async fn cached(seconds: u64, apps: Vec<AppConfig>) -> Self {
        Self::with(Some(Some(Duration::from_secs(seconds))), apps).await
    }

    async fn uncached(apps: Vec<AppConfig>) -> Self {
        Self::with(None, apps).await
    }

    async fn by_key(&self, key: &str) -> Result<Option<Arc<App>>, Unavailable> {
        self.apps.look_up(By::Key(key)).await
    }

    async fn by_id(&self, id: &str) -> Result<Option<Arc<App>>, Unavailable> {
        self.apps.look_up(By::Id(id)).await
    }

    /// A connection of an app.
    async fn connect(&self, key: &str) -> Seat {
        let app = self.by_key(key).await.unwrap().unwrap();
        match take_seat(&app, &self.channels) {
            SeatRequest::Granted(seat) => seat,
            _ => panic!("there is no quota"),
        }
    }

    /// Changes the store.
    fn change(&self, change: impl FnOnce(&mut Vec<AppConfig>)) {
        change(&mut self.store.0.lock().apps);
    }

    fn set_mood(&self, mood: Mood) {
        self.store.0.lock().mood = mood;
    }

    /// What the store was asked since this was last called.
    fn take_questions(&self) -> Vec<Wanted> {
        std::mem::take(&mut self.store.0.lock().questions)
    }

    fn count(&self, outcome: &str) -> u64 {
        let numbers = self.apps.numbers().unwrap();
        numbers.outcomes.iter().find(|(name, _)| *name == outcome).unwrap().1
    }
}

/// Time passes, and the sweep of every second happens.
async fn pass(bench: &Bench, seconds: u64) {
    for _ in 0..seconds {
        sleep(Duration::from_secs(1)).await;
        bench.apps.sweep();
    }
}
