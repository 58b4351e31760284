//! The bytes on the wire (K1, K6).

use protocol::auth::Secret as SigningSecret;

use super::target::{Reply, Target};
use super::*;

const BODY: &str =
    r#"{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"ä"}]}"#;

#[tokio::test]
async fn k1_headers_are_exact_and_the_signature_is_over_the_bytes_sent() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    let outcome = send(&sender, job(&target.url("/hook?token=1#fragment"), BODY)).await;
    assert_eq!(outcome, Outcome::Delivered);
    let received = &target.received()[0];
    let mut lines = received.head.trim_end().split("\r\n");
    assert_eq!(lines.next(), Some("POST /hook?token=1 HTTP/1.1"));
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    lines.sort();
    let signature = received.header("X-Pusher-Signature").unwrap();
    let expected = [
        format!("Content-Length: {}", BODY.len()),
        "Content-Type: application/json".to_owned(),
        format!("Host: 127.0.0.1:{}", target.port),
        format!("User-Agent: dunlin/{}", env!("CARGO_PKG_VERSION")),
        "X-Pusher-Key: key of app".to_owned(),
        format!("X-Pusher-Signature: {signature}"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(received.body, BODY.as_bytes());
    assert_eq!((signature.len(), signature), (64, signature.to_lowercase().as_str()));
    assert!(SigningSecret::new(apps::SECRET.as_bytes()).verify(&[&received.body], signature));
}

#[tokio::test]
async fn k6_headers_of_the_app_are_added_and_replace_none_of_ours() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    let headers = [
        ("x-custom-header", "mine"),
        ("Authorization", "Bearer token"),
        ("x-pusher-KEY", "forged"),
        ("X-PUSHER-SIGNATURE", "forged"),
        ("content-type", "text/plain"),
        ("user-agent", "forged"),
        ("host", "forged.example"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("expect", "100-continue"),
    ];
    let url = target.url("/").replace("http://", "http://user:pass@");
    let hook = webhook(WebhookTarget::Url(url), &headers);
    assert_eq!(send(&sender, job_for("app", &hook, "a", BODY)).await, Outcome::Delivered);
    let received = &target.received()[0];
    assert_eq!(received.header("X-Custom-Header"), Some("mine"));
    // The app's own header wins over the user in the URL.
    assert_eq!(received.header("Authorization"), Some("Bearer token"));
    assert_eq!(received.header("X-Pusher-Key"), Some("key of app"));
    assert!(!received.head.contains("forged"), "{}", received.head);
    assert_eq!(received.head.trim_end().lines().count(), 1 + 8, "{}", received.head);
    assert_eq!(received.body, BODY.as_bytes());
}

#[tokio::test]
async fn a_user_in_the_url_signs_in() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    let url = target.url("/").replace("http://", "http://us%20er:pa%3Ass@");
    assert_eq!(send(&sender, job(&url, BODY)).await, Outcome::Delivered);
    let received = &target.received()[0];
    // "us er:pa:ss"
    assert_eq!(received.header("Authorization"), Some("Basic dXMgZXI6cGE6c3M="));
    assert_eq!(received.header("Host"), Some(format!("127.0.0.1:{}", target.port).as_str()));
}

#[tokio::test]
async fn urls_as_people_write_them() {
    let target = Target::start(|_, _| Reply::status(200)).await;
    let sender = sender(settings());
    assert_eq!(send(&sender, job(&target.url("/ä b?c=\"d\""), BODY)).await, Outcome::Delivered);
    assert_eq!(send(&sender, job(&target.url(""), BODY)).await, Outcome::Delivered);
    let lines: Vec<_> =
        target.received().iter().map(|r| r.head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["POST /%C3%A4%20b?c=%22d%22 HTTP/1.1", "POST / HTTP/1.1"]);
}

#[tokio::test]
async fn what_is_no_url_is_given_up_at_once() {
    let sender = sender(settings());
    for url in ["ftp://example.com/", "http://", "example.com", "", "http://a b/"] {
        let why = given_up(send(&sender, job(url, BODY)).await);
        assert!(why.starts_with("unusable: the URL "), "{url}: {why}");
    }
    let hook = webhook(WebhookTarget::Url("http://127.0.0.1:1/".into()), &[("a b", "c")]);
    let why = given_up(send(&sender, job_for("app", &hook, "a", BODY)).await);
    assert_eq!(why, "unusable: the name of a header is \"a b\"");
    let hook =
        webhook(WebhookTarget::Url("http://127.0.0.1:1/".into()), &[("a", "secret\r\nb: c")]);
    let why = given_up(send(&sender, job_for("app", &hook, "a", BODY)).await);
    assert!(why.starts_with("unusable: a has") && !why.contains("secret"), "{why}");
}

#[tokio::test]
async fn connections_are_used_again() {
    let target = Target::start(|_, _| Reply::with(200, &[], &"x".repeat(10_000))).await;
    let sender = sender(settings());
    for _ in 0..20 {
        assert_eq!(send(&sender, job(&target.url("/"), BODY)).await, Outcome::Delivered);
    }
    assert_eq!((target.received().len(), target.connections()), (20, 1));
}
