//! What changes in the store takes effect in time, on what is there.

use std::sync::Arc;
use std::time::Duration;

use app_stores::Broken;
use tokio::time::sleep;

use super::{Bench, config_of, pass};
use crate::seats::take_seat;

#[tokio::test(start_paused = true)]
async fn a_change_takes_effect_within_the_ttl() {
    let bench = Bench::cached(10, vec![config_of("1", "k1")]).await;
    let seat = bench.connect("k1").await;
    bench.change(|apps| apps[0].max_connections = Some(7));
    let limit = || seat.app().settings.load().config.max_connections;
    sleep(Duration::from_secs(7)).await;
    assert_eq!(limit(), None);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(limit(), Some(7));
    assert_eq!(*bench.gone.lock(), []);
    assert!(Arc::ptr_eq(seat.app(), &bench.by_id("1").await.unwrap().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_cached_for_ever_is_asked_for_once_unless_told_to() {
    let bench = Bench::with(Some(None), vec![config_of("1", "k1")]).await;
    bench.change(|apps| apps[0].max_connections = None);
    assert!(bench.by_key("k1").await.unwrap().is_some());
    bench.change(|apps| apps[0].max_connections = Some(7));
    pass(&bench, 100_000).await;
    let app = bench.by_id("1").await.unwrap().unwrap();
    assert_eq!(app.settings.load().config.max_connections, None);
    assert_eq!(bench.take_questions().len(), 1);
    bench.apps.look_up_anew();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(app.settings.load().config.max_connections, Some(7));
}

#[tokio::test(start_paused = true)]
async fn without_the_cache_everybody_sees_the_store_as_it_is() {
    let bench = Bench::uncached(vec![config_of("1", "k1")]).await;
    for limit in 1..5 {
        bench.change(|apps| apps[0].max_connections = Some(limit));
        let app = bench.by_key("k1").await.unwrap().unwrap();
        assert_eq!(app.settings.load().config.max_connections, Some(limit));
    }
    assert_eq!(bench.take_questions().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn connections_of_a_disabled_app_are_closed() {
    for bench in [
        Bench::cached(5, vec![config_of("1", "k1")]).await,
        Bench::uncached(vec![config_of("1", "k1")]).await,
    ] {
        let seat = bench.connect("k1").await;
        bench.change(|apps| apps[0].enabled = false);
        sleep(Duration::from_secs(6)).await;
        assert_eq!(bench.gone.lock()[0], ("1".to_owned(), 4003));
        assert!(!seat.app().settings.load().config.enabled);
        assert!(!bench.by_key("k1").await.unwrap().unwrap().settings.load().config.enabled);

        bench.change(|apps| apps[0].enabled = true);
        bench.gone.lock().clear();
        sleep(Duration::from_secs(6)).await;
        assert!(seat.app().settings.load().config.enabled);
        assert_eq!(*bench.gone.lock(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn connections_of_a_deleted_app_are_closed_and_it_may_come_back() {
    let bench = Bench::cached(5, vec![config_of("1", "k1")]).await;
    let seat = bench.connect("k1").await;
    bench.change(|apps| apps.clear());
    pass(&bench, 5).await;
    assert_eq!(*bench.gone.lock(), [("1".to_owned(), 4001)]);
    assert!(bench.by_key("k1").await.unwrap().is_none());
    assert!(bench.by_id("1").await.unwrap().is_none());
    assert!(!seat.app().settings.load().config.enabled);
    assert_eq!((bench.apps.len(), bench.apps.connections()), (0, 1), "it is still connected");

    bench.change(|apps| apps.push(config_of("1", "k1")));
    pass(&bench, 5).await;
    let app = bench.by_key("k1").await.unwrap().unwrap();
    assert!(Arc::ptr_eq(seat.app(), &app), "what is left of it goes on counting");
    assert!(app.settings.load().config.enabled);

    bench.change(|apps| apps.clear());
    drop((app, seat));
    pass(&bench, 310).await;
    assert!(bench.apps.all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_key_takes_the_place_of_the_old_one() {
    let bench = Bench::uncached(vec![config_of("1", "k1"), config_of("2", "k2")]).await;
    let seat = bench.connect("k1").await;
    bench.connect("k2").await;
    bench.change(|apps| *apps = vec![config_of("1", "k2"), config_of("2", "k1")]);
    let (first, second) = tokio::join!(bench.by_key("k1"), bench.by_key("k2"));
    assert_eq!(&*first.unwrap().unwrap().id, "2");
    assert_eq!(&*second.unwrap().unwrap().id, "1");

    bench.change(|apps| *apps = vec![config_of("1", "k3")]);
    assert!(bench.by_key("k2").await.unwrap().is_none());
    let app = bench.by_key("k3").await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&app, seat.app()));
    assert!(bench.by_key("k1").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn of_two_apps_with_one_key_the_first_has_it() {
    let bench = Bench::uncached(vec![config_of("2", "k"), config_of("1", "k")]).await;
    for _ in 0..3 {
        assert_eq!(&*bench.by_key("k").await.unwrap().unwrap().id, "1");
    }
    bench.change(|apps| drop(apps.remove(1)));
    assert_eq!(&*bench.by_key("k").await.unwrap().unwrap().id, "2");
}

#[tokio::test(start_paused = true)]
async fn a_broken_app_is_unknown_but_one_that_was_whole_stays_as_it_was() {
    let bench = Bench::cached(5, vec![config_of("1", "k1")]).await;
    let seat = bench.connect("k1").await;
    let broken = |id: &str, key: &str| Broken {
        id: id.to_owned(),
        key: key.to_owned(),
        error: "max_connections is a colour".to_owned(),
    };
    bench.change(|apps| apps.clear());
    bench.store.0.lock().broken = vec![broken("1", "k1"), broken("2", "k2")];
    assert!(bench.by_key("k2").await.unwrap().is_none());
    pass(&bench, 20).await;
    assert!(Arc::ptr_eq(seat.app(), &bench.by_key("k1").await.unwrap().unwrap()));
    assert_eq!(*bench.gone.lock(), []);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_nobody_uses_is_forgotten() {
    let bench =
        Bench::cached(5, vec![config_of("1", "k1"), config_of("2", "k2"), config_of("3", "k3")])
            .await;
    let seat = bench.connect("k1").await;
    let held = bench.by_key("k2").await.unwrap().unwrap();
    bench.by_key("k3").await.unwrap().unwrap();
    pass(&bench, 290).await;
    assert_eq!(bench.apps.len(), 3);
    pass(&bench, 20).await;
    assert_eq!((bench.apps.len(), bench.apps.all().len()), (1, 2));

    // Whoever was about to connect finds the same app as those who come later.
    let late = take_seat(&held, &bench.channels);
    pass(&bench, 1).await;
    let found = bench.by_id("2").await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&held, &found));
    assert_eq!(bench.apps.connections(), 2);
    drop((seat, late));
}
