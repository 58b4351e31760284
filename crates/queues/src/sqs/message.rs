//! A job as the body of a message: JSON, so that people can read it.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Job;

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    /// Messages of earlier versions, which may still wait, call it so.
    #[serde(rename = "lane")]
    partition: Cow<'a, str>,
    group: Cow<'a, str>,
    /// The payload, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// The body of the message for a job.
pub(super) fn body(job: &Job) -> String {
    let text = std::str::from_utf8(&job.payload).ok();
    let body = Body {
        partition: job.partition.as_str().into(),
        group: job.group.as_str().into(),
        payload: text.map(Cow::from),
        base64: text.is_none().then(|| STANDARD.encode(&job.payload)),
    };
    // A struct of strings is always JSON.
    let body = serde_json::to_string(&body).unwrap_or_default();
    if body.contains(['\u{fffe}', '\u{ffff}']) {
        // The only characters that SQS refuses and JSON does not escape. They are within strings.
        return body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    }
    body
}

/// The job of a body; none if it is of something else.
pub(super) fn job(body: &str) -> Option<Job> {
    let body: Body<'_> = serde_json::from_str(body).ok()?;
    let payload = match (body.payload, body.base64) {
        (Some(text), None) => text.into_owned().into(),
        (None, Some(text)) => STANDARD.decode(text).ok()?.into(),
        _ => return None,
    };
    Some(Job { partition: body.partition.into_owned(), group: body.group.into_owned(), payload })
}

/// The message group of a job's partition and group, which may be long and of any characters.
pub(super) fn message_group(job: &Job) -> String {
    let mut digest = Sha256::new();
    // The length keeps "ab", "c" and "a", "bc" apart.
    digest.update((job.partition.len() as u64).to_be_bytes());
    digest.update(&job.partition);
    digest.update(&job.group);
    hex(&digest.finalize()[..16])
}

/// 32 characters that nobody has used before.
pub(super) fn unique() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Without randomness, the clock has to do.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        bytes = now.map_or(0, |now| now.as_nanos()).to_be_bytes();
    }
    hex(&bytes)
}

/// What a message is called by the scheduler.
pub(super) fn handout(message_id: &str) -> u128 {
    let digest = Sha256::digest(message_id);
    digest[..16].iter().fold(0, |handout, byte| handout << 8 | u128::from(*byte))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(partition: &str, group: &str, payload: &[u8]) -> Job {
        Job { partition: partition.into(), group: group.into(), payload: payload.to_vec().into() }
    }

    #[test]
    fn there_and_back_in_characters_that_sqs_takes() {
        let all: Vec<u8> = (0..=255).collect();
        let odd = "\u{0}\u{1f}\u{7f}\u{fffd}\u{fffe}\u{ffff}\\u\"🦆";
        for payload in [&b""[..], b"{\"a\":1}", odd.as_bytes(), &all] {
            let job_made = made(odd, odd, payload);
            let body = body(&job_made);
            let allowed =
                |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
            assert!(body.chars().all(allowed), "{body:?}");
            assert_eq!(job(&body), Some(job_made));
        }
        assert!(body(&made("a", "b", b"{\"c\":1}")).contains(r#""payload":"{\"c\":1}""#));
    }

    #[test]
    fn what_is_no_job_is_none() {
        for body in ["", "{}", "[]", r#"{"lane":"a","group":"b"}"#, r#"{"lane":1}"#] {
            assert_eq!(job(body), None);
        }
        let both = r#"{"lane":"a","group":"b","payload":"x","base64":"eA=="}"#;
        assert_eq!(job(both), None);
    }

    #[test]
    fn groups_of_partitions_are_groups_of_their_own() {
        let groups = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")];
        let groups: std::collections::HashSet<String> = groups
            .iter()
            .map(|(partition, group)| message_group(&made(partition, group, b"")))
            .collect();
        assert_eq!(groups.len(), 4);
        assert_ne!(unique(), unique());
    }
}
