//! Hostile input over the wire (appendix B of the protocol, and worse): each is answered with an
//! error, or closes the connection that sent it, and nobody else notices anything.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod attacks;
mod support;

use serde_json::json;
use support::Server;
use testkit::http::AppKeys;
use testkit::ws::Client;

/// A server with two apps, and an innocent connection on each.
struct Scene {
    server: Server,
    app: AppKeys,
    other: AppKeys,
    neighbour: Client,
    stranger: Client,
    published: u32,
}

impl Scene {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(env: &[(&str, &str)]) -> Self {
        let app = |id: &str, key: &str, secret: &str| json!({"id": id, "key": key, "secret": secret, "enableClientMessages": true});
        let apps = [app("app-id", "app-key", "app-secret"), app("2", "other", "hush")];
        let server = Server::with_file(env, &json!({"appManager.array.apps": apps}));
        let (mut neighbour, mut stranger) = (server.connect(), server.connect_to("other"));
        neighbour.subscribe("innocent");
        stranger.subscribe("innocent");
        let (app, other) = (AppKeys::default(), AppKeys::new("2", "other", "hush"));
        Scene { server, app, other, neighbour, stranger, published: 0 }
    }

    /// Events still reach the others, and nothing else does.
    fn is_calm(&mut self, after: &str) {
        println!("after: {after}");
        self.published += 1;
        let data = self.published.to_string();
        self.server.publish_as(&self.app, "innocent", "E", &data);
        self.server.publish_as(&self.other, "innocent", "E", &data);
        self.neighbour.expect_event("E", "innocent", &data);
        self.stranger.expect_event("E", "innocent", &data);
    }

    /// All tables are empty and nothing has panicked.
    fn ends(self) {
        let Scene { server, mut neighbour, mut stranger, .. } = self;
        neighbour.expect_silence();
        stranger.expect_silence();
        neighbour.close();
        stranger.close();
        server.is_clean();
    }
}
