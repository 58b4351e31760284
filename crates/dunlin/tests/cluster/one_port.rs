//! Several processes of one host that listen on the same port.

use testkit::nodes::{Adapter, Nodes};
use testkit::process::Process;
use testkit::ws::Client;

const CLIENTS: usize = 60;
const PROCESSES: usize = 3;

pub(crate) fn all_are_reached(adapter: &Adapter) {
    let nodes = Nodes::sharing_a_port(adapter, PROCESSES);
    let address = nodes.addresses[0];
    assert!(nodes.addresses.iter().all(|other| *other == address));
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| nodes.node(0).connect()).collect();
    clients.iter_mut().for_each(|client| client.subscribe("all"));
    let connected = |node: &Process| node.metrics().sum("connected");
    let dealt: Vec<f64> = nodes.up().map(connected).collect();
    println!("{CLIENTS} connections to one port: {dealt:?}");
    assert_eq!(dealt.iter().sum::<f64>(), CLIENTS as f64);
    assert!(dealt.iter().all(|count| *count > 0.0), "{dealt:?}");
    // Each through whichever process accepts it.
    for n in 0..20 {
        nodes.node(0).publish("all", "e", &n.to_string());
        clients.iter_mut().for_each(|client| client.expect_event("e", "all", &n.to_string()));
    }
    clients.iter_mut().for_each(Client::expect_silence);
    nodes.have_no_bugs();
}
