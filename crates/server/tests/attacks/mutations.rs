//! Random bytes near to what is right: a bounded number of cases, from a seed that is printed when
//! a case fails and can be given as `DUNLIN_TEST_SEED`.

use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use testkit::http::{AppKeys, request};
use testkit::ws::{Client, raw, text, upgrade};

use super::Scene;

const CASES: usize = 400;

/// SplitMix64: any seed will do.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = std::env::var("DUNLIN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = given.unwrap_or_else(now);
        println!("DUNLIN_TEST_SEED={seed}");
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Changes, removes, repeats or inserts a few bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        const SPICE: [&[u8]; 14] = [
            b"\"", b"\\", b"\\u", b"\\ud800", b"{", b"[", b"null", b"1e999", b"\xff", b"\x00",
            b"\r\n", b"%", b"#", b"-",
        ];
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 => bytes.truncate(at),
                3 => {
                    let spice = self.pick(&SPICE);
                    bytes.splice(at..at, spice.iter().copied());
                }
                _ => {
                    let end = at + self.below(bytes.len() - at);
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
    }
}

fn payload(random: &mut Random, client: &Client) -> Vec<u8> {
    let app = AppKeys::default();
    let id = &client.socket_id;
    let member = r#"{"user_id":"1","user_info":{"n":1}}"#;
    let user = r#"{"id":"u1","watchlist":["u2"]}"#;
    let presence = app.sign_subscription(id, "presence-x", Some(member));
    let private = app.sign_subscription(id, "private-a", None);
    let texts = [
        json!({"event": "pusher:subscribe", "data": {"channel": "a", "auth": ""}}),
        json!({"event": "pusher:subscribe", "data": {"channel": "private-a", "auth": private}}),
        json!({"event": "pusher:subscribe",
            "data": {"channel": "presence-x", "auth": presence, "channel_data": member}}),
        json!({"event": "pusher:subscribe", "data": {"channel": "cache-a"}}),
        json!({"event": "pusher:unsubscribe", "data": {"channel": "private-a"}}),
        json!({"event": "pusher:signin",
            "data": {"auth": app.sign_signin(id, user), "user_data": user}}),
        json!({"event": "client-x", "channel": "private-a", "data": {"k": [1, "ä"]}}),
        json!({"event": "pusher:ping", "data": {}}),
    ];
    texts[random.below(texts.len())].to_string().into_bytes()
}

/// Reads until the server closes or has nothing more to say.
fn drain(client: &Client) {
    let mut stream = client.stream();
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let mut ignored = [0; 4096];
    while matches!(stream.read(&mut ignored), Ok(count) if count > 0) {}
}

#[test]
fn mutated_frames() {
    let mut random = Random::new();
    let mut scene = Scene::new();
    for case in 0..CASES {
        let client = scene.server.connect();
        let mut bytes = Vec::new();
        for _ in 0..=random.below(6) {
            let mut inner = payload(&mut random, &client);
            if random.below(3) > 0 {
                random.mutate(&mut inner);
            }
            // The codec has tests of its own, so most frames are whole.
            let mut frame = match std::str::from_utf8(&inner) {
                Ok(inner) => text(inner),
                Err(_) => raw(0x81, &inner),
            };
            if random.below(6) == 0 {
                random.mutate(&mut frame);
            }
            bytes.extend(frame);
        }
        // The server may close before it has read everything.
        let _ = std::io::Write::write_all(&mut client.stream(), &bytes);
        drain(&client);
        if random.below(2) == 0 {
            client.abort();
        }
        if case % 8 == 0 {
            scene.is_calm(&format!("case {case}"));
        }
    }
    scene.is_calm("all cases");
    scene.ends();
}

#[test]
fn mutated_requests() {
    let mut random = Random::new();
    let mut scene = Scene::new();
    let app = AppKeys::default();
    for case in 0..CASES {
        let bodies = [
            json!({"name": "E", "channels": ["a", "cache-a"], "data": "{}", "socket_id": "1.2"}),
            json!({"batch": [{"name": "E", "channel": "a", "data": "x", "info": "user_count"}]}),
        ];
        let mut body = bodies[random.below(2)].to_string().into_bytes();
        if random.below(2) == 0 {
            random.mutate(&mut body);
        }
        let pages =
            ["/events", "/batch_events", "/channels/a/events", "/users/u/terminate_connections"];
        let page = random.pick(&pages);
        let get = random.pick(&["/channels", "/channels/presence-x", "/channels/presence-x/users"]);
        let mut bytes = match random.below(4) {
            0 => request("GET", &app.target("GET", get, &[("info", "user_count")], b""), &[], b""),
            1 => upgrade("/app/app-key?protocol=7", &[]),
            _ => request("POST", &app.target("POST", page, &[("name", "E")], &body), &[], &body),
        };
        if random.below(3) > 0 {
            random.mutate(&mut bytes);
        }
        let mut client = Client::raw(scene.server.address());
        let _ = std::io::Write::write_all(&mut client.stream(), &bytes);
        drain(&client);
        if random.below(2) == 0 {
            client.half_close();
        }
        drop(client);
        if case % 8 == 0 {
            scene.is_calm(&format!("case {case}"));
        }
    }
    scene.is_calm("all cases");
    scene.ends();
}
