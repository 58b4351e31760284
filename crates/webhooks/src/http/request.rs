//! A job as an HTTP request (K1). It must not know how it is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use protocol::webhook;
use url::Url;

use crate::{Credential, Failure, Job};

/// What a backend knows us by.
pub(crate) const AGENT: &str = concat!("dunlin/", env!("CARGO_PKG_VERSION"));

/// Exactly this: some libraries compare the whole value (K1).
pub(crate) const JSON: &str = "application/json";

/// The app's key; sent in title case, as all headers are.
const KEY: HeaderName = HeaderName::from_static("x-pusher-key");

/// The signature of the body.
const SIGNATURE: HeaderName = HeaderName::from_static("x-pusher-signature");

/// The request that carries a job to a URL.
pub(crate) fn request(
    job: &Job,
    url: &str,
    credential: &Credential,
) -> Result<Request<Full<Bytes>>, Failure> {
    let (uri, user) = parse(url)?;
    let mut request = Request::new(Full::new(job.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(KEY, value("the app's key", &credential.key)?);
    let signature = webhook::sign(&credential.secret, &job.body);
    headers.insert(SIGNATURE, value("the signature", &signature)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Some(user) = user {
        headers.insert(AUTHORIZATION, value("the URL's user", &user)?);
    }
    for (name, secret) in &job.to.headers {
        if is_ours(name) {
            continue;
        }
        let bytes = name.as_bytes();
        let name = HeaderName::from_bytes(bytes)
            .map_err(|_| Failure::Unusable(format!("the name of a header is {name:?}")))?;
        let mut value = value(name.as_str(), secret.expose())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(request)
}

/// The headers of a job for a target that is not reached over HTTP.
#[cfg(feature = "lambda")]
pub(crate) fn headers<'a>(job: &'a Job, credential: &'a Credential) -> Vec<(&'a str, String)> {
    let custom = job.to.headers.iter().filter(|(name, _)| !is_ours(name));
    let custom = custom.map(|(name, value)| (name.as_str(), value.expose().to_owned()));
    let ours = [
        ("Content-Type", JSON.to_owned()),
        ("X-Pusher-Key", credential.key.to_string()),
        ("X-Pusher-Signature", webhook::sign(&credential.secret, &job.body)),
        ("User-Agent", AGENT.to_owned()),
    ];
    custom.chain(ours).collect()
}

/// Headers that an app cannot replace (K6): those that a webhook is checked by, and those that
/// say where a message ends.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 13] = [
        "content-type",
        "x-pusher-key",
        "x-pusher-signature",
        "user-agent",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
    ];
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

fn value(what: &str, text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text)
        .map_err(|_| Failure::Unusable(format!("{what} has characters that no header can have")))
}

/// Where a URL leads, and the `Authorization` of the user in it. Read as browsers do: what may not
/// stand in a request is escaped, and a host may have letters of any script.
fn parse(url: &str) -> Result<(Uri, Option<String>), Failure> {
    let wrong = |why: &str| Failure::Unusable(format!("the URL {why}"));
    let mut url = Url::parse(url).map_err(|error| wrong(&format!("is none: {error}")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("does not start with http:// or https://"));
    }
    // RFC 7617; a user without a colon has an empty password.
    let user = (!url.username().is_empty() || url.password().is_some()).then(|| {
        let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
        pair.push(b':');
        pair.extend(percent_decode_str(url.password().unwrap_or_default()));
        format!("Basic {}", STANDARD.encode(pair))
    });
    // Only a URL without a host refuses them.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let uri = url.as_str().parse().map_err(|error| wrong(&format!("is none: {error}")))?;
    Ok((uri, user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_browsers_do() {
        let uri = |url| parse(url).map(|(uri, _)| uri.to_string());
        for (url, expected) in [
            ("https://b\u{fc}cher.example/haken", "https://xn--bcher-kva.example/haken"),
            ("http:///path", "http://path/"),
            ("HTTPS://Example.COM", "https://example.com/"),
            ("http://[::1]:8080/x#part", "http://[::1]:8080/x"),
            ("http://user:pass@127.1/a?b=c", "http://127.0.0.1/a?b=c"),
            ("http://0x7f000001/<a b>", "http://127.0.0.1/%3Ca%20b%3E"),
        ] {
            assert_eq!(uri(url).ok().as_deref(), Some(expected), "{url}");
        }
        for url in ["", "x", "/path", "http://", "http://a b/", "ftp://x/", "http://x:99999/"] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
