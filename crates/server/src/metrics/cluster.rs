//! How the cluster looks from this node: as metrics, and as the page `/cluster`.

use std::time::Duration;

use cluster::PeerStatus;
use serde_json::{Value, json};

use super::exposition::Metric;
use super::exposition::MetricKind::{Counter, Gauge};
use crate::node::Node;
use crate::peers::{Membership, Status, TransportCounters};

/// How long the cluster's thread may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /cluster`.
pub(super) async fn page(node: &Node, membership: Option<&Membership>) -> Value {
    let adapter = node.config.adapter.driver.name();
    let mut page = json!({"adapter": adapter, "ready": node.readiness.is_ready(), "peers": []});
    let Some(membership) = membership else { return page };
    let Some(status) = membership.status(ANSWER_TIMEOUT).await else {
        page["error"] = "the cluster's thread did not answer in time".into();
        return page;
    };
    page["incarnation"] = status.me.to_string().into();
    page["lost_events"] = status.lost_events.into();
    page["broken_streams"] = status.broken_streams.into();
    page["peers"] = status.peers.iter().map(peer).collect();
    page
}

fn peer(peer: &PeerStatus) -> Value {
    json!({
        "name": peer.info.name,
        "incarnation": peer.info.incarnation.to_string(),
        "ready": peer.ready,
        "silent_for_ms": peer.silent_for.as_millis() as u64,
        "unacknowledged": {"entries": peer.unacked_entries, "bytes": peer.unacked_bytes},
        "gaps": peer.gaps,
        "resent": peer.resent,
        "snapshots": peer.streams_begun,
        "broken": peer.broken,
    })
}

/// The same as metrics; nothing for a node on its own.
pub(super) async fn metrics(node: &Node, membership: Option<&Membership>) -> Vec<Metric> {
    let Some(membership) = membership else { return Vec::new() };
    let Some(status) = membership.status(ANSWER_TIMEOUT).await else { return Vec::new() };
    let Status { peers, lost_events, broken_streams, transport, .. } = status;
    let ready = peers.iter().filter(|peer| peer.ready).count();
    let in_state = [("ready", ready), ("joining", peers.len() - ready)];
    let in_state = in_state.map(|(state, count)| (vec![("state", state.to_owned())], count as f64));
    let counter = Metric::counter;
    let of_peers = |kind, name, help, of: fn(&PeerStatus) -> f64| {
        let label = |peer: &PeerStatus| vec![("peer", peer.info.name.clone())];
        Metric::new(kind, name, help).values(peers.iter().map(|peer| (label(peer), of(peer))))
    };
    let mut metrics = of_transport(&transport);
    metrics.extend([
        Metric::new(Gauge, "cluster_peers", "Other nodes, by state").values(in_state),
        of_peers(Gauge, "cluster_silent_seconds", "Since a peer was last heard", |peer| {
            peer.silent_for.as_secs_f64()
        }),
        of_peers(
            Gauge,
            "cluster_unacknowledged_entries",
            "Sent to a peer, or waiting to be",
            |peer| peer.unacked_entries as f64,
        ),
        of_peers(
            Gauge,
            "cluster_replay_bytes",
            "Bytes kept for a peer until it has them",
            |peer| peer.unacked_bytes as f64,
        ),
        of_peers(Counter, "cluster_gaps_total", "Gaps noticed in what a peer sent", |peer| {
            peer.gaps as f64
        }),
        of_peers(Counter, "cluster_replayed_total", "Entries sent to a peer again", |peer| {
            peer.resent as f64
        }),
        of_peers(Counter, "cluster_snapshots_total", "Snapshots begun for a peer", |peer| {
            peer.streams_begun as f64
        }),
        counter("cluster_lost_events_total", "Events that a peer never got", lost_events),
        counter(
            "cluster_broken_streams_total",
            "Streams that outgrew their bounds",
            broken_streams,
        ),
        Metric::new(Gauge, "cluster_waiting_subscriptions", "Held back until peers know of them")
            .value(vec![], node.channels.sizes().unacknowledged_channels as f64),
    ]);
    metrics
}

fn of_transport(transport: &TransportCounters) -> Vec<Metric> {
    let counter = Metric::counter;
    let disagreements = |count| {
        counter("cluster_disagreements_total", "Nodes refused for another agreement", count)
    };
    match transport {
        TransportCounters::Mesh(mesh) => vec![
            counter("cluster_connections_total", "Connections to peers", mesh.connections.get()),
            counter("cluster_dialled_total", "Attempts to connect to a peer", mesh.dialled.get()),
            counter("cluster_strangers_total", "Other clusters, ignored", mesh.strangers.get()),
            counter(
                "cluster_refused_secrets_total",
                "Nodes refused for another secret",
                mesh.refused_secrets.get(),
            ),
            disagreements(mesh.disagreements.get()),
        ],
        TransportCounters::Broker(broker) => vec![
            Metric::new(Gauge, "broker_up", "Whether the broker can be reached")
                .value(vec![], f64::from(u8::from(broker.up()))),
            counter("broker_reconnects_total", "Connections made anew", broker.reconnects.get()),
            counter("broker_outages_total", "Times without the broker", broker.outages.get()),
            counter("broker_messages_sent_total", "Messages sent", broker.messages_out.get()),
            counter(
                "broker_messages_received_total",
                "Messages received",
                broker.messages_in.get(),
            ),
            counter("broker_sent_bytes", "Bytes of messages sent", broker.bytes_out.get()),
            counter("broker_received_bytes", "Bytes of messages received", broker.bytes_in.get()),
            counter("broker_failed_total", "Messages that could not be sent", broker.failed.get()),
            disagreements(broker.disagreements.get()),
        ],
    }
}
