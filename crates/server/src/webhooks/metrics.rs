//! What becomes of webhooks, for whoever wants to look.

use std::sync::Arc;

use ::webhooks::Sender;

use super::producer::JobProducer;

/// Owned by the node.
pub(crate) struct WebhookMetrics {
    /// If this process sends.
    pub(crate) sender: Option<Arc<Sender>>,
    /// If there is a queue that nodes share.
    pub(crate) producer: Option<Arc<JobProducer>>,
}

impl WebhookMetrics {
    /// Whether the queue answered the last time; without one there is nothing to wait for.
    pub(crate) fn queue_is_up(&self) -> bool {
        self.producer.as_ref().is_none_or(|producer| producer.queue().counters().is_up)
    }
}
