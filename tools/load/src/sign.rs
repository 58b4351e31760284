//! Signs publishes (rules H11-H13) and private subscriptions. It must not know sockets, clocks or what is published.

use anyhow::{Result, anyhow};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write;

/// One app's key and secret, ready to sign `POST` requests to one path.
#[derive(Clone)]
pub(crate) struct Signer {
    path: String,
    key: String,
    keyed: Hmac<Sha256>,
}

impl Signer {
    /// Signs for `path`, the raw path of the request line, prefix included (H15).
    pub(crate) fn new(path: String, key: &str, secret: &str) -> Result<Self> {
        let keyed = Hmac::new_from_slice(secret.as_bytes())
            .map_err(|_| anyhow!("the app secret cannot be used as an HMAC key"))?;
        Ok(Self { path, key: key.to_owned(), keyed })
    }

    /// The request target: path and signed query for `body` at `timestamp` (Unix seconds).
    pub(crate) fn post(&self, body: &[u8], timestamp: u64) -> String {
        let query = format!(
            "auth_key={}&auth_timestamp={timestamp}&auth_version=1.0&body_md5={}",
            self.key,
            hex(&Md5::digest(body))
        );
        let mut mac = self.keyed.clone();
        mac.update(format!("POST\n{}\n{query}", self.path).as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        format!("{}?{query}&auth_signature={signature}", self.path)
    }

    /// The `auth` of a subscription to a private channel.
    pub(crate) fn subscription(&self, socket_id: &str, channel: &str) -> String {
        let mut mac = self.keyed.clone();
        mac.update(format!("{socket_id}:{channel}").as_bytes());
        format!("{}:{}", self.key, hex(&mac.finalize().into_bytes()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Pusher's HTTP API reference.
    #[test]
    fn the_published_vector() {
        let path = "/apps/3/events".to_owned();
        let signer = Signer::new(path, "278d425bdf160c739803", "7ad3773142a6692b25b8").unwrap();
        let body = br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
        assert_eq!(
            signer.post(body, 1_353_088_179),
            "/apps/3/events?auth_key=278d425bdf160c739803&auth_timestamp=1353088179\
             &auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f\
             &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
        );
    }

    /// The worked example of Pusher's reference of signatures.
    #[test]
    fn the_published_vector_of_a_subscription() {
        let signer = Signer::new(String::new(), "278d425bdf160c739803", "7ad3773142a6692b25b8");
        assert_eq!(
            signer.unwrap().subscription("1234.1234", "private-foobar"),
            "278d425bdf160c739803:\
             58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
        );
    }
}
