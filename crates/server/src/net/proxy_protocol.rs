//! The PROXY protocol, versions 1 and 2: a proxy in front of us says where the client comes from
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>). Pure: it must not know a
//! socket, nor whom to believe.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest header of version 1, with its line end (section 2.1).
const V1_MAX: usize = 107;
const V1_START: &[u8] = b"PROXY ";
const V2_START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, command, family and length of version 2 (section 2.2).
const V2_HEAD: usize = 16;
/// The longest header that is taken; version 2 would allow 64 KiB of extensions.
pub(crate) const MAX_HEADER: usize = 4096;

/// What the first bytes of a connection are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The start of a header; more has to be read.
    Incomplete,
    /// A header of this length in bytes. Without a source, the connection is the proxy's own, or
    /// the proxy does not know: then the socket's address counts.
    Header { length: usize, source: Option<IpAddr> },
    /// No header, and no start of one.
    Invalid(&'static str),
}

/// Reads the header at the start of `bytes`. More bytes never change an answer other than
/// [`Parsed::Incomplete`], which is given for fewer than [`MAX_HEADER`] bytes only.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    if starts(bytes, V1_START) {
        return v1(bytes);
    }
    if starts(bytes, V2_START) {
        return v2(bytes);
    }
    Parsed::Invalid("no PROXY protocol header")
}

/// Whether `bytes` starts with `start`, as far as it goes.
fn starts(bytes: &[u8], start: &[u8]) -> bool {
    let length = bytes.len().min(start.len());
    bytes[..length] == start[..length]
}

fn v1(bytes: &[u8]) -> Parsed {
    let possible = &bytes[..bytes.len().min(V1_MAX)];
    let Some(end) = possible.windows(2).position(|pair| pair == b"\r\n") else {
        return match bytes.len() < V1_MAX {
            true => Parsed::Incomplete,
            false => Parsed::Invalid("the line of version 1 is longer than 107 bytes"),
        };
    };
    let length = end + 2;
    let Ok(line) = std::str::from_utf8(&possible[V1_START.len()..end]) else {
        return Parsed::Invalid("the line of version 1 is no text");
    };
    let fields: Vec<&str> = line.split(' ').collect();
    let source = match fields[..] {
        ["UNKNOWN", ..] => return Parsed::Header { length, source: None },
        ["TCP4", from, to, _, _] => both::<Ipv4Addr>(from, to).map(IpAddr::V4),
        ["TCP6", from, to, _, _] => both::<Ipv6Addr>(from, to).map(IpAddr::V6),
        _ => return Parsed::Invalid("the line of version 1 is not PROXY TCP4|TCP6|UNKNOWN ..."),
    };
    let ports = fields[3..].iter().all(|port| is_port(port));
    match source.filter(|_| ports) {
        Some(source) => Parsed::Header { length, source: Some(source.to_canonical()) },
        None => Parsed::Invalid("the line of version 1 has an address or port that is none"),
    }
}

/// Whether it is a port in decimal digits, without zeros in front (section 2.1).
fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let padded = text.len() > 1 && text.starts_with('0');
    digits && !padded && text.parse::<u16>().is_ok()
}

/// The source, if both addresses are of the family.
fn both<A: std::str::FromStr>(source: &str, destination: &str) -> Option<A> {
    destination.parse::<A>().ok()?;
    source.parse().ok()
}

