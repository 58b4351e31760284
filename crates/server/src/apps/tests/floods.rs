//! Many who ask at once: they share questions, and those who ask for what is there get through.

use std::collections::HashSet;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Bench, Mood, config_of};
use crate::apps::{Asked, By};

#[tokio::test(start_paused = true)]
async fn the_first_question_goes_out_at_once_and_the_next_ones_together() {
    let bench = Bench::uncached(vec![config_of("1", "k1"), config_of("2", "k2")]).await;
    let began = Instant::now();
    assert_eq!(&*bench.by_key("k1").await.unwrap().unwrap().id, "1");
    assert!(began.elapsed() < Duration::from_millis(5), "{:?}", began.elapsed());
    let (a, b, c) = tokio::join!(bench.by_key("k2"), bench.by_id("1"), bench.by_key("k3"));
    assert_eq!(&*a.unwrap().unwrap().id, "2");
    assert_eq!(&*b.unwrap().unwrap().id, "1");
    assert!(c.unwrap().is_none());
    assert!(began.elapsed() < Duration::from_millis(30), "{:?}", began.elapsed());
    let questions = bench.take_questions();
    assert_eq!(questions.len(), 2);
    assert_eq!((&*questions[1].ids, &*questions[1].keys.concat()), (&["1".to_owned()][..], "k2k3"));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_the_same_app_shares_the_answer() {
    let bench = Bench::uncached(vec![config_of("1", "k1")]).await;
    bench.store.0.lock().takes = Duration::from_millis(300);
    let mut askers = JoinSet::new();
    for _ in 0..100 {
        let apps = bench.apps.clone();
        askers.spawn(async move { apps.look_up(By::Key("k1")).await });
        sleep(Duration::from_millis(2)).await;
    }
    while let Some(answer) = askers.join_next().await {
        assert_eq!(&*answer.unwrap().unwrap().unwrap().id, "1");
    }
    assert_eq!(bench.take_questions().len(), 1);
    assert_eq!(bench.count("found"), 100);
    assert_eq!(bench.apps.numbers().unwrap().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_connects_a_second_are_a_question_now_and_then() {
    let bench = Bench::cached(10, vec![config_of("1", "k1")]).await;
    for _ in 0..60_000 {
        assert!(bench.by_key("k1").await.unwrap().is_some());
        sleep(Duration::from_millis(1)).await;
    }
    let questions = bench.take_questions().len();
    assert!((6..=9).contains(&questions), "{questions} questions in a minute");
    assert!(bench.count("hit") > 59_990);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_invented_keys_keeps_nobody_waiting() {
    let apps = (0..500).map(|n| config_of(&n.to_string(), &format!("k{n}"))).collect();
    let bench = Bench::uncached(apps).await;
    bench.store.0.lock().takes = Duration::from_millis(10);
    let (began, mut askers) = (Instant::now(), JoinSet::new());
    for number in 0..5_000 {
        let apps = bench.apps.clone();
        askers.spawn(async move {
            let key = format!("invented-{number}");
            assert!(apps.look_up(By::Key(&key)).await.unwrap().is_none());
        });
        if number % 10 == 0 {
            let apps = bench.apps.clone();
            askers.spawn(async move {
                let (key, began) = (format!("k{}", number / 10), Instant::now());
                assert!(apps.look_up(By::Key(&key)).await.unwrap().is_some());
                assert!(began.elapsed() < Duration::from_millis(50), "{:?}", began.elapsed());
            });
        }
        sleep(Duration::from_millis(1)).await;
    }
    while let Some(asked) = askers.join_next().await {
        asked.unwrap();
    }
    let most = began.elapsed().as_millis() / 20 + 1;
    let questions = bench.take_questions();
    assert!(questions.len() as u128 <= most, "{} questions, {most} at most", questions.len());
    assert!(questions.iter().all(|wanted| wanted.ids.len() + wanted.keys.len() <= 200));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_remembered_for_a_while() {
    let bench = Bench::uncached(vec![]).await;
    for _ in 0..100 {
        assert!(bench.by_key("k1").await.unwrap().is_none());
    }
    assert_eq!(bench.take_questions().len(), 1);
    assert_eq!(bench.apps.numbers().unwrap().unknown, 2, "and the probe");
    bench.change(|apps| apps.push(config_of("1", "k1")));
    sleep(Duration::from_secs(5)).await;
    assert!(bench.by_key("k1").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_found_by_its_id_is_not_unknown_by_its_key() {
    let bench = Bench::uncached(vec![]).await;
    assert!(bench.by_key("k1").await.unwrap().is_none());
    bench.change(|apps| apps.push(config_of("1", "k1")));
    assert!(bench.by_id("1").await.unwrap().is_some());
    assert!(bench.by_key("k1").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_store_never_hears_what_it_cannot_have() {
    let bench = Bench::uncached(vec![config_of("1", "k1")]).await;
    for key in ["", "\0", "k 1", "\u{1f426}", &"k".repeat(201)] {
        assert!(bench.by_key(key).await.unwrap().is_none());
    }
    assert_eq!(bench.take_questions(), []);
    // What it finds for another name than was asked for is not the answer.
    assert!(bench.by_key("K1").await.unwrap().is_none());
    assert_eq!(bench.take_questions().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn too_many_who_wait_are_told_so_and_known_apps_go_on() {
    let bench = Bench::cached(10, vec![config_of("1", "k1")]).await;
    assert!(bench.by_key("k1").await.unwrap().is_some());
    bench.set_mood(Mood::Hangs);
    let mut pending = Vec::new();
    for number in 0..12_000 {
        match bench.apps.ask(By::Key(&format!("invented-{number}"))) {
            Asked::Pending(answer) => pending.push(answer),
            Asked::Unavailable => {}
            _ => panic!("nothing is known of it"),
        }
        if number == 0 {
            sleep(Duration::from_millis(30)).await;
        }
    }
    assert_eq!((pending.len(), bench.count("overflow")), (10_001, 1_999));
    assert!(bench.by_key("k1").await.unwrap().is_some());
    let errors = pending.into_iter().map(|pending| bench.apps.answer(pending));
    for answer in errors {
        assert!(answer.await.is_err());
    }
    assert_eq!(bench.apps.numbers().unwrap().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn many_apps_are_looked_up_again_together() {
    let apps = (0..150).map(|n| config_of(&n.to_string(), &format!("k{n}"))).collect();
    let bench = Bench::cached(10, apps).await;
    let mut seats = Vec::new();
    for number in 0..150 {
        seats.push(bench.connect(&format!("k{number}")).await);
        sleep(Duration::from_millis(20)).await;
    }
    bench.take_questions();
    sleep(Duration::from_secs(60)).await;
    let questions = bench.take_questions();
    assert!(questions.len() <= 10, "{} questions", questions.len());
    let asked: HashSet<&String> = questions.iter().flat_map(|wanted| &wanted.ids).collect();
    assert_eq!(asked.len(), 150);
}
