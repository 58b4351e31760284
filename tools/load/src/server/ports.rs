//! Ports for servers that are started here.

use anyhow::{Result, bail};
use std::net::{TcpListener, UdpSocket};

/// A port that is free on all addresses.
pub(crate) fn free_port() -> Result<u16> {
    Ok(free_ports(1)?[0])
}

/// As many ports that are free on all addresses, for TCP and UDP. They lie below the ports that the
/// system gives to clients: a closed connection of ours would keep one of those from being listened
/// on.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>> {
    const FIRST: u16 = 10_000;
    const LAST: u16 = 30_000;
    let start = FIRST + (std::process::id() % u32::from(LAST - FIRST)) as u16;
    let is_free = |port: &u16| {
        TcpListener::bind(("0.0.0.0", *port)).is_ok() && UdpSocket::bind(("0.0.0.0", *port)).is_ok()
    };
    let ports: Vec<u16> = (start..LAST).chain(FIRST..start).filter(is_free).take(count).collect();
    if ports.len() < count {
        bail!("no {count} ports between {FIRST} and {LAST} are free");
    }
    Ok(ports)
}
