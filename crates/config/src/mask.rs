//! Keeps secrets out of what is printed: of values whose key says that they are secret, and of
//! URLs with a password.

use serde_json::Value;

use crate::secret::MASK;

/// Parts of names that announce a secret, in lower case.
const SECRET_WORDS: [&str; 7] =
    ["pass", "secret", "token", "auth", "credential", "accesskey", "apikey"];

/// Whether a key, environment name or header of this name probably holds a secret.
pub(crate) fn names_secret(name: &str) -> bool {
    let name: String =
        name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A copy that is fit to print: members named like secrets masked at any depth, header values
/// too, and user names and passwords taken out of URLs.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, v)| (name.clone(), member(name, v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        Value::String(text) => Value::String(url(text)),
        other => other.clone(),
    }
}

/// A value as JSON, masked and shortened.
pub(crate) fn show(value: &Value) -> String {
    const MAX: usize = 120;
    let text = masked(value).to_string();
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn member(name: &str, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)
            if names_secret(name) =>
        {
            Value::String(MASK.to_owned())
        }
        // Any header may carry a credential under a name of its own.
        Value::Object(headers) if name == "headers" => Value::Object(
            headers.keys().map(|header| (header.clone(), Value::String(MASK.to_owned()))).collect(),
        ),
        other => masked(other),
    }
}

/// Masks the `user:password@` of every URL in a text.
fn url(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (scheme, after) = rest.split_at(at + 3);
        masked.push_str(scheme);
        let authority = &after[..after.find(['/', '?', '#', ',', ' ']).unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(end) => {
                masked.push_str(MASK);
                &after[end..]
            }
            None => after,
        };
    }
    masked.push_str(rest);
    masked
}
