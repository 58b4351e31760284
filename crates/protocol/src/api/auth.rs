//! Signatures of HTTP API requests (H11-H16). It must not know routes, nor read the clock.

use std::borrow::Cow;

use hmac::Mac;
use hmac::digest::Digest;
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;

use super::{iso8601, query};
use crate::auth::Secret;
use crate::clip::{ECHO, clip};
use crate::hex;

/// How far a request's timestamp may be from the server's, in seconds, exclusive (H14).
pub const WINDOW: u64 = 600;
/// More query parameters than this are refused before anything is signed.
const MAX_PARAMS: usize = 64;
/// Most characters of the string to sign that an error repeats.
const ECHO_SIGNED: usize = 2_000;

/// All but the unreserved characters of RFC 3986 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The path exactly as received, not decoded, without the query.
    pub path: &'a str,
    /// Another path that may have been signed: without the server's path prefix (H15).
    pub alt_path: Option<&'a str>,
    /// The query exactly as received, without the `?`.
    pub query: &'a str,
    /// The body exactly as received.
    pub body: &'a [u8],
}

/// Why a request is not authenticated, with status 401; checked in this order (H14).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiAuthError {
    /// More parameters than any request has.
    #[error("Too many query parameters: at most {MAX_PARAMS} are allowed")]
    TooManyParams,
    /// A parameter of the signature is given twice.
    #[error("Duplicate parameter: {0}")]
    Duplicate(&'static str),
    /// `auth_key` is missing.
    #[error("Authentication key required")]
    KeyRequired,
    /// `auth_key` is not this app's.
    #[error("Invalid authentication key")]
    InvalidKey,
    /// `auth_version` is missing.
    #[error("Version required")]
    VersionRequired,
    /// `auth_version` is not 1.0.
    #[error("Version not supported")]
    VersionNotSupported,
    /// `auth_timestamp` is missing.
    #[error("Timestamp required")]
    TimestampRequired,
    /// `auth_timestamp` is not a number.
    #[error("Invalid timestamp: '{0}' must be in Unix seconds")]
    InvalidTimestamp(String),
    /// `auth_timestamp` is too far from the server's time.
    #[error(
        "Timestamp expired: Given timestamp ({}) not within {WINDOW}s of server time ({})",
        iso8601::format(*given),
        iso8601::format(i64::try_from(*now).unwrap_or(i64::MAX))
    )]
    Expired {
        /// The request's timestamp in Unix seconds.
        given: i64,
        /// The server's time in Unix seconds.
        now: u64,
    },
    /// `auth_signature` is missing.
    #[error("Signature required")]
    SignatureRequired,
    /// `auth_signature` is not the one of this request. The right one is never told.
    #[error(
        "Invalid signature: you should have sent HmacSHA256Hex(\"{signed}\", your_secret_key), \
         but you sent \"{got}\""
    )]
    InvalidSignature {
        /// The string to sign with its line breaks as `\n`, cut to a sane length.
        signed: String,
        /// What was sent, cut to a sane length.
        got: String,
    },
    /// There is a body but no `body_md5` (H13).
    #[error("body_md5 required: it must be the hex MD5 of the request body")]
    BodyMd5Required,
    /// `body_md5` is not that of the body received (H13).
    #[error("Invalid body_md5: '{0}' is not the hex MD5 of the request body")]
    InvalidBodyMd5(String),
}

/// The body that a request has been signed for, by its MD5.
#[derive(Debug)]
pub struct SignedBody<'a>(Option<Cow<'a, [u8]>>);

impl SignedBody<'_> {
    /// Checks that this is the body (H13).
    pub fn check(&self, body: &[u8]) -> Result<(), ApiAuthError> {
        check_body(body, self.0.as_deref())
    }
}

/// Checks that a request was signed with the app's key and secret, at most [`WINDOW`] seconds from
/// `now_unix_secs` (H11-H16).
///
/// The MD5 is compared last: nobody without the secret can make the server digest a body.
pub fn verify(
    request: &Request<'_>,
    app_key: &str,
    secret: &Secret,
    now_unix_secs: u64,
) -> Result<(), ApiAuthError> {
    verify_head(request, app_key, secret, now_unix_secs)?.check(request.body)
}

/// As [`verify`], before the body is there: `request.body` is not looked at. The signature covers
/// the body's MD5, so a server need not receive what nobody signed.
pub fn verify_head<'a>(
    request: &Request<'a>,
    app_key: &str,
    secret: &Secret,
    now_unix_secs: u64,
) -> Result<SignedBody<'a>, ApiAuthError> {
    let Params { signed, auth } = Params::read(request.query)?;
    match auth.key.as_deref() {
        None => return Err(ApiAuthError::KeyRequired),
        Some(key) if key != app_key.as_bytes() => return Err(ApiAuthError::InvalidKey),
        Some(_) => {}
    }
    match auth.version.as_deref() {
        None => return Err(ApiAuthError::VersionRequired),
        Some(b"1.0") => {}
        Some(_) => return Err(ApiAuthError::VersionNotSupported),
    }
    check_timestamp(auth.timestamp.as_deref(), now_unix_secs)?;
    let signature = auth.signature.ok_or(ApiAuthError::SignatureRequired)?;
    let given = hex::decode::<32>(&signature);
    let matches = |path: &str| {
        given
            .is_some_and(|given| digest(request.method, path, &signed, secret).ct_eq(&given).into())
    };
    if !matches(request.path) && !request.alt_path.is_some_and(matches) {
        return Err(invalid_signature(request, &signed, &signature));
    }
    Ok(SignedBody(auth.body_md5))
}

