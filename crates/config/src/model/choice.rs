//! Options that choose one of a few names.

/// An enum of names.
pub(crate) trait Choice: Default {
    /// Every name.
    const NAMES: &'static [&'static str];

    /// The variant with this name.
    fn from_name(name: &str) -> Option<Self>;
}

/// Defines an enum whose variants are the names that an option accepts, so that the list of
/// allowed names, the parsing and the printing cannot drift apart. The first is the fallback of
/// `Default`.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $(#[$first_meta:meta])* $first:ident = $first_text:literal
        $(, $(#[$variant_meta:meta])* $variant:ident = $text:literal)* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $(#[$first_meta])*
            #[default]
            $first,
            $($(#[$variant_meta])* $variant,)*
        }

        impl $name {
            /// Every accepted name, in the order in which the documentation lists them.
            pub const NAMES: &'static [&'static str] = &[$first_text $(, $text)*];

            /// The variant with this name, or `None` for a name that is not one of
            /// [`NAMES`](Self::NAMES).
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $first_text => Some(Self::$first),
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name as it is written in a configuration.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl Choice for $name {
            const NAMES: &'static [&'static str] = Self::NAMES;

            fn from_name(name: &str) -> Option<Self> {
                Self::from_name(name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

choice! {
    /// What this process does: `mode`.
    Mode {
        /// Connections, the HTTP API and webhooks.
        Full = "full",
        /// Connections and the HTTP API; webhooks are left to workers.
        Server = "server",
        /// Webhooks only.
        Worker = "worker",
    }
}

choice! {
    /// How nodes reach each other: `adapter.driver`.
    AdapterDriver {
        /// One node on its own.
        Local = "local",
        /// A mesh of TCP connections, without a broker.
        Cluster = "cluster",
        /// Through Redis.
        Redis = "redis",
        /// Through NATS.
        Nats = "nats",
    }
}

choice! {
    /// Where apps come from: `appManager.driver`.
    AppManagerDriver {
        /// From the configuration itself.
        Array = "array",
        /// From a MySQL table.
        Mysql = "mysql",
        /// From a PostgreSQL table.
        Postgres = "postgres",
        /// From a DynamoDB table.
        Dynamodb = "dynamodb",
    }
}

choice! {
    /// Where the last event of a cache channel is kept: `cache.driver`.
    CacheDriver {
        /// In this process.
        Memory = "memory",
        /// In Redis.
        Redis = "redis",
    }
}

choice! {
    /// Where webhooks wait to be sent: `queue.driver`.
    QueueDriver {
        /// In this process.
        Sync = "sync",
        /// In Redis.
        Redis = "redis",
        /// In Amazon SQS.
        Sqs = "sqs",
    }
}

choice! {
    /// Who counts towards rate limits: `rateLimiter.driver`.
    RateLimiterDriver {
        /// Each node for itself.
        Local = "local",
        /// All nodes, through Redis.
        Redis = "redis",
        /// All nodes, among themselves.
        Cluster = "cluster",
    }
}

choice! {
    /// The form of the metrics: `metrics.driver`.
    MetricsDriver {
        /// Prometheus text exposition.
        Prometheus = "prometheus",
    }
}

choice! {
    /// The form of a log line: `log.format`.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

choice! {
    /// How connections to a SQL database are encrypted, in the words of PostgreSQL:
    /// `database.*.ssl.mode`.
    SqlSslMode {
        /// If the server can, but whoever answers is believed.
        Prefer = "prefer",
        /// Never.
        Disable = "disable",
        /// Always, but whoever answers is believed.
        Require = "require",
        /// Always, and a known authority has to vouch for the server.
        VerifyCa = "verify-ca",
        /// Always, and a known authority has to vouch for the server under this very name.
        VerifyFull = "verify-full",
    }
}
