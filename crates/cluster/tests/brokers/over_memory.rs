use std::rc::Rc;
use std::time::Duration;

use cluster::{Reason, Settings};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use crate::log::Log;
use crate::memory::Server;
use crate::node::{Node, all_told, assert_undisturbed, talk, until};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// Three nodes that know each other.
async fn three() -> (Rc<Server>, [Node; 3]) {
    let server = Server::start();
    let nodes = [
        Node::start(1, server.connect(1)).await,
        Node::start(2, server.connect(2)).await,
        Node::start(3, server.connect(3)).await,
    ];
    until("all are up", || nodes.iter().all(|node| node.peers().len() == 2)).await;
    all_told(&nodes.each_ref()).await;
    (server, nodes)
}

#[tokio::test(start_paused = true)]
async fn a_start_takes_milliseconds() {
    local(async {
        let server = Server::start();
        let one = Node::start(1, server.connect(1)).await;
        sleep(seconds(10)).await;
        let began = Instant::now();
        let two = Node::start(2, server.connect(2)).await;
        all_told(&[&one, &two]).await;
        assert!(began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
        assert!(one.broker.is_up() && two.broker.is_up());
        assert!(two.broker.counters().hellos_sent.get() < 5);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn entries_arrive_in_order_and_once_whatever_the_broker_does() {
    local(async {
        let (server, nodes) = three().await;
        let nodes = nodes.each_ref();
        server.loss.set(50);
        server.repeated.set(100);
        server.delay.set(20);
        talk(&nodes, seconds(60)).await;
        server.loss.set(0);
        all_told(&nodes).await;
        assert_undisturbed(&nodes);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_agreement_is_refused_and_counted_at_both_ends() {
    local(async {
        let (log, _logging) = Log::capture();
        let server = Server::start();
        let agreed = |agreement| Settings { agreement, ..Settings::default() };
        let one = Node::start_with(1, server.connect(1), agreed(1)).await;
        let two = Node::start_with(2, server.connect(2), agreed(1)).await;
        let newer = Node::start_with(3, server.connect(3), agreed(2)).await;
        talk(&[&one, &two, &newer], seconds(10)).await;
        all_told(&[&one, &two]).await;
        assert_undisturbed(&[&one, &two]);
        assert_eq!((newer.peers(), newer.streams()), (vec![], 0));
        for node in [&one, &two, &newer] {
            let counters = node.broker.counters();
            assert!(counters.disagreements.get() > 1, "each hello is refused");
            assert!(counters.hellos_sent.get() < 60, "refusing causes no hellos");
            assert!(node.broker.is_up());
        }
        // Each says once of each other: 1 and 2 of 3, and 3 of both.
        let refusals = log.lines_with("refuses");
        assert_eq!(refusals.len(), 4, "{refusals:#?}");
        let remedy =
            r#""3" has agreement 2, this node 1; upgrade all nodes to versions that agree"#;
        assert_eq!(refusals.iter().filter(|line| line.contains(remedy)).count(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_delays_and_loses_nothing() {
    local(async {
        let (server, nodes) = three().await;
        let nodes = nodes.each_ref();
        talk(&nodes, seconds(1)).await;
        server.go_down();
        talk(&nodes, seconds(10)).await;
        assert!(nodes.iter().all(|node| !node.broker.is_up()));
        // They come back one after the other, as late as those who wait longest.
        for node in 1..=3 {
            server.come_up(node);
            talk(&nodes, Duration::from_millis(2500)).await;
        }
        all_told(&nodes).await;
        assert_undisturbed(&nodes);
        for node in nodes {
            let counters = node.broker.counters();
            assert_eq!((counters.outages.get(), counters.reconnects.get()), (1, 1));
            assert_eq!(counters.failed.get(), 0);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_nobody_tells_of_is_noticed_and_survived() {
    local(async {
        let (server, nodes) = three().await;
        let nodes = nodes.each_ref();
        for _ in 0..10 {
            talk(&nodes, Duration::from_millis(1730)).await;
            server.silent.set(true);
            talk(&nodes, seconds(10)).await;
            assert!(nodes.iter().all(|node| !node.broker.is_up()));
            server.silent.set(false);
        }
        all_told(&nodes).await;
        assert_undisturbed(&nodes);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn after_a_long_outage_streams_begin_anew_and_nobody_was_down() {
    local(async {
        let (server, nodes) = three().await;
        let nodes = nodes.each_ref();
        talk(&nodes, seconds(1)).await;
        server.go_down();
        talk(&nodes, seconds(60)).await;
        (1..=3).for_each(|node| server.come_up(node));
        talk(&nodes, seconds(1)).await;
        all_told(&nodes).await;
        for node in nodes {
            assert_eq!(node.down(), []);
            assert!(node.streams() > 2 && node.driver.losses().broken_streams() == 2);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_hear_itself_is_blind_and_holds_nobody_for_dead() {
    local(async {
        let (server, nodes) = three().await;
        let [one, two, three] = nodes;
        server.deaf.set(Some(1));
        sleep(seconds(2)).await;
        assert!(!one.broker.is_up() && two.broker.is_up());
        // Now the others go; the blind one cannot know.
        drop((two.broker, three.broker));
        sleep(seconds(10)).await;
        assert_eq!(one.down(), []);
        server.deaf.set(None);
        until("it sees again", || one.broker.is_up()).await;
        sleep(seconds(9)).await;
        let mut down = one.down();
        down.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(down, [("2".into(), Reason::Silent), ("3".into(), Reason::Silent)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_dies_is_noticed_in_time() {
    local(async {
        let (_server, nodes) = three().await;
        let [one, two, three] = nodes;
        talk(&[&one, &two, &three], seconds(3)).await;
        drop(three.broker);
        let began = Instant::now();
        until("both know", || !one.down().is_empty() && !two.down().is_empty()).await;
        assert!(began.elapsed() < Duration::from_millis(2600), "{:?}", began.elapsed());
        assert_eq!(one.down(), [("3".into(), Reason::Silent)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_stops_says_goodbye_and_stays_away() {
    local(async {
        let (server, nodes) = three().await;
        let [one, two, three] = nodes;
        server.delay.set(30); // so that hellos may come after the goodbye
        talk(&[&one, &two, &three], seconds(1)).await;
        let began = Instant::now();
        three.broker.stop().await;
        assert!(began.elapsed() <= Duration::from_millis(200), "{:?}", began.elapsed());
        sleep(seconds(5)).await;
        assert_eq!(one.down(), [("3".into(), Reason::Goodbye)]);
        assert_eq!(two.down(), [("3".into(), Reason::Goodbye)]);
        assert_eq!(one.peers(), ["2"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_without_the_broker_takes_no_time() {
    local(async {
        let (server, nodes) = three().await;
        server.go_down();
        sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        for node in nodes {
            node.broker.stop().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn long_packets_go_in_parts() {
    local(async {
        let (server, nodes) = three().await;
        let nodes = nodes.each_ref();
        server.max_message.set(Some(1000));
        server.loss.set(5);
        server.delay.set(3);
        for length in [0, 1000, 20_000, 900, 100_000, 0] {
            nodes.iter().for_each(|node| node.say_long(length));
            sleep(Duration::from_millis(200)).await;
        }
        server.loss.set(0);
        all_told(&nodes).await;
        assert_undisturbed(&nodes);
        assert!(server.longest.get() <= 1000, "{}", server.longest.get());
        assert_eq!(nodes[0].broker.counters().malformed.get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nodes_that_know_nothing_of_each_other_any_more_find_each_other_again() {
    local(async {
        let (server, nodes) = three().await;
        let [one, two, three] = nodes.each_ref();
        one.driver.lost(two.driver.me());
        all_told(&[one, two, three]).await;
        assert_eq!((one.down().len(), two.down().len()), (1, 0));
        assert!(one.peers().len() == 2);
        drop(server);
    })
    .await;
}
