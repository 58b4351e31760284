use std::time::Duration;

use bytes::Bytes;
use cluster::Incarnation;
use cluster::broker::{Bus, BusError, BusEvent, To};
use cluster::nats::{Nats, NatsConfig};
use cluster::{Reason, Settings};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, timeout};

use crate::nats_server::NatsServer;
use crate::node::{Node, all_told, assert_undisturbed, talk, until};

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

async fn three(server: &NatsServer) -> [Node; 3] {
    let nodes = [
        Node::start(1, server.connect(1).await).await,
        Node::start(2, server.connect(2).await).await,
        Node::start(3, server.connect(3).await).await,
    ];
    until("all are up", || nodes.iter().all(|node| node.peers().len() == 2)).await;
    nodes
}

/// The next event, which has to come soon.
async fn next(bus: &Nats) -> BusEvent {
    timeout(Duration::from_secs(8), bus.next()).await.expect("something comes")
}

#[tokio::test]
async fn nodes_find_each_other_soon_and_say_goodbye() {
    local(async {
        let server = NatsServer::start(&[]).await;
        let one = Node::start(1, server.connect(1).await).await;
        until("it is up", || one.broker.is_up()).await;
        let began = Instant::now();
        let two = Node::start(2, server.connect(2).await).await;
        all_told(&[&one, &two]).await;
        assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
        talk(&[&one, &two], Duration::from_millis(300)).await;
        all_told(&[&one, &two]).await;
        two.broker.stop().await;
        until("it is told", || !one.down().is_empty()).await;
        assert_eq!(one.down(), [("2".into(), Reason::Goodbye)]);
    })
    .await;
}

