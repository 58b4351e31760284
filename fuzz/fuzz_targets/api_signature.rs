//! Signatures of HTTP requests: checking one never panics, nothing unsigned passes, everything
//! signed does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::api::auth::{Request, sign_query, verify};
use protocol::auth::Secret;

type Input<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, &'a [u8], u32);

fuzz_target!(|input: Input<'_>| {
    let (path, query, params, body, now) = input;
    let now = u64::from(now);
    let secret = Secret::new(b"a secret that no input knows");
    let request = Request { method: "POST", path, alt_path: Some("/"), query, body };
    let error = verify(&request, "key", &secret, now).expect_err("nobody signed this");
    assert!(error.to_string().len() < 20_000);

    let taken = ["auth_key", "auth_timestamp", "auth_version", "auth_signature", "body_md5"];
    let free = |name: &str| !taken.iter().any(|taken| taken.eq_ignore_ascii_case(name));
    if params.len() < 50 && params.iter().all(|(name, _)| free(name)) {
        let query = sign_query("POST", path, &params, body, "key", &secret, now);
        let request = Request { query: &query, ..request };
        verify(&request, "key", &secret, now).expect("this was signed");
    }
});
