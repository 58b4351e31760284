//! Which `Origin` headers an app accepts (W4). Origins are serialised as RFC 6454 section 6.2
//! says: `scheme://host` with a port only where it is not the scheme's own.

/// One pattern of `allowedOrigins`. `*` matches everything; `https://example.com:8443` matches
/// that origin alone, and without a port the scheme's own port; `example.com` any scheme and
/// port; a host that starts with `*.` matches every name below it but not the bare domain; the
/// port `*` matches every port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern {
    text: String,
    /// `None` = any.
    scheme: Option<String>,
    host: Host,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Exactly(String),
    /// Ends with this, which starts with a dot.
    Below(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    /// `None` for a scheme whose own port is not known here.
    Exactly(Option<u16>),
}

impl OriginPattern {
    /// Parses a pattern; `None` if it is none (an empty or half-written one, a path, a `*` in
    /// the middle of a name).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text.as_str()),
        };
        let scheme_fits = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        if !scheme.is_none_or(scheme_fits) {
            return None;
        }
        let (host, port) = split_port(authority)?;
        let port = match (port, scheme) {
            (Some("*"), _) | (None, None) => Port::Any,
            (Some(port), _) => Port::Exactly(Some(port.parse().ok()?)),
            (None, Some(scheme)) => Port::Exactly(own_port(scheme)),
        };
        let host = match host.strip_prefix('*') {
            Some("") => Host::Any,
            Some(below) if below.starts_with('.') && is_host(&below[1..]) => {
                Host::Below(below.to_owned())
            }
            Some(_) => return None,
            None if is_host(host) => Host::Exactly(host.to_owned()),
            None => return None,
        };
        let scheme = scheme.map(str::to_owned);
        Some(Self { text, scheme, host, port })
    }

    /// The pattern as it was written, in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an `Origin` header's value matches. `null` (an opaque origin) is matched by `*`
    /// and by `null` only.
    pub fn matches(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.text == "*" || self.text == origin {
            return true;
        }
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let Some((host, port)) = split_port(authority) else { return false };
        let port = match port {
            None => own_port(scheme),
            Some(port) => match port.parse() {
                Ok(port) => Some(port),
                Err(_) => return false,
            },
        };
        let host_matches = match &self.host {
            Host::Any => true,
            Host::Exactly(expected) => host == expected,
            Host::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        };
        host_matches
            && self.scheme.as_deref().is_none_or(|expected| expected == scheme)
            && (self.port == Port::Any || self.port == Port::Exactly(port))
    }
}

/// Splits `host[:port]`, where a host may be an IPv6 address in brackets.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(end) = authority.strip_prefix('[').and_then(|rest| rest.find(']')) {
        let (host, rest) = authority.split_at(end + 2);
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.split('.').all(|label| !label.is_empty())
                && host.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        }
    }
}

fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}
