//! Nodes that do not belong together do not meet.

use crate::nodes::{Cluster, borrowed, start};

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
