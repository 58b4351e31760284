//! Options in the spelling of ioredis, laid over what is there.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::tls::{Pem, TlsOptions};
use crate::{Address, OptionError, RedisOptions, Sentinels, Topology};

const KNOWN: [&str; 14] = [
    "connectTimeout",
    "db",
    "host",
    "keyPrefix",
    "name",
    "nodes",
    "password",
    "port",
    "sentinelPassword",
    "sentinelTLS",
    "sentinelUsername",
    "sentinels",
    "tls",
    "username",
];
/// What ioredis knows besides. Configurations have it; here it has no effect, since connections are
/// made again, commands repeated and servers found in another way.
const WITHOUT_EFFECT: [&str; 34] = [
    "autoResendUnfulfilledCommands",
    "autoResubscribe",
    "clusterRetryStrategy",
    "commandTimeout",
    "connectionName",
    "disconnectTimeout",
    "enableAutoPipelining",
    "enableOfflineQueue",
    "enableReadyCheck",
    "enableTLSForSentinelMode",
    "failoverDetector",
    "family",
    "keepAlive",
    "lazyConnect",
    "maxLoadingRetryTime",
    "maxRedirections",
    "maxRetriesPerRequest",
    "maxScriptsCachingTime",
    "monitor",
    "natMap",
    "noDelay",
    "preferredSlaves",
    "readOnly",
    "reconnectOnError",
    "retryDelayOnClusterDown",
    "retryDelayOnFailover",
    "retryStrategy",
    "role",
    "scaleReads",
    "sentinelMaxConnections",
    "sentinelRetryStrategy",
    "showFriendlyErrorStack",
    "slotsRefreshInterval",
    "updateSentinels",
];
const KNOWN_TLS: [&str; 5] = ["ca", "cert", "key", "rejectUnauthorized", "servername"];

impl RedisOptions {
    /// Lays options over these, in the spelling of ioredis: `host`, `port`, `username`,
    /// `password`, `db`, `keyPrefix`, `connectTimeout` (ms), `tls` (`true` or `{ca, cert, key,
    /// servername, rejectUnauthorized}`, with paths of PEM files or PEM text); `sentinels` (a list
    /// of `{host, port}`, then these are asked for the master), `name`, `sentinelUsername`,
    /// `sentinelPassword`, `sentinelTLS`; `nodes` (likewise, of a Redis Cluster). `null` is as good
    /// as the default value, and what [`has_no_effect`] is ignored. After an error the options are
    /// as before.
    ///
    /// # Errors
    /// An option is not known, has a value that it cannot have, or would have no effect.
    pub fn overlay(&mut self, options: &Map<String, Value>) -> Result<(), OptionError> {
        refuse_unknown(options.keys().filter(|name| !has_no_effect(name)), &KNOWN, "")?;
        let mut laid = self.clone();
        let get = |name| options.get(name).map(|value| OverlayEntry { name, value });
        // First which servers there are, since the others depend on it.
        if let Some(nodes) = get("nodes") {
            let nodes = nodes.addresses()?;
            laid.topology = match nodes.is_empty() {
                false => Topology::Cluster(nodes),
                true if matches!(laid.topology, Topology::Cluster(_)) => Topology::default(),
                true => laid.topology,
            };
        }
        if let Some(sentinels) = get("sentinels") {
            let nodes = sentinels.addresses()?;
            laid.topology = match (nodes.is_empty(), laid.topology) {
                (false, Topology::Sentinel(known)) => {
                    Topology::Sentinel(Sentinels { nodes, ..known })
                }
                (false, _) => Topology::Sentinel(Sentinels { nodes, ..Sentinels::default() }),
                (true, Topology::Sentinel(_)) => Topology::default(),
                (true, other) => other,
            };
        }
        for name in KNOWN {
            if let Some(entry) = get(name) {
                laid.lay(name, &entry)?;
            }
        }
        *self = laid;
        Ok(())
    }

    fn lay(&mut self, name: &'static str, entry: &OverlayEntry<'_>) -> Result<(), OptionError> {
        match name {
            "connectTimeout" => {
                let right = "a number of milliseconds from 1 to 600000";
                self.connect_timeout = match entry.number(1, 600_000, right)? {
                    Some(millis) => Duration::from_millis(millis),
                    None => RedisOptions::default().connect_timeout,
                };
            }
            "db" => {
                let db = entry.number(0, u32::MAX.into(), "the number of a database, from 0 up")?;
                self.database = db.and_then(|db| u32::try_from(db).ok()).unwrap_or_default();
            }
            "keyPrefix" => self.key_prefix = entry.text()?.unwrap_or_default(),
            "username" => self.username = entry.text()?,
            "password" => self.password = entry.secret()?,
            "tls" => self.tls = entry.tls()?,
            "nodes" | "sentinels" => {}
            _ => return self.lay_topology(name, entry),
        }
        Ok(())
    }

