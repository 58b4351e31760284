//! Webhooks, and the queue in which they wait.

use std::path::PathBuf;
use std::time::Duration;

use super::check::{DAY, flag, int, megabytes, millis, object, optional, seconds, text};
use super::row::{group, option, options};
use crate::kind::Kind;
use crate::model::{ClientOptions, QueueDriver};

options! {
    /// Sending webhooks.
    pub struct Webhooks {
        /// Gather several events into one request.
        batching: bool = option("webhooks.batching.enabled", "WEBHOOKS_BATCHING", flag(false));
        /// For how long they are gathered, in ms.
        batching_duration: Duration =
            option("webhooks.batching.duration", "WEBHOOKS_BATCHING_DURATION", millis(50, 1..=DAY));
        /// How long after `channel_vacated` or `member_removed` the channel or member may be back
        /// without anybody hearing of it, in ms.
        grace: Duration = option("webhooks.grace", "WEBHOOKS_GRACE", millis(3000, 0..=3_600_000));
        /// For how long after its first attempt a request is tried again, in s.
        retry_for: Duration =
            option("webhooks.retryFor", "WEBHOOKS_RETRY_FOR", seconds(300, 0..=86_400));
        /// What all waiting requests of this node may take, in MB; those to one target of an app a
        /// quarter of it.
        max_pending: usize = option(
            "webhooks.maxPendingInMb",
            "WEBHOOKS_MAX_PENDING_MB",
            megabytes(64, 4..=1_048_576),
        );
        /// Authorities in PEM form that targets may be vouched for by, besides those of the system.
        ca_path: Option<PathBuf> =
            option("webhooks.caPath", "WEBHOOKS_CA", optional(Kind::NonEmpty));
        /// Refuse targets whose addresses are not public: for apps that others configure.
        deny_private_targets: bool =
            option("webhooks.denyPrivateTargets", "WEBHOOKS_DENY_PRIVATE_TARGETS", flag(false));
    }
}

options! {
    /// The queue of webhooks.
    pub struct Queue {
        /// Where webhooks wait to be sent.
        driver: QueueDriver =
            option("queue.driver", "QUEUE_DRIVER", QueueDriver::Sync.by_default());
        /// The Redis queue.
        redis: RedisQueue = group::<RedisQueue>();
        /// The SQS queue.
        sqs: Sqs = group::<Sqs>();
    }
}

options! {
    /// The Redis queue.
    pub struct RedisQueue {
        /// Jobs of one webhook target that are in hand at a time, in eights; those of one channel
        /// are done one after the other all the same.
        concurrency: u32 =
            option("queue.redis.concurrency", "QUEUE_REDIS_CONCURRENCY", int(1, 1..=10_000));
        /// Jobs of one webhook target that may wait; more are refused.
        max_pending_jobs: u64 = option(
            "queue.redis.maxPendingJobs",
            "QUEUE_REDIS_MAX_PENDING_JOBS",
            int(100_000, 1..=1_000_000_000),
        );
        /// Connection options laid over `database.redis`.
        options: ClientOptions =
            option("queue.redis.redisOptions", "QUEUE_REDIS_OPTIONS", object());
        /// Redis Cluster through `database.redis.clusterNodes`.
        cluster_mode: bool =
            option("queue.redis.clusterMode", "QUEUE_REDIS_CLUSTER_MODE", flag(false));
    }
}

options! {
    /// The SQS queue.
    pub struct Sqs {
        /// Region.
        region: String =
            option("queue.sqs.region", "QUEUE_SQS_REGION", text(Kind::NonEmpty, "us-east-1"));
        /// Settings of the AWS client.
        client_options: ClientOptions =
            option("queue.sqs.clientOptions", "QUEUE_SQS_CLIENT_OPTIONS", object());
        /// URL of the queue.
        queue_url: String = option("queue.sqs.queueUrl", "QUEUE_SQS_URL", text(Kind::Text, ""));
        /// Endpoint instead of the region's own.
        endpoint: Option<String> =
            option("queue.sqs.endpoint", "QUEUE_SQS_ENDPOINT", optional(Kind::Text));
        /// Take several messages at a time.
        process_batch: bool =
            option("queue.sqs.processBatch", "QUEUE_SQS_PROCESS_BATCH", flag(false));
        /// How many.
        batch_size: u32 = option("queue.sqs.batchSize", "QUEUE_SQS_BATCH_SIZE", int(1, 1..=10));
        /// The pause after a poll that found nothing, in ms; a poll waits up to 20 s for messages.
        polling_wait: Duration = option(
            "queue.sqs.pollingWaitTimeMs",
            "QUEUE_SQS_POLLING_WAIT_TIME_MS",
            millis(0, 0..=20_000),
        );
    }
}
