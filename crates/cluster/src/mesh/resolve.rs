//! Host names that stand for nodes, and what they resolve to.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::{MissedTickBehavior, interval};

use super::node::MeshNode;

/// How often a name is resolved.
const EVERY: Duration = Duration::from_secs(5);
/// How long the addresses of a name are believed in; a few failures of the name server are borne.
pub(super) const RESOLVED: Duration = Duration::from_secs(20);

/// Resolves `host` or `host:port` again and again, for ever, and hands over what it stands for.
pub(super) async fn keep_resolving(
    node: Rc<MeshNode>,
    name: String,
    port: u16,
    found: impl Fn(Vec<SocketAddr>),
) {
    let name = with_port(&name, port);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match lookup_host(&name).await {
            Ok(addresses) => found(addresses.collect()),
            Err(error) => node.warn(format!("mesh cannot resolve {name:?}: {error}")),
        }
    }
}

/// Adds the port if there is none. IPv6 addresses may be written with and without brackets.
fn with_port(host: &str, port: u16) -> String {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return SocketAddr::new(ip, port).to_string();
    }
    // What follows the last colon is a port, unless that colon is inside of brackets.
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_added_where_there_is_none() {
        let cases = [
            ("node", "node:7"),
            ("node:8", "node:8"),
            ("10.0.0.1", "10.0.0.1:7"),
            ("10.0.0.1:8", "10.0.0.1:8"),
            ("fd00::1", "[fd00::1]:7"),
            ("[fd00::1]", "[fd00::1]:7"),
            ("[fd00::1]:8", "[fd00::1]:8"),
        ];
        for (host, expected) in cases {
            assert_eq!(with_port(host, 7), expected);
        }
    }
}
