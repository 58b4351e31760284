//! Rows change, and two nodes do what follows from that.

use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::http::AppKeys;
use testkit::nodes::{Adapter, Nodes};
use testkit::process::Process;
use testkit::ws::Client;

use super::databases::{Database, borrowed, cached, is_reached, other};

/// How long an app is known, in seconds.
const TTL: u32 = 2;
/// After which a change has taken effect: the TTL, and something for a machine that is busy.
const BAR: Duration = Duration::from_secs(TTL as u64 + 8);

fn status(node: &Process, app: &AppKeys) -> u16 {
    node.http().get(app, "/channels", &[]).status
}

/// Changes the table, and measures until `done` has seen it.
fn takes_effect(what: &str, change: impl FnOnce(), done: impl FnOnce()) {
    let began = Instant::now();
    change();
    done();
    let took = began.elapsed();
    println!("{what} on both nodes after {took:?}");
    assert!(took < BAR, "{what} after {took:?}");
}

pub(crate) fn take_effect_on_every_node<D: Database>() {
    let (database, old) = (D::shared(), AppKeys::default());
    database.apps("changes", &[old.clone(), other()]);
    let env = cached(database, "changes", TTL);
    let nodes = Nodes::start(&Adapter::mesh(), 2, &borrowed(&env));
    nodes.up().for_each(|node| is_reached(node, true));
    let connect = || -> Vec<Client> { nodes.up().map(Process::connect).collect() };
    let mut clients = connect();
    let mut others: Vec<Client> =
        nodes.addresses.iter().map(|at| Client::connect(*at, "/app/other-key")).collect();
    for client in clients.iter_mut().chain(&mut others) {
        client.subscribe("a");
    }
    for node in nodes.up() {
        node.publish("a", "e", "x");
        clients.iter_mut().for_each(|client| client.expect_event("e", "a", "x"));
    }

    let new = AppKeys::new(&old.id, &old.key, "new-secret");
    takes_effect(
        "a new secret holds",
        || database.run("UPDATE changes SET secret = 'new-secret' WHERE id = 'app-id'"),
        || {
            for node in nodes.up() {
                eventually("the new secret is right", || status(node, &new) == 200);
                assert_eq!(status(node, &old), 401);
            }
        },
    );
    clients.iter_mut().for_each(Client::expect_silence);

    takes_effect(
        "a disabled app has lost its connections",
        || database.run("UPDATE changes SET enabled = 0 WHERE id = 'app-id'"),
        || clients.iter_mut().for_each(|client| _ = client.expect_refusal(4003)),
    );
    for node in nodes.up() {
        Client::open(node.address, "/app/app-key").expect_refusal(4003);
        assert_eq!(status(node, &new), 403);
    }

    takes_effect(
        "an enabled app is there again",
        || database.run("UPDATE changes SET enabled = 1 WHERE id = 'app-id'"),
        || {
            for node in nodes.up() {
                eventually("it is enabled", || status(node, &new) == 200);
            }
        },
    );
    let mut clients = connect();
    takes_effect(
        "a deleted app has lost its connections",
        || database.run("DELETE FROM changes WHERE id = 'app-id'"),
        || clients.iter_mut().for_each(|client| _ = client.expect_refusal(4001)),
    );
    for node in nodes.up() {
        Client::open(node.address, "/app/app-key").expect_refusal(4001);
        assert_eq!(status(node, &new), 404);
    }

    // The other app has not noticed anything.
    others.iter_mut().for_each(Client::expect_silence);
    nodes.have_no_bugs();
}
