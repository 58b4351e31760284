//! Links that are encrypted.

use std::path::Path;

use crate::nodes::{Cluster, borrowed, start};
use crate::support::{Folder, Server};
use crate::tls::{Authority, Files, put};

/// A node whose certificate and authority are in this folder.
fn with(cluster: &Cluster, folder: &Path) -> Server {
    let file = |name: &str| folder.join(name).display().to_string();
    let (cert, key, ca) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
    let mut env = borrowed(&cluster.env);
    env.extend([("CLUSTER_TLS_CERT", &*cert), ("CLUSTER_TLS_KEY", &key), ("CLUSTER_TLS_CA", &ca)]);
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
