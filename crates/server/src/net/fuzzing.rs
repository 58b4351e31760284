//! What a proxy sends before anything else, for [`crate::fuzzing`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::proxy_protocol::{MAX_HEADER, Parsed, parse};

/// Reads the first bytes of a connection. Nothing is waited for beyond the longest header, however
/// the network chops a header it is the same, what follows it changes nothing, and a line of
/// version 1 is taken only if it is written as the protocol says. Headers that are made of
/// addresses out of `bytes` say those addresses.
pub fn proxy_header(bytes: &[u8]) {
    let whole = parse(bytes);
    for end in 0..bytes.len().min(MAX_HEADER + 1) {
        let part = parse(&bytes[..end]);
        assert!(part == whole || part == Parsed::Incomplete, "{part:?} {whole:?} {end}");
    }
    match whole {
        Parsed::Incomplete => assert!(bytes.len() < MAX_HEADER),
        Parsed::Header { length, source } => {
            assert!(length <= bytes.len() && length <= MAX_HEADER);
            assert_eq!(parse(&bytes[..length]), whole);
            if let Some(line) = bytes[..length].strip_prefix(b"PROXY ")
                && let Some(source) = source
            {
                line_of_version_1(std::str::from_utf8(line).expect("text"), source);
            }
        }
        Parsed::Invalid(reason) => assert!(!reason.is_empty()),
    }
    if let Some(told) = bytes.first_chunk() {
        said_by_a_proxy(told);
    }
}

/// Numbers have one spelling, and so have addresses of version 4.
fn line_of_version_1(line: &str, source: IpAddr) {
    let fields: Vec<&str> = line.trim_end_matches("\r\n").split(' ').collect();
    let [family, from, to, from_port, to_port] = fields[..] else { panic!("{line:?}") };
    for port in [from_port, to_port] {
        let number: u16 = port.parse().expect("a port");
        assert_eq!(number.to_string(), port, "{line:?}");
    }
    let from: IpAddr = from.parse().expect("an address");
    let to: IpAddr = to.parse().expect("an address");
    assert_eq!(from.to_canonical(), source);
    match family {
        "TCP4" => {
            let written = format!("TCP4 {from} {to} {from_port} {to_port}\r\n");
            assert_eq!(written, line);
        }
        _ => assert!(from.is_ipv6() && to.is_ipv6(), "{line:?}"),
    }
}

/// Two addresses of version 6, of which the first bytes are addresses of version 4, and two ports.
fn said_by_a_proxy(told: &[u8; 36]) {
    let v4 = |at: usize| Ipv4Addr::new(told[at], told[at + 1], told[at + 2], told[at + 3]);
    let v6 = |at: usize| {
        let octets: [u8; 16] = told[at..at + 16].try_into().expect("16 bytes");
        Ipv6Addr::from(octets)
    };
    let port = |at: usize| u16::from_be_bytes([told[at], told[at + 1]]);
    let (from_port, to_port) = (port(32), port(34));
    let start = b"\r\n\r\n\0\r\nQUIT\n";
    let short = [&told[..4], &told[16..20], &told[32..]].concat();
    let headers = [
        (
            format!("PROXY TCP4 {} {} {from_port} {to_port}\r\n", v4(0), v4(16)).into_bytes(),
            IpAddr::from(v4(0)),
        ),
        (
            format!("PROXY TCP6 {} {} {from_port} {to_port}\r\n", v6(0), v6(16)).into_bytes(),
            IpAddr::from(v6(0)),
        ),
        ([start, &[0x21, 0x11, 0, 12][..], &short].concat(), IpAddr::from(v4(0))),
        ([start, &[0x21, 0x21, 0, 36][..], told].concat(), IpAddr::from(v6(0))),
    ];
    for (header, source) in headers {
        let length = header.len();
        let source = Some(source.to_canonical());
        assert_eq!(parse(&[&header[..], b"GET /"].concat()), Parsed::Header { length, source });
    }
}
