//! A server inside the test, on ports of the system's choice, and clients that speak raw bytes to
//! it. Nothing here knows the server's inside.
//!
//! Everything that waits has a deadline, so a test that hangs fails. To prove that nothing was
//! sent, a client pings and sees the pong come next: replies leave in order (W28).
#![allow(dead_code, reason = "each test binary uses its own part of this")]
#![allow(unreachable_pub, reason = "each test binary has its own copy of this")]
#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

pub mod store;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};

use serde_json::Value;

use store::Store;
use testkit::Folder;
use testkit::http::{AppKeys, Http, HttpResponse};
use testkit::metrics::{self, Metrics};
use testkit::ws::Client;

/// Panics of test threads, which the server in the same process counts as well.
static FAILURES: AtomicU32 = AtomicU32::new(0);

fn count_failures() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or_default();
            if !name.starts_with("shard-") && name != "background" && name != "cluster" {
                FAILURES.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
}

/// A running server with the default app and whatever else the test asks for.
pub struct Server {
    running: Option<server::Running>,
    address: SocketAddr,
    metrics: SocketAddr,
    _folder: Folder,
}

impl Server {
    /// With these variables in its environment.
    pub fn with(env: &[(&str, &str)]) -> Self {
        Self::configured(env, None, None)
    }

    /// With these variables, and apps that are looked up in a store.
    pub fn with_store(env: &[(&str, &str)], store: &Arc<Store>) -> Self {
        Self::configured(env, None, Some(store.clone()))
    }

    /// With these variables, and these keys in its configuration file.
    pub fn with_file(env: &[(&str, &str)], file: &Value) -> Self {
        Self::configured(env, Some(file), None)
    }

    fn configured(env: &[(&str, &str)], file: Option<&Value>, store: Option<Arc<Store>>) -> Self {
        count_failures();
        let folder = Folder::new();
        let config_file = file.map(|file| {
            let path = folder.path().join("config.json");
            std::fs::write(&path, file.to_string()).unwrap();
            path
        });
        let defaults = [
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("METRICS_ENABLED", "true"),
            ("METRICS_HOST", "127.0.0.1"),
            ("METRICS_SERVER_PORT", "0"),
            ("SHUTDOWN_GRACE_PERIOD", "100"),
            ("SHARDS", "2"),
        ];
        let all = defaults.iter().filter(|(name, _)| env.iter().all(|(other, _)| other != name));
        let env = all.chain(env).map(|(name, value)| (name.to_string(), value.to_string()));
        let dotenv_dir = folder.path().to_owned();
        let sources = config::Sources { config_file, env: env.collect(), dotenv_dir };
        let loaded = config::load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
        let running = match store {
            Some(store) => server::start_with_store(loaded.config, None, Some(store)),
            None => server::start(loaded.config, None),
        };
        let running = running.unwrap();
        Server {
            address: running.address(),
            metrics: running.metrics_address().unwrap(),
            running: Some(running),
            _folder: folder,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of the default app that has been told its socket id.
    pub fn connect(&self) -> Client {
        self.connect_to("app-key")
    }

    /// A client of any app.
    pub fn connect_to(&self, key: &str) -> Client {
        Client::connect(self.address, &format!("/app/{key}?protocol=7"))
    }

    /// A client after its handshake.
    pub fn open(&self, target: &str) -> Client {
        Client::open(self.address, target)
    }

    /// A new HTTP connection.
    pub fn http(&self) -> Http {
        Http::connect(self.address)
    }

    /// Publishes with the default app, and insists on success.
    pub fn publish(&self, channel: &str, event: &str, data: &str) {
        self.publish_as(&AppKeys::default(), channel, event, data);
    }

    /// Publishes, and insists on success.
    pub fn publish_as(&self, app: &AppKeys, channel: &str, event: &str, data: &str) {
        let body = serde_json::json!({"name": event, "channels": [channel], "data": data});
        let answer = self.http().post(app, "/events", body.to_string().as_bytes());
        assert_eq!((answer.status, answer.text()), (200, "{}".into()));
    }

    /// A signed GET of a page below `/apps/{id}` of the default app.
    pub fn get(&self, page: &str, params: &[(&str, &str)]) -> HttpResponse {
        self.http().get(&AppKeys::default(), page, params)
    }

    /// The metrics at this moment.
    pub fn metrics(&self) -> Metrics {
        Metrics::scrape(self.metrics)
    }

    /// Waits until the metrics are as they should be.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Metrics) -> bool) -> Metrics {
        metrics::wait_for(self.metrics, what, fits)
    }

    /// Waits until nothing of any client is left, and asserts that nothing went wrong on the way.
    pub fn is_clean(&self) {
        self.wait_for("all tables are empty", Metrics::is_empty);
        self.has_no_bugs();
        let metrics = self.metrics();
        let (opened, closed) =
            (metrics.sum("new_connections_total"), metrics.sum("new_disconnections_total"));
        assert_eq!(opened, closed);
    }
}

impl Server {
    /// No task of any server of this process has panicked.
    pub fn has_no_bugs(&self) {
        let failures = f64::from(FAILURES.load(Ordering::SeqCst));
        // Scraped afterwards, but only a server's own panics are lasting.
        let panics = self.metrics().sum("panics_total");
        let failures = failures.max(f64::from(FAILURES.load(Ordering::SeqCst)));
        assert!(panics <= failures, "{panics} panics, {failures} of them of failed tests");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}
