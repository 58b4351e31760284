//! An item of the table as the fields of an app.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::entry::StoredApp;
use crate::fields::FIELDS;

pub(super) fn entry(item: &HashMap<String, AttributeValue>) -> StoredApp {
    let mut entry = StoredApp::default();
    for field in &FIELDS {
        if let Some(attribute) = item.get(field.attribute) {
            entry.add(field.name, value(attribute));
        }
    }
    entry
}

/// Numbers are texts on the wire, and stay texts here: a field takes either.
fn value(attribute: &AttributeValue) -> Result<Value, String> {
    match attribute {
        AttributeValue::S(text) | AttributeValue::N(text) => Ok(Value::String(text.clone())),
        AttributeValue::Bool(yes) => Ok(Value::Bool(*yes)),
        AttributeValue::Null(_) => Ok(Value::Null),
        AttributeValue::B(bytes) => match str::from_utf8(bytes.as_ref()) {
            Ok(text) => Ok(Value::String(text.to_owned())),
            Err(_) => Err("a binary that is not UTF-8".to_owned()),
        },
        _ => Err("the attribute must be a string, number, boolean or binary".to_owned()),
    }
}
