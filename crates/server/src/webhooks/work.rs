//! What this process does about webhooks, by its mode and its queue: who decides, who sends.
//!
//! | mode     | queue `sync`         | a shared queue                     |
//! |----------|----------------------|------------------------------------|
//! | `full`   | task, sends itself   | task, feeds the queue, and a worker |
//! | `server` | nobody sends         | task, feeds the queue              |
//! | `worker` | refused by `config`  | a worker                           |

use std::sync::Arc;
use std::time::Duration;

use ::webhooks::{BoxFuture, Credential, Credentials, Job, Sender, Settings, Unavailable};
use config::{Config, Mode};
use queues::{Consumer, Queue, Room};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::job_maker::{JobMaker, Way};
use super::producer::JobProducer;
use super::{WebhookMetrics, WebhookTask};
use crate::apps::{Apps, By};
use crate::outside::NodeChannels;

/// How long a worker's jobs in hand may take to end.
const LAST_JOBS: Duration = Duration::from_secs(5);

/// Everything that runs, on the background runtime.
pub(crate) struct Work {
    task: Option<Task>,
    worker: Option<Task>,
}

struct Task {
    close: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Task {
    async fn close(self) {
        // Whoever is gone already needs not be told; a panic there has been counted and logged.
        let _ = self.close.send(());
        let _ = self.done.await;
    }
}

/// Why webhooks cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The queue cannot be used with these options.
    #[error(transparent)]
    Queue(#[from] queues::QueueOpenError),
    /// Webhooks cannot be sent with these options.
    #[error(transparent)]
    Settings(#[from] ::webhooks::SettingsError),
}

/// What has been opened and does not run yet.
pub(crate) struct Opened {
    queue: Option<Queue>,
    sender: Option<Arc<Sender>>,
}

impl Opened {
    /// Opens what this process needs, inside of the background runtime.
    ///
    /// # Errors
    /// The options can never work.
    pub(crate) fn new(config: &Config, apps: &Arc<Apps>) -> Result<Self, OpenError> {
        let queue = Queue::open(config)?;
        let keys = || Arc::new(AppCredentials(apps.clone()));
        let sends = config.mode != Mode::Server;
        let sender =
            sends.then(|| Sender::new(Settings::of(&config.webhooks), keys())).transpose()?;
        Ok(Opened { queue, sender: sender.map(Arc::new) })
    }
}

impl Work {
    /// Starts what this process does, inside of the background's `LocalSet`, and says what becomes
    /// of it.
    pub(crate) fn start(
        config: &Config,
        channels: &Arc<NodeChannels>,
        opened: Opened,
    ) -> (Self, WebhookMetrics) {
        let Opened { queue, sender } = opened;
        let worker = match (&queue, &sender) {
            (Some(queue), Some(sender)) => Some(WebhookWorker::start(queue, sender.clone())),
            _ => None,
        };
        let way = match (queue, &sender) {
            (Some(queue), _) => Way::Queue(JobProducer::start(queue)),
            (None, Some(sender)) => Way::Sender(sender.clone()),
            (None, None) => Way::Nowhere,
        };
        let producer = match &way {
            Way::Queue(producer) => Some(producer.clone()),
            Way::Sender(_) | Way::Nowhere => None,
        };
        let metrics = WebhookMetrics { sender, producer };
        let task = (config.mode != Mode::Worker).then(|| {
            let (close, closing) = oneshot::channel();
            let apps = channels.runtime().apps.clone();
            let delivery = JobMaker::new(apps, way, &config.webhooks);
            let task = WebhookTask::new(config, channels.clone(), delivery);
            Task { close, done: tokio::task::spawn_local(task.work(closing)) }
        });
        (Work { task, worker }, metrics)
    }

    /// Says and sends what is left, for some seconds at most.
    pub(crate) async fn close(self) {
        if let Some(task) = self.task {
            task.close().await;
        }
        if let Some(worker) = self.worker {
            worker.close().await;
        }
    }
}

/// Takes jobs out of the queue that the nodes share, and sends them.
struct WebhookWorker {
    consumer: Consumer,
    sender: Arc<Sender>,
}

impl WebhookWorker {
    fn start(queue: &Queue, sender: Arc<Sender>) -> Task {
        let consumer = queue.consume(Arc::new(SenderRoom(sender.clone())));
        let (close, closing) = oneshot::channel();
        let worker = WebhookWorker { consumer, sender };
        Task { close, done: tokio::task::spawn_local(worker.work(closing)) }
    }

    async fn work(mut self, mut close: oneshot::Receiver<()>) {
        loop {
            let delivery = tokio::select! {
                delivery = self.consumer.next() => delivery,
                _ = &mut close => break,
            };
            match Job::decode(&delivery.job.payload) {
                Ok(job) => self.sender.submit(job, move |_| delivery.done()),
                Err(error) => {
                    tracing::error!(%error, "a webhook in the queue cannot be read, it is dropped");
                    delivery.done();
                }
            }
        }
        // What is not sent by then stays in the queue, for another worker.
        self.sender.flush(LAST_JOBS).await;
        self.consumer.close().await;
    }
}

/// The sender's partitions, as the queue asks for them.
struct SenderRoom(Arc<Sender>);

impl Room for SenderRoom {
    fn room(&self, partition: &str) -> usize {
        self.0.room(partition)
    }
}

/// The keys of this node's apps.
struct AppCredentials(Arc<Apps>);

impl Credentials for AppCredentials {
    fn of<'a>(&'a self, app: &'a str) -> BoxFuture<'a, Result<Option<Credential>, Unavailable>> {
        Box::pin(async move {
            let app = self.0.look_up(By::Id(app)).await;
            let app = app.map_err(|error| Unavailable(error.to_string()))?;
            Ok(app.map(|app| {
                let settings = app.settings.load();
                let key = settings.config.key.as_str().into();
                Credential { key, secret: settings.secret.clone() }
            }))
        })
    }
}
