//! Taking over a configuration that has changed, without dropping a connection that may stay.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use config::{ConfigErrors, Reloaded};
use tokio::time::{Interval, MissedTickBehavior};

use crate::node::Node;

/// How the configuration is read again: on SIGHUP, and when one of its files has changed.
pub struct Reload {
    /// Reads it.
    pub read: Box<dyn Fn() -> Result<Reloaded, ConfigErrors> + Send>,
    /// The files to watch.
    pub watched: Vec<PathBuf>,
}

/// Reads the configuration again and takes its apps over; on errors everything stays as it is. Apps
/// in a store are looked up anew.
pub(crate) fn reload(node: &Node, reload: &Reload) {
    let reloaded = match (reload.read)() {
        Ok(reloaded) => reloaded,
        Err(errors) => {
            return tracing::error!("the configuration is kept as it was:\n{errors}");
        }
    };
    for warning in &reloaded.warnings {
        tracing::warn!("{warning}");
    }
    if !reloaded.needs_restart.is_empty() {
        let keys = reloaded.needs_restart.join(", ");
        tracing::warn!("changed, but only taken over by a restart: {keys}");
    }
    if node.apps.are_in_store() {
        tracing::info!("the apps in use are looked up again");
        return node.apps.look_up_anew();
    }
    tracing::info!(apps = reloaded.apps.len(), "the apps are read again");
    node.apps.replace(reloaded.apps).into_iter().for_each(|gone| node.outside().close(gone));
    node.channels.send_withdrawn();
}

/// Watches files. It looks at what they hold once a second: that also sees what renames, symbolic
/// links and network file systems do, which notifications of the kernel miss.
pub(crate) struct Changes {
    files: Vec<PathBuf>,
    seen: Vec<Option<u64>>,
    seconds: Interval,
}

impl Changes {
    /// Of these files, from now on.
    pub(crate) fn of(files: &[PathBuf]) -> Self {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let files = files.to_vec();
        Changes { seen: files.iter().map(fingerprint).collect(), files, seconds }
    }

    /// Resolves when one of them holds something else than before. A file that is away is waited
    /// for: it may be on its way.
    pub(crate) async fn next(&mut self) {
        loop {
            self.seconds.tick().await;
            let mut changed = false;
            for (file, seen) in self.files.iter().zip(&mut self.seen) {
                let now = fingerprint(file);
                if now.is_some() && now != *seen {
                    *seen = now;
                    changed = true;
                }
            }
            if changed {
                return;
            }
        }
    }
}

fn fingerprint(file: &PathBuf) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    std::fs::read(file).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}
