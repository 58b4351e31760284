//! Options that are lists.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::Kind;
use super::text::scalar;
use crate::mask::show;
use crate::model::{NodeAddress, OriginPattern};

/// The canonical array, or what is wrong with which item.
pub(super) fn accept(kind: &Kind, value: &Value) -> Result<Value, String> {
    let items = items(value).ok_or("")?;
    let items: Result<Vec<Value>, String> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            accept_item(kind, item)
                .ok_or_else(|| format!("item {index} does not fit: {}", show(item)))
        })
        .collect();
    items.map(Value::Array)
}

/// The items of a JSON array, or of text: JSON or separated by commas.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => Some(items),
            _ => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(parts.map(Value::from).collect())
            }
        },
        _ => None,
    }
}

fn accept_item(kind: &Kind, item: &Value) -> Option<Value> {
    if let Kind::Nodes { port } = kind {
        let node = node(item, *port)?;
        return Some(json!({ "host": node.host, "port": node.port }));
    }
    let text = scalar(item).filter(|text| !text.is_empty())?;
    match kind {
        Kind::TokenList if !is_token(&text) => None,
        Kind::Origins => OriginPattern::parse(&text).map(|_| Value::String(text)),
        Kind::Networks => network(&text).map(|net| Value::String(net.to_string())),
        _ => Some(Value::String(text)),
    }
}

/// A network, or an address as the network of itself alone. Host bits are cleared.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpNet>() {
        Ok(net) => Some(net.trunc()),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

/// A node: `{"host": ..., "port": ...}` or `host:port`; the port may be left out.
pub(crate) fn node(value: &Value, own_port: u16) -> Option<NodeAddress> {
    let (host, port) = match value {
        Value::Object(members) => {
            if members.keys().any(|key| key != "host" && key != "port") {
                return None;
            }
            let port = match members.get("port") {
                None | Some(Value::Null) => own_port,
                Some(port) => scalar(port)?.trim().parse().ok()?,
            };
            (scalar(members.get("host")?)?, port)
        }
        Value::String(text) => match text.rsplit_once(':') {
            // A second colon and no bracket: an IPv6 address on its own.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host.to_owned(), port.parse().ok()?)
            }
            _ => (text.clone(), own_port),
        },
        _ => return None,
    };
    (!host.is_empty() && port != 0).then_some(NodeAddress { host, port })
}

/// RFC 9110 5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(fits)
}