fn v2(bytes: &[u8]) -> Parsed {
    let Some((head, rest)) = bytes.split_at_checked(V2_HEAD) else { return Parsed::Incomplete };
    let (version, command, family) = (head[12] >> 4, head[12] & 0xf, head[13] >> 4);
    if version != 2 || command > 1 {
        return Parsed::Invalid("neither LOCAL nor PROXY of version 2");
    }
    let told = usize::from(u16::from_be_bytes([head[14], head[15]]));
    let length = V2_HEAD + told;
    if length > MAX_HEADER {
        return Parsed::Invalid("the header of version 2 is longer than 4096 bytes");
    }
    // The addresses come first; what is behind them are extensions, which are skipped.
    let Some(told) = rest.get(..told) else { return Parsed::Incomplete };
    let source = match (command, family) {
        // LOCAL, an unspecified family, or a UNIX socket.
        (0, _) | (_, 0 | 3) => return Parsed::Header { length, source: None },
        (_, 1) => told.first_chunk().filter(|_| told.len() >= 12).map(|a: &[u8; 4]| (*a).into()),
        (_, 2) => told.first_chunk().filter(|_| told.len() >= 36).map(|a: &[u8; 16]| (*a).into()),
        _ => return Parsed::Invalid("an address family that version 2 does not have"),
    };
    match source {
        Some(source) => Parsed::Header { length, source: Some(IpAddr::to_canonical(&source)) },
        None => Parsed::Invalid("the header of version 2 is too short for its addresses"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16).to_be_bytes();
        [V2_START, &[0x20 | command, family], &length, body].concat()
    }

    fn source(bytes: &[u8]) -> Option<IpAddr> {
        match parse(bytes) {
            Parsed::Header { length, source } if length == bytes.len() => source,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn version_1() {
        let address = |text: &str| Some(text.parse().unwrap());
        assert_eq!(source(b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n"), address("192.0.2.7"));
        assert_eq!(source(b"PROXY TCP6 2001:db8::7 ::1 1 65535\r\n"), address("2001:db8::7"));
        assert_eq!(source(b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), address("192.0.2.7"));
        assert_eq!(source(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(source(b"PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n"), None);
    }

    #[test]
    fn version_2() {
        let v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 4, 1, 0xbb];
        assert_eq!(source(&v2(1, 0x11, &v4)), Some("192.0.2.7".parse().unwrap()));
        let v6 = ["2001:db8::7", "::1"].map(|a| a.parse::<Ipv6Addr>().unwrap().octets()).concat();
        let v6 = [&v6[..], &[0xdc, 4, 1, 0xbb]].concat();
        assert_eq!(source(&v2(1, 0x21, &v6)), Some("2001:db8::7".parse().unwrap()));
        let with_extension = [&v4[..], &[0x04, 0, 3, 1, 2, 3]].concat();
        assert_eq!(source(&v2(1, 0x11, &with_extension)), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(source(&v2(1, 0x31, &[b'/'; 216])), None);
        assert_eq!(source(&v2(1, 0, &[])), None);
        assert_eq!(source(&v2(0, 0, &[])), None, "a LOCAL command, as health checks send it");
        assert_eq!(source(&v2(0, 0x11, &v4)), None, "the addresses of LOCAL are ignored");
    }

    #[test]
    fn what_is_no_header() {
        let long = [b"PROXY UNKNOWN ", &[b'x'; 93][..], b"\r\n"].concat();
        let cases: [&[u8]; 14] = [
            b"GET / HTTP/1.1\r\n\r\n",
            b"PROXY\r\n",
            b"PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
            b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 1\r\n",
            b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
            b"PROXY TCP4 192.0.2.7 10.0.0.1 +56324 443\r\n",
            b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 0443\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP6 192.0.2.7 ::1 1 2\r\n",
            b"PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n",
            b"PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
            b"PROXY TCP4 \xff 10.0.0.1 1 2\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\0",
            &long,
        ];
        for case in cases {
            assert!(matches!(parse(case), Parsed::Invalid(_)), "{}", case.escape_ascii());
        }
        for short in [v2(1, 0x11, &[1; 11]), v2(1, 0x21, &[1; 35]), v2(1, 0x41, &[1; 40])] {
            assert!(matches!(parse(&short), Parsed::Invalid(_)), "{short:?}");
        }
        assert!(matches!(parse(&v2(2, 0x11, &[1; 12])), Parsed::Invalid(_)));
        assert!(matches!(parse(&v2(1, 0x11, &[1; MAX_HEADER])), Parsed::Invalid(_)));
    }

    /// Headers, nearly headers and noise.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let noise = || proptest::collection::vec(any::<u8>(), 0..160);
        prop_oneof![
            noise(),
            noise().prop_map(|tail| [V1_START, &tail].concat()),
            ("PROXY (TCP4|TCP6|UNKNOWN)( [0-9a-f.:]{1,12}){0,5}\r\n", noise())
                .prop_map(|(line, tail)| [line.as_bytes(), &tail].concat()),
            noise().prop_map(|tail| [V2_START, &tail].concat()),
            (0..2u8, 0..5u8, noise(), noise()).prop_map(|(command, family, body, tail)| {
                [v2(command, family << 4 | 1, &body), tail].concat()
            }),
        ]
    }

    proptest! {
        #[test]
        fn byte_by_byte_is_the_same_as_at_once(bytes in bytes()) {
            let whole = parse(&bytes);
            for end in 0..bytes.len() {
                let part = parse(&bytes[..end]);
                prop_assert!(part == whole || part == Parsed::Incomplete, "{part:?} {whole:?}");
                if let Parsed::Header { length, .. } = part {
                    prop_assert!(length <= end);
                }
            }
        }

        #[test]
        fn it_never_waits_for_more_than_the_limit(
            start in prop_oneof![Just(V1_START), Just(V2_START)],
            tail in proptest::collection::vec(any::<u8>(), MAX_HEADER..MAX_HEADER + 32),
        ) {
            prop_assert_ne!(parse(&[start, &tail].concat()), Parsed::Incomplete);
        }
    }
}
