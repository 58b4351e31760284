//! Types and ranges of options: what a value may be, how it is said in an error message, and the
//! conversion of what was written (a JSON value in the file, text in the environment) to a
//! canonical JSON value. Knows no option by name.

mod lists;
mod text;
pub(crate) mod webhook;

use serde_json::{Number, Value};

use crate::suggest::suggest;

pub(crate) use lists::{network, node};

/// Integers up to here are exact in a JSON number that is written as a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The type and range of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`; also 1, 0, yes, no, on and off, as a string or not.
    Bool,
    /// An integer in a range, both ends included.
    Int {
        /// Least allowed value.
        min: i64,
        /// Greatest allowed value.
        max: i64,
    },
    /// A number in a range, both ends included.
    Float {
        /// Least allowed value.
        min: f64,
        /// Greatest allowed value.
        max: f64,
    },
    /// A number from 0, or -1 for unlimited.
    Limit {
        /// Greatest allowed value.
        max: f64,
    },
    /// A string.
    Text,
    /// A string that is not empty.
    NonEmpty,
    /// An app's id or key: part of paths and signatures.
    Ident,
    /// An IP address or host name to listen on.
    Host,
    /// The prefix of every route; canonically `""` or `"/x"`.
    PathPrefix,
    /// The prefix of Prometheus metric names.
    MetricPrefix,
    /// One of these names.
    OneOf(&'static [&'static str]),
    /// A list of strings: a JSON array or text with commas.
    TextList,
    /// A list of HTTP tokens (RFC 9110 5.6.2), such as methods.
    TokenList,
    /// A list of origin patterns.
    Origins,
    /// A list of IP addresses and networks.
    Networks,
    /// A list of `{host, port}` or `host:port`.
    Nodes {
        /// The port of a node that names none.
        port: u16,
    },
    /// A JSON object.
    Object,
    /// A JSON array of webhooks.
    Webhooks,
}

impl Kind {
    /// What is allowed, to follow "must be".
    pub fn allowed(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int { min, max } => format!("an integer between {min} and {max}"),
            Self::Float { min, max } => format!("a number between {min} and {max}"),
            Self::Limit { max } => format!("a number between 0 and {max}, or -1 for unlimited"),
            Self::Text => "a string".to_owned(),
            Self::NonEmpty => "a string that is not empty".to_owned(),
            Self::Ident => {
                "a string that is not empty and has no space and none of / ? # : in it".to_owned()
            }
            Self::Host => "an IP address or host name".to_owned(),
            Self::PathPrefix => "a path such as \"/ws\"".to_owned(),
            Self::MetricPrefix => {
                "letters, digits, _ and : that do not start with a digit".to_owned()
            }
            Self::OneOf(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                match quoted.as_slice() {
                    [only] => only.clone(),
                    _ => format!("one of {}", quoted.join(", ")),
                }
            }
            Self::TextList => "a JSON array of strings, or a list with commas".to_owned(),
            Self::TokenList => "a list of HTTP tokens such as [\"GET\", \"POST\"]".to_owned(),
            Self::Origins => {
                "a list of origins such as [\"https://*.example.com\", \"https://example.com:8443\"]"
                    .to_owned()
            }
            Self::Networks => {
                "a list of IP addresses and networks such as [\"10.0.0.0/8\", \"::1\"]".to_owned()
            }
            Self::Nodes { .. } => {
                "a JSON array such as [{\"host\": \"10.0.0.1\", \"port\": 6379}]".to_owned()
            }
            Self::Object => "a JSON object".to_owned(),
            Self::Webhooks => {
                "a JSON array of webhooks such as [{\"url\": \"https://example.com/hook\", \
                 \"event_types\": [\"channel_occupied\"]}]"
                    .to_owned()
            }
        }
    }

    /// Whether the value has parts that can be set by keys of their own.
    pub(crate) fn is_structured(&self) -> bool {
        matches!(
            self,
            Self::TextList
                | Self::TokenList
                | Self::Origins
                | Self::Networks
                | Self::Nodes { .. }
                | Self::Object
                | Self::Webhooks
        )
    }

    /// Whether text from the environment is the value itself even if it looks like JSON.
    pub(crate) const fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::NonEmpty
                | Self::Ident
                | Self::Host
                | Self::PathPrefix
                | Self::MetricPrefix
                | Self::OneOf(_)
        )
    }

    /// Converts text from the environment. Text that parses as JSON is taken as JSON, except
    /// that a string option keeps what was written (`007`, `1e5`, `{x`) unless that is a quoted
    /// string or null.
    pub(crate) fn accept_text(&self, text: &str) -> Result<Value, String> {
        match serde_json::from_str::<Value>(text) {
            Ok(value) if !self.is_text() || value.is_string() || value.is_null() => {
                self.accept(&value)
            }
            _ => self.accept(&Value::String(text.to_owned())),
        }
    }

    /// Converts a JSON value to the canonical one, or says what would be right, as in "must be a
    /// string".
    pub(crate) fn accept(&self, value: &Value) -> Result<Value, String> {
        let accepted = match self {
            Self::Bool => boolean(value).map(Value::Bool),
            Self::Int { min, max } => {
                integer(value).filter(|n| (min..=max).contains(&n)).map(Value::from)
            }
            Self::Float { min, max } => {
                float(value).filter(|n| (min..=max).contains(&n)).and_then(number)
            }
            Self::Limit { max } => {
                float(value).filter(|n| *n == -1.0 || (0.0..=*max).contains(n)).and_then(number)
            }
            Self::OneOf(names) => return one_of(names, value).map_err(|why| self.must_be(&why)),
            Self::Object => object(value),
            Self::Webhooks => return webhook::accept(value).map_err(|why| self.must_be(&why)),
            Self::TextList
            | Self::TokenList
            | Self::Origins
            | Self::Networks
            | Self::Nodes { .. } => {
                return lists::accept(self, value).map_err(|why| self.must_be(&why));
            }
            _ => text::accept(self, value).map(Value::String),
        };
        accepted.ok_or_else(|| self.must_be(""))
    }

    fn must_be(&self, detail: &str) -> String {
        match detail {
            "" => format!("must be {}", self.allowed()),
            detail => format!("must be {}; {detail}", self.allowed()),
        }
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::Number(n) if n.as_f64() == Some(1.0) => Some(true),
        Value::Number(n) if n.as_f64() == Some(0.0) => Some(false),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    let whole = |n: f64| (n.fract() == 0.0 && n.abs() < EXACT).then_some(n as i64);
    match value {
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().and_then(whole)),
        Value::String(text) => {
            text.trim().parse().ok().or_else(|| text.trim().parse().ok().and_then(whole))
        }
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n| n.is_finite())
}

/// A JSON number, whole ones without a fraction.
pub(crate) fn number(n: f64) -> Option<Value> {
    if n.fract() == 0.0 && n.abs() < EXACT {
        return Some(Value::from(n as i64));
    }
    Number::from_f64(n).map(Value::Number)
}

fn one_of(names: &[&str], value: &Value) -> Result<Value, String> {
    let Value::String(text) = value else { return Err(String::new()) };
    match names.contains(&text.as_str()) {
        true => Ok(value.clone()),
        false => Err(suggest(text, names.iter().copied())
            .map(|name| format!("did you mean \"{name}\"?"))
            .unwrap_or_default()),
    }
}

fn object(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(text) => serde_json::from_str(text).ok().filter(Value::is_object),
        _ => None,
    }
}
