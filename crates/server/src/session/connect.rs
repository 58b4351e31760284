//! Whether a WebSocket may be opened, and why not (W1 to W4, W14).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use protocol::api::query;
use protocol::close::Close;
use protocol::version;
use tokio::time::timeout;

use crate::apps::{App, Apps, Asked, By, PendingApp, Unavailable};
use crate::limits::OpenSocket;
use crate::outside::NodeChannels;
use crate::readiness::Readiness;
use crate::seats::{PendingSeat, Seat, SeatRequest, take_seat};
use crate::stats::{Refusal, Stats};

/// How long another node may take to say whether there is a place.
const SLOT_TIMEOUT: Duration = Duration::from_secs(2);

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
    /// Somebody else has been asked, see [`Waiting::answer`].
    Waiting(Waiting),
    /// The client is told why and closed.
    Refused(Close),
}

/// A request for a WebSocket that cannot be decided at once.
pub(crate) enum Waiting {
    /// The app is looked up; its rules apply when it is there.
    App(PendingApp, Box<KeptHandshake>),
    /// Another node knows whether there is a place.
    Seat(PendingSeat),
}

/// A [`Handshake`] to come back to.
pub(crate) struct KeptHandshake {
    key: String,
    query: String,
    origin: Option<String>,
    client: IpAddr,
}

/// What decides on requests for WebSockets, and counts those that are refused.
#[derive(Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub(crate) config: &'a Config,
    pub(crate) apps: &'a Apps,
    pub(crate) channels: &'a Arc<NodeChannels>,
    pub(crate) readiness: &'a Readiness,
    pub(crate) stats: &'a Stats,
}

impl Gate<'_> {
    /// Decides on a request for a WebSocket.
    pub(crate) fn admit(self, handshake: &Handshake<'_>, socket: &mut OpenSocket) -> Admission {
        self.try_admit(handshake, socket).unwrap_or_else(|refused| {
            Admission::Refused(refused.counted(self.stats, handshake.client))
        })
    }

    fn try_admit(
        self,
        handshake: &Handshake<'_>,
        socket: &mut OpenSocket,
    ) -> Result<Admission, RefusedConnection> {
        let key = handshake
            .key
            .ok_or_else(|| RefusedConnection(Refusal::Path, Close::path_not_found()))?;
        match self.apps.ask(By::Key(key)) {
            Asked::Known(app) => self.try_seat(&app, handshake, socket),
            Asked::Unknown => Err(RefusedConnection::unknown(key)),
            Asked::Unavailable => Err(RefusedConnection::unavailable()),
            // Whoever waits counts, or a store that hangs would take the descriptors that HTTP needs.
            Asked::Pending(_) if !socket.becomes_websocket() => {
                Err(RefusedConnection(Refusal::Capacity, Close::over_capacity()))
            }
            Asked::Pending(app) => {
                Ok(Admission::Waiting(Waiting::App(app, KeptHandshake::of(key, handshake))))
            }
        }
    }

    /// The rules of the app.
    fn try_seat(
        self,
        app: &Arc<App>,
        handshake: &Handshake<'_>,
        socket: &mut OpenSocket,
    ) -> Result<Admission, RefusedConnection> {
        let settings = app.settings.load();
        if !settings.config.enabled {
            return Err(RefusedConnection(Refusal::Disabled, Close::app_disabled()));
        }
        let protocol = query::get(handshake.query, "protocol");
        version::check(protocol.as_deref(), self.config.strict_protocol_version)
            .map_err(|close| RefusedConnection(Refusal::Version, close))?;
        if !settings.config.allows_origin(handshake.origin) {
            tracing::info!(
                app = %app.id, client = %handshake.client,
                origin = handshake.origin.unwrap_or_default(),
                "an origin is not among the app's allowedOrigins"
            );
            return Err(RefusedConnection(Refusal::Origin, Close::origin_not_allowed()));
        }
        if !socket.becomes_websocket() {
            return Err(RefusedConnection(Refusal::Capacity, Close::over_capacity()));
        }
        match take_seat(app, self.channels) {
            SeatRequest::Granted(seat) => Ok(Admission::Seated(seat)),
            SeatRequest::Asked(pending) => Ok(Admission::Waiting(Waiting::Seat(pending))),
            SeatRequest::Denied => Err(RefusedConnection(Refusal::Quota, Close::over_quota())),
        }
    }

    /// Waits for the node that knows whether there is a place.
    async fn seat(self, pending: PendingSeat) -> Result<Seat, Close> {
        let (reason, close) = match timeout(SLOT_TIMEOUT, pending.answer()).await {
            Ok(Some(seat)) => return Ok(seat),
            Ok(None) => (Refusal::Quota, Close::over_quota()),
            Err(_) => (Refusal::Capacity, Close::over_capacity()),
        };
        self.stats.refused(reason);
        Err(close)
    }
}

impl Waiting {
    /// Waits for whoever has been asked, some seconds at most. Clients come back soon when they are
    /// told that there is no capacity (4100), and never when the quota is used up (4004).
    pub(crate) async fn answer(
        self,
        gate: Gate<'_>,
        socket: &mut OpenSocket,
    ) -> Result<Seat, Close> {
        let (pending, kept) = match self {
            Waiting::App(pending, kept) => (pending, kept),
            Waiting::Seat(pending) => return gate.seat(pending).await,
        };
        let handshake = kept.handshake();
        let found = gate.apps.answer(pending).await;
        let admission = match found {
            _ if gate.readiness.is_draining() => {
                Err(RefusedConnection(Refusal::Capacity, Close::over_capacity()))
            }
            Ok(Some(app)) => gate.try_seat(&app, &handshake, socket),
            Ok(None) => Err(RefusedConnection::unknown(&kept.key)),
            Err(Unavailable) => Err(RefusedConnection::unavailable()),
        };
        match admission {
            Ok(Admission::Seated(seat)) => Ok(seat),
            Ok(Admission::Waiting(waiting)) => Box::pin(waiting.answer(gate, socket)).await,
            Ok(Admission::Refused(close)) => Err(close),
            Err(refused) => Err(refused.counted(gate.stats, kept.client)),
        }
    }
}

impl KeptHandshake {
    fn of(key: &str, handshake: &Handshake<'_>) -> Box<Self> {
        let Handshake { query, origin, client, .. } = *handshake;
        let origin = origin.map(str::to_owned);
        Box::new(KeptHandshake { key: key.to_owned(), query: query.to_owned(), origin, client })
    }

    fn handshake(&self) -> Handshake<'_> {
        let KeptHandshake { key, query, origin, client } = self;
        Handshake { key: Some(key), query, origin: origin.as_deref(), client: *client }
    }
}

/// Why a connection is refused, for us and for the client.
struct RefusedConnection(Refusal, Close);

impl RefusedConnection {
    fn unknown(key: &str) -> Self {
        RefusedConnection(Refusal::UnknownKey, Close::app_not_found(key))
    }

    fn unavailable() -> Self {
        RefusedConnection(Refusal::Unavailable, Close::app_unavailable())
    }

    fn counted(self, stats: &Stats, client: IpAddr) -> Close {
        let RefusedConnection(reason, close) = self;
        stats.refused(reason);
        let reason = reason.name();
        tracing::debug!(%client, reason, "a connection is refused: {}", close.reason);
        close
    }
}