type Param<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The decoded query of a request.
struct Params<'a> {
    /// All parameters but the signature, keys in lower case, sorted by key (H12).
    signed: Vec<Param<'a>>,
    auth: AuthParams<'a>,
}

#[derive(Default)]
struct AuthParams<'a> {
    key: Option<Cow<'a, [u8]>>,
    version: Option<Cow<'a, [u8]>>,
    timestamp: Option<Cow<'a, [u8]>>,
    signature: Option<Cow<'a, [u8]>>,
    body_md5: Option<Cow<'a, [u8]>>,
}

impl<'a> Params<'a> {
    fn read(query: &'a str) -> Result<Self, ApiAuthError> {
        let mut signed: Vec<Param<'a>> = Vec::with_capacity(8);
        let mut auth = AuthParams::default();
        for (count, (mut key, value)) in query::params(query).enumerate() {
            if count == MAX_PARAMS {
                return Err(ApiAuthError::TooManyParams);
            }
            if key.iter().any(u8::is_ascii_uppercase) {
                key.to_mut().make_ascii_lowercase();
            }
            let (slot, name) = match &*key {
                b"auth_key" => (&mut auth.key, "auth_key"),
                b"auth_version" => (&mut auth.version, "auth_version"),
                b"auth_timestamp" => (&mut auth.timestamp, "auth_timestamp"),
                b"auth_signature" => (&mut auth.signature, "auth_signature"),
                b"body_md5" => (&mut auth.body_md5, "body_md5"),
                _ => {
                    signed.push((key, value));
                    continue;
                }
            };
            if slot.is_some() {
                return Err(ApiAuthError::Duplicate(name));
            }
            if name == "auth_signature" {
                *slot = Some(value);
            } else {
                *slot = Some(value.clone());
                signed.push((key, value));
            }
        }
        signed.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { signed, auth })
    }
}

fn digest(method: &str, path: &str, signed: &[Param<'_>], secret: &Secret) -> [u8; 32] {
    let mut mac = secret.mac();
    write_signed(method, path, signed, |part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Hands over the string to sign, part by part (H12).
fn write_signed(method: &str, path: &str, signed: &[Param<'_>], mut write: impl FnMut(&[u8])) {
    write(method.as_bytes());
    write(b"\n");
    write(path.as_bytes());
    write(b"\n");
    for (index, (key, value)) in signed.iter().enumerate() {
        if index > 0 {
            write(b"&");
        }
        write(key);
        write(b"=");
        write(value);
    }
}

fn check_timestamp(given: Option<&[u8]>, now: u64) -> Result<(), ApiAuthError> {
    let given = given.ok_or(ApiAuthError::TimestampRequired)?;
    let text = String::from_utf8_lossy(given);
    let seconds: i64 =
        text.parse().map_err(|_| ApiAuthError::InvalidTimestamp(clip(&text, ECHO).to_owned()))?;
    match u64::try_from(seconds) {
        Ok(timestamp) if timestamp.abs_diff(now) < WINDOW => Ok(()),
        _ => Err(ApiAuthError::Expired { given: seconds, now }),
    }
}

fn check_body(body: &[u8], body_md5: Option<&[u8]>) -> Result<(), ApiAuthError> {
    let Some(given) = body_md5 else {
        return if body.is_empty() { Ok(()) } else { Err(ApiAuthError::BodyMd5Required) };
    };
    let actual: [u8; 16] = Md5::digest(body).into();
    if hex::decode::<16>(given) == Some(actual) {
        return Ok(());
    }
    let given = String::from_utf8_lossy(given);
    Err(ApiAuthError::InvalidBodyMd5(clip(&given, ECHO).to_owned()))
}

fn invalid_signature(request: &Request<'_>, signed: &[Param<'_>], got: &[u8]) -> ApiAuthError {
    let mut text = Vec::new();
    write_signed(request.method, request.path, signed, |part| text.extend_from_slice(part));
    let text = String::from_utf8_lossy(&text);
    ApiAuthError::InvalidSignature {
        signed: clip(&text, ECHO_SIGNED).replace('\n', "\\n"),
        got: clip(&String::from_utf8_lossy(got), ECHO).to_owned(),
    }
}

/// The whole query of a request signed as a backend signs it: `params`, then the `auth_` ones.
///
/// `params` are not encoded; an empty `body` gets no `body_md5`.
pub fn sign_query(
    method: &str,
    path: &str,
    params: &[(&str, &str)],
    body: &[u8],
    key: &str,
    secret: &Secret,
    now_unix_secs: u64,
) -> String {
    let timestamp = now_unix_secs.to_string();
    let md5 = (!body.is_empty()).then(|| hex::encode(&Md5::digest(body)));
    let mut all = params.to_vec();
    all.extend([("auth_key", key), ("auth_timestamp", &timestamp), ("auth_version", "1.0")]);
    all.extend(md5.as_deref().map(|md5| ("body_md5", md5)));
    let mut signed: Vec<Param<'_>> = all
        .iter()
        .map(|(key, value)| (key.to_ascii_lowercase().into_bytes().into(), value.as_bytes().into()))
        .collect();
    signed.sort_by(|a, b| a.0.cmp(&b.0));
    let signature = hex::encode(&digest(method, path, &signed, secret));
    all.push(("auth_signature", &signature));
    let encode = |text| utf8_percent_encode(text, RESERVED);
    let pairs: Vec<String> =
        all.into_iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    pairs.join("&")
}
