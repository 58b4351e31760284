//! Jobs on their way to real targets: sockets that record every byte and answer as they are told.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod answers;
mod apps;
#[cfg(feature = "lambda")]
mod functions;
mod load;
mod privacy;
mod target;
mod tls;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use config::{Secret, Webhook, WebhookTarget};
use tokio::sync::oneshot;
use webhooks::{Destination, Job, Outcome, Sender, Settings, TargetCounters};

use self::apps::Apps;

/// How long anything may take, on a machine that is busy with other tests.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Pauses that a test can wait for, and patience with a busy machine.
fn settings() -> Settings {
    Settings {
        timeout: TEST_TIMEOUT / 2,
        connect_timeout: TEST_TIMEOUT / 2,
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(50),
        ..Settings::default()
    }
}

/// Settings with which a failure is final soon.
fn impatient() -> Settings {
    Settings { retry_for: Duration::ZERO, ..settings() }
}

fn sender(settings: Settings) -> Sender {
    Sender::new(settings, Arc::new(Apps::default())).unwrap()
}

fn webhook(target: WebhookTarget, headers: &[(&str, &str)]) -> Webhook {
    let headers = headers.iter();
    Webhook {
        target,
        event_types: vec!["channel_occupied".to_owned()],
        headers: headers.map(|(n, v)| ((*n).to_owned(), Secret::new(*v))).collect(),
        channel_name_starts_with: None,
        channel_name_ends_with: None,
    }
}

fn job_for(app: &str, hook: &Webhook, group: &str, body: &str) -> Job {
    Job {
        to: Arc::new(Destination::new(app.into(), hook)),
        group: group.into(),
        body: body.to_owned().into(),
        events: 1,
        created_ms: 1,
    }
}

fn job(url: &str, body: &str) -> Job {
    job_for("app", &webhook(WebhookTarget::Url(url.to_owned()), &[]), "a", body)
}

/// What comes of a job.
async fn send(sender: &Sender, job: Job) -> Outcome {
    let (done, outcome) = oneshot::channel();
    sender.submit(job, move |outcome| _ = done.send(outcome));
    soon(outcome).await.expect("the sender lives")
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(TEST_TIMEOUT, future).await.expect("it happens soon")
}

/// The reason for which a job was given up, as text.
fn given_up(outcome: Outcome) -> String {
    match outcome {
        Outcome::GivenUp(reason) => reason.to_string(),
        Outcome::Delivered => panic!("it was delivered"),
    }
}

/// All that was counted, of the only series.
fn counted(sender: &Sender) -> TargetCounters {
    let mut all = sender.counters();
    assert_eq!(all.len(), 1);
    all.remove(0)
}
