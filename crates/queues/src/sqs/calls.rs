//! Calls about messages that were received.

use std::time::Duration;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry as Hide, DeleteMessageBatchRequestEntry as Delete,
};

use super::SqsQueue;
use crate::QueueError;

impl SqsQueue {
    /// Deletes up to ten messages. One that is not there any more is as good as deleted.
    pub(super) async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueError> {
        let entry = |(at, receipt): (usize, String)| {
            let entry = Delete::builder().id(at.to_string()).receipt_handle(receipt);
            entry.build().map_err(|error| QueueError::Refused(error.to_string()))
        };
        let entries = receipts.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let call = self.client.sqs().await.delete_message_batch().queue_url(&self.options.url);
        let answer = self.client.judge(call.set_entries(Some(entries)).send().await);
        let answer = answer.inspect_err(|error| {
            if let QueueError::Refused(why) = error {
                self.complain(why);
            }
        })?;
        for failed in answer.failed() {
            self.complain(failed.code());
        }
        Ok(())
    }

    /// Hides up to ten messages for so long from now on, in whole seconds.
    pub(super) async fn hide(&self, receipts: Vec<(String, Duration)>) -> Result<(), QueueError> {
        let entry = |(at, (receipt, time)): (usize, (String, Duration))| {
            let entry = Hide::builder().id(at.to_string()).receipt_handle(receipt);
            let seconds = i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
            let entry = entry.visibility_timeout(seconds).build();
            entry.map_err(|error| QueueError::Refused(error.to_string()))
        };
        let entries = receipts.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let call = self.client.sqs().await.change_message_visibility_batch();
        let call = call.queue_url(&self.options.url).set_entries(Some(entries));
        self.client.judge(call.send().await)?;
        Ok(())
    }
}
