//! One roster, whichever node its members are connected to.

use serde_json::{Value, json};
use testkit::ws::Client;

use super::Cluster;

const CHANNEL: &str = "presence-room";

fn join(client: &mut Client, user: &str) -> Value {
    let data = json!({"user_id": user, "user_info": {"name": user}}).to_string();
    client.subscribe_signed(CHANNEL, Some(&data))
}

fn expect(client: &mut Client, event: &str, user: &str) {
    let frame = client.json();
    assert_eq!(frame["event"], format!("pusher_internal:{event}"), "{frame}");
    let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
    assert_eq!(data["user_id"], user, "{frame}");
}

#[test]
fn every_roster_has_the_members_of_all_nodes() {
    let cluster = Cluster::new(3);
    let mut a = cluster.node(0).connect();
    assert_eq!(join(&mut a, "a")["presence"]["ids"], json!(["a"]));
    let mut b = cluster.node(1).connect();
    assert_eq!(join(&mut b, "b")["presence"]["ids"], json!(["a", "b"]));
    expect(&mut a, "member_added", "b");
    let mut c = cluster.node(2).connect();
    let roster = join(&mut c, "c");
    assert_eq!(roster["presence"]["count"], 3);
    assert_eq!(roster["presence"]["hash"]["a"], json!({"name": "a"}));
    expect(&mut a, "member_added", "c");
    expect(&mut b, "member_added", "c");
    for node in &cluster.nodes {
        let users = node.get(&format!("/channels/{CHANNEL}/users"), &[]);
        assert_eq!(users.json(), json!({"users": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}));
    }
    b.close();
    expect(&mut a, "member_removed", "b");
    expect(&mut c, "member_removed", "b");
    a.close();
    c.close();
    cluster.is_clean();
}

#[test]
fn a_user_on_two_nodes_is_one_member() {
    let cluster = Cluster::new(3);
    let mut witness = cluster.node(2).connect();
    join(&mut witness, "w");
    let mut first = cluster.node(0).connect();
    join(&mut first, "u");
    expect(&mut witness, "member_added", "u");
    let mut second = cluster.node(1).connect();
    assert_eq!(join(&mut second, "u")["presence"]["count"], 2);
    first.close();
    second.expect_silence();
    witness.expect_silence();
    second.close();
    expect(&mut witness, "member_removed", "u");
    witness.expect_silence();
}

#[test]
fn when_a_node_leaves_its_members_are_removed_once() {
    let mut cluster = Cluster::new(3);
    let mut witness = cluster.node(0).connect();
    join(&mut witness, "w");
    let leaving = cluster.nodes.pop().unwrap();
    let mut clients: Vec<Client> = (0..50).map(|_| leaving.connect()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        join(client, &format!("u{n}"));
    }
    let mut stays = cluster.node(1).connect();
    join(&mut stays, "u7");
    for _ in 0..50 {
        assert_eq!(witness.json()["event"], "pusher_internal:member_added");
    }
    drop(leaving);
    let mut removed: Vec<String> = (0..49)
        .map(|_| {
            let frame = witness.json();
            assert_eq!(frame["event"], "pusher_internal:member_removed");
            frame["data"].as_str().unwrap().to_owned()
        })
        .collect();
    removed.sort();
    removed.dedup();
    assert_eq!(removed.len(), 49);
    assert!(!removed.contains(&r#"{"user_id":"u7"}"#.to_owned()));
    witness.expect_silence();
}
