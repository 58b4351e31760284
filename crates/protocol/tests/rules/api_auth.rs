//! H11-H16: signatures of HTTP requests.

use protocol::api::ApiError;
use protocol::api::auth::{ApiAuthError, Request, sign_query, verify};
use protocol::api::query;
use protocol::auth::Secret;

const KEY: &str = "278d425bdf160c739803";
const NOW: u64 = 1_353_088_179;
const POST: &str = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
                    &body_md5=ec365a775a4cd0599faeb73354201b6f\
                    &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";
const POST_BODY: &[u8] = br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
const GET: &str = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
                   &filter_by_prefix=presence-&info=user_count\
                   &auth_signature=16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291";

fn secret() -> Secret {
    Secret::new(b"7ad3773142a6692b25b8")
}

fn post<'a>(query: &'a str, body: &'a [u8]) -> Request<'a> {
    Request { method: "POST", path: "/apps/3/events", alt_path: None, query, body }
}

fn get(query: &str) -> Request<'_> {
    Request { method: "GET", path: "/apps/3/channels", alt_path: None, query, body: b"" }
}

fn check(request: Request<'_>) -> Result<(), ApiAuthError> {
    verify(&request, KEY, &secret(), NOW)
}

/// A good request's query with one parameter replaced, or removed if `value` is `None`; not signed
/// again.
fn replaced(name: &str, value: Option<&str>) -> String {
    let keep = POST.split('&').filter(|pair| pair.split('=').next() != Some(name));
    keep.map(str::to_owned)
        .chain(value.map(|value| format!("{name}={value}")))
        .collect::<Vec<_>>()
        .join("&")
}

#[test]
fn h12_vectors() {
    assert_eq!(check(post(POST, POST_BODY)), Ok(()));
    assert_eq!(check(get(GET)), Ok(()));
    let params = [("info", "user_count"), ("filter_by_prefix", "presence-")];
    let query = sign_query("GET", "/apps/3/channels", &params, b"", KEY, &secret(), NOW);
    assert!(query.ends_with("16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291"));
    let tofu = Secret::new(b"tofu");
    let query = sign_query("GET", "/event", &[], b"example body", "f00d", &tofu, 1_234_567_890);
    assert_eq!(
        query::get(&query, "auth_signature").as_deref(),
        Some("a650196dc427ebe837226f8565ca9232198c6d1b9455eaa72374a9dc0b620e7b")
    );
    assert_eq!(query::get(&query, "body_md5").as_deref(), Some("165d5e6d7ca8f73b3853ce45addf42fc"));
}

#[test]
fn h12_keys_are_lower_cased_and_sorted_values_decoded() {
    let shuffled = GET.split('&').rev().collect::<Vec<_>>().join("&");
    for query in [
        shuffled,
        GET.replace("info=", "INFO=").replace("auth_key", "Auth_Key"),
        GET.replace("presence-", "presence%2D").replace("info", "inf%6f"),
        GET.replace("user_count", "user%5Fcount"),
    ] {
        assert_eq!(check(get(&query)), Ok(()), "{query}");
    }
    let params = [("name", "a b+c&d=é/"), ("Info", "x,y")];
    let query = sign_query("GET", "/apps/3/channels", &params, b"", KEY, &secret(), NOW);
    assert_eq!(check(get(&query)), Ok(()));
    assert_eq!(check(get(&query.replace("%20", "+"))), Ok(()), "a space as forms write it");
}

#[test]
fn h16_upper_case_signature() {
    let (head, signature) = POST.rsplit_once('=').unwrap();
    let query = format!("{head}={}", signature.to_uppercase());
    assert_eq!(check(post(&query, POST_BODY)), Ok(()));
}

#[test]
fn h14_order_and_texts() {
    let text = |query: &str| check(post(query, POST_BODY)).unwrap_err().to_string();
    assert_eq!(text(""), "Authentication key required");
    assert_eq!(text(&replaced("auth_key", None)), "Authentication key required");
    assert_eq!(text("auth_key=x"), "Invalid authentication key");
    assert_eq!(text(&format!("auth_key={KEY}")), "Version required");
    assert_eq!(text(&replaced("auth_version", Some("2.0"))), "Version not supported");
    assert_eq!(text(&replaced("auth_timestamp", None)), "Timestamp required");
    assert_eq!(
        text(&replaced("auth_timestamp", Some("abc"))),
        "Invalid timestamp: 'abc' must be in Unix seconds"
    );
    assert_eq!(
        text(&replaced("auth_timestamp", Some("1353087579"))),
        "Timestamp expired: Given timestamp (2012-11-16T17:39:39Z) not within 600s of server time \
         (2012-11-16T17:49:39Z)"
    );
    assert_eq!(text(&replaced("auth_signature", None)), "Signature required");
    assert_eq!(
        text(&replaced("auth_signature", Some("00"))),
        "Invalid signature: you should have sent HmacSHA256Hex(\"POST\\n/apps/3/events\\n\
         auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
         &body_md5=ec365a775a4cd0599faeb73354201b6f\", your_secret_key), but you sent \"00\""
    );
    let error: ApiError = ApiAuthError::InvalidKey.into();
    assert_eq!((error.status, error.message.as_str()), (401, "Invalid authentication key"));
}

