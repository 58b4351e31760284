//! Variables: the process's own, or those of a `.env` file.

use serde_json::Value;

use super::{Given, Raw, Reading};
use crate::error::ConfigError;
use crate::mask::{self, show};
use crate::options::{self, ENV_PREFIX, OptionSpec};
use crate::secret::MASK;
use crate::source::Source;
use crate::suggest::suggest;
use crate::warning::Warning;

/// Takes what variables give. Within one source `SOKETI_<NAME>` is stronger than `<NAME>`.
pub(super) fn read<'a>(
    variables: impl Iterator<Item = (&'a str, &'a str, Source)>,
    reading: &mut Reading,
) {
    let mut bare = Vec::new();
    let mut links = Vec::new();
    for (name, value, origin) in variables {
        let Some(own) = name.strip_prefix(ENV_PREFIX) else {
            bare.extend(options::by_env(name).map(|spec| given(spec, value, origin, false)));
            continue;
        };
        match options::by_env(own) {
            _ if is_service_link(own, value) => links.push(name.to_owned()),
            Some(spec) => reading.given.push(given(spec, value, origin, true)),
            None => reading.errors.push(unknown(name, own, value, origin)),
        }
    }
    reading.given.extend(bare);
    if !links.is_empty() {
        links.sort();
        reading.warnings.push(Warning::ServiceLinks { names: links });
    }
}

fn given(spec: &'static OptionSpec, value: &str, origin: Source, strict: bool) -> Given {
    Given { key: spec.key.to_owned(), spec, raw: Raw::Text(value.to_owned()), origin, strict }
}

fn unknown(name: &str, own: &str, value: &str, origin: Source) -> ConfigError {
    let meant = suggest(own, options::all().filter_map(|spec| spec.env));
    let secret =
        mask::names_secret(name) || meant.and_then(options::by_env).is_some_and(|spec| spec.secret);
    ConfigError::Unknown {
        key: name.to_owned(),
        value: if secret { MASK.to_owned() } else { show(&Value::from(value)) },
        origin,
        suggestion: meant.map(|name| format!("{ENV_PREFIX}{name}")),
    }
}

/// Whether this is one of the variables that Kubernetes adds to every pod for a service named
/// `soketi` or `soketi-...`: they start with `SOKETI_` without being meant for this server.
fn is_service_link(own: &str, value: &str) -> bool {
    let address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_word = |name: &str, word: &str| name == word || name.ends_with(&format!("_{word}"));
    if is_word(own, "PORT") && address {
        return true;
    }
    if is_word(own, "SERVICE_HOST") || is_word(own, "SERVICE_PORT") {
        return true;
    }
    // SERVICE_PORT_<NAME>
    if own.starts_with("SERVICE_PORT_") || own.contains("_SERVICE_PORT_") {
        return true;
    }
    // PORT_<NUMBER>_<PROTOCOL>[_PROTO|_PORT|_ADDR]
    let Some((_, rest)) =
        own.rsplit_once("PORT_").filter(|(before, _)| before.is_empty() || before.ends_with('_'))
    else {
        // The part after the number may end in _PORT without another PORT_ in it.
        return false;
    };
    let mut parts = rest.split('_');
    parts.next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        && parts.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
        && parts.next().is_none_or(|part| ["PROTO", "PORT", "ADDR"].contains(&part))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::is_service_link;

    #[test]
    fn knows_service_links() {
        for (name, value) in [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT", "6001"),
            ("SERVICE_PORT_HTTP", "6001"),
            ("PORT", "tcp://10.0.0.1:6001"),
            ("PORT_6001_TCP", "tcp://10.0.0.1:6001"),
            ("PORT_6001_TCP_PROTO", "tcp"),
            ("PORT_6001_TCP_PORT", "6001"),
            ("PORT_6001_TCP_ADDR", "10.0.0.1"),
            ("METRICS_PORT_9601_TCP_PORT", "9601"),
            ("METRICS_SERVICE_HOST", "10.0.0.1"),
            ("CLUSTER_PORT", "udp://10.0.0.1:11002"),
        ] {
            assert!(is_service_link(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("PORT", "6001"),
            ("PORT", "abc"),
            ("METRICS_SERVER_PORT", "9601"),
            ("HOST", "0.0.0.0"),
            ("PORTS", "tcp://10.0.0.1:6001"),
            ("PORT_X_TCP", "1"),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
    }
}
