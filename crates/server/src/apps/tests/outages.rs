//! A store that is away or hangs: what is known goes on, others hear of it in time, and it is used
//! again as soon as it is back.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Bench, Mood, config_of, pass};
use crate::apps::Unavailable;

#[tokio::test(start_paused = true)]
async fn what_is_cached_goes_on_while_the_store_is_away() {
    let bench = Bench::cached(10, vec![config_of("1", "k1"), config_of("2", "k2")]).await;
    let _seat = bench.connect("k1").await;
    assert_eq!(bench.apps.unreached_store(), None);
    bench.set_mood(Mood::Fails);
    pass(&bench, 1000).await;
    let began = Instant::now();
    assert_eq!(&*bench.by_key("k1").await.unwrap().unwrap().id, "1");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(bench.by_key("k2").await.unwrap_err(), Unavailable);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let numbers = bench.apps.numbers().unwrap();
    assert!(!numbers.up && numbers.failures >= 100, "{numbers:?}");
    assert_eq!(*bench.gone.lock(), []);

    bench.set_mood(Mood::Answers);
    bench.change(|apps| apps[0].enabled = false);
    sleep(Duration::from_secs(1)).await;
    assert!(bench.by_key("k2").await.unwrap().is_some());
    assert!(bench.apps.numbers().unwrap().up);
    assert_eq!(*bench.gone.lock(), [("1".to_owned(), 4003)], "what has happened meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_not_hammered() {
    let bench = Bench::uncached(vec![]).await;
    bench.set_mood(Mood::Fails);
    for number in 0..1000 {
        drop(bench.apps.ask(crate::apps::By::Key(&number.to_string())));
        sleep(Duration::from_millis(10)).await;
    }
    let questions = bench.take_questions().len();
    assert!((15..=21).contains(&questions), "{questions} in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn without_the_cache_apps_that_have_connections_go_on() {
    let bench = Bench::uncached(vec![config_of("1", "k1"), config_of("2", "k2")]).await;
    let seat = bench.connect("k1").await;
    assert!(bench.by_key("k2").await.unwrap().is_some());
    bench.set_mood(Mood::Fails);
    assert!(bench.by_key("k1").await.unwrap().is_some(), "asked for just when it went away");
    assert!(bench.by_id("1").await.unwrap().is_some());
    assert_eq!(bench.by_key("k2").await.unwrap_err(), Unavailable);
    drop(seat);
    assert_eq!(bench.by_id("1").await.unwrap_err(), Unavailable);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_long_for_a_store_that_hangs() {
    let bench = Bench::cached(10, vec![config_of("1", "k1"), config_of("2", "k2")]).await;
    let _seat = bench.connect("k1").await;
    bench.set_mood(Mood::Hangs);
    let began = Instant::now();
    assert_eq!(bench.by_key("k2").await.unwrap_err(), Unavailable);
    let waited = began.elapsed();
    assert!((4900..=5100).contains(&waited.as_millis()), "{waited:?}");
    for _ in 0..60 {
        let began = Instant::now();
        assert!(bench.by_key("k1").await.unwrap().is_some());
        assert!(began.elapsed() < Duration::from_millis(5100), "{:?}", began.elapsed());
        sleep(Duration::from_secs(1)).await;
    }
    bench.set_mood(Mood::Answers);
    sleep(Duration::from_secs(6)).await;
    assert!(bench.by_key("k2").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_never_reached_is_named() {
    let options = || {
        let sources =
            config::Sources { config_file: None, env: vec![], dotenv_dir: "/nonexistent".into() };
        config::load(&sources).unwrap().config.app_manager
    };
    let apps = crate::apps::Apps::in_store("fake", &options());
    assert_eq!(apps.unreached_store(), Some("fake"));
    assert_eq!(apps.source(), "fake, asked each time");
    let bench = Bench::uncached(vec![]).await;
    assert_eq!(bench.apps.unreached_store(), None);
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_a_driver_is_an_outage_and_no_more() {
    let bench = Bench::uncached(vec![config_of("1", "k1")]).await;
    bench.set_mood(Mood::Panics);
    assert_eq!(bench.by_key("k1").await.unwrap_err(), Unavailable);
    bench.set_mood(Mood::Answers);
    assert!(bench.by_key("k1").await.unwrap().is_some());
}
