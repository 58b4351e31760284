//! Targets that are nobody's business but this network's.

use super::target::{Reply, Target};
use super::*;

#[tokio::test]
async fn private_addresses_are_refused_if_the_options_say_so() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let port = target.port;
    let sender = sender(Settings { deny_private_targets: true, ..impatient() });
    let hosts = [
        "127.0.0.1",
        "localhost",
        // The system reads these as addresses, too.
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "169.254.169.254",
        "user@127.0.0.1",
    ];
    for host in hosts {
        let why = given_up(send(&sender, job(&format!("http://{host}:{port}/"), "{}")).await);
        assert!(why.contains("has no public address"), "{host}: {why}");
    }
    assert_eq!(target.connections(), 0);
    let private: u64 = sender.counters().iter().map(|series| series.attempts.private).sum();
    assert_eq!(private, hosts.len() as u64);
}

#[tokio::test]
async fn private_addresses_are_reached_otherwise() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    let url = format!("http://localhost:{}/", target.port);
    assert_eq!(send(&sender, job(&url, "{}")).await, Outcome::Delivered);
}
