//! The server's configuration: from environment, `.env`, JSON file and defaults to one typed
//! [`Config`]. It reads the two files and nothing else, and must not know the server, a socket or
//! a driver.
//!
//! Everything is derived from the rows in [`options`]: each is an option's names, type, default,
//! documentation and field. A value goes [`Sources`] -> what each source gives for each option ->
//! the strongest that fits ([`Provenance`]) -> [`Config`].

mod app_json;
mod assemble;
mod error;
mod kind;
mod load;
mod mask;
mod model;
pub mod options;
mod read;
mod report;
mod resolve;
mod secret;
mod source;
mod suggest;
mod warning;

pub use app_json::{AppError, AppErrors, app_from_json};
pub use error::{ConfigError, ConfigErrors};
pub use kind::Kind;
pub use load::{Loaded, Reloaded, Reloader, load};
pub use model::*;
pub use options::{
    Adapter, AppConfig, AppManager, Cache, Cluster, ClusterTls, Config, Connection, Cors, Database,
    DatabasePooling, DynamoDb, Http, Ignored, Inbox, Limits, Log, Metrics, Nats, Provenance, Queue,
    RateLimiter, Redis, RedisAdapter, RedisQueue, Setting, SqlDatabase, Sqs, Ssl, Webhooks,
};
pub use read::Sources;
pub use report::table;
pub use secret::{MASK, Secret};
pub use source::Source;
pub use warning::Warning;
