//! How long to wait before trying again.

use std::time::Duration;

use failures::Backoff;

use crate::Settings;

/// The longest pause that a target may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// The pause after this many failures. A target may ask for a longer one.
pub(super) fn pause(
    settings: &Settings,
    failures: u32,
    random: u32,
    asked: Option<Duration>,
) -> Duration {
    let backoff = Backoff::new(settings.first_pause, settings.longest_pause);
    backoff.after(failures, random).max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_ask_for_a_longer_pause_but_not_for_any() {
        let asked = |s| pause(&Settings::default(), 1, u32::MAX, Some(Duration::from_secs(s)));
        assert_eq!(asked(0), Duration::from_secs(1));
        assert_eq!(asked(20), Duration::from_secs(20));
        assert_eq!(asked(86_400), LONGEST_ASKED);
    }
}
