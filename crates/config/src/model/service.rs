//! What is said of services: where they are, and how their clients are set up.

use std::fmt;

use serde_json::{Map, Value};

use crate::mask;

/// A JSON object of settings that is handed on to a client library as it is. `Debug` masks the
/// members that look like secrets.
#[derive(Clone, Default, PartialEq)]
pub struct ClientOptions(pub Map<String, Value>);

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&mask::masked(&Value::Object(self.0.clone())), f)
    }
}

/// A host and a port, of a server to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// Address or host name.
    pub host: String,
    /// Port.
    pub port: u16,
}
