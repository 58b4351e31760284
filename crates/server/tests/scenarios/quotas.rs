//! A quota of connections holds over all nodes.

use serde_json::json;
use testkit::eventually;
use testkit::ws::{Client, Frame};

use super::Cluster;

/// Connects, and says whether there was a place.
fn try_to_connect(address: std::net::SocketAddr) -> Option<Client> {
    let mut client = Client::open(address, "/app/app-key?protocol=7");
    let frame = client.json();
    match frame["event"].as_str().unwrap() {
        "pusher:connection_established" => Some(client),
        "pusher:error" => {
            assert_eq!(frame["data"]["code"], 4004, "{frame}");
            assert!(matches!(client.next(), Frame::Close(4004, _)));
            None
        }
        _ => panic!("{frame}"),
    }
}

#[test]
fn a_cap_of_a_hundred_lets_a_hundred_of_six_hundred_in() {
    let mut cluster = Cluster::with(3, &[("DEFAULT_APP_MAX_CONNS", "100")]);
    let addresses: Vec<_> = cluster.nodes.iter().map(|node| node.address()).collect();
    let threads: Vec<_> = (0..30)
        .map(|thread| {
            let addresses = addresses.clone();
            std::thread::spawn(move || {
                let connect = |n: usize| try_to_connect(addresses[(thread + n) % 3]);
                (0..20).filter_map(connect).collect::<Vec<Client>>()
            })
        })
        .collect();
    let mut clients: Vec<Client> =
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(clients.len(), 100);
    clients.iter_mut().for_each(Client::expect_silence);

    // A place that is given back on one node is there for another one.
    for n in 0..10 {
        clients.pop().unwrap().close();
        let mut newcomer = None;
        eventually("the place is free", || {
            newcomer = try_to_connect(addresses[n % 3]);
            newcomer.is_some()
        });
        clients.insert(0, newcomer.unwrap());
        assert!(try_to_connect(addresses[(n + 1) % 3]).is_none());
    }

    // The places of a node that is gone are free again.
    let gone = cluster.nodes.pop().unwrap();
    drop(gone);
    let mut left = 0;
    clients.retain_mut(|client| {
        client.send_json(&json!({"event": "pusher:ping"}));
        let stays = matches!(client.next(), Frame::Text(text) if text.contains("pong"));
        left += usize::from(!stays);
        stays
    });
    assert!(left > 0);
    eventually("the places of the node that is gone are free", || {
        clients.extend(try_to_connect(addresses[left % 2]));
        clients.len() == 100
    });
    assert!(try_to_connect(addresses[0]).is_none());
}
