//! Noticing that files have changed. It must not know what is in them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

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
