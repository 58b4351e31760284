//! The database goes away without a word, and comes back.

use std::time::{Duration, Instant};

use testkit::eventually;
use testkit::nodes::{Adapter, Nodes};
use testkit::process::Process;
use testkit::ws::Client;

use super::databases::{Database, borrowed, cached, is_reached, other};

/// How long an app is known, in seconds.
const TTL: u32 = 2;
/// How long the database is away at least: nothing is fresh any more.
const AWAY: Duration = Duration::from_secs(2 * TTL as u64);

/// Whether a client of the other app gets in; if not, it is told to come again.
fn other_gets_in(node: &Process) -> bool {
    let mut client = Client::open(node.address, "/app/other-key");
    let first = client.json();
    let gets_in = first["event"] == "pusher:connection_established";
    assert!(gets_in || first["data"]["code"] == 4100, "{first}");
    gets_in
}

pub(crate) fn what_is_known_goes_on<D: Database>() {
    let mut database = D::own();
    database.apps("apps", &[testkit::http::AppKeys::default(), other()]);
    let env = cached(&database, "apps", TTL);
    let nodes = Nodes::start(&Adapter::mesh(), 2, &borrowed(&env));
    nodes.up().for_each(|node| is_reached(node, true));
    let mut clients: Vec<Client> = nodes.up().map(Process::connect).collect();
    clients.iter_mut().for_each(|client| client.subscribe("a"));
    for node in nodes.up() {
        assert_eq!(node.http().ask("GET", "/ready", &[], b"").status, 200);
    }

    database.stop();
    let began = Instant::now();
    nodes.up().for_each(|node| is_reached(node, false));
    println!("both nodes have noticed after {:?}", began.elapsed());
    let mut rounds = 0;
    while began.elapsed() < AWAY || rounds == 0 {
        rounds += 1;
        for node in nodes.up() {
            let mut new = node.connect();
            new.subscribe("a");
            node.publish("a", "e", "x");
            for client in clients.iter_mut().chain([&mut new]) {
                client.expect_event("e", "a", "x");
            }
            assert!(!other_gets_in(node), "who looked it up?");
            let refused = node.http().get(&other(), "/channels", &[]);
            assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
            assert_eq!(node.http().ask("GET", "/ready", &[], b"").status, 200);
        }
    }
    println!("{rounds} rounds of connects, publishes and refusals in {:?}", began.elapsed());
    for node in nodes.up() {
        assert_eq!(node.logged("apps cannot be looked up"), 1, "it is logged once");
        let metrics = node.metrics();
        let refused = metrics.labelled("rejected_connections_total", "reason=\"unavailable\"");
        assert_eq!(refused, f64::from(rounds));
    }

    database.start_again();
    let began = Instant::now();
    for node in nodes.up() {
        eventually("the other app is found", || other_gets_in(node));
    }
    println!("everybody gets in {:?} after the database listens again", began.elapsed());
    nodes.up().for_each(|node| is_reached(node, true));
    clients.iter_mut().for_each(Client::expect_silence);
    database.run("UPDATE apps SET enabled = 0 WHERE id = 'app-id'");
    clients.iter_mut().for_each(|client| _ = client.expect_refusal(4003));
    nodes.have_no_bugs();
}
