//! No broker: a port of its own for each cluster.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// Whether rate limits can be kept in it.
pub const HAS_REDIS: bool = false;

pub struct Adapter(u16);

impl Adapter {
    pub fn new() -> Self {
        loop {
            // Free for UDP and TCP.
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = udp.local_addr().unwrap().port();
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Adapter(port);
            }
        }
    }

    pub fn env(&self) -> Vec<(String, String)> {
        let port = self.0.to_string();
        [("ADAPTER_DRIVER", "cluster"), ("CLUSTER_HOST", "127.0.0.1"), ("CLUSTER_PORT", &port)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}
