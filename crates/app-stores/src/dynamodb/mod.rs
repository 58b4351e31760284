//! Apps in a DynamoDB table: by id with one request, by key with a request each, because the key is
//! the hash of an index, which cannot be asked for several at once.

mod failure;
mod item;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use config::{Config, DynamoDb, Limits};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::deadline::{self, LIMIT};
use crate::entry::{Asked, StoredApp, found};
use crate::{AppStore, Lookup, OpenError, Wanted};
use failure::Failure;

const NAME: &str = "dynamodb";

/// The index over `AppKey`.
const INDEX: &str = "AppKeyIndex";

/// Items in one `BatchGetItem`, by its documentation.
const BATCH: usize = 100;

/// Requests by key at a time.
const REQUESTS: usize = 16;

/// For how long one attempt may last; there is time for another one within [`LIMIT`].
const ATTEMPT: Duration = Duration::from_secs(2);

/// The first wait for what DynamoDB had no capacity for; it doubles every time.
const FIRST_RETRY: Duration = Duration::from_millis(50);

type Item = HashMap<String, AttributeValue>;

pub(crate) fn open(config: &Config) -> Result<Arc<dyn AppStore>, OpenError> {
    let settings = config.app_manager.dynamodb.clone();
    let endpoint = settings.endpoint.as_deref().map(endpoint).transpose()?;
    Ok(Arc::new(DynamoStore {
        settings,
        endpoint,
        limits: config.limits.clone(),
        client: OnceCell::new(),
    }))
}

/// The URL of an endpoint. Without a scheme it is HTTPS, as for other clients of AWS.
fn endpoint(text: &str) -> Result<String, OpenError> {
    let url = match text.contains("://") {
        true => text.to_owned(),
        false => format!("https://{text}"),
    };
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let fits = |host: &str| {
        !host.is_empty()
            && !host.starts_with(['/', ':', '?', '#'])
            && !host.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    match host.is_some_and(fits) {
        true => Ok(url),
        false => Err(OpenError::Option {
            key: "appManager.dynamodb.endpoint",
            value: format!("{text:?}"),
            right: "a URL such as http://localhost:8000",
        }),
    }
}

struct DynamoStore {
    settings: DynamoDb,
    endpoint: Option<String>,
    limits: Limits,
    /// Made by the first question, because it takes reading files of credentials.
    client: OnceCell<Client>,
}

impl AppStore for DynamoStore {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> Lookup<'a> {
        Box::pin(async move {
            let asked = Asked::of(wanted);
            if asked.is_empty() {
                return Ok(Default::default());
            }
            let answer = deadline::within(NAME, LIMIT, self.items(&asked)).await?;
            let items = answer.map_err(|failure| failure.of(NAME, &self.settings.table))?;
            let entries: Vec<StoredApp> = items.iter().map(item::entry).collect();
            Ok(found(entries, &asked, &self.limits))
        })
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn batch(&self) -> usize {
        BATCH
    }
}

impl DynamoStore {
    async fn items(&self, asked: &Asked) -> Result<Vec<Item>, Failure> {
        let client = self.client.get_or_init(|| self.connect()).await;
        let by_key = self.by_key(client, &asked.keys);
        let (by_id, by_key) = tokio::try_join!(self.by_id(client, &asked.ids), by_key)?;
        Ok(by_id.into_iter().chain(by_key).collect())
    }

    /// Credentials come from where AWS's tools take them: the environment, the shared files, a web
    /// identity (EKS), the container's (ECS) or the machine's role (EC2).
    async fn connect(&self) -> Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(ATTEMPT)
            .operation_attempt_timeout(ATTEMPT)
            .build();
        let shared = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.settings.region.clone()))
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard())
            .load()
            .await;
        let mut options = aws_sdk_dynamodb::config::Builder::from(&shared);
        // Only here: credentials are not asked for at this endpoint.
        options.set_endpoint_url(self.endpoint.clone());
        Client::from_conf(options.build())
    }

    async fn by_id(&self, client: &Client, ids: &[String]) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        for batch in ids.chunks(BATCH) {
            let key = |id: &String| HashMap::from([("AppId".to_owned(), text(id))]);
            let mut keys: Vec<Item> = batch.iter().map(key).collect();
            let mut rest = FIRST_RETRY;
            // Ends by the time limit at the latest.
            loop {
                let wanted = KeysAndAttributes::builder()
                    .set_keys(Some(keys))
                    .build()
                    .map_err(|error| Failure::Other(error.to_string()))?;
                let table = self.settings.table.clone();
                let answer = client.batch_get_item().request_items(table, wanted).send().await?;
                items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
                // What the table has no capacity for just now comes back to be asked for again.
                let unprocessed = answer.unprocessed_keys.into_iter().flatten();
                keys = unprocessed.flat_map(|(_, again)| again.keys).collect();
                if keys.is_empty() {
                    break;
                }
                tokio::time::sleep(rest).await;
                rest *= 2;
            }
        }
        Ok(items)
    }

    async fn by_key(&self, client: &Client, keys: &[String]) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        // Dropped, it ends what is under way.
        let mut requests = JoinSet::new();
        for key in keys {
            if requests.len() == REQUESTS {
                items.extend(answer(&mut requests).await?);
            }
            let request = client
                .query()
                .table_name(&self.settings.table)
                .index_name(INDEX)
                .key_condition_expression("AppKey = :key")
                .expression_attribute_values(":key", text(key));
            requests.spawn(async move { Ok(request.send().await?.items.unwrap_or_default()) });
        }
        while !requests.is_empty() {
            items.extend(answer(&mut requests).await?);
        }
        Ok(items)
    }
}

async fn answer(requests: &mut JoinSet<Result<Vec<Item>, Failure>>) -> Result<Vec<Item>, Failure> {
    match requests.join_next().await {
        None => Ok(Vec::new()),
        Some(Ok(answer)) => answer,
        Some(Err(error)) => Err(Failure::Other(error.to_string())),
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn endpoints() {
        for (text, url) in [
            ("http://localhost:8000", "http://localhost:8000"),
            ("dynamodb.eu-west-1.amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com"),
            ("localhost:8000", "https://localhost:8000"),
        ] {
            assert_eq!(endpoint(text).unwrap(), url);
        }
        for text in ["ftp://x", "http://", "https:///x", "http://a b", "://x"] {
            let error = endpoint(text).unwrap_err().to_string();
            assert!(error.starts_with("appManager.dynamodb.endpoint = "), "{error}");
        }
    }
}
