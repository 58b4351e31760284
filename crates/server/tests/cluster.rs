//! Several nodes behave as one: what a client or backend sees does not depend on the node that it
//! is connected to. Here they are joined by the mesh; the same tests run over each adapter.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]
#![allow(unreachable_pub, reason = "each test binary has its own copy of this")]

mod scenarios;
mod support;

/// No broker: a port of its own for each cluster.
mod adapter {
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
}

/// Links that are encrypted.
mod certificates {
    use std::path::Path;

    use testkit::Folder;
    use testkit::tls::{Authority, Files, put};

    use crate::scenarios::nodes::{Cluster, borrowed, start};
    use crate::support::Server;

    /// A node whose certificate and authority are in this folder.
    fn with(cluster: &Cluster, folder: &Path) -> Server {
        let file = |name: &str| folder.join(name).display().to_string();
        let (cert, key, ca) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
        let mut env = borrowed(&cluster.env);
        env.extend([
            ("CLUSTER_TLS_CERT", &*cert),
            ("CLUSTER_TLS_KEY", &key),
            ("CLUSTER_TLS_CA", &ca),
        ]);
        start(&env)
    }

    #[test]
    fn certificates_that_change_are_taken_over() {
        let cluster = Cluster::with(0, &[]);
        let (old, new) = (Folder::new(), Folder::new());
        let first = Authority::new("first");
        put(&Files::of(old.path(), &first.issue()).ca, &first.pem());
        let node = with(&cluster, old.path());

        // Everybody's certificates are replaced while the node runs.
        let second = Authority::new("second");
        for folder in [&old, &new] {
            put(&Files::of(folder.path(), &second.issue()).ca, &second.pem());
        }
        let other = with(&cluster, new.path());
        for node in [&node, &other] {
            node.wait_for("they are linked", |metrics| {
                metrics.labelled("cluster_peers", "state=\"ready\"") == 1.0
            });
        }
    }
}

/// Nodes that do not belong together do not meet.
mod strangers {
    use crate::scenarios::nodes::{Cluster, borrowed, start};

    #[test]
    fn a_wrong_secret_and_another_prefix_are_strangers() {
        let cluster = Cluster::with(1, &[("CLUSTER_SECRET", "right")]);
        let stranger = |name: &str, value: &str| {
            let mut env = borrowed(&cluster.env);
            env.retain(|(other, _)| *other != name);
            env.push((name, value));
            start(&env)
        };
        let wrong = stranger("CLUSTER_SECRET", "wrong");
        let prefixed = stranger("CLUSTER_PREFIX", "other");
        cluster.node(0).wait_for("the secret is refused", |metrics| {
            metrics.sum("cluster_refused_secrets_total") > 0.0
        });
        for node in [cluster.node(0), &wrong, &prefixed] {
            assert_eq!(node.metrics().sum("cluster_peers"), 0.0);
            // They are of one build.
            assert_eq!(node.metrics().sum("cluster_disagreements_total"), 0.0);
        }
    }
}
