//! Events reach every subscriber on every node once, in order, from the moment on at which its
//! subscription has succeeded.

use serde_json::json;
use testkit::http::AppKeys;

use super::Cluster;

#[test]
fn an_event_published_anywhere_after_the_subscription_arrives() {
    let cluster = Cluster::new(2);
    let (mut subscriber, mut publisher) = (cluster.node(0).connect(), cluster.node(1).http());
    for n in 0..1000 {
        let channel = format!("fresh-{n}");
        subscriber.subscribe(&channel);
        let body = json!({"name": "e", "channel": channel, "data": "x"}).to_string();
        assert_eq!(publisher.post(&AppKeys::default(), "/events", body.as_bytes()).status, 200);
        assert_eq!(subscriber.json()["event"], "pusher_internal:subscription_count");
        subscriber.expect_event("e", &channel, "x");
    }
    drop(publisher);
    subscriber.close();
    cluster.is_clean();
}

#[test]
fn twenty_thousand_events_arrive_everywhere_in_order() {
    const EVENTS: usize = 20_000;
    let cluster = Cluster::new(3);
    let mut subscribers: Vec<_> = cluster.nodes.iter().map(|node| node.connect()).collect();
    for subscriber in &mut subscribers {
        subscriber.subscribe_signed("private-numbers", None);
        assert_eq!(subscriber.json()["event"], "pusher_internal:subscription_count");
    }
    let readers: Vec<_> = subscribers
        .into_iter()
        .map(|mut subscriber| {
            std::thread::spawn(move || {
                let mut next = 0;
                loop {
                    let frame = subscriber.json();
                    match frame["event"].as_str().unwrap() {
                        "n" => {
                            assert_eq!(frame["data"], next.to_string());
                            next += 1;
                        }
                        "end" => break assert_eq!(next, EVENTS),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    let mut publisher = cluster.node(0).http();
    for batch in 0..EVENTS / 10 {
        let event = |n: usize| json!({"name": "n", "channel": "private-numbers", "data": (batch * 10 + n).to_string()});
        let body = json!({"batch": (0..10).map(event).collect::<Vec<_>>()}).to_string();
        assert_eq!(
            publisher.post(&AppKeys::default(), "/batch_events", body.as_bytes()).status,
            200
        );
    }
    drop(publisher);
    cluster.node(0).publish("private-numbers", "end", "");
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    cluster.is_clean();
}

#[test]
fn the_excluded_socket_is_excluded_on_its_node() {
    let cluster = Cluster::new(3);
    let mut clients: Vec<_> = cluster.nodes.iter().map(|node| node.connect()).collect();
    for client in &mut clients {
        client.subscribe_signed("private-x", None);
    }
    for excluded in 0..3 {
        let socket_id = clients[excluded].socket_id.clone();
        let body =
            json!({"name": "e", "channel": "private-x", "data": "x", "socket_id": socket_id});
        let answer = cluster.node(0).http().post(
            &AppKeys::default(),
            "/events",
            body.to_string().as_bytes(),
        );
        assert_eq!(answer.status, 200);
        let data = excluded.to_string();
        cluster.node(0).publish("private-x", "last", &data);
        for (index, client) in clients.iter_mut().enumerate() {
            let mut seen = Vec::new();
            loop {
                let frame = client.json();
                match frame["event"].as_str().unwrap() {
                    "last" => break,
                    "pusher_internal:subscription_count" => {}
                    event => seen.push(event.to_owned()),
                }
            }
            assert_eq!(seen.len(), usize::from(index != excluded), "{seen:?}");
        }
    }
}

#[test]
fn a_client_event_reaches_the_others_of_all_nodes_and_never_its_sender() {
    let cluster = Cluster::new(3);
    let mut clients: Vec<_> = cluster.nodes.iter().map(|node| node.connect()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.ask_for_signed("presence-x", Some(&format!(r#"{{"user_id":"{n}"}}"#)));
        client.expect_subscribed("presence-x");
    }
    for client in &mut clients {
        client.send_json(&json!({"event": "client-hello", "channel": "presence-x", "data": {}}));
    }
    for (own, client) in clients.iter_mut().enumerate() {
        let mut senders = Vec::new();
        while senders.len() < 2 {
            let frame = client.json();
            if frame["event"] == "client-hello" {
                senders.push(frame["user_id"].as_str().unwrap().to_owned());
            }
        }
        senders.sort();
        let others: Vec<String> =
            (0..3).filter(|other| *other != own).map(|other| other.to_string()).collect();
        assert_eq!(senders, others);
        client.expect_silence();
    }
}
