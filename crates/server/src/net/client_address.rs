//! Who the client is: the socket's address, or what trusted proxies say about it. Pure: it must
//! not know a socket or a request.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// Whether this address is a trusted proxy's. The address must be canonical
/// ([`IpAddr::to_canonical`]).
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The client's address. `peer` is the socket's, or the one that the PROXY protocol tells;
/// `forwarded` are the values of `X-Forwarded-For`, in the order of the header lines.
///
/// Every proxy appends the address that it sees, so that list is read from the right, as long as
/// those who speak are trusted: what stands left of the first untrusted hop may be made up. An
/// entry that is no address ends the search, too.
pub(crate) fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &[IpNet],
) -> IpAddr {
    let mut client = peer.to_canonical();
    let mut hops = forwarded.rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
    while is_trusted(client, trusted)
        && let Some(hop) = hops.next().and_then(hop)
    {
        client = hop;
    }
    client
}

/// One entry of the list: an address, with or without a port.
fn hop(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim();
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']').and_then(address);
    let with_port = || Some(entry.parse::<SocketAddr>().ok()?.ip());
    let hop = address(entry).or_else(bracketed).or_else(with_port)?;
    Some(hop.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(of: &[&str]) -> Vec<IpNet> {
        of.iter().map(|network| network.parse().unwrap()).collect()
    }

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let values = forwarded.iter().map(|value| value.as_bytes());
        client_address(peer.parse().unwrap(), values, &networks(trusted)).to_string()
    }

    const LAN: &[&str] = &["10.0.0.0/8", "fd00::/8"];

    #[test]
    fn the_shapes_of_proxies() {
        // nginx, `proxy_add_x_forwarded_for`: what the client claims comes first.
        assert_eq!(client("10.0.0.2", &["6.6.6.6, 192.0.2.7"], LAN), "192.0.2.7");
        // Two of them in a row.
        assert_eq!(client("10.0.0.2", &["192.0.2.7, 10.9.9.9"], LAN), "192.0.2.7");
        // HAProxy, `option forwardfor`: it adds a line of its own.
        assert_eq!(client("10.0.0.2", &["6.6.6.6", "192.0.2.7"], LAN), "192.0.2.7");
        // AWS ALB, with `xff_client_port` and without.
        assert_eq!(client("10.0.0.2", &["192.0.2.7:53124"], LAN), "192.0.2.7");
        assert_eq!(client("10.0.0.2", &["[2001:db8::7]:53124"], LAN), "2001:db8::7");
        assert_eq!(client("10.0.0.2", &["2001:db8::7"], LAN), "2001:db8::7");
        // Cloudflare in front of nginx: its networks have to be trusted as well.
        let both = ["10.0.0.0/8", "173.245.48.0/20", "2400:cb00::/32"];
        assert_eq!(client("10.0.0.2", &["2001:db8::7, 173.245.48.9"], &both), "2001:db8::7");
        assert_eq!(client("2400:cb00::1", &["192.0.2.7"], &both), "192.0.2.7");
        // Fly: the client, then the edge's public address; the proxy's own is private.
        let fly = ["fdaa::/16", "172.16.0.0/12", "66.241.124.0/24"];
        assert_eq!(client("172.16.3.4", &["192.0.2.7, 66.241.124.10"], &fly), "192.0.2.7");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("192.0.2.9", &["192.0.2.7"], LAN), "192.0.2.9");
        assert_eq!(client("10.0.0.2", &["192.0.2.7"], &[]), "10.0.0.2");
        assert_eq!(client("10.0.0.2", &["6.6.6.6, 192.0.2.9, 10.0.0.3"], LAN), "192.0.2.9");
        assert_eq!(client("::ffff:10.0.0.2", &["::ffff:192.0.2.7"], LAN), "192.0.2.7");
    }

    #[test]
    fn without_an_untrusted_hop_the_first_one_counts() {
        assert_eq!(client("10.0.0.2", &["10.0.0.4, 10.0.0.3"], LAN), "10.0.0.4");
        assert_eq!(client("10.0.0.2", &[], LAN), "10.0.0.2");
    }

    #[test]
    fn garbage_ends_the_search() {
        for garbage in
            ["", "unknown", "_hidden", "1.2.3", "[::1", "::1]", "1.2.3.4:99999", "\u{e9}"]
        {
            let value = format!("192.0.2.7, {garbage}, 10.0.0.3");
            assert_eq!(client("10.0.0.2", &[&value], LAN), "10.0.0.3", "{garbage:?}");
        }
        assert_eq!(client("10.0.0.2", &[" \t[fd00::1] ,\t10.0.0.3 "], LAN), "fd00::1");
    }

    proptest! {
        #[test]
        fn an_untrusted_peer_is_itself(
            peer: [u8; 16],
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..4),
        ) {
            let peer = IpAddr::from(peer);
            let values = || values.iter().map(Vec::as_slice);
            prop_assert_eq!(client_address(peer, values(), &[]), peer.to_canonical());
            // Whatever the header holds, it does not panic.
            client_address(peer, values(), &networks(&["0.0.0.0/0", "::/0"]));
        }

        #[test]
        fn what_stands_left_of_an_untrusted_hop_changes_nothing(left in "[0-9a-f:., ]{0,40}") {
            let value = format!("{left},192.0.2.7");
            prop_assert_eq!(client("10.0.0.2", &[&value], LAN), "192.0.2.7");
        }
    }
}
