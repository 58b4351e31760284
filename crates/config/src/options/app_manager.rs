//! Where apps come from.

use std::time::Duration;

use super::check::{Ignored, flag, optional, seconds_or_forever, text};
use super::provenance::Provenance;
use super::row::{group, option, options};
use super::values::Values;
use crate::kind::Kind;
use crate::model::AppManagerDriver;

options! {
    /// Where apps come from.
    pub struct AppManager {
        /// Where apps come from; `array` = this configuration.
        driver: AppManagerDriver =
            option("appManager.driver", "APP_MANAGER_DRIVER", AppManagerDriver::Array.by_default());
        /// Cache apps from a database.
        cache: bool = option("appManager.cache.enabled", "APP_MANAGER_CACHE_ENABLED", flag(false));
        /// For how long, in s; -1 = for ever.
        cache_ttl: Option<Duration> = option(
            "appManager.cache.ttl",
            "APP_MANAGER_CACHE_TTL",
            seconds_or_forever(-1, 31_536_000),
        );
        /// The DynamoDB table of apps.
        dynamodb: DynamoDb = group::<DynamoDb>();
        /// MySQL table.
        mysql_table: String = option(
            "appManager.mysql.table",
            "APP_MANAGER_MYSQL_TABLE",
            text(Kind::NonEmpty, "apps"),
        );
        /// Accepted without effect.
        mysql_version: Ignored = option(
            "appManager.mysql.version",
            "APP_MANAGER_MYSQL_VERSION",
            text::<String>(Kind::Text, "8.0").ignored("the driver speaks to every version"),
        );
        /// Accepted without effect.
        mysql_use_v2: Ignored = option(
            "appManager.mysql.useMysql2",
            "APP_MANAGER_MYSQL_USE_V2",
            flag(false).ignored("there is one mysql driver only"),
        );
        /// PostgreSQL table.
        postgres_table: String = option(
            "appManager.postgres.table",
            "APP_MANAGER_POSTGRES_TABLE",
            text(Kind::NonEmpty, "apps"),
        );
        /// Accepted without effect.
        postgres_version: Ignored = option(
            "appManager.postgres.version",
            "APP_MANAGER_POSTGRES_VERSION",
            text::<String>(Kind::Text, "13.3").ignored("the driver speaks to every version"),
        );
    }
}

impl AppManager {
    /// Whether the apps are those of the configuration, rather than of a database.
    pub(crate) fn has_configured_apps(settings: &Provenance) -> bool {
        Values::of_server(settings).read(&AppManager::driver()) == AppManagerDriver::Array
    }
}

options! {
    /// The DynamoDB table of apps.
    pub struct DynamoDb {
        /// DynamoDB table.
        table: String = option(
            "appManager.dynamodb.table",
            "APP_MANAGER_DYNAMODB_TABLE",
            text(Kind::NonEmpty, "apps"),
        );
        /// Its region.
        region: String = option(
            "appManager.dynamodb.region",
            "APP_MANAGER_DYNAMODB_REGION",
            text(Kind::NonEmpty, "us-east-1"),
        );
        /// Endpoint instead of the region's own.
        endpoint: Option<String> = option(
            "appManager.dynamodb.endpoint",
            "APP_MANAGER_DYNAMODB_ENDPOINT",
            optional(Kind::Text),
        );
    }
}
