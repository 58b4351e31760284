//! What happened in apps that this node does not know yet: it waits, in order, until the app has
//! been looked up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::webhooks::Happening;
use failures::LogThrottle;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::apps::{App, Apps, By};

/// The most happenings that wait.
const MAX_WAITING: usize = 100_000;
/// How long to wait before an app is looked up again, if the apps cannot be reached.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

static LOST: LogThrottle = LogThrottle::new();

/// Owned by the delivery.
pub(super) struct Unknown {
    apps: Arc<Apps>,
    waiting: HashMap<Arc<str>, Vec<Happening>>,
    count: usize,
    lookups: JoinSet<(Arc<str>, Option<Arc<App>>)>,
}

impl Unknown {
    pub(super) fn new(apps: Arc<Apps>) -> Self {
        Unknown { apps, waiting: HashMap::new(), count: 0, lookups: JoinSet::new() }
    }

    /// Whether something of this app waits, so that whatever comes after it has to wait too.
    pub(super) fn is_about(&self, app: &str) -> bool {
        self.waiting.contains_key(app)
    }

    /// Whether anything waits.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Something happened in an app that is not known.
    pub(super) fn push(&mut self, happening: Happening) {
        if self.count >= MAX_WAITING {
            if LOST.may_log() {
                tracing::error!(app = %happening.app, "webhook events are lost: their app is not known, and {MAX_WAITING} wait already");
            }
            return;
        }
        self.count += 1;
        let app = happening.app.clone();
        let of_app = self.waiting.entry(app.clone()).or_default();
        of_app.push(happening);
        if of_app.len() == 1 {
            self.lookups.spawn_local(look_up(self.apps.clone(), app));
        }
    }

    /// An app that has been looked up, and what happened in it. Never resolves while nothing waits.
    pub(super) async fn next(&mut self) -> (Arc<App>, Vec<Happening>) {
        loop {
            match self.lookups.join_next().await {
                Some(Ok((id, app))) => {
                    let happenings = self.waiting.remove(&id).unwrap_or_default();
                    self.count -= happenings.len();
                    // What happened in an app that does not exist is nobody's business.
                    if let Some(app) = app {
                        return (app, happenings);
                    }
                }
                // A panic there has been counted and logged.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

/// Looks an app up, however long that takes.
async fn look_up(apps: Arc<Apps>, id: Arc<str>) -> (Arc<str>, Option<Arc<App>>) {
    loop {
        match apps.look_up(By::Id(&id)).await {
            Ok(app) => return (id, app),
            Err(_) => sleep(AGAIN_AFTER).await,
        }
    }
}
