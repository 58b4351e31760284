//! Apps that are there, are gone, or cannot be looked up; and what that means for their webhooks.

use std::collections::HashMap;

use parking_lot::Mutex;
use protocol::auth::Secret;
use webhooks::{BoxFuture, Credential, Credentials, Unavailable};

use super::target::{Reply, Target};
use super::*;

/// What signs an app that nothing else is said of.
pub(crate) const SECRET: &str = "tofu";

/// Keys and secrets by app. All others have the key `key of ID`.
#[derive(Default)]
pub(crate) struct Apps(pub(crate) Mutex<HashMap<String, Answers>>);

/// What is answered from now on: one answer after the other, the last one for ever.
type Answers = Vec<Result<Option<(&'static str, &'static str)>, Unavailable>>;

impl Credentials for Apps {
    fn of<'a>(&'a self, app: &'a str) -> BoxFuture<'a, Result<Option<Credential>, Unavailable>> {
        Box::pin(async move {
            let credential = |key: &str, secret: &str| {
                Some(Credential { key: key.into(), secret: Secret::new(secret.as_bytes()) })
            };
            let mut apps = self.0.lock();
            let Some(answers) = apps.get_mut(app) else {
                return Ok(credential(&format!("key of {app}"), SECRET));
            };
            let answer = match answers.len() {
                1 => answers[0].clone(),
                _ => answers.remove(0),
            };
            answer.map(|found| found.and_then(|(key, secret)| credential(key, secret)))
        })
    }
}

fn with(answers: Answers) -> Sender {
    let apps = Apps::default();
    apps.0.lock().insert("app".to_owned(), answers);
    Sender::new(settings(), Arc::new(apps)).unwrap()
}

#[tokio::test]
async fn each_attempt_is_signed_with_the_key_of_its_time() {
    let target = Target::start(|n, _| Reply::status(if n == 0 { 500 } else { 200 })).await;
    let sender = with(vec![Ok(Some(("old", "old secret"))), Ok(Some(("new", "new secret")))]);
    let body = r#"{"time_ms":1,"events":[]}"#;
    assert_eq!(send(&sender, job(&target.url("/"), body)).await, Outcome::Delivered);
    let received = target.received();
    assert_eq!(received.len(), 2);
    for (request, key, secret) in [(0, "old", "old secret"), (1, "new", "new secret")] {
        let request = &received[request];
        assert_eq!(request.header("X-Pusher-Key"), Some(key));
        let signature = request.header("X-Pusher-Signature").unwrap();
        assert!(Secret::new(secret.as_bytes()).verify(&[&request.body], signature));
        assert_eq!(request.body, body.as_bytes());
    }
}

#[tokio::test]
async fn an_app_that_is_gone_gets_nothing() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = with(vec![Ok(None)]);
    let outcome = send(&sender, job(&target.url("/"), "{}")).await;
    assert_eq!(given_up(outcome), "no such app");
    assert_eq!(target.received().len(), 0);
    assert_eq!(counted(&sender).given_up.hopeless, 1);
}

#[tokio::test]
async fn apps_that_cannot_be_looked_up_are_waited_for() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let away = || Err(Unavailable("the database is away".to_owned()));
    let sender = with(vec![away(), away(), Ok(Some(("key", "secret")))]);
    assert_eq!(send(&sender, job(&target.url("/"), "{}")).await, Outcome::Delivered);
    assert_eq!(target.received().len(), 1);
    assert_eq!(counted(&sender).attempts.not_made, 2);
}
