//! Whatever stands in the sources: an answer, never a panic.

mod support;

use config::options;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::setup;

/// Keys near and far from the table's.
fn key() -> impl Strategy<Value = String> {
    let keys: Vec<String> = options::all().map(|spec| spec.key.to_owned()).collect();
    prop_oneof![
        4 => proptest::sample::select(keys.clone()),
        2 => (proptest::sample::select(keys.clone()), 0usize..40)
            .prop_map(|(key, end)| key.chars().take(end).collect()),
        1 => (proptest::sample::select(keys), "[.a0]{1,3}").prop_map(|(key, tail)| key + &tail),
        1 => "(appManager.array.apps)?[.0-9a-z]{0,12}",
        1 => any::<String>(),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-10i64..100_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z:/.*,\\[\\]{}\"0-9-]{0,20}".prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key(), inner.clone()), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            proptest::collection::vec(inner, 0..3)
                .prop_map(|hooks| json!([{ "url": "http://a", "headers": hooks }])),
        ]
    })
}

fn variable() -> impl Strategy<Value = (String, String)> {
    let names: Vec<&str> = options::all().filter_map(|spec| spec.env).collect();
    let name = (
        "(SOKETI_)?",
        prop_oneof![
            8 => proptest::sample::select(names).prop_map(str::to_owned),
            1 => any::<String>(),
        ],
    );
    (
        name.prop_map(|(prefix, name)| prefix + &name),
        prop_oneof![tree().prop_map(|value| value.to_string()), any::<String>(),],
    )
}

proptest! {
    #[test]
    fn any_file_and_environment_has_an_answer(
        members in proptest::collection::vec((key(), tree()), 0..12),
        env in proptest::collection::vec(variable(), 0..12),
        dotenv in any::<String>(),
    ) {
        let mut s = setup().file(&Value::Object(members.into_iter().collect())).dotenv(&dotenv);
        s.sources.env = env;
        match s.try_load() {
            Ok(loaded) => {
                let _ = (config::table(&loaded.provenance), format!("{:?}", loaded.config));
                let _ = loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
            }
            Err(errors) => prop_assert!(!errors.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_has_an_answer(file in any::<String>(), lines in "([A-Z_]{0,3}[ =\"'#\\\\\n]{0,4}){0,20}") {
        let _ = setup().text(&file).dotenv(&lines).try_load();
    }
}

#[test]
fn deep_and_long_keys_are_refused() {
    let dots = "adapter.redis.redisSubOptions".to_owned() + &".a".repeat(100_000);
    assert_eq!(setup().file(&json!({ dots: 1 })).errors().len(), 1);
    let nested = "[".repeat(100_000);
    assert_eq!(setup().text(&nested).errors().len(), 1);
    let huge = json!({ "appManager.array.apps.4294967295.id": "x" });
    assert_eq!(setup().file(&huge).errors().len(), 1);
}
