//! Lists and objects.

use ipnet::IpNet;
use serde_json::Value;

use super::Check;
use crate::kind::{self, Kind, webhook};
use crate::model::{ClientOptions, NodeAddress, OriginPattern, Webhook};
use crate::options::DefaultValue;

const EMPTY: DefaultValue = DefaultValue::Texts(&[]);

/// The items of a list, each parsed; none of null.
fn items<T>(value: &Value, parse: fn(&Value) -> Option<T>) -> Vec<T> {
    value.as_array().into_iter().flatten().filter_map(parse).collect()
}

fn strings(value: &Value) -> Vec<String> {
    items(value, |item| item.as_str().map(str::to_owned))
}

/// A list of strings.
pub(crate) const fn texts(default: &'static [&'static str]) -> Check<Vec<String>> {
    Check::new(Kind::TextList, DefaultValue::Texts(default), strings)
}

/// A list of HTTP tokens.
pub(crate) const fn tokens(default: &'static [&'static str]) -> Check<Vec<String>> {
    Check::new(Kind::TokenList, DefaultValue::Texts(default), strings)
}

/// A list of addresses and networks, empty by default.
pub(crate) const fn networks() -> Check<Vec<IpNet>> {
    Check::new(Kind::Networks, EMPTY, |value| items(value, |item| kind::network(item.as_str()?)))
}

/// A list of hosts with ports, empty by default; `port` is that of a host that names none.
pub(crate) const fn nodes(port: u16) -> Check<Vec<NodeAddress>> {
    // Canonical nodes have a port.
    Check::new(Kind::Nodes { port }, EMPTY, |value| items(value, |item| kind::node(item, 0)))
}

/// A list of patterns of origins, empty by default.
pub(crate) const fn origins() -> Check<Vec<OriginPattern>> {
    Check::new(Kind::Origins, EMPTY, |value| {
        items(value, |item| OriginPattern::parse(item.as_str()?))
    })
}

/// A list of webhooks, empty by default.
pub(crate) const fn webhooks() -> Check<Vec<Webhook>> {
    Check::new(Kind::Webhooks, EMPTY, |value| items(value, |item| webhook::parse(item).ok()))
}

/// A JSON object that is handed on as it is, empty by default.
pub(crate) const fn object() -> Check<ClientOptions> {
    Check::new(Kind::Object, DefaultValue::EmptyObject, |value| {
        ClientOptions(value.as_object().cloned().unwrap_or_default())
    })
}
