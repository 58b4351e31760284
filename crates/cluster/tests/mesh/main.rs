//! Meshes on real sockets, all on loopback.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod node;
mod tls;

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use cluster::mesh::{Discovery, Mesh, MeshConfig, MeshError};
use cluster::{EntryKind, Incarnation, Reason, Settings};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use node::{LOOPBACK, Node, all_linked, config, free_port, listed, until};

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

#[tokio::test]
async fn nodes_of_one_host_find_each_other_on_one_port() {
    local(async {
        let (port, began) = (free_port(), Instant::now());
        let one = Node::start(config("1", port)).await;
        let two = Node::start(config("2", port)).await;
        let three = Node::start(config("3", port)).await;
        all_linked(&[&one, &two, &three]).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(one.mesh.port(), port);
        assert_ne!(two.mesh.port(), port, "the system chooses another one");
        assert_eq!(one.peers(), ["2", "3"]);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_listens_everywhere_is_found_on_loopback() {
    local(async {
        let port = free_port();
        let everywhere = |name| MeshConfig { host: "0.0.0.0".into(), ..config(name, port) };
        let one = Node::start(everywhere("1")).await;
        let two = Node::start(everywhere("2")).await;
        all_linked(&[&one, &two]).await;
        let found = one.mesh.counters();
        assert!(found.hellos_heard.get() > 0 && found.hellos_sent.get() > 0);
        assert_eq!(found.connections.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn unicast_hellos_go_to_every_address() {
    local(async {
        let (port, elsewhere) = (free_port(), UdpSocket::bind((LOOPBACK, 0)).unwrap());
        elsewhere.set_nonblocking(true).unwrap();
        let hearer = elsewhere.local_addr().unwrap().to_string();
        let unicast = Discovery::Unicast(vec![LOOPBACK.into(), hearer]);
        let unicast = |name| MeshConfig { discovery: unicast.clone(), ..config(name, port) };
        let one = Node::start(unicast("1")).await;
        let hello_came = || elsewhere.recv(&mut [0; 100]).is_ok();
        until("a hello came", hello_came).await;
        let two = Node::start(unicast("2")).await;
        all_linked(&[&one, &two]).await;
        until("another one came", hello_came).await;
    })
    .await;
}

#[tokio::test]
async fn multicast_finds_nodes() {
    local(async {
        let (port, group) = (free_port(), "239.255.42.2".parse().unwrap());
        let grouped =
            |name| MeshConfig { discovery: Discovery::Multicast(group), ..config(name, port) };
        let one = Node::start(grouped("1")).await;
        let two = Node::start(grouped("2")).await;
        all_linked(&[&one, &two]).await;
    })
    .await;
}

#[tokio::test]
async fn nodes_of_a_list_and_of_a_name_are_dialled() {
    local(async {
        let port = free_port();
        let one = Node::start(listed("1", port, &[])).await;
        // It is in its own list, as in the same one for all nodes.
        let two = listed("2", port, &[port]);
        let two = Node::start(two).await;
        let name = format!("localhost:{port}");
        let three = MeshConfig { dns: Some(name), ..listed("3", port, &[]) };
        let three = Node::start(three).await;
        all_linked(&[&one, &two, &three]).await;
        assert_eq!(one.mesh.counters().hellos_sent.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn peers_of_peers_are_found_also_later() {
    local(async {
        let port = free_port();
        let middle = Node::start(listed("5", port, &[])).await;
        let one = Node::start(listed("1", port, &[port])).await;
        all_linked(&[&middle, &one]).await;
        let nine = Node::start(listed("9", port, &[port])).await;
        all_linked(&[&middle, &one, &nine]).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_its_own_neighbour_links_to_nobody() {
    local(async {
        let port = free_port();
        let one = Node::start(listed("1", port, &[port])).await;
        until("it has dialled", || one.mesh.counters().accepted.get() > 0).await;
        sleep(Duration::from_millis(100)).await;
        assert_eq!((one.mesh.answered(), one.mesh.counters().dialled.get()), (0, 1));
    })
    .await;
}

/// Another thread appends while all connections are cut, again and again.
#[tokio::test]
async fn entries_arrive_in_order_and_once_while_connections_are_cut() {
    local(async {
        const ENTRIES: usize = 20_000;
        let port = free_port();
        let one = Node::start(config("1", port)).await;
        let two = Node::start(config("2", port)).await;
        let three = Node::start(config("3", port)).await;
        all_linked(&[&one, &two, &three]).await;

        let logs: Vec<_> = one.told.borrow().logs.values().cloned().collect();
        let wake = one.wake.clone();
        let appending = std::thread::spawn(move || {
            for n in 0..ENTRIES {
                let wakes = logs.iter().map(|log| {
                    log.append(n.to_string().into(), EntryKind::Event)
                        .expect("the stream is open")
                        .wake
                });
                if wakes.fold(false, |any, wakes| any | wakes) {
                    wake.wake();
                }
                if n % 10 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        while !appending.is_finished() {
            sleep(Duration::from_millis(100)).await;
            [&one, &two, &three].into_iter().for_each(|node| node.mesh.cut());
        }
        appending.join().unwrap();

        let all: Vec<_> = (0..ENTRIES).map(|n| n.to_string()).collect();
        for node in [&two, &three] {
            until("everything has come", || node.heard("1").len() >= ENTRIES).await;
            assert!(node.heard("1") == all, "out of order");
            let told = node.told.borrow();
            assert_eq!((told.streams, &told.down), (2, &vec![]), "from each peer one stream");
        }
        assert!(one.mesh.counters().connections.get() > 10, "they were cut");
    })
    .await;
}

#[tokio::test]
async fn long_entries_arrive() {
    local(async {
        let port = free_port();
        let one = Node::start(config("1", port)).await;
        let two = Node::start(config("2", port)).await;
        all_linked(&[&one, &two]).await;
        let entries = ["a".repeat(5 << 20), String::new(), "b".repeat(300 << 10)];
        for entry in &entries {
            one.say("2", entry.clone());
            two.say("1", entry.clone());
        }
        until("all have come", || one.heard("2").len() == 3 && two.heard("1").len() == 3).await;
        assert!(one.heard("2") == entries && two.heard("1") == entries);
    })
    .await;
}

#[tokio::test]
async fn another_secret_is_refused_and_counted() {
    local(async {
        let port = free_port();
        let secret = |secret: Option<&str>| secret.map(|secret| secret.as_bytes().to_vec());
        let with = |name, key| MeshConfig { secret: secret(key), ..config(name, port) };
        let one = Node::start(with("1", Some("right"))).await;
        let two = Node::start(with("2", Some("right"))).await;
        let wrong = Node::start(with("3", Some("wrong"))).await;
        let none = Node::start(with("4", None)).await;
        all_linked(&[&one, &two]).await;
        for node in [&one, &two, &wrong, &none] {
            until("hellos are refused", || node.mesh.counters().refused_secrets.get() > 1).await;
        }

        // Without hellos, the handshake finds it out, at both ends.
        let stranger = MeshConfig { secret: secret(Some("wrong")), ..listed("5", port, &[port]) };
        let stranger = Node::start(stranger).await;
        until("it is refused", || stranger.mesh.counters().refused_secrets.get() > 1).await;
        assert!(one.mesh.counters().refused_secrets.get() > 1);
        assert_eq!([&wrong, &none, &stranger].map(|node| node.mesh.answered()), [0, 0, 0]);
        all_linked(&[&one, &two]).await;
    })
    .await;
}

#[tokio::test]
async fn other_clusters_are_not_heard() {
    local(async {
        let port = free_port();
        let one = Node::start(config("1", port)).await;
        let prefix = MeshConfig { prefix: "x".into(), ..config("2", port) };
        let prefix = Node::start(prefix).await;
        let dialler = MeshConfig { prefix: "y".into(), ..listed("3", port, &[port]) };
        let dialler = Node::start(dialler).await;
        for node in [&one, &prefix, &dialler] {
            until("strangers are counted", || node.mesh.counters().strangers.get() > 1).await;
            assert_eq!((node.mesh.answered(), node.peers().len()), (0, 0));
        }
    })
    .await;
}

fn agreed(agreement: u32) -> Settings {
    Settings { agreement, ..Settings::default() }
}

#[tokio::test]
async fn another_agreement_is_refused_and_counted_at_both_ends() {
    local(async {
        let port = free_port();
        let one = Node::start_with(config("1", port), agreed(1)).await;
        let two = Node::start_with(config("2", port), agreed(1)).await;
        let newer = Node::start_with(config("3", port), agreed(2)).await;
        let dialler = Node::start_with(listed("4", port, &[port]), agreed(3)).await;
        all_linked(&[&one, &two]).await;
        for node in [&one, &two, &newer, &dialler] {
            until("it is refused", || node.mesh.counters().disagreements.get() > 1).await;
        }
        for node in [&newer, &dialler] {
            assert_eq!((node.mesh.answered(), node.peers().len()), (0, 0));
        }
        all_linked(&[&one, &two]).await;
        assert_eq!(one.peers(), ["2"]);
    })
    .await;
}

#[tokio::test]
async fn a_goodbye_is_heard_at_once() {
    local(async {
        let port = free_port();
        let one = Node::start(config("1", port)).await;
        let two = Node::start(config("2", port)).await;
        let three = Node::start(config("3", port)).await;
        all_linked(&[&one, &two, &three]).await;
        two.say("1", "last words".into());
        let began = Instant::now();
        two.mesh.stop().await;
        assert!(began.elapsed() < Duration::from_millis(190), "{:?}", began.elapsed());
        for node in [&one, &three] {
            until("it is down", || !node.told.borrow().down.is_empty()).await;
            assert_eq!(node.told.borrow().down, [("2".to_owned(), Reason::Goodbye)]);
        }
        assert_eq!(one.heard("2"), ["last words"]);
        all_linked(&[&one, &three]).await;
    })
    .await;
}

#[tokio::test]
async fn a_restarted_node_is_found_and_its_old_run_dies() {
    local(async {
        let port = free_port();
        let one = Node::start(config("1", port)).await;
        let two = Node::start(config("2", port)).await;
        all_linked(&[&one, &two]).await;
        drop(two);
        let again = Node::start(config("3", port)).await;
        until("the new one is up", || one.peers().contains(&"3".into())).await;
        until("the old one is down", || one.peers() == ["3"]).await;
        assert_eq!(one.told.borrow().down, [("2".to_owned(), Reason::Silent)]);
        all_linked(&[&one, &again]).await;
    })
    .await;
}

/// A process that is stopped for a while is dead to others, but nobody is dead to it, and it comes
/// back by itself.
#[tokio::test]
async fn a_frozen_node_dies_and_comes_back() {
    let settings = Settings {
        heartbeat: Duration::from_millis(50),
        node_timeout: Duration::from_millis(200),
        ..Settings::default()
    };
    let (port, done) = (free_port(), Arc::new(AtomicBool::new(false)));
    let frozen = {
        let (settings, done) = (settings.clone(), done.clone());
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().build().unwrap().block_on(local(async {
                let two = Node::start_with(config("2", port), settings).await;
                until("it is linked", || two.peers() == ["1"]).await;
                std::thread::sleep(Duration::from_millis(600));
                until("the other is done", || done.load(Relaxed)).await;
                assert_eq!(two.told.borrow().down, []);
            }));
        })
    };
    local(async {
        let one = Node::start_with(config("1", port), settings).await;
        until("the other is dead", || !one.told.borrow().down.is_empty()).await;
        assert_eq!(one.told.borrow().down, [("2".to_owned(), Reason::Silent)]);
        until("it is back", || one.peers() == ["2"] && one.mesh.answered() == 1).await;
        one.say("2", "welcome".into());
        let acked = || one.told.borrow().logs["2"].stats().unacked_entries == 0;
        until("it has heard that", acked).await;
        done.store(true, Relaxed);
        tokio::task::spawn_blocking(|| frozen.join().unwrap()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn all_ports_are_free_after_stop() {
    local(async {
        let port = free_port();
        let one = Node::start(config("1", port)).await;
        let two = Node::start(config("2", port)).await;
        all_linked(&[&one, &two]).await;
        one.mesh.stop().await;
        two.mesh.stop().await;
        UdpSocket::bind((LOOPBACK, port)).unwrap();
        let three = Node::start(config("3", port)).await;
        assert_eq!(three.mesh.port(), port);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_work_is_said_at_the_start() {
    local(async {
        let one = Node::start(config("1", free_port())).await;
        let start = |config| async { Mesh::start(config, one.driver.clone()).await.err() };
        let bad = MeshConfig {
            discovery: Discovery::Broadcast("nonsense".into()),
            ..config("1", free_port())
        };
        assert!(
            matches!(start(bad).await, Some(MeshError::Broadcast(value)) if value == "nonsense")
        );
        let bad = MeshConfig {
            discovery: Discovery::Multicast("10.0.0.1".parse().unwrap()),
            ..config("1", free_port())
        };
        assert!(matches!(start(bad).await, Some(MeshError::Multicast(_))));
        let bad = MeshConfig { host: "203.0.113.1".into(), ..config("1", free_port()) };
        assert!(matches!(start(bad).await, Some(MeshError::Bind { protocol: "UDP", .. })));
        assert_eq!(one.driver.me(), Incarnation(1));
    })
    .await;
}
