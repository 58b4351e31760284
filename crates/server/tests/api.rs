//! The HTTP API as backends and health checks see it (H1 to H16).

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use serde_json::{Value, json};
use support::Server;
use testkit::http::{AppKeys, Http, HttpResponse, now, request};

fn post(server: &Server, page: &str, body: &Value) -> HttpResponse {
    server.http().post(&AppKeys::default(), page, body.to_string().as_bytes())
}

fn member(server: &Server, channel: &str, user: &str) -> testkit::ws::Client {
    let mut client = server.connect();
    client.subscribe_signed(channel, Some(&format!(r#"{{"user_id":"{user}","user_info":{{}}}}"#)));
    client
}

#[test]
fn a_publish_answers_an_empty_object_and_json() {
    let server = Server::with(&[]);
    let body = json!({"name": "foo", "channels": ["project-3"], "data": "{\"some\":\"data\"}"});
    let answer = post(&server, "/events", &body);
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn info_tells_about_every_triggered_channel() {
    let server = Server::with(&[]);
    let _one = member(&server, "presence-a", "1");
    let _tab = member(&server, "presence-a", "1");
    let mut other = server.connect();
    other.subscribe("b");
    let body = json!({"name": "E", "data": "", "channels": ["presence-a", "b", "c"],
        "info": "subscription_count,user_count"});
    assert_eq!(
        post(&server, "/events", &body).json(),
        json!({"channels": {
            "presence-a": {"user_count": 1, "subscription_count": 2},
            "b": {"subscription_count": 1},
            "c": {"subscription_count": 0},
        }})
    );
    let unknown = json!({"name": "E", "data": "", "channel": "b", "info": "colour"});
    let answer = post(&server, "/events", &unknown);
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("colour"), "{}", answer.error());
}

#[test]
fn a_batch_is_aligned_with_its_answer() {
    let server = Server::with(&[]);
    let mut client = server.connect();
    client.subscribe("a");
    let event = |channel: &str| json!({"name": "E", "channel": channel, "data": "d"});
    let plain = json!({"batch": [event("a"), event("b")]});
    assert_eq!(post(&server, "/batch_events", &plain).text(), "{}");
    client.expect_event("E", "a", "d");

    let mut asked = event("a");
    asked["info"] = json!("subscription_count");
    let answer = post(&server, "/batch_events", &json!({"batch": [event("b"), asked, event("c")]}));
    assert_eq!(answer.json(), json!({"batch": [{}, {"subscription_count": 1}, {}]}));
}

#[test]
fn a_batch_is_sent_whole_or_not_at_all() {
    let server = Server::with(&[]);
    let mut client = server.connect();
    client.subscribe("a");
    let good = json!({"name": "E", "channel": "a", "data": ""});
    for bad in [
        json!({"name": "E", "channel": "a b", "data": ""}),
        json!({"name": "pusher:x", "channel": "a", "data": ""}),
        json!({"name": "E", "channel": "a"}),
        json!({"name": "E", "channel": "a", "data": "", "socket_id": "x"}),
        json!(null),
    ] {
        let answer = post(&server, "/batch_events", &json!({"batch": [good, good, bad]}));
        assert_eq!(answer.status, 400, "{bad}");
        answer.error();
        client.expect_silence();
    }
}

#[test]
fn reading_channels() {
    let server = Server::with(&[]);
    assert_eq!(server.get("/channels", &[]).text(), r#"{"channels":{}}"#);
    let mut client = server.connect();
    client.subscribe("b");
    client.subscribe("a");
    let _one = member(&server, "presence-a", "1");
    let _tab = member(&server, "presence-a", "1");
    let _two = member(&server, "presence-a", "2");
    let channels =
        |params: &[(&str, &str)]| server.get("/channels", params).json()["channels"].clone();
    assert_eq!(channels(&[]), json!({"a": {}, "b": {}, "presence-a": {}}));
    assert_eq!(channels(&[("filter_by_prefix", "")]), json!({"a": {}, "b": {}, "presence-a": {}}));
    assert_eq!(channels(&[("filter_by_prefix", "pres")]), json!({"presence-a": {}}));
    assert_eq!(channels(&[("filter_by_prefix", "esence")]), json!({}));
    assert_eq!(
        channels(&[("filter_by_prefix", "presence-"), ("info", "user_count,subscription_count")]),
        json!({"presence-a": {"user_count": 2, "subscription_count": 3}})
    );
    assert_eq!(
        channels(&[("info", "subscription_count"), ("filter_by_prefix", "b")]),
        json!({"b": {"subscription_count": 1}})
    );
    for params in
        [&[("info", "user_count")][..], &[("info", "user_count"), ("filter_by_prefix", "a")]]
    {
        let answer = server.get("/channels", params);
        assert_eq!(answer.status, 400);
        assert!(
            answer.error().starts_with("user_count may only be requested for presence channels")
        );
    }
}

#[test]
fn reading_one_channel() {
    let server = Server::with(&[]);
    let channel = |name: &str, info: &str| {
        let params = [("info", info)];
        let params = if info.is_empty() { &[][..] } else { &params[..] };
        server.get(&format!("/channels/{name}"), params)
    };
    assert_eq!(channel("a", "").text(), r#"{"occupied":false}"#);
    let mut client = server.connect();
    client.subscribe("a,b=c@d;e.f");
    let _one = member(&server, "presence-a", "1");
    assert_eq!(channel("a,b=c@d;e.f", "").text(), r#"{"occupied":true}"#);
    let escaped = channel("a%2Cb%3dc%40d%3Be.f", "subscription_count");
    assert_eq!(escaped.json(), json!({"occupied": true, "subscription_count": 1}), "H7");
    assert_eq!(
        channel("presence-a", "user_count,subscription_count").json(),
        json!({"occupied": true, "user_count": 1, "subscription_count": 1})
    );
    assert_eq!(channel("a", "user_count").status, 400);
    assert_eq!(channel("a", "cache").json(), json!({"occupied": false, "cache": null}));
    assert_eq!(channel("a%20b", "").status, 400);
    assert_eq!(channel("presence-a/stats", "").json()["connection_count"], 1);
    assert_eq!(
        channel("presence-a/stats", "").json(),
        json!({"occupied": true, "user_count": 1, "connection_count": 1})
    );
    assert_eq!(channel("b/stats", "").json(), json!({"occupied": false, "connection_count": 0}));
}

#[test]
fn reading_users() {
    let server = Server::with(&[]);
    let users = |name: &str, params: &[(&str, &str)]| {
        server.get(&format!("/channels/{name}/users"), params)
    };
    assert_eq!(users("presence-a", &[]).text(), r#"{"users":[]}"#);
    let mut numeric = server.connect();
    numeric.subscribe_signed("presence-a", Some(r#"{"user_id":7,"user_info":{"n":"N"}}"#));
    assert_eq!(users("presence-a", &[]).text(), r#"{"users":[{"id":"7"}]}"#, "H8: a string");
    let with_info = users("presence-a", &[("with_user_info", "1")]).json();
    assert_eq!(with_info["users"][0]["id"], "7");
    assert_eq!(with_info["users"][0]["user_info"], json!({"n": "N"}));
    let answer = users("a", &[]);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.error(), "Users can only be retrieved for presence channels");
    let answer = users("presence-a", &[("info", "user_count")]);
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("extraneous"));
}

#[test]
fn connections_are_counted_per_app() {
    let server = Server::with(&[]);
    let connections = || server.get("/connections", &[]).text();
    assert_eq!(connections(), r#"{"connections":0}"#);
    let (one, _two) = (server.connect(), server.connect());
    assert_eq!(connections(), r#"{"connections":2}"#);
    one.close();
    testkit::eventually("the count goes down", || connections() == r#"{"connections":1}"#);
}

#[test]
fn the_deprecated_way_to_publish() {
    let server = Server::with(&[]);
    let (mut client, mut sender) = (server.connect(), server.connect());
    client.subscribe("a");
    sender.subscribe("a");
    let app = AppKeys::default();
    let socket_id = sender.socket_id.clone();
    let params = [("name", "E"), ("socket_id", socket_id.as_str())];
    let body = br#"{"any":"text"}"#;
    let target = app.target("POST", "/channels/a/events", &params, body);
    let answer = server.http().ask("POST", &target, &[], body);
    assert_eq!((answer.status, answer.text().as_str()), (202, "{}"));
    client.expect_event("E", "a", r#"{"any":"text"}"#);
    sender.expect_silence();
}

#[test]
fn what_is_missing_or_wrong_in_a_publish_is_named() {
    let server = Server::with(&[("EVENT_MAX_SIZE_IN_KB", "10")]);
    let names = |count: usize| (0..count).map(|n| format!("c{n}")).collect::<Vec<_>>();
    let big = |size: usize| json!({"name": "E", "channel": "a", "data": "x".repeat(size)});
    assert_eq!(post(&server, "/events", &big(10240)).status, 200);
    let hundred = json!({"name": "E", "channels": names(100), "data": ""});
    assert_eq!(post(&server, "/events", &hundred).status, 200);
    let cases = [
        (413, "10240 bytes", big(10241)),
        (400, "name", json!({"channel": "a", "data": ""})),
        (400, "name", json!({"name": 1, "channel": "a", "data": ""})),
        (400, "name", json!({"name": "", "channel": "a", "data": ""})),
        (400, "pusher", json!({"name": "pusher:error", "channel": "a", "data": ""})),
        (400, "data", json!({"name": "E", "channel": "a"})),
        (400, "channels", json!({"name": "E", "data": ""})),
        (400, "channels", json!({"name": "E", "channels": [], "data": ""})),
        (400, "channels", json!({"name": "E", "channels": "a", "data": ""})),
        (400, "channels", json!({"name": "E", "channels": [1], "data": ""})),
        (400, "100", json!({"name": "E", "channels": names(101), "data": ""})),
        (400, "#x", json!({"name": "E", "channels": ["#x"], "data": ""})),
        (
            400,
            "#server-to-user-",
            json!({"name": "E", "channels": ["#server-to-user-"], "data": ""}),
        ),
        (400, "a b", json!({"name": "E", "channels": ["a", "a b"], "data": ""})),
        (400, "socket", json!({"name": "E", "channel": "a", "data": "", "socket_id": "x"})),
        (400, "socket", json!({"name": "E", "channel": "a", "data": "", "socket_id": "1.2\n"})),
        (400, "info", json!({"name": "E", "channel": "a", "data": "", "info": 1})),
        (400, "JSON object", json!([])),
        (400, "JSON object", json!("text")),
    ];
    for (status, part, body) in cases {
        let answer = post(&server, "/events", &body);
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.error().contains(part), "{body}: {}", answer.error());
    }
    let answer = server.http().post(&AppKeys::default(), "/events", b"not json");
    assert_eq!(answer.status, 400);
    assert_eq!(post(&server, "/batch_events", &json!({})).status, 400);
    assert_eq!(post(&server, "/batch_events", &json!({"batch": {}})).status, 400);
    let event = json!({"name": "E", "channel": "a", "data": ""});
    let eleven = json!({"batch": vec![event; 11]});
    assert!(post(&server, "/batch_events", &eleven).error().contains("10"));
    assert_eq!(post(&server, "/batch_events", &json!({"batch": []})).text(), "{}");
}

#[test]
fn an_unknown_socket_id_excludes_nobody() {
    let server = Server::with(&[]);
    let mut client = server.connect();
    client.subscribe("a");
    let body = json!({"name": "E", "channel": "a", "data": "", "socket_id": "1.2"});
    assert_eq!(post(&server, "/events", &body).status, 200);
    client.expect_event("E", "a", "");
}

/// A way to spoil a signed query.
type Spoil = fn(String) -> String;

#[test]
fn what_is_wrong_with_a_signature_is_named_in_order() {
    let server = Server::with(&[]);
    let app = AppKeys::default();
    let body = br#"{"name":"E","channel":"a","data":""}"#;
    let good = app.target("POST", "/events", &[], body);
    let ask = |target: &str| server.http().ask("POST", target, &[], body);
    assert_eq!(ask(&good).status, 200);
    let cases: [(&str, Spoil); 9] = [
        ("Authentication key required", |t| t.replace("auth_key=app-key", "x=y")),
        ("Invalid authentication key", |t| t.replace("auth_key=app-key", "auth_key=other")),
        ("Version required", |t| t.replace("auth_version=1.0", "x=y")),
        ("Version not supported", |t| t.replace("auth_version=1.0", "auth_version=2.0")),
        ("Timestamp required", |t| t.replace("auth_timestamp", "x")),
        ("timestamp", |t| t.replace("auth_timestamp=", "auth_timestamp=abc")),
        ("Signature required", |t| t.replace("auth_signature", "x")),
        (
            "Invalid signature: you should have sent HmacSHA256Hex(\"POST\\n/apps/app-id/events\\n",
            |t| t.replace("auth_signature=", "auth_signature=00"),
        ),
        ("Duplicate parameter: auth_signature", |t| t + "&auth_signature=00"),
    ];
    for (message, spoil) in cases {
        let answer = ask(&spoil(good.clone()));
        assert_eq!(answer.status, 401, "{message}");
        assert!(answer.error().contains(message), "{message}: {}", answer.error());
    }
    assert!(ask("/apps/app-id/events").error().contains("Authentication key required"));

    let at = |time: u64| ask(&app.target_at(time, "POST", "/apps/app-id/events", &[], body));
    for time in [now() - 605, now() + 605, 0, 978_307_200] {
        let answer = at(time);
        assert_eq!(answer.status, 401);
        assert!(answer.error().starts_with("Timestamp expired: Given timestamp ("), "H14");
    }
    assert_eq!(at(now() - 590).status, 200);
    assert_eq!(at(now() + 590).status, 200);

    let other_body = server.http().ask("POST", &good, &[], br#"{"name":"F"}"#);
    assert_eq!(other_body.status, 401);
    assert!(other_body.error().contains("body_md5"), "H13");
    let unsigned_body = app.target("POST", "/events", &[], b"");
    assert!(ask(&unsigned_body).error().contains("body_md5"), "H13");
    let upper = good.split_once("auth_signature=").unwrap();
    let upper = format!("{}auth_signature={}", upper.0, upper.1.to_uppercase());
    assert_eq!(ask(&upper).status, 200, "H16");
}

#[test]
fn other_apps_and_other_pages() {
    let server = Server::with_file(
        &[],
        &json!({"appManager.array.apps": [
            {"id": "1", "key": "k1", "secret": "s1"},
            {"id": "2", "key": "k2", "secret": "s2"},
            {"id": "3", "key": "k3", "secret": "s3", "enabled": false},
        ]}),
    );
    let mut http = server.http();
    let mut status = |app: &AppKeys, page: &str| http.get(app, page, &[]).status;
    let (one, two) = (AppKeys::new("1", "k1", "s1"), AppKeys::new("2", "k2", "s2"));
    assert_eq!(status(&one, "/channels"), 200);
    assert_eq!(status(&two, "/channels"), 200);
    assert_eq!(status(&AppKeys::new("1", "k2", "s2"), "/channels"), 401, "another app's key");
    assert_eq!(status(&AppKeys::new("9", "k1", "s1"), "/channels"), 404);
    assert_eq!(status(&AppKeys::new("3", "k3", "s3"), "/channels"), 403);
    assert_eq!(status(&one, "/nothing"), 404);
    assert_eq!(status(&one, ""), 404);
    assert_eq!(status(&one, "/channels/a/nothing"), 404);

    let mut first = server.connect_to("k1");
    let mut second = server.connect_to("k2");
    first.subscribe("a");
    second.subscribe("a");
    server.publish_as(&one, "a", "E", "");
    first.expect_event("E", "a", "");
    second.expect_silence();
}

#[test]
fn methods_paths_and_cors() {
    let server = Server::with(&[]);
    let app = AppKeys::default();
    let mut http = server.http();
    let wrong = http.ask("GET", &app.target("GET", "/events", &[], b""), &[], b"");
    assert_eq!(wrong.status, 405);
    assert!(wrong.error().contains("POST"));
    assert_eq!(
        http.ask("DELETE", &app.target("DELETE", "/channels", &[], b""), &[], b"").status,
        405
    );
    for path in ["/apps", "/apps/", "//apps/app-id/channels", "/apps//channels", "/x", "/app%00"] {
        let answer = http.ask("GET", path, &[], b"");
        assert_eq!(answer.status, 404, "{path}");
        answer.error();
    }
    let plain = http.ask("GET", "/app/app-key", &[], b"");
    assert_eq!(plain.status, 426);
    let sockjs = http.ask("POST", "/pusher/app/app-key/1/x/xhr_streaming?protocol=7", &[], b"");
    assert_eq!(sockjs.status, 404, "W55: so that pusher-js falls back to WebSockets");

    let origin = [("Origin", "https://example.com")];
    let options = http.ask("OPTIONS", "/apps/app-id/events", &origin, b"");
    assert_eq!(options.status, 204);
    assert_eq!(options.header("access-control-allow-origin"), Some("https://example.com"));
    assert!(options.header("access-control-allow-methods").unwrap().contains("POST"));
    assert!(options.header("access-control-allow-headers").unwrap().contains("Content-Type"));
    let error = http.ask("GET", "/apps/app-id/channels", &origin, b"");
    assert_eq!(error.status, 401);
    assert_eq!(error.header("access-control-allow-origin"), Some("https://example.com"));
    assert_eq!(http.ask("GET", "/", &[], b"").header("access-control-allow-origin"), None);
}

#[test]
fn cors_lets_in_whom_it_is_told_to() {
    let server = Server::with_file(&[], &json!({"cors.origin": ["https://a.example"]}));
    let allowed = |origin: &str| {
        let answer = server.http().ask("GET", "/", &[("Origin", origin)], b"");
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed("https://a.example").as_deref(), Some("https://a.example"));
    assert_eq!(allowed("https://b.example"), None);
}

#[test]
fn health_pages() {
    let server = Server::with(&[("HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD", "100")]);
    let mut http = server.http();
    for (page, body) in [("/", "OK"), ("/ready", "OK"), ("/up", r#"{"health":"OK"}"#)] {
        let answer = http.ask("GET", page, &[], b"");
        assert_eq!((answer.status, answer.text().as_str()), (200, body), "{page}");
    }
    assert_eq!(http.ask("GET", "/accept-traffic", &[], b"").status, 200);
    assert_eq!(http.ask("HEAD", "/ready", &[], b"").status, 200);
    assert_eq!(http.ask("GET", "/ready", &[], b"").status, 200, "HEAD has no body");

    let full = Server::with(&[("HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD", "0.001")]);
    assert_eq!(full.http().ask("GET", "/accept-traffic", &[], b"").status, 500);
}

#[test]
fn a_path_prefix_is_part_of_every_route() {
    let server = Server::with(&[("PATH_PREFIX", "/ws")]);
    let app = AppKeys::default();
    let mut http = server.http();
    assert_eq!(http.ask("GET", "/ws/ready", &[], b"").status, 200);
    for path in ["/ready", "/wsready", "/ws//ready", "/x/ws/ready"] {
        assert_eq!(http.ask("GET", path, &[], b"").status, 404, "{path}");
    }
    let full = app.target_of("GET", "/ws/apps/app-id/channels", &[], b"");
    assert_eq!(http.ask("GET", &full, &[], b"").status, 200, "H15: signed with the prefix");
    let bare = app.target_of("GET", "/apps/app-id/channels", &[], b"");
    assert_eq!(http.ask("GET", &format!("/ws{bare}"), &[], b"").status, 200, "H15: without it");
    assert_eq!(http.ask("GET", &bare, &[], b"").status, 404);
    let other = app.target_of("GET", "/apps/other/channels", &[], b"");
    let forged = format!("/ws{}", other.replace("/other/", "/app-id/"));
    assert_eq!(http.ask("GET", &forged, &[], b"").status, 401);

    let mut client = testkit::ws::Client::connect(server.address(), "/ws/app/app-key?protocol=7");
    client.subscribe("a");
    let body = br#"{"name":"E","channel":"a","data":""}"#;
    let target = app.target_of("POST", "/ws/apps/app-id/events", &[], body);
    assert_eq!(http.ask("POST", &target, &[], body).status, 200);
    client.expect_event("E", "a", "");
}

#[test]
fn one_connection_serves_many_requests_in_order() {
    let server = Server::with(&[]);
    let mut client = server.connect();
    client.subscribe("a");
    let app = AppKeys::default();
    let mut http = server.http();
    let mut requests = Vec::new();
    for n in 0..50 {
        let body = json!({"name": "E", "channel": "a", "data": n.to_string()}).to_string();
        let target = app.target("POST", "/events", &[], body.as_bytes());
        let header = [("Content-Type", "application/json"), ("X-Pusher-Library", "test 1.0")];
        requests.extend(request("POST", &target, &header, body.as_bytes()));
    }
    requests.extend(request("GET", "/ready", &[], b""));
    http.write(&requests);
    for _ in 0..50 {
        let answer = http.answer();
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    }
    assert_eq!(http.answer().text(), "OK", "the answers are in order");
    (0..50).for_each(|n| client.expect_event("E", "a", &n.to_string()));
}

#[test]
fn chunked_bodies_are_read() {
    let server = Server::with(&[]);
    let mut client = server.connect();
    client.subscribe("a");
    let body = r#"{"name":"E","channel":"a","data":"in pieces"}"#;
    let target = AppKeys::default().target("POST", "/events", &[], body.as_bytes());
    let mut http = server.http();
    let head = format!("POST {target} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    http.write(head.as_bytes());
    for piece in body.as_bytes().chunks(7) {
        http.write(format!("{:x}\r\n", piece.len()).as_bytes());
        http.write(piece);
        http.write(b"\r\n");
    }
    http.write(b"0\r\n\r\n");
    assert_eq!(http.answer().status, 200);
    client.expect_event("E", "a", "in pieces");
    assert_eq!(http.ask("GET", "/ready", &[], b"").status, 200, "and the connection is kept");
}

#[test]
fn http_1_0_and_connection_close_are_honoured() {
    let server = Server::with(&[]);
    let mut http = server.http();
    http.write(b"GET /ready HTTP/1.0\r\n\r\n");
    assert_eq!(http.answer().status, 200);
    assert!(http.ends());
    let mut http = server.http();
    let answer = http.ask("GET", "/ready", &[("Connection", "close")], b"");
    assert_eq!(answer.status, 200);
    assert!(http.ends());
}

#[test]
fn a_request_that_is_too_large_is_refused_before_it_is_read() {
    let server = Server::with(&[("HTTP_MAX_REQUEST_SIZE", "1")]);
    let app = AppKeys::default();
    let mut http: Http = server.http();
    let target = app.target("POST", "/events", &[], b"x");
    http.write(
        format!("POST {target} HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n\r\n").as_bytes(),
    );
    let answer = http.answer();
    assert_eq!(answer.status, 413);
    assert!(answer.error().contains("1048576"), "{}", answer.error());

    let mut http = server.http();
    http.write(
        format!("POST {target} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            .as_bytes(),
    );
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..18 {
        http.write(format!("{:x}\r\n", piece.len()).as_bytes());
        http.write(&piece);
        http.write(b"\r\n");
    }
    assert_eq!(http.answer().status, 413);
    assert_eq!(server.http().ask("GET", "/ready", &[], b"").status, 200);
}

#[test]
fn what_nobody_signed_is_not_received() {
    let server = Server::with(&[]);
    let stranger = AppKeys::new("app-id", "app-key", "a guess");
    let target = stranger.target("POST", "/events", &[], b"x");
    // The answer comes although the body never does.
    let mut http: Http = server.http();
    http.write(
        format!("POST {target} HTTP/1.1\r\nHost: t\r\nContent-Length: 50000000\r\n\r\n").as_bytes(),
    );
    assert_eq!(http.answer().status, 401);
    assert!(http.ends());

    // A small one is read, so that the connection can go on.
    let mut http = server.http();
    assert_eq!(http.ask("POST", &target, &[], b"x").status, 401);
    assert_eq!(http.ask("GET", "/ready", &[], b"").status, 200);
}

#[test]
fn a_body_that_does_not_arrive_is_not_waited_for_for_ever() {
    let server = Server::with(&[("HTTP_KEEP_ALIVE_TIMEOUT", "1")]);
    let target = AppKeys::default().target("POST", "/events", &[], b"0123456789");
    let mut http: Http = server.http();
    http.write(
        format!("POST {target} HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n01234").as_bytes(),
    );
    assert_eq!(http.answer().status, 408);
    assert!(http.ends());
}
