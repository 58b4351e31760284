//! A bus on its own.

use std::time::Duration;

use bytes::Bytes;
use cluster::Incarnation;
use cluster::broker::{Bus, BusError, BusEvent, To};
use cluster::redis::{RedisBus, RedisConfig, RedisOptions};
use redis_client::Topology;
use testkit::redis::RedisServer;
use tokio::time::{Instant, timeout};

use crate::{config, local, options};

const ONE: Incarnation = Incarnation(1);

async fn next(bus: &RedisBus) -> BusEvent {
    timeout(Duration::from_secs(20), bus.next()).await.expect("something comes")
}

async fn down(bus: &RedisBus) -> String {
    loop {
        match next(bus).await {
            BusEvent::Down { reason } => return reason,
            BusEvent::Message(_) => {}
            BusEvent::Up => panic!("it is up"),
        }
    }
}

#[tokio::test]
async fn messages_come_in_order_from_the_inbox_and_the_hello_channel() {
    local(async {
        let server = RedisServer::start("");
        let bus = RedisBus::start(config(&server), ONE).unwrap();
        assert_eq!(next(&bus).await, BusEvent::Up);
        assert_eq!(bus.max_message(), None);
        let long = "x".repeat(5 << 20);
        let messages = ["", "a\r\nb\0", &long, "last"].map(|text| Bytes::from(text.to_owned()));
        for message in &messages {
            for to in [To::Everybody, To::Node(ONE), To::Node(Incarnation(2))] {
                bus.publish(&to, message.clone()).await.unwrap();
            }
        }
        for message in &messages {
            for _ in 0..2 {
                assert!(next(&bus).await == BusEvent::Message(message.clone()));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_does_not_take_its_messages_holds_them_back_and_gets_all() {
    local(async {
        let server = RedisServer::start("client-output-buffer-limit pubsub 0 0 0");
        let one = RedisBus::start(config(&server), ONE).unwrap();
        let two = RedisBus::start(config(&server), Incarnation(2)).unwrap();
        assert_eq!((next(&one).await, next(&two).await), (BusEvent::Up, BusEvent::Up));
        let message = Bytes::from(vec![b'x'; 1 << 20]);
        for _ in 0..64 {
            two.publish(&To::Node(ONE), message.clone()).await.unwrap();
        }
        // Longer than silence may last.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let memory = server.tell("CLIENT LIST TYPE pubsub");
        let waits = memory.split(" omem=").skip(1).filter_map(|rest| rest.split(' ').next());
        let waiting: usize = waits.map(|bytes| bytes.parse::<usize>().unwrap()).sum();
        assert!(waiting > 32 << 20, "only {waiting} bytes wait at the server");
        for _ in 0..64 {
            assert!(next(&one).await == BusEvent::Message(message.clone()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_frozen_server_is_noticed_within_two_seconds() {
    local(async {
        let server = RedisServer::start("");
        let bus = RedisBus::start(config(&server), ONE).unwrap();
        assert_eq!(next(&bus).await, BusEvent::Up);
        server.freeze();
        let began = Instant::now();
        let reason = down(&bus).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(reason, format!("Redis {}: it has been silent for 1.5s", server.address()));
        let refused = bus.publish(&To::Everybody, Bytes::new()).await;
        assert!(matches!(refused, Err(BusError::Down)));
        server.thaw();
        assert_eq!(next(&bus).await, BusEvent::Up);
    })
    .await;
}

#[tokio::test]
async fn a_stopped_server_is_noticed_at_once() {
    local(async {
        let mut server = RedisServer::start("");
        let bus = RedisBus::start(config(&server), ONE).unwrap();
        assert_eq!(next(&bus).await, BusEvent::Up);
        let began = Instant::now();
        server.stop();
        let reason = down(&bus).await;
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        assert!(reason.contains("closed the connection") || reason.contains("reset"), "{reason}");
        server.start_again();
        assert_eq!(next(&bus).await, BusEvent::Up);
    })
    .await;
}

#[tokio::test]
async fn what_the_server_refuses_is_told_and_not_tried_in_a_hurry() {
    local(async {
        let refused = async |lines: &str, expected: &str| {
            let server = RedisServer::start(lines);
            let options = RedisOptions { password: Some("secret".into()), ..options(&server) };
            let bus = RedisBus::start(RedisConfig::new(options), ONE).unwrap();
            let mut began = Instant::now();
            for _ in 0..6 {
                match next(&bus).await {
                    BusEvent::Down { reason } => {
                        assert!(reason.contains(expected), "{reason:?}, not {expected:?}");
                        if !lines.contains("-publish") {
                            return; // It is told once.
                        }
                    }
                    BusEvent::Up => {
                        // Nobody knows before it is tried.
                        let _ = bus.publish(&To::Everybody, Bytes::from("hello")).await;
                        began = began.min(Instant::now());
                    }
                    BusEvent::Message(_) => panic!("nobody can publish"),
                }
            }
            // Three pauses that double, from 100 ms, of which at most half is cut off.
            assert!(began.elapsed() > Duration::from_millis(150), "{:?}", began.elapsed());
        };
        refused("requirepass other", "WRONGPASS").await;
        let all = "user default on >secret ~* +@all";
        refused(&format!("{all} resetchannels &other"), "NOPERM").await;
        refused(&format!("{all} &* -subscribe"), "NOPERM").await;
        refused(&format!("{all} &* -publish"), "NOPERM").await;
    })
    .await;
}

#[tokio::test]
async fn the_server_answers_few_of_the_messages() {
    local(async {
        let server = RedisServer::start("");
        let bus = RedisBus::start(config(&server), ONE).unwrap();
        assert_eq!(next(&bus).await, BusEvent::Up);
        let sent = |server: &RedisServer| -> usize {
            let stats = server.tell("INFO stats");
            let line = stats.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:"));
            line.unwrap().trim().parse().unwrap()
        };
        let before = sent(&server);
        // To nobody, so that nothing but answers is sent.
        const MESSAGES: usize = 100_000;
        for _ in 0..MESSAGES {
            bus.publish(&To::Node(Incarnation(2)), Bytes::from("x")).await.unwrap();
        }
        bus.publish(&To::Node(ONE), Bytes::from("last")).await.unwrap();
        assert_eq!(next(&bus).await, BusEvent::Message(Bytes::from("last")));
        // Each would have at least 4 bytes.
        let bytes = sent(&server) - before;
        assert!(bytes < MESSAGES, "{bytes} bytes");
    })
    .await;
}

#[tokio::test]
async fn a_user_who_may_not_publish_any_more_is_noticed() {
    local(async {
        let server = RedisServer::start("");
        let bus = RedisBus::start(config(&server), ONE).unwrap();
        assert_eq!(next(&bus).await, BusEvent::Up);
        bus.publish(&To::Node(ONE), Bytes::from("may")).await.unwrap();
        assert_eq!(next(&bus).await, BusEvent::Message(Bytes::from("may")));
        assert!(server.tell("ACL SETUSER default -publish").contains("OK"));
        let publishing = async {
            loop {
                let _ = bus.publish(&To::Node(ONE), Bytes::from("may not")).await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            reason = down(&bus) => assert!(reason.contains("NOPERM"), "{reason}"),
            () = publishing => {}
        }
    })
    .await;
}

#[tokio::test]
async fn options_that_do_not_fit_together_are_refused() {
    local(async {
        let options = RedisOptions { topology: Topology::Cluster(vec![]), ..Default::default() };
        let told = RedisBus::start(RedisConfig::new(options), ONE).err().unwrap().to_string();
        assert!(told.contains("\"nodes\" is empty"), "{told}");
    })
    .await;
}
