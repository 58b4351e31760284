//! How long to wait before trying again.

use std::time::Duration;

use failures::jittered;

use crate::Settings;

/// The longest pause that a target may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// The pause after this many failures: each is twice the one before, half of it random, so that
/// what failed together does not come back together. A target may ask for a longer one.
pub(super) fn pause(
    settings: &Settings,
    failures: u32,
    random: u32,
    asked: Option<Duration>,
) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let full = settings.first_pause.saturating_mul(1 << doublings).min(settings.longest_pause);
    jittered(full, random).max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let settings = Settings::default();
        let seconds = |failures, random| pause(&settings, failures, random, None).as_secs_f64();
        assert_eq!([1, 2, 3, 4, 5].map(|n| seconds(n, u32::MAX)), [1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!((seconds(6, u32::MAX), seconds(u32::MAX, u32::MAX)), (30.0, 30.0));
        assert_eq!((seconds(1, 0), seconds(9, 0)), (0.5, 15.0));
    }

    #[test]
    fn a_target_may_ask_for_a_longer_pause_but_not_for_any() {
        let asked = |s| pause(&Settings::default(), 1, u32::MAX, Some(Duration::from_secs(s)));
        assert_eq!(asked(0), Duration::from_secs(1));
        assert_eq!(asked(20), Duration::from_secs(20));
        assert_eq!(asked(86_400), LONGEST_ASKED);
    }
}
