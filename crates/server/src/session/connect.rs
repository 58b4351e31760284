//! Whether a WebSocket may be opened, and why not (W1 to W4, W14).

use std::net::IpAddr;
use std::time::Duration;

use config::Config;
use protocol::api::query;
use protocol::close::Close;
use protocol::version;
use tokio::time::timeout;

use crate::apps::{PendingSeat, Seat, SeatWish};
use crate::limits::OpenSocket;
use crate::node::Node;

/// How long another node may take to say whether there is a place.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a client says with its request for a WebSocket.
pub(crate) struct Handshake<'a> {
    /// The key in the path, if the path is `/app/{key}`.
    pub(crate) key: Option<&'a str>,
    /// The query string.
    pub(crate) query: &'a str,
    /// The `Origin` header.
    pub(crate) origin: Option<&'a str>,
    /// Who connects, for the log.
    pub(crate) client: IpAddr,
}

/// What becomes of the request; either way the handshake succeeds first (W3).
pub(crate) enum Admission {
    /// The connection has its place.
    Seated(Seat),
    /// Another node knows whether there is a place.
    Waiting(PendingSeat),
    /// The client is told why and closed.
    Refused(Close),
}

/// The reasons for refusing a connection, as the metrics name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Path,
    UnknownKey,
    Disabled,
    Version,
    Origin,
    Quota,
    Capacity,
}

impl Refusal {
    /// All of them, for the metrics.
    pub(crate) const ALL: [Refusal; 7] = [
        Refusal::Path,
        Refusal::UnknownKey,
        Refusal::Disabled,
        Refusal::Version,
        Refusal::Origin,
        Refusal::Quota,
        Refusal::Capacity,
    ];

    /// The value of the metric's `reason` label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Refusal::Path => "path",
            Refusal::UnknownKey => "unknown_key",
            Refusal::Disabled => "disabled",
            Refusal::Version => "version",
            Refusal::Origin => "origin",
            Refusal::Quota => "quota",
            Refusal::Capacity => "capacity",
        }
    }
}

/// Decides on a request for a WebSocket.
pub(crate) fn admit(node: &Node, handshake: &Handshake<'_>, socket: &mut OpenSocket) -> Admission {
    let refused = |reason: Refusal, close: Close| {
        node.stats.refused(reason);
        tracing::debug!(
            client = %handshake.client, reason = reason.name(),
            "a connection is refused: {}", close.reason
        );
        Admission::Refused(close)
    };
    match try_admit(node, &node.config, handshake, socket) {
        Ok(SeatWish::Granted(seat)) => Admission::Seated(seat),
        Ok(SeatWish::Asked(pending)) => Admission::Waiting(pending),
        Ok(SeatWish::Denied) => refused(Refusal::Quota, Close::over_quota()),
        Err((reason, close)) => refused(reason, close),
    }
}

/// Waits for what another node says about the place, but not for long: clients come back soon when
/// they are told that there is no capacity (4100), and never when the quota is used up (4004).
pub(crate) async fn seat(node: &Node, pending: PendingSeat) -> Result<Seat, Close> {
    let (reason, close) = match timeout(PATIENCE, pending.answer()).await {
        Ok(Some(seat)) => return Ok(seat),
        Ok(None) => (Refusal::Quota, Close::over_quota()),
        Err(_) => (Refusal::Capacity, Close::over_capacity()),
    };
    node.stats.refused(reason);
    Err(close)
}

fn try_admit(
    node: &Node,
    config: &Config,
    handshake: &Handshake<'_>,
    socket: &mut OpenSocket,
) -> Result<SeatWish, (Refusal, Close)> {
    let key = handshake.key.ok_or_else(|| (Refusal::Path, Close::path_not_found()))?;
    let app =
        node.apps.by_key(key).ok_or_else(|| (Refusal::UnknownKey, Close::app_not_found(key)))?;
    let settings = app.settings.load();
    if !settings.config.enabled {
        return Err((Refusal::Disabled, Close::app_disabled()));
    }
    let protocol = query::get(handshake.query, "protocol");
    version::check(protocol.as_deref(), config.strict_protocol_version)
        .map_err(|close| (Refusal::Version, close))?;
    if !settings.config.allows_origin(handshake.origin) {
        tracing::info!(
            app = %app.id, client = %handshake.client,
            origin = handshake.origin.unwrap_or_default(),
            "an origin is not among the app's allowedOrigins"
        );
        return Err((Refusal::Origin, Close::origin_not_allowed()));
    }
    if !socket.becomes_websocket() {
        return Err((Refusal::Capacity, Close::over_capacity()));
    }
    Ok(app.wish_for_seat(&node.peers))
}