    fn lay_topology(
        &mut self,
        name: &'static str,
        entry: &OverlayEntry<'_>,
    ) -> Result<(), OptionError> {
        match (&mut self.topology, name) {
            (Topology::Standalone(address), "host") => {
                address.host = entry.text()?.unwrap_or_else(|| "127.0.0.1".into());
            }
            (Topology::Standalone(address), "port") => {
                address.port = entry.port()?.unwrap_or(6379);
            }
            (Topology::Sentinel(sentinels), "name") => {
                sentinels.master = entry.text()?.unwrap_or(Sentinels::default().master);
            }
            (Topology::Sentinel(sentinels), "sentinelUsername") => {
                sentinels.username = entry.text()?;
            }
            (Topology::Sentinel(sentinels), "sentinelPassword") => {
                sentinels.password = entry.secret()?;
            }
            (Topology::Sentinel(sentinels), "sentinelTLS") => sentinels.tls = entry.tls()?,
            // What is not set cannot be without effect.
            _ if entry.value.is_null() => {}
            (Topology::Standalone(_), _) => {
                return Err(OptionError::NoEffect { name, place: "without sentinels" });
            }
            (Topology::Sentinel(_), _) => {
                return Err(OptionError::NoEffect { name, place: "behind sentinels" });
            }
            (Topology::Cluster(_), _) => {
                return Err(OptionError::NoEffect { name, place: "in a Redis Cluster" });
            }
        }
        Ok(())
    }
}

/// Whether ioredis knows such an option, while here it is accepted and ignored.
pub fn has_no_effect(option: &str) -> bool {
    WITHOUT_EFFECT.contains(&option)
}

fn refuse_unknown<'a>(
    mut options: impl Iterator<Item = &'a String>,
    known: &[&str],
    within: &str,
) -> Result<(), OptionError> {
    match options.find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let name = format!("{within}{name}");
            Err(OptionError::Unknown { name, known: known.join(", ") })
        }
        None => Ok(()),
    }
}

/// One option.
struct OverlayEntry<'a> {
    name: &'a str,
    value: &'a Value,
}

impl OverlayEntry<'_> {
    fn wrong<T>(&self, right: &'static str) -> Result<T, OptionError> {
        self.wrong_with(self.value.to_string(), right)
    }

    fn wrong_with<T>(&self, value: String, right: &'static str) -> Result<T, OptionError> {
        Err(OptionError::Value { name: self.name.into(), value, right })
    }

    fn text(&self) -> Result<Option<String>, OptionError> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Number(number) => Ok(Some(number.to_string())),
            _ => self.wrong("a text"),
        }
    }

    /// A text that no message shows; an empty one is none.
    fn secret(&self) -> Result<Option<String>, OptionError> {
        match self.text() {
            Ok(text) => Ok(text.filter(|text| !text.is_empty())),
            Err(_) => self.wrong_with("no text".into(), "a text"),
        }
    }

    fn number(&self, min: u64, max: u64, right: &'static str) -> Result<Option<u64>, OptionError> {
        let number = match self.value {
            Value::Null => return Ok(None),
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => self.wrong(right),
        }
    }

    fn port(&self) -> Result<Option<u16>, OptionError> {
        let port = self.number(1, u16::MAX.into(), "a port from 1 to 65535")?;
        Ok(port.and_then(|port| u16::try_from(port).ok()))
    }

    fn flag(&self) -> Result<Option<bool>, OptionError> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            Value::String(text) if text == "true" => Ok(Some(true)),
            Value::String(text) if text == "false" => Ok(Some(false)),
            _ => self.wrong("true or false"),
        }
    }

    fn addresses(&self) -> Result<Vec<Address>, OptionError> {
        let right = "a list of {\"host\", \"port\"}";
        let nodes = match self.value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(nodes) => nodes,
            _ => return self.wrong(right),
        };
        let address = |node: &Value| {
            let Value::Object(node) = node else { return self.wrong(right) };
            refuse_unknown(node.keys(), &["host", "port"], &format!("{}.", self.name))?;
            let get = |name| node.get(name).map(|value| OverlayEntry { name, value });
            let host = get("host").map(|host| host.text()).transpose()?.flatten();
            let port = get("port").map(|port| port.port()).transpose()?.flatten();
            match host.zip(port) {
                Some((host, port)) if !host.is_empty() => Ok(Address { host, port }),
                _ => self.wrong(right),
            }
        };
        nodes.iter().map(address).collect()
    }

    fn tls(&self) -> Result<Option<TlsOptions>, OptionError> {
        let options = match self.value {
            Value::Null | Value::Bool(false) => return Ok(None),
            Value::Bool(true) => return Ok(Some(TlsOptions::default())),
            Value::Object(options) => options,
            _ => return self.wrong_with("no object".into(), "an object, true or false"),
        };
        refuse_unknown(options.keys(), &KNOWN_TLS, &format!("{}.", self.name))?;
        let names = KNOWN_TLS.map(|name| format!("{}.{name}", self.name));
        let get = |at: usize| {
            options.get(KNOWN_TLS[at]).map(|value| OverlayEntry { name: &names[at], value })
        };
        let [ca, certificate, key] = [0, 1, 2].map(get).map(|entry| match entry {
            Some(entry) => entry.pems(),
            None => Ok(Vec::new()),
        });
        let tls = TlsOptions {
            ca: ca?,
            certificate: certificate?.pop(),
            key: key?.pop(),
            server_name: get(4).map(|entry| entry.text()).transpose()?.flatten(),
            verify: get(3).map(|entry| entry.flag()).transpose()?.flatten().unwrap_or(true),
        };
        tls.check()?;
        Ok(Some(tls))
    }

    /// Certificates or a key, which no message shows. Only of authorities there may be several.
    fn pems(&self) -> Result<Vec<Pem>, OptionError> {
        let texts = match self.value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(texts) if self.name.ends_with(".ca") => texts.as_slice(),
            text => std::slice::from_ref(text),
        };
        let texts = texts.iter().map(|text| text.as_str().filter(|text| !text.is_empty()));
        match texts.map(|text| text.map(Pem::new)).collect::<Option<Vec<_>>>() {
            Some(pems) => Ok(pems),
            None => self.wrong_with("something else".into(), "the path of a PEM file or PEM text"),
        }
    }
}
