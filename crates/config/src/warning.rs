//! What is worth saying about a configuration that is accepted all the same.

use crate::source::Source;

/// One thing worth saying. `Display` is one line, lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A variable without `SOKETI_` whose value does not fit: it belongs to another program.
    #[error(
        "{origin} = {value} does not fit {key} and is left alone: it {allowed}; \
         if it is meant for this server, name it SOKETI_{env}"
    )]
    ForeignVariable {
        /// The option's key.
        key: String,
        /// The option's name in the environment.
        env: String,
        /// The value.
        value: String,
        /// Where it stands.
        origin: Source,
        /// What would fit: "must be ...".
        allowed: String,
    },
    /// Variables that Kubernetes adds for a service of this name.
    #[error(
        "{} {} a kubernetes service and {} left alone; `enableServiceLinks: false` in the pod's \
         spec keeps such variables away",
        names.join(", "),
        if names.len() == 1 { "describes" } else { "describe" },
        if names.len() == 1 { "is" } else { "are" }
    )]
    ServiceLinks {
        /// The variables.
        names: Vec<String>,
    },
    /// An option that is accepted without effect.
    #[error("{key} (from {origin}) has no effect: {reason}")]
    NoEffect {
        /// The option's key.
        key: String,
        /// Where it stands.
        origin: Source,
        /// Why not.
        reason: &'static str,
    },
    /// An app whose secret is the default that everybody knows.
    #[error(
        "{key} is the default that everybody knows: whoever reaches the server can publish; \
         set DEFAULT_APP_SECRET"
    )]
    DefaultSecret {
        /// The option's key.
        key: String,
    },
    /// No app is configured.
    #[error("no app is configured: every connection and request will be refused")]
    NoApps,
    /// Webhooks are left to workers that cannot get them.
    #[error(
        "mode is server (from {origin}) and queue.driver is sync: nobody sends webhooks; workers \
         need queue.driver = redis or sqs, here and there"
    )]
    NobodySends {
        /// Where the mode stands.
        origin: Source,
    },
    /// A webhook waits for an event that is never told of.
    #[error("{key} names the event type {name:?} (from {origin}), which no webhook tells of{hint}")]
    UnknownEventType {
        /// The option's key.
        key: String,
        /// The event type.
        name: String,
        /// Where it stands.
        origin: Source,
        /// "; did you mean ...?", or nothing.
        hint: String,
    },
    /// Client certificates are to be verified, but TLS is off.
    #[error("{key} (from {origin}) has no effect: tls is off without ssl.certPath and ssl.keyPath")]
    NoTls {
        /// The option's key.
        key: String,
        /// Where it stands.
        origin: Source,
    },
    /// A line of the `.env` file that is no `NAME=value`.
    #[error("{origin}: {reason}")]
    DotEnv {
        /// The file, with the line.
        origin: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}