#[test]
fn h14_window() {
    for (now, fresh) in
        [(NOW + 599, true), (NOW - 599, true), (NOW + 600, false), (NOW - 600, false), (0, false)]
    {
        let verdict = verify(&post(POST, POST_BODY), KEY, &secret(), now);
        assert_eq!(verdict.is_ok(), fresh, "{now}");
    }
    for timestamp in ["-1", "9223372036854775807", "-9223372036854775808"] {
        let query = replaced("auth_timestamp", Some(timestamp));
        let error = check(post(&query, POST_BODY)).unwrap_err();
        assert!(matches!(error, ApiAuthError::Expired { .. }), "{timestamp}");
        assert!(error.to_string().starts_with("Timestamp expired"));
    }
    let query = replaced("auth_timestamp", Some("9223372036854775808"));
    assert!(matches!(check(post(&query, POST_BODY)), Err(ApiAuthError::InvalidTimestamp(_))));
}

#[test]
fn h13_body_md5() {
    let other = check(post(POST, b"other"));
    assert_eq!(other, Err(ApiAuthError::InvalidBodyMd5("ec365a775a4cd0599faeb73354201b6f".into())));
    let sign = |body| sign_query("POST", "/apps/3/events", &[], body, KEY, &secret(), NOW);
    assert_eq!(check(post(&sign(b""), b"")), Ok(()), "no body, no md5");
    assert_eq!(check(post(&sign(b""), b"{}")), Err(ApiAuthError::BodyMd5Required));
    let params = [("body_md5", "d41d8cd98f00b204e9800998ecf8427e")];
    let query = sign_query("POST", "/apps/3/events", &params, b"", KEY, &secret(), NOW);
    assert_eq!(check(post(&query, b"")), Ok(()), "the md5 of nothing");
    let params = [("body_md5", "x")];
    let query = sign_query("POST", "/apps/3/events", &params, b"", KEY, &secret(), NOW);
    assert_eq!(check(post(&query, b"{}")), Err(ApiAuthError::InvalidBodyMd5("x".into())));
}

#[test]
fn h15_full_path_or_without_the_prefix() {
    let prefixed =
        |alt_path| Request { path: "/ws/apps/3/events", alt_path, ..post(POST, POST_BODY) };
    assert_eq!(check(prefixed(Some("/apps/3/events"))), Ok(()));
    assert!(matches!(check(prefixed(None)), Err(ApiAuthError::InvalidSignature { .. })));
    let query = sign_query("POST", "/ws/apps/3/events", &[], b"", KEY, &secret(), NOW);
    let full = Request { query: &query, body: b"", ..prefixed(Some("/apps/3/events")) };
    assert_eq!(check(full), Ok(()));
}

#[test]
fn h12_method_and_path_are_signed() {
    let request = post(POST, POST_BODY);
    for request in [
        Request { method: "PUT", ..request },
        Request { path: "/apps/3/events/", ..request },
        Request { path: "/apps/3//events", ..request },
        Request { path: "/apps/%33/events", ..request },
        Request { query: &format!("{POST}&x=1"), ..request },
    ] {
        let verdict = check(request);
        assert!(matches!(verdict, Err(ApiAuthError::InvalidSignature { .. })), "{request:?}");
    }
}

#[test]
fn appendix_b_duplicates_and_floods() {
    for name in ["auth_key", "auth_version", "auth_timestamp", "auth_signature", "body_md5"] {
        for copy in [name.to_owned(), name.to_uppercase(), name.replace('_', "%5f")] {
            let query = format!("{POST}&{copy}=1");
            assert_eq!(check(post(&query, POST_BODY)), Err(ApiAuthError::Duplicate(name)));
        }
    }
    let flood = "x=1&".repeat(10_000);
    assert_eq!(check(get(&flood)), Err(ApiAuthError::TooManyParams));
    let long = replaced("auth_signature", Some(&"é".repeat(100_000)));
    assert!(check(post(&long, POST_BODY)).unwrap_err().to_string().len() < 1_000);
}

#[test]
fn query_parameters() {
    let query = "a=1&&b=%C3%A9+%2B&a=2&c&d=x=y&e=%ff&f=%&g=x+y";
    let get = |name| query::get(query, name);
    assert_eq!(get("a").as_deref(), Some("1"));
    assert_eq!(get("b").as_deref(), Some("é +"));
    assert_eq!(get("c").as_deref(), Some(""));
    assert_eq!(get("d").as_deref(), Some("x=y"));
    assert_eq!(get("e").as_deref(), Some("\u{fffd}"));
    assert_eq!(get("f").as_deref(), Some("%"));
    assert_eq!(get("g").as_deref(), Some("x y"));
    assert_eq!(get("h"), None);
}
