//! Sets parts of a structured value by keys of their own, such as
//! `adapter.redis.redisSubOptions.host`.

use serde_json::{Map, Value};

use crate::options;

/// Sets the part of a value that a dotted path leads to, making objects, and arrays for numbers,
/// on the way. `Err` holds a different value that is already there, or that is in the way; a
/// gap in an array is in the way too.
pub(super) fn merge(target: &mut Value, path: &str, part: Value) -> Result<(), Value> {
    let (step, rest) = match path.split_once('.') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    if target.is_null() {
        *target = match options::parse_index(step) {
            Some(_) => Value::Array(Vec::new()),
            None => Value::Object(Map::new()),
        };
    }
    let slot = match target {
        Value::Object(members) => members.entry(step).or_insert(Value::Null),
        Value::Array(items) => {
            let index = options::parse_index(step).unwrap_or(usize::MAX);
            if index == items.len() {
                items.push(Value::Null);
            }
            match items.get_mut(index) {
                Some(slot) => slot,
                None => return Err(Value::Array(items.clone())),
            }
        }
        in_the_way => return Err(in_the_way.clone()),
    };
    match rest {
        Some(rest) => merge(slot, rest, part),
        None if slot.is_null() || *slot == part => {
            *slot = part;
            Ok(())
        }
        None => Err(slot.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::merge;

    #[test]
    fn sets_parts() {
        let mut value = Value::Null;
        merge(&mut value, "0.url", json!("u")).unwrap();
        merge(&mut value, "0.event_types.0", json!("a")).unwrap();
        merge(&mut value, "0.event_types.1", json!("b")).unwrap();
        assert_eq!(value, json!([{ "url": "u", "event_types": ["a", "b"] }]));
        assert_eq!(merge(&mut value, "0.url", json!("u")), Ok(()));
        assert_eq!(merge(&mut value, "0.url", json!("v")), Err(json!("u")));
        assert!(merge(&mut value, "7.url", json!("u")).is_err());
        assert!(merge(&mut value, "x", json!("u")).is_err());
        assert_eq!(merge(&mut value, "0.url.x", json!("u")), Err(json!("u")));
    }
}
