//! Cross-origin requests to the API, as the `cors.*` options say.

use config::Cors as Rules;
use hyper::Request;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderValue, ORIGIN, VARY,
};

/// What a browser is told about one request; nothing if it came from no other origin.
pub(super) struct Cors<'a>(Option<(&'a Rules, HeaderValue)>);

impl<'a> Cors<'a> {
    /// Looks at a request's `Origin`.
    pub(super) fn of<B>(rules: &'a Rules, request: &Request<B>) -> Self {
        let origin = request.headers().get(ORIGIN);
        let allowed = origin.filter(|origin| {
            rules.origin.iter().any(|rule| rule == "*" || rule.as_bytes() == origin.as_bytes())
        });
        Cors(allowed.map(|origin| (rules, origin.clone())))
    }

    /// Puts the headers on the answer. The origin is named even where all are allowed, for `*`
    /// and credentials do not go together.
    pub(super) fn stamp(self, headers: &mut HeaderMap) {
        let Some((rules, origin)) = self.0 else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(VARY, HeaderValue::from_static("Origin"));
        if rules.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let lists = [
            (ACCESS_CONTROL_ALLOW_METHODS, &rules.methods),
            (ACCESS_CONTROL_ALLOW_HEADERS, &rules.allowed_headers),
        ];
        for (name, list) in lists {
            if let Ok(value) = HeaderValue::from_str(&list.join(", ")) {
                headers.insert(name, value);
            }
        }
    }
}
