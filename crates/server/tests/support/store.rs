//! A database of apps that does as the test says: it answers, fails, or keeps everybody waiting.

use std::sync::Mutex;

use app_stores::{AppStore, Found, Lookup, StoreError, Wanted};
use config::{AppConfig, Sources};
use tokio::sync::watch;

/// How the store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Answers,
    Fails,
    /// Questions wait until the mood is another one.
    Hangs,
}

/// Shared by the test and the server.
pub struct Store {
    apps: Mutex<Vec<AppConfig>>,
    questions: Mutex<Vec<Wanted>>,
    mood: watch::Sender<Mood>,
}

/// An app with these names, and the secret `app-secret`.
pub fn app(id: &str, key: &str) -> AppConfig {
    let env = [("DEFAULT_APP_ID", id), ("DEFAULT_APP_KEY", key)];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let sources = Sources { config_file: None, env, dotenv_dir: "/nonexistent".into() };
    config::load(&sources).unwrap().config.apps.remove(0)
}

impl Store {
    pub fn with(apps: Vec<AppConfig>) -> Self {
        let (apps, mood) = (Mutex::new(apps), watch::Sender::new(Mood::Answers));
        Store { apps, questions: Mutex::default(), mood }
    }

    pub fn set_mood(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Changes what it holds.
    pub fn change(&self, change: impl FnOnce(&mut Vec<AppConfig>)) {
        change(&mut self.apps.lock().unwrap());
    }

    /// How many questions were asked.
    pub fn questions(&self) -> usize {
        self.questions.lock().unwrap().len()
    }

    /// How many questions were about a key.
    pub fn questions_about(&self, key: &str) -> usize {
        let is_about = |wanted: &&Wanted| wanted.keys.iter().any(|wanted| wanted == key);
        self.questions.lock().unwrap().iter().filter(is_about).count()
    }
}

impl AppStore for Store {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> Lookup<'a> {
        Box::pin(async move {
            self.questions.lock().unwrap().push(wanted.clone());
            let mut mood = self.mood.subscribe();
            let mood = *mood.wait_for(|mood| *mood != Mood::Hangs).await.unwrap();
            if mood == Mood::Fails {
                let error = "it is off".to_owned();
                return Err(StoreError::Unreachable { store: "fake", error });
            }
            let is_wanted =
                |app: &&AppConfig| wanted.ids.contains(&app.id) || wanted.keys.contains(&app.key);
            let apps = self.apps.lock().unwrap().iter().filter(is_wanted).cloned().collect();
            Ok(Found { apps, broken: Vec::new() })
        })
    }

    fn name(&self) -> &'static str {
        "fake"
    }

    fn batch(&self) -> usize {
        200
    }
}
