//! Finding and watching other nodes.

use std::path::PathBuf;
use std::time::Duration;

use super::check::{DAY, Ignored, flag, int, megabytes, millis, optional, port, text, texts};
use super::row::{group, option, options};
use crate::kind::Kind;
use crate::secret::Secret;

options! {
    /// Finding and watching other nodes.
    pub struct Cluster {
        /// Address to listen on.
        host: String = option("cluster.hostname", "CLUSTER_HOST", text(Kind::Host, "0.0.0.0"));
        /// Port of UDP hellos and TCP links.
        port: u16 = option("cluster.port", "CLUSTER_PORT", port(11_002));
        /// Nodes with another prefix are strangers.
        prefix: String = option("cluster.prefix", "CLUSTER_PREFIX", text(Kind::Text, ""));
        /// Ignore hellos of this very process.
        ignore_process: bool =
            option("cluster.ignoreProcess", "CLUSTER_IGNORE_PROCESS", flag(true));
        /// Discovery by UDP broadcast, unless multicast or unicast is set.
        broadcast: String = option(
            "cluster.broadcast",
            "CLUSTER_BROADCAST_ADDRESS",
            text(Kind::Host, "255.255.255.255"),
        );
        /// Discovery by multicast instead of broadcast.
        multicast: Option<String> =
            option("cluster.multicast", "CLUSTER_MULTICAST_ADDRESS", optional(Kind::Host));
        /// Discovery by unicast instead of both.
        unicast: Vec<String> =
            option("cluster.unicast", "CLUSTER_UNICAST_ADDRESSES", texts(&[]).or_null());
        /// Discovery by the addresses behind a name as well, `name` or `name:port`; a headless
        /// Kubernetes service, for example.
        dns: Option<String> = option("cluster.dns", "CLUSTER_DNS", optional(Kind::NonEmpty));
        /// Discovery by a fixed list as well, `host:port` each.
        peers: Vec<String> = option("cluster.peers", "CLUSTER_PEERS", texts(&[]).or_null());
        /// What every node has to know to belong to the cluster.
        secret: Option<Secret> =
            option("cluster.secret", "CLUSTER_SECRET", optional(Kind::NonEmpty));
        /// Files in PEM form, all or none of them.
        tls: ClusterTls = group::<ClusterTls>();
        /// `/ready` fails while this node is linked to fewer others.
        min_peers: usize = option("cluster.minPeers", "CLUSTER_MIN_PEERS", int(0, 0..=1000));
        /// What waits for one peer that cannot be reached, in MB; beyond it events are lost, and
        /// counted.
        replay_bytes: usize =
            option("cluster.replayInMb", "CLUSTER_REPLAY_MB", megabytes(16, 1..=65_536));
        /// For how long it waits, in ms.
        replay_age: Duration =
            option("cluster.replayTime", "CLUSTER_REPLAY_TIME", millis(30_000, 1..=DAY));
        /// How often liveness is checked, in ms.
        check_interval: Duration =
            option("cluster.checkInterval", "CLUSTER_CHECK_INTERVAL", millis(500, 1..=DAY));
        /// How often a hello is sent, in ms.
        hello_interval: Duration =
            option("cluster.helloInterval", "CLUSTER_KEEPALIVE_INTERVAL", millis(500, 1..=DAY));
        /// Silence after which a node is dead, in ms.
        node_timeout: Duration =
            option("cluster.nodeTimeout", "CLUSTER_NODE_TIMEOUT", millis(2000, 1..=DAY));
        /// Accepted without effect.
        master_timeout: Ignored = option(
            "cluster.masterTimeout",
            "CLUSTER_MASTER_TIMEOUT",
            millis(2000, 1..=DAY).ignored("there is no master"),
        );
    }
}

options! {
    /// What encrypts the links between nodes.
    pub struct ClusterTls {
        /// This node's certificate chain; set all three to encrypt links.
        cert: Option<PathBuf> =
            option("cluster.tls.certPath", "CLUSTER_TLS_CERT", optional(Kind::NonEmpty));
        /// Its private key.
        key: Option<PathBuf> =
            option("cluster.tls.keyPath", "CLUSTER_TLS_KEY", optional(Kind::NonEmpty));
        /// The authority that has signed every node's certificate.
        ca: Option<PathBuf> =
            option("cluster.tls.caPath", "CLUSTER_TLS_CA", optional(Kind::NonEmpty));
    }
}
