use super::*;

const NODES: [u64; 5] = [1, 2, 3, 0x0123_4567_89ab_cdef, u64::MAX];

/// Keys, the score of each of [`NODES`], and who wins. **These values must never change**: nodes
/// that run a version with other values would disagree with those that run this one. They were
/// computed with another implementation of SipHash-2-4, after the paper and checked with its test
/// vectors, from nothing but this module's documentation.
#[rustfmt::skip]
const GOLDEN: [(ElectionKey<'_>, [u64; 5], u64); 8] = [
    (ElectionKey::Quota { app: "" },
     [0xd1fc1d9080a54312, 0x945c400a8a4c10a3, 0x6685cb40de56a58f, 0x4a99fd2c38bfa1c7, 0x7e9096a0fe537df5], 1),
    (ElectionKey::Quota { app: "app-id" },
     [0xd492dcde16a45c78, 0xe136fdfd0d8faf96, 0x9200d43d8080bf1c, 0x99009f1bf991c7e0, 0x4f556fbe5981a44a], 2),
    (ElectionKey::Quota { app: "42" },
     [0x323339c636693b41, 0x78c87280ffd949e8, 0x0f6470b86f2f3b6c, 0x810f047a92027ff2, 0x34c799e41742186d], 0x0123_4567_89ab_cdef),
    (ElectionKey::Channel { app: "app-id", channel: "my-channel" },
     [0xc461c0942ae93a42, 0xdf9a653aa8882d30, 0x193c5519006f615d, 0x1fcb366a6e71d438, 0x9c2afdd4404e34fa], 2),
    (ElectionKey::Channel { app: "ab", channel: "c" },
     [0x6e2a0feb79ecfd8d, 0x428fb826f7fca01a, 0xdf8293766fe9acab, 0xf911a05877cf9643, 0xbf4e66cbe4eab455], 0x0123_4567_89ab_cdef),
    (ElectionKey::Channel { app: "a", channel: "bc" },
     [0x8434961adeda59d4, 0xabb1e199c3411481, 0x5183467c025af88c, 0x291c57cbc12beb1e, 0xe5e94de54ef80e1b], u64::MAX),
    (ElectionKey::Channel { app: "app-id", channel: "presence-zürich" },
     [0x14c5c0a94bd6f533, 0xefef36fbdd84a2fc, 0x83bae2008584780d, 0xc4c4ff26197911da, 0xdb6bf38ef7a21886], 2),
    (ElectionKey::Channel { app: "app-id", channel: "#server-to-user-7" },
     [0x7de7d337165efcac, 0xbaa35c7669e2c027, 0x7e4426700cf7b6cb, 0x4f160dc628c24f7e, 0x5805efd8fef25a80], 2),
];

#[test]
fn the_values_of_this_election_never_change() {
    assert_eq!(ELECTION, 1, "another election has other values: then these are to be replaced");
    for (key, scores, wins) in GOLDEN {
        assert_eq!(NODES.map(|node| score(key.hashed(), node)), scores, "{key:x?}");
        assert_eq!(winner(key, NODES), Some(wins), "{key:?}");
        assert_eq!(winner(key, NODES.into_iter().rev()), Some(wins), "{key:?} in another order");
    }
}

/// As numbers of nodes are: drawn at random, from all of 64 bits.
fn nodes(count: u64) -> Vec<u64> {
    (1..=count).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
}

#[test]
fn nobody_wins_among_none() {
    assert_eq!(winner(ElectionKey::Quota { app: "app-id" }, []), None);
    assert_eq!(winner(ElectionKey::Quota { app: "app-id" }, [7]), Some(7));
}

#[test]
fn each_wins_its_share() {
    for count in [2, 3, 5, 16] {
        let (nodes, share) = (nodes(count), 1000);
        let names: Vec<String> = (0..share * count).map(|n| format!("presence-{n}")).collect();
        let wins = |node: u64| {
            let won = |name: &&String| {
                let key = ElectionKey::Channel { app: "app-id", channel: name };
                winner(key, nodes.iter().copied()) == Some(node)
            };
            names.iter().filter(won).count() as u64
        };
        for node in &nodes {
            // Four standard deviations of a share of 1000 are 126 at most.
            assert!(wins(*node).abs_diff(share) < 130, "{} of {count}", wins(*node));
        }
    }
}

#[test]
fn when_a_node_goes_only_its_keys_move() {
    let nodes = nodes(5);
    for (gone, name) in nodes.iter().flat_map(|gone| (0..500).map(move |name| (*gone, name))) {
        let name = name.to_string();
        let key = ElectionKey::Quota { app: &name };
        let before = winner(key, nodes.iter().copied()).unwrap();
        let after = winner(key, nodes.iter().copied().filter(|node| *node != gone)).unwrap();
        assert_ne!(after, gone);
        assert!(before == gone || before == after, "{name} moved when {gone:x} went");
    }
}

#[test]
fn what_it_is_about_counts() {
    let nodes = nodes(4);
    let together = (0..1000).map(|n| n.to_string()).filter(|app| {
        let keys = [ElectionKey::Quota { app }, ElectionKey::Channel { app, channel: "" }];
        let [owner, announcer] = keys.map(|key| winner(key, nodes.iter().copied()));
        owner == announcer
    });
    // A quarter if the one has nothing to do with the other.
    assert!((190..310).contains(&together.count()));
}
