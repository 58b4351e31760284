//! Nodes that start while they cannot use their broker.

use std::thread;
use std::time::{Duration, Instant};

use testkit::broker::Broker;
use testkit::eventually;
use testkit::http::HttpResponse;
use testkit::nodes::Adapter;
use testkit::process::Process;

/// How long the nodes may take to serve once they can.
const BAR: Duration = Duration::from_secs(10);

fn handshake(node: &Process) -> HttpResponse {
    let headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    node.http().ask("GET", "/app/app-key?protocol=7", &headers, b"")
}

/// They live and say what they wait for: first because nobody is there, then because whoever
/// `appears` refuses them, in these words; and serve as soon as it is `right`.
pub(crate) fn is_waited_for(
    broker: &mut Broker,
    adapter: &Adapter,
    [nobody, refusal]: [&str; 2],
    [appear, right]: [fn(&mut Broker); 2],
) {
    let env = adapter.env();
    let start = || Process::start(&env);
    let nodes: Vec<Process> = thread::scope(|scope| {
        let starting = [(); 2].map(|()| scope.spawn(start));
        starting.map(|node| node.join().unwrap()).into()
    });
    for node in &nodes {
        assert_eq!(node.http().ask("GET", "/", &[], b"").status, 200);
        assert_eq!(node.http().ask("GET", "/up", &[], b"").status, 200);
        let ready = node.http().ask("GET", "/ready", &[], b"");
        assert_eq!(ready.status, 503);
        assert!(ready.text().contains("not part of its cluster yet"), "{}", ready.text());
        for refused in [handshake(node), node.get("/channels", &[])] {
            assert_eq!((refused.status, refused.text().contains("not part of")), (503, true));
        }
        assert_eq!(node.metrics().sum("broker_up"), 0.0);
        assert!(node.logged("this node is not ready") > 0);
        assert!(node.logged(nobody) > 0, "the log does not say {nobody:?}");
        println!("up without its broker after {:?}", node.took);
    }
    appear(broker);
    for node in &nodes {
        eventually("it says why it is refused", || node.logged(refusal) > 0);
        assert_eq!(node.http().ask("GET", "/ready", &[], b"").status, 503);
        assert_eq!(node.logged(refusal), 1, "it repeats itself");
    }
    right(broker);
    let began = Instant::now();
    for (index, node) in nodes.iter().enumerate() {
        eventually("the other one takes it for ready", || {
            let other = nodes[1 - index].metrics();
            let known = other.labelled("cluster_peers", "state=\"ready\"") == 1.0;
            let ready = node.http().ask("GET", "/ready", &[], b"").status == 200;
            assert!(ready || !known, "it says so before it is");
            known
        });
    }
    for node in &nodes {
        let ready = || node.http().ask("GET", "/ready", &[], b"").status == 200;
        eventually("it is ready", ready);
    }
    let took = began.elapsed();
    println!("ready {took:?} after the broker can be used");
    assert!(took < BAR);
    for (index, node) in nodes.iter().enumerate() {
        node.wait_for("they know each other", |metrics| {
            metrics.labelled("cluster_peers", "state=\"ready\"") == 1.0
        });
        let mut client = node.connect();
        client.subscribe("a");
        nodes[1 - index].publish("a", "e", "x");
        client.expect_event("e", "a", "x");
    }
}
