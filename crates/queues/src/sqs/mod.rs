//! Jobs in Amazon SQS, in a FIFO queue or in a standard one.
//!
//! ```text
//!   options     what is configured, in the spelling of the AWS SDK for JavaScript
//!   client      the SDK's client, and what its errors mean
//!   message     a job as the body of a message
//!   push        into the queue
//!   calls       about messages that were received
//!   messages    what a worker knows of the messages that it has
//!   worker      out of the queue
//! ```
//!
//! **Order** is up to SQS: of a FIFO queue, every partition and group is a message group, of which nothing
//! comes before what came earlier is deleted. A standard queue promises nothing.
//!
//! **In hand.** A message is hidden from others for 30 seconds, again and again while its job is in
//! hand. One for whose partition there is no room is put off: hidden for a second, and each time it comes
//! again for twice as long, up to 5 minutes; so a partition that is stuck holds up no other. Whoever gives
//! the queue a dead-letter queue should allow for that many receptions.

mod calls;
mod client;
mod message;
mod messages;
mod options;
mod push;
mod worker;

use std::sync::Arc;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use config::Config;
use failures::LogThrottle;

use self::client::SqsClient;
use self::options::SqsOptions;
pub(crate) use self::worker::work;
use crate::counters::Tally;
use crate::{Depth, QueueError, QueueOpenError};

/// How many jobs of a partition are in hand at a time, and how many wait beside them.
pub(crate) const WIDTH: (usize, usize) = (8, 120);
/// How many calls are under way at a time.
const MAX_CALLS: usize = 8;
/// How many messages one call is about, at most.
const BATCH: usize = 10;

/// A queue in SQS.
pub(crate) struct SqsQueue {
    client: SqsClient,
    options: SqsOptions,
    tally: Arc<Tally>,
    complaints: LogThrottle,
}

impl SqsQueue {
    pub(crate) fn new(config: &Config, tally: Arc<Tally>) -> Result<Self, QueueOpenError> {
        let options = SqsOptions::new(&config.queue.sqs)?;
        let client = SqsClient::new(options.clone(), tally.clone());
        Ok(SqsQueue { client, options, tally, complaints: LogThrottle::default() })
    }

    /// Of the whole queue; nobody tells how old its messages are.
    pub(crate) async fn depth(&self) -> Result<Depth, QueueError> {
        let all = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesNotVisible,
            Name::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.client.sqs().await.get_queue_attributes().queue_url(&self.options.url);
        let asked = asked.set_attribute_names(Some(all.to_vec())).send();
        let told = self.client.judge(asked.await)?;
        let number = |name| told.attributes()?.get(name)?.parse::<u64>().ok();
        Ok(Depth { jobs: all.iter().filter_map(number).sum(), oldest: None })
    }

    fn complain(&self, what: &str) {
        self.tally.failed();
        if self.complaints.may_log() {
            tracing::error!(what, "a queue in SQS cannot be used as it should");
        }
    }
}
