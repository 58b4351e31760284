//! What an option is when nobody says anything.

use std::fmt;

use serde_json::Value;

use crate::kind::number;

/// The default of an option. `Display` is JSON as the documentation has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// Null, which then is a value of the option.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, whole or not.
    Number(f64),
    /// A string.
    Text(&'static str),
    /// An array of strings.
    Texts(&'static [&'static str]),
    /// An object without members.
    EmptyObject,
}

impl DefaultValue {
    /// The canonical value.
    pub fn to_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(yes) => Value::Bool(yes),
            Self::Number(n) => number(n).unwrap_or_default(),
            Self::Text(text) => Value::from(text),
            Self::Texts(texts) => Value::from(texts),
            Self::EmptyObject => Value::Object(serde_json::Map::new()),
        }
    }
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_json() {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            value => write!(f, "{value}"),
        }
    }
}
