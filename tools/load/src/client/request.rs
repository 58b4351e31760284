//! A publish over HTTP, signed ahead of time so that signing is not part of what is measured.
//! It must not know which connection sends it.

use crate::server::target::TargetNode;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a signature is used: far inside the 600 s that a server allows (H14).
const FRESH: Duration = Duration::from_secs(60);

/// The request bytes of one event, signed again when they have grown old.
pub(crate) struct LoadRequest {
    body: String,
    bytes: Vec<u8>,
    signed: Option<Instant>,
}

impl LoadRequest {
    /// Publishes `data` (plain characters, nothing that JSON escapes) to `channel`.
    pub(crate) fn new(channel: &str, data: &str) -> Self {
        let body = format!(r#"{{"name":"load","channel":"{channel}","data":"{data}"}}"#);
        Self { body, bytes: Vec::new(), signed: None }
    }

    /// The whole request as it goes to `node`.
    pub(crate) fn bytes(&mut self, node: &TargetNode, now: Instant) -> &[u8] {
        if self.signed.is_none_or(|signed| now.duration_since(signed) > FRESH) {
            self.sign(node);
            self.signed = Some(now);
        }
        &self.bytes
    }

    fn sign(&mut self, node: &TargetNode) {
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let target = node.signer.post(self.body.as_bytes(), timestamp);
        self.bytes.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            self.bytes,
            "POST {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{}",
            node.host,
            self.body.len(),
            self.body
        );
    }
}