#[tokio::test]
async fn nodes_that_do_not_agree_refuse_each_other() {
    local(async {
        let server = NatsServer::start(&[]).await;
        let settings = Settings { agreement: 2, ..Settings::default() };
        let one = Node::start(1, server.connect(1).await).await;
        let newer = Node::start_with(2, server.connect(2).await, settings).await;
        for node in [&one, &newer] {
            until("it is refused", || node.broker.counters().disagreements.get() > 1).await;
            assert_eq!(node.peers(), [""; 0]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_away_for_ten_seconds_loses_nothing() {
    local(async {
        let mut server = NatsServer::start(&[]).await;
        let nodes = three(&server).await;
        let nodes = nodes.each_ref();
        talk(&nodes, Duration::from_millis(500)).await;
        server.kill();
        talk(&nodes, Duration::from_secs(10)).await;
        server.start_again().await;
        talk(&nodes, Duration::from_secs(6)).await;
        all_told(&nodes).await;
        assert_undisturbed(&nodes);
        assert_eq!(nodes[0].broker.counters().reconnects.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_freezes_loses_nothing() {
    local(async {
        let server = NatsServer::start(&[]).await;
        let nodes = three(&server).await;
        let nodes = nodes.each_ref();
        talk(&nodes, Duration::from_millis(500)).await;
        server.freeze();
        talk(&nodes, Duration::from_secs(4)).await;
        assert!(nodes.iter().all(|node| !node.broker.is_up()));
        server.thaw();
        talk(&nodes, Duration::from_secs(1)).await;
        all_told(&nodes).await;
        assert_undisturbed(&nodes);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_starts_before_its_server_waits_for_it() {
    local(async {
        let mut server = NatsServer::start(&[]).await;
        server.kill();
        let one = Node::start(1, server.connect(1).await).await;
        let two = Node::start(2, server.connect(2).await).await;
        sleep(Duration::from_millis(500)).await;
        assert!(!one.broker.is_up());
        server.start_again().await;
        until("both are up", || one.peers().len() + two.peers().len() == 2).await;
        all_told(&[&one, &two]).await;
        assert_eq!(one.broker.counters().reconnects.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn another_server_of_the_list_takes_over() {
    local(async {
        let (mut first, second) = (NatsServer::start(&[]).await, NatsServer::start(&[]).await);
        let servers = vec![first.address(), second.address()];
        let config = NatsConfig { servers, ..NatsConfig::default() };
        let bus = Nats::connect(config, Incarnation(1)).await.unwrap();
        assert_eq!(next(&bus).await, BusEvent::Up);
        first.kill(); // It may have been the other one.
        let other = second.connect(2).await;
        assert_eq!(next(&other).await, BusEvent::Up);
        let inbox = To::Node(Incarnation(1));
        until_heard(&bus, async || other.publish(&inbox, "still there".into()).await).await;
    })
    .await;
}

/// Publishes until a message comes.
async fn until_heard(bus: &Nats, publish: impl AsyncFn() -> Result<(), BusError>) {
    let began = Instant::now();
    loop {
        publish().await.unwrap();
        match timeout(Duration::from_millis(50), bus.next()).await {
            Ok(BusEvent::Message(_)) => return,
            _ => assert!(began.elapsed() < Duration::from_secs(8), "nothing is heard"),
        }
    }
}

#[tokio::test]
async fn users_passwords_and_tokens_are_told() {
    local(async {
        let one = NatsServer::start(&["--user", "me", "--pass", "right"]).await;
        let two = NatsServer::start(&["--auth", "token"]).await;
        let user = |password: &str| NatsConfig {
            user: Some("me".into()),
            password: Some(password.into()),
            ..one.config()
        };
        let token = |token: &str| NatsConfig { token: Some(token.into()), ..two.config() };
        for right in [user("right"), token("token")] {
            let bus = Nats::connect(right, Incarnation(1)).await.unwrap();
            assert_eq!(next(&bus).await, BusEvent::Up);
        }
        for wrong in [user("wrong"), token("wrong"), one.config(), two.config()] {
            let bus = Nats::connect(wrong, Incarnation(1)).await.unwrap();
            let silence = timeout(Duration::from_millis(400), bus.next()).await;
            assert!(silence.is_err(), "{silence:?}");
            assert!(bus.counters().failed_connects.get() > 1, "it tries again");
            let refused = bus.publish(&To::Everybody, Bytes::new()).await;
            assert!(matches!(refused, Err(BusError::Down)));
        }
    })
    .await;
}

#[tokio::test]
async fn prefixes_and_foreign_clients_are_kept_apart() {
    local(async {
        let server = NatsServer::start(&[]).await;
        let prefixed = |prefix: &str| NatsConfig { prefix: prefix.into(), ..server.config() };
        let connect =
            async |node, prefix| Nats::connect(prefixed(prefix), Incarnation(node)).await.unwrap();
        let a1 = Node::start(1, connect(1, "a * b").await).await;
        let a2 = Node::start(2, connect(2, "a * b").await).await;
        let b = Node::start(3, connect(3, "b.").await).await;
        all_told(&[&a1, &a2]).await;

        // Somebody who does not know what he does.
        let foreign = async_nats::connect(server.address()).await.unwrap();
        for subject in ["b.dunlin.hello", "b.dunlin.node.0000000000000003", "other"] {
            for junk in [&b""[..], b"hello", &[1; 50], &[2; 200], &[3; 99], &[4; 9]] {
                foreign.publish(subject, Bytes::from_static(junk)).await.unwrap();
            }
        }
        until("junk was ignored", || b.broker.counters().malformed.get() >= 6).await;
        talk(&[&a1, &a2, &b], Duration::from_millis(600)).await;
        all_told(&[&a1, &a2]).await;
        assert_eq!((a1.peers().len(), a1.broker.counters().malformed.get()), (1, 0));
        assert!(b.broker.is_up());
    })
    .await;
}

#[tokio::test]
async fn long_entries_pass_a_server_that_takes_short_messages_only() {
    local(async {
        let folder = std::env::temp_dir().join(format!("nats-payload-{}", std::process::id()));
        std::fs::write(&folder, "max_payload: 4096\n").unwrap();
        let server = NatsServer::start(&["-c", folder.to_str().unwrap()]).await;
        let nodes = three(&server).await;
        let nodes = nodes.each_ref();
        std::fs::remove_file(&folder).unwrap();
        for length in [4000, 5000, 300_000, 2_000_000, 10] {
            nodes.iter().for_each(|node| node.say_long(length));
        }
        all_told(&nodes).await;
        assert_undisturbed(&nodes);

        let bus = server.connect(9).await;
        assert_eq!(next(&bus).await, BusEvent::Up);
        assert_eq!(bus.max_message(), Some(4096));
        let long = bus.publish(&To::Everybody, vec![0; 4097].into()).await;
        assert!(matches!(long, Err(BusError::TooLong { size: 4097, max: 4096 })), "{long:?}");
    })
    .await;
}

#[tokio::test]
async fn a_flood_is_read_as_fast_as_it_comes() {
    local(async {
        const ENTRIES: usize = 100_000;
        let server = NatsServer::start(&[]).await;
        let bus = server.connect(2).await;
        let slow = bus.counters();
        let one = Node::start(1, server.connect(1).await).await;
        let two = Node::start(2, bus).await;
        until("all are up", || one.peers().len() + two.peers().len() == 2).await;
        for n in 0..ENTRIES {
            one.say();
            if n.is_multiple_of(100) {
                tokio::task::yield_now().await;
            }
        }
        all_told(&[&one, &two]).await;
        assert_undisturbed(&[&one, &two]);
        assert_eq!(slow.slow_consumer.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn messages_that_were_not_read_in_time_are_counted_and_do_no_harm() {
    local(async {
        let server = NatsServer::start(&[]).await;
        let bus = server.connect(1).await;
        let counters = bus.counters();
        let foreign = async_nats::connect(server.address()).await.unwrap();
        while counters.slow_consumer.get() == 0 {
            for _ in 0..1000 {
                foreign.publish("dunlin.node.0000000000000001", Bytes::new()).await.unwrap();
            }
            foreign.flush().await.unwrap();
        }

        let one = Node::start(1, bus).await;
        let two = Node::start(2, server.connect(2).await).await;
        until("all are up", || one.peers().len() + two.peers().len() == 2).await;
        talk(&[&one, &two], Duration::from_millis(100)).await;
        all_told(&[&one, &two]).await;
    })
    .await;
}
