//! moto in DynamoDB's place: a Python program that answers as AWS does.

use std::sync::OnceLock;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use serde_json::Value;
use testkit::databases::process::{Folder, LOOPBACK, Server, free_port};
use testkit::moto::python;

use super::Fixture;

pub(crate) struct Dynamo {
    server: Server,
    _folder: Folder,
}

impl Dynamo {
    fn start() -> Self {
        let folder = Folder::new();
        let port = free_port();
        let (python, number) = (python(), port.to_string());
        let command = [&python, "-B", "-m", "moto.server", "-H", LOOPBACK, "-p", &number];
        let server = Server::start(&folder, port, "KILL", &command);
        Self { server, _folder: folder }
    }

    pub(crate) fn client(&self) -> Client {
        let options = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .endpoint_url(format!("http://{LOOPBACK}:{}", self.server.port))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .build();
        Client::from_conf(options)
    }

    /// Makes a table as soketi's documentation has it, with the index or not.
    pub(crate) async fn create(&self, table: &str, with_index: bool) {
        let client = self.client();
        // It is not there the first time.
        let _ = client.delete_table().table_name(table).send().await;
        let attribute = |name: &str| {
            let kind = ScalarAttributeType::S;
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
        };
        let hash = |name: &str| {
            KeySchemaElement::builder().attribute_name(name).key_type(KeyType::Hash).build()
        };
        let projection = Projection::builder().projection_type(ProjectionType::All).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name("AppKeyIndex")
            .key_schema(hash("AppKey").unwrap())
            .projection(projection)
            .build();
        let mut request = client
            .create_table()
            .table_name(table)
            .attribute_definitions(attribute("AppId").unwrap())
            .key_schema(hash("AppId").unwrap())
            .billing_mode(BillingMode::PayPerRequest);
        if with_index {
            request = request
                .attribute_definitions(attribute("AppKey").unwrap())
                .global_secondary_indexes(index.unwrap());
        }
        request.send().await.unwrap();
    }

    pub(crate) async fn put(&self, table: &str, item: Vec<(String, AttributeValue)>) {
        let item = item.into_iter().collect();
        self.client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
}

/// `max_read_req_per_sec` as DynamoDB has it.
pub(crate) fn attribute(column: &str) -> String {
    match column {
        "id" | "key" | "secret" => format!("App{}", pascal(column)),
        "max_read_req_per_sec" => "MaxReadRequestsPerSecond".to_owned(),
        column => pascal(&column.replace("_per_sec", "_per_second")),
    }
}

fn pascal(text: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    text.split('_').map(word).collect()
}

fn value(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(yes) => AttributeValue::Bool(*yes),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        other => AttributeValue::S(other.to_string()),
    }
}

impl Fixture for Dynamo {
    const KEEPS_CONNECTIONS: bool = false;

    fn shared() -> &'static Self {
        static SERVER: OnceLock<Dynamo> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn own() -> Self {
        Self::start()
    }

    async fn table(&self, name: &str, rows: &[Value]) {
        self.create(name, true).await;
        for row in rows {
            let fields = row.as_object().unwrap().iter();
            let item = fields.map(|(column, field)| (attribute(column), value(field)));
            self.put(name, item.collect()).await;
        }
    }

    fn options(&self, table: &str) -> Vec<(&'static str, String)> {
        vec![
            ("APP_MANAGER_DRIVER", "dynamodb".to_owned()),
            ("APP_MANAGER_DYNAMODB_TABLE", table.to_owned()),
            ("APP_MANAGER_DYNAMODB_REGION", "eu-west-1".to_owned()),
            Self::at_port(self.server.port),
        ]
    }

    fn at_port(port: u16) -> (&'static str, String) {
        ("APP_MANAGER_DYNAMODB_ENDPOINT", format!("http://{LOOPBACK}:{port}"))
    }

    fn port(&self) -> u16 {
        self.server.port
    }

    fn stop(&mut self) {
        self.server.stop();
    }

    fn start_again(&mut self) {
        self.server.start_again();
    }
}
