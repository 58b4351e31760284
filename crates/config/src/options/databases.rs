//! The databases behind stores, queues, caches and adapters.

use std::path::PathBuf;

use super::check::{choice_or_null, flag, int, nodes, object, optional, port, text};
use super::row::{group, option, options};
use crate::kind::Kind;
use crate::model::{ClientOptions, NodeAddress, SqlSslMode};
use crate::secret::Secret;

options! {
    /// The pool of SQL connections.
    pub struct DatabasePooling {
        /// Pool SQL connections.
        enabled: bool = option("databasePooling.enabled", "DB_POOLING_ENABLED", flag(false));
        /// Connections kept open.
        min: u32 = option("databasePooling.min", "DB_POOLING_MIN", int(0, 0..=10_000));
        // At least `min`.
        /// Connections at a time.
        max: u32 = option("databasePooling.max", "DB_POOLING_MAX", int(7, 1..=10_000));
    }
}

options! {
    /// Connections to databases.
    pub struct Database {
        /// MySQL.
        mysql: SqlDatabase = group::<Mysql>();
        /// PostgreSQL.
        postgres: SqlDatabase = group::<Postgres>();
        /// Redis.
        redis: Redis = group::<Redis>();
    }
}

options! {
    /// MySQL.
    table Mysql for SqlDatabase {
        /// MySQL host, or the path of a socket.
        host: String =
            option("database.mysql.host", "DB_MYSQL_HOST", text(Kind::NonEmpty, "127.0.0.1"));
        /// Port.
        port: u16 = option("database.mysql.port", "DB_MYSQL_PORT", port(3306));
        /// User.
        user: String = option("database.mysql.user", "DB_MYSQL_USERNAME", text(Kind::Text, "root"));
        /// Password.
        password: Secret =
            option("database.mysql.password", "DB_MYSQL_PASSWORD", text(Kind::Text, "password"));
        /// Database.
        database: String =
            option("database.mysql.database", "DB_MYSQL_DATABASE", text(Kind::NonEmpty, "main"));
        /// `mysql://user:password@host:port/database`, instead of the five above.
        url: Option<Secret> =
            option("database.mysql.url", "DB_MYSQL_URL", optional(Kind::NonEmpty));
        /// How connections are encrypted; null = `verify-full` with a `ssl.caPath`, else `prefer`.
        ssl_mode: Option<SqlSslMode> =
            option("database.mysql.ssl.mode", "DB_MYSQL_SSL_MODE", choice_or_null());
        /// The authority that has signed the server's certificate, in PEM form, beside the public
        /// ones.
        ssl_ca: Option<PathBuf> =
            option("database.mysql.ssl.caPath", "DB_MYSQL_SSL_CA", optional(Kind::NonEmpty));
    }
}

options! {
    /// PostgreSQL.
    table Postgres for SqlDatabase {
        /// PostgreSQL host, or the folder of a socket.
        host: String =
            option("database.postgres.host", "DB_POSTGRES_HOST", text(Kind::NonEmpty, "127.0.0.1"));
        /// Port.
        port: u16 = option("database.postgres.port", "DB_POSTGRES_PORT", port(5432));
        /// User.
        user: String =
            option("database.postgres.user", "DB_POSTGRES_USERNAME", text(Kind::Text, "postgres"));
        /// Password.
        password: Secret = option(
            "database.postgres.password",
            "DB_POSTGRES_PASSWORD",
            text(Kind::Text, "password"),
        );
        /// Database.
        database: String = option(
            "database.postgres.database",
            "DB_POSTGRES_DATABASE",
            text(Kind::NonEmpty, "main"),
        );
        /// `postgres://user:password@host:port/database`, instead of the five above.
        url: Option<Secret> =
            option("database.postgres.url", "DB_POSTGRES_URL", optional(Kind::NonEmpty));
        /// How connections are encrypted; null = `verify-full` with a `ssl.caPath`, else `prefer`.
        ssl_mode: Option<SqlSslMode> =
            option("database.postgres.ssl.mode", "DB_POSTGRES_SSL_MODE", choice_or_null());
        /// The authority that has signed the server's certificate, in PEM form, beside the public
        /// ones.
        ssl_ca: Option<PathBuf> =
            option("database.postgres.ssl.caPath", "DB_POSTGRES_SSL_CA", optional(Kind::NonEmpty));
    }
}

options! {
    /// Redis: standalone, behind Sentinel, or a Cluster.
    pub struct Redis {
        /// Redis host.
        host: String =
            option("database.redis.host", "DB_REDIS_HOST", text(Kind::NonEmpty, "127.0.0.1"));
        /// Port.
        port: u16 = option("database.redis.port", "DB_REDIS_PORT", port(6379));
        /// Number of the database.
        db: u32 = option("database.redis.db", "DB_REDIS_DB", int(0, 0..=1_000_000));
        /// ACL user.
        username: Option<String> =
            option("database.redis.username", "DB_REDIS_USERNAME", optional(Kind::Text));
        /// Password.
        password: Option<Secret> =
            option("database.redis.password", "DB_REDIS_PASSWORD", optional(Kind::Text));
        /// Prefix of every key.
        key_prefix: String =
            option("database.redis.keyPrefix", "DB_REDIS_KEY_PREFIX", text(Kind::Text, ""));
        /// Sentinels; set, they are asked for the master.
        sentinels: Vec<NodeAddress> =
            option("database.redis.sentinels", "DB_REDIS_SENTINELS", nodes(26_379).or_null());
        /// Password of the Sentinels.
        sentinel_password: Option<Secret> = option(
            "database.redis.sentinelPassword",
            "DB_REDIS_SENTINEL_PASSWORD",
            optional(Kind::Text),
        );
        /// Nodes of a Redis Cluster.
        cluster_nodes: Vec<NodeAddress> =
            option("database.redis.clusterNodes", "DB_REDIS_CLUSTER_NODES", nodes(6379));
        /// The Sentinel master's name.
        master_name: String = option(
            "database.redis.name",
            "DB_REDIS_INSTANCE_NAME",
            text(Kind::NonEmpty, "mymaster"),
        );
        /// Further connection options for every use of Redis, in the spelling of ioredis: `tls`,
        /// `connectTimeout`, `sentinelUsername`, `sentinelTLS`.
        options: ClientOptions = option("database.redis.options", "DB_REDIS_OPTIONS", object());
    }
}

/// A SQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlDatabase {
    /// Says everything that the other fields say, and stands in their place.
    pub url: Option<Secret>,
    /// Address or host name, or the path of a socket.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Name of the database.
    pub database: String,
    /// How connections are encrypted, if it is said; see [`ssl_mode`](Self::ssl_mode()).
    pub ssl_mode: Option<SqlSslMode>,
    /// A file with authorities, in PEM form, beside the public ones.
    pub ssl_ca: Option<PathBuf>,
}

impl SqlDatabase {
    /// How connections are encrypted.
    pub fn ssl_mode(&self) -> SqlSslMode {
        // Who names an authority wants it to be asked.
        let unsaid = match self.ssl_ca {
            Some(_) => SqlSslMode::VerifyFull,
            None => SqlSslMode::Prefer,
        };
        self.ssl_mode.unwrap_or(unsaid)
    }
}
