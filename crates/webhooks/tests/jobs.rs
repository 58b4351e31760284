//! Jobs as bytes.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::sync::Arc;

use config::{ClientOptions, Secret, Webhook, WebhookTarget};
use proptest::prelude::*;
use serde_json::{Value, json};
use webhooks::{DecodeError, Destination, Job};

fn webhook(target: WebhookTarget, headers: Vec<(String, Secret)>) -> Webhook {
    Webhook {
        target,
        event_types: vec![],
        headers,
        channel_name_starts_with: None,
        channel_name_ends_with: None,
    }
}

fn job(app: &str, hook: &Webhook, group: &str, body: String) -> Job {
    let to = Arc::new(Destination::new(app.into(), hook));
    Job { to, group: group.into(), body: body.into(), events: 3, created_ms: 7 }
}

fn assert_same(job: &Job, other: &Job) {
    assert_eq!((&job.to, &job.group, &job.body), (&other.to, &other.group, &other.body));
    assert_eq!((job.events, job.created_ms), (other.events, other.created_ms));
}

proptest! {
    #[test]
    fn a_job_survives_a_queue(
        app: String, url: String, group: String, body: String,
        headers: Vec<(String, String)>,
    ) {
        let headers = headers.into_iter().map(|(name, value)| (name, Secret::new(value)));
        let hook = webhook(WebhookTarget::Url(url), headers.collect());
        let job = job(&app, &hook, &group, body);
        assert_same(&Job::decode(&job.encode()).unwrap(), &job);
    }

    #[test]
    fn no_bytes_are_harmful(bytes: Vec<u8>) {
        let _ = Job::decode(&bytes);
    }
}

#[test]
fn a_function_survives_a_queue() {
    let Value::Object(options) =
        json!({"endpoint": "http://a", "credentials": {"accessKeyId": "b"}})
    else {
        unreachable!("it is an object")
    };
    let target = WebhookTarget::Lambda {
        function: "f".to_owned(),
        asynchronous: true,
        region: Some("eu-west-1".to_owned()),
        client_options: ClientOptions(options),
    };
    let job = job("1", &webhook(target, vec![]), "a", "{}".to_owned());
    assert_same(&Job::decode(&job.encode()).unwrap(), &job);
    assert_eq!(&*job.to.partition, "1 lambda:eu-west-1:f");
}

#[test]
fn what_is_not_known_is_left_alone_but_a_newer_version_is_refused() {
    let hook = webhook(WebhookTarget::Url("http://a/".to_owned()), vec![]);
    let job = job("1", &hook, "a", "{}".to_owned());
    let mut stored: Value = serde_json::from_slice(&job.encode()).unwrap();
    stored["invented_later"] = json!({"a": [1]});
    assert_same(&Job::decode(stored.to_string().as_bytes()).unwrap(), &job);
    let newer = json!({"version": 2, "all": "else"}).to_string();
    assert!(matches!(Job::decode(newer.as_bytes()), Err(DecodeError::Version(2))));
    stored.as_object_mut().unwrap().remove("url");
    let nowhere = Job::decode(stored.to_string().as_bytes());
    assert!(matches!(nowhere, Err(DecodeError::NoTarget)));
    assert!(matches!(Job::decode(b"{}"), Err(DecodeError::Malformed(_))));
}

#[test]
fn secrets_are_not_shown() {
    let headers = vec![("Authorization".to_owned(), Secret::new("hunter2"))];
    let hook = webhook(WebhookTarget::Url("http://a/".to_owned()), headers);
    assert!(!format!("{:?}", job("1", &hook, "a", "{}".to_owned())).contains("hunter2"));
}
