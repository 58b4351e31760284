//! The protocol as conversations: `transcripts/*.jsonl`, one file per feature, one step per line,
//! over real sockets. `transcripts/README.md` says what a step may be.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};
use support::Server;
use testkit::http::AppKeys;
use testkit::ws::{Client, Frame, raw, text};

macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        #[test]
        fn every_transcript_is_run() {
            let mut run: Vec<&str> = vec![$(stringify!($name)),*];
            run.sort();
            let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
            let files = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl"));
            let mut files: Vec<String> =
                files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
            files.sort();
            assert_eq!(files, run);
        }
    };
}

transcripts!(
    authorized_connections,
    cache_kinds,
    cache_public,
    client_event_rate,
    client_events,
    client_events_disabled,
    connect,
    connect_disabled,
    connect_origin,
    connect_quota,
    connect_strict,
    connect_unknown,
    duplicate_subscribe,
    encrypted,
    event_data,
    liveness,
    malformed,
    names,
    ping,
    presence,
    presence_concurrent_kinds,
    presence_limit,
    presence_numbers,
    presence_second_tab,
    presence_signin,
    private,
    public,
    server_to_user,
    signin,
    subscription_count,
    terminate,
    unsubscribe,
    watchlist,
    watchlist_limit,
);

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts"))
}

fn run(name: &str) {
    let path = folder().join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(number, line): (usize, &str)| {
        let step: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{name}.jsonl:{}: {error}", number + 1));
        (number + 1, step)
    };
    let (_, header) = parse(lines.next().unwrap());
    let mut stage = Stage::new(&header);
    for line in lines {
        let (number, step) = parse(line);
        // Printed only if the test fails: the last one is where it did.
        println!("{name}.jsonl:{number}: {step}");
        stage.perform(step.as_object().expect("a step is an object"));
    }
    stage.clients.clear();
    stage.server.is_clean();
}

struct Stage {
    server: Server,
    clients: HashMap<String, Client>,
    /// Captured values, to be put where `${name}` stands.
    known: HashMap<String, String>,
}

impl Stage {
    fn new(header: &Value) -> Self {
        let options = header["options"].as_object().cloned().unwrap_or_default();
        let options: Vec<(String, String)> =
            options.into_iter().map(|(k, v)| (k, plain(&v))).collect();
        let env: Vec<(&str, &str)> = options.iter().map(|(k, v)| (&**k, &**v)).collect();
        let server = match header.get("file") {
            Some(file) => Server::with_file(&env, file),
            None => Server::with(&env),
        };
        Stage { server, clients: HashMap::new(), known: HashMap::new() }
    }

    fn perform(&mut self, step: &Map<String, Value>) {
        let name = step.get("client").and_then(Value::as_str).unwrap_or_default();
        for (verb, argument) in step {
            match verb.as_str() {
                "client" | "why" | "times" | "reason" | "answer" | "body" | "origin" | "params"
                | "json" => {}
                "open" | "connect" => self.open(name, step, verb == "connect", argument),
                "send" => {
                    let payload = self.resolve(name, argument).to_string();
                    let times = step.get("times").and_then(Value::as_u64).unwrap_or(1);
                    let frames: Vec<u8> = (0..times).flat_map(|_| text(&payload)).collect();
                    self.client(name).write(&frames);
                }
                "send_text" => {
                    let payload = self.substitute(argument.as_str().unwrap());
                    self.client(name).send(&payload);
                }
                "subscribe" => self.subscribe(name, argument),
                "expect" => {
                    let frame = self.client(name).json();
                    self.compare(name, argument, &frame);
                }
                "exact" => {
                    let expected = self.substitute(argument.as_str().unwrap());
                    self.client(name).expect(&expected);
                }
                "expect_ping" => {
                    assert_eq!(self.client(name).next(), Frame::Ping(Vec::new()));
                }
                "pong" => self.client(name).write(&raw(0x8a, b"")),
                "expect_close" => self.expect_close(name, step, argument),
                "silence" => self.client(name).expect_silence(),
                "close" => self.clients.remove(name).unwrap().close(),
                "drop" => self.clients.remove(name).unwrap().abort(),
                "publish" => self.publish(step, argument),
                "http" => self.http(step, argument.as_str().unwrap()),
                "metric" => {
                    let wanted = argument.as_object().unwrap().clone();
                    let fits = |name: &String, value: &Value| (name.clone(), value.as_f64());
                    let wanted: Vec<_> = wanted.iter().map(|(n, v)| fits(n, v)).collect();
                    let holds = |m: &testkit::metrics::Metrics| {
                        wanted.iter().all(|(name, value)| Some(m.sum(name)) == *value)
                    };
                    self.server.wait_for(&argument.to_string(), holds);
                }
                other => panic!("there is no step {other}"),
            }
        }
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.get_mut(name).unwrap_or_else(|| panic!("there is no client {name}"))
    }

    fn open(&mut self, name: &str, step: &Map<String, Value>, greeted: bool, target: &Value) {
        let target = target.as_str().unwrap();
        let origin = step.get("origin").and_then(Value::as_str);
        let headers: Vec<(&str, &str)> = origin.map(|o| ("Origin", o)).into_iter().collect();
        let mut client = Client::open_with(self.server.address(), target, &headers);
        if greeted {
            client.established();
            self.known.insert(name.to_owned(), client.socket_id.clone());
        }
        self.clients.insert(name.to_owned(), client);
    }

    fn subscribe(&mut self, name: &str, channel: &Value) {
        let channel = channel.as_str().unwrap();
        let client = self.client(name);
        match channel.starts_with("private-") {
            true => drop(client.subscribe_signed(channel, None)),
            false => client.subscribe(channel),
        }
    }

    fn expect_close(&mut self, name: &str, step: &Map<String, Value>, code: &Value) {
        let mut client = self.clients.remove(name).unwrap();
        match client.next() {
            Frame::Close(got, reason) => {
                assert_eq!(Value::from(got), *code);
                if let Some(expected) = step.get("reason") {
                    assert_eq!(reason, expected.as_str().unwrap());
                }
            }
            other => panic!("expected close {code}, got {other:?}"),
        }
        client.write(&raw(0x88, &[]));
        assert_eq!(client.next(), Frame::End);
    }

    fn publish(&mut self, step: &Map<String, Value>, body: &Value) {
        let body = self.resolve("", body).to_string();
        let answer = self.server.http().post(&AppKeys::default(), "/events", body.as_bytes());
        self.check_answer(step, &answer);
    }

    /// `METHOD /page`, below `/apps/app-id`.
    fn http(&mut self, step: &Map<String, Value>, call: &str) {
        let (method, page) = call.split_once(' ').unwrap();
        let params = step.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
        let params: Vec<(String, String)> =
            params.iter().map(|(k, v)| (k.clone(), plain(v))).collect();
        let params: Vec<(&str, &str)> = params.iter().map(|(k, v)| (&**k, &**v)).collect();
        let body = step.get("json").map(|body| self.resolve("", body).to_string());
        let body = body.unwrap_or_default();
        let target = AppKeys::default().target(method, page, &params, body.as_bytes());
        let answer = self.server.http().ask(method, &target, &[], body.as_bytes());
        self.check_answer(step, &answer);
    }

    fn check_answer(&mut self, step: &Map<String, Value>, answer: &testkit::http::HttpResponse) {
        let status = step.get("answer").cloned().unwrap_or(200.into());
        assert_eq!(Value::from(answer.status), status, "{}", answer.text());
        match step.get("body") {
            Some(body) => self.compare("", body, &answer.json()),
            None if status == 200 => assert_eq!(answer.text(), "{}"),
            None => {}
        }
    }

    fn substitute(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
        })
    }

    /// What a step says, with its directives carried out.
    fn resolve(&self, client: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => self.substitute(text).into(),
            Value::Array(items) => items.iter().map(|item| self.resolve(client, item)).collect(),
            Value::Object(members) => match self.directive(client, members) {
                Some(text) => text.into(),
                None => {
                    let members = members.iter();
                    members.map(|(k, v)| (k.clone(), self.resolve(client, v))).collect()
                }
            },
            other => other.clone(),
        }
    }

    fn directive(&self, client: &str, members: &Map<String, Value>) -> Option<String> {
        let text = |name: &str| members.get(name).map(|value| self.text_of(client, value));
        let socket_id = || self.known.get(client).cloned().unwrap_or_default();
        let app = AppKeys::default();
        if let Some(channel) = text("$sign") {
            let data = text("data");
            return Some(app.sign_subscription(&socket_id(), &channel, data.as_deref()));
        }
        if let Some(user_data) = text("$signin") {
            return Some(app.sign_signin(&socket_id(), &user_data));
        }
        if let Some(value) = members.get("$json") {
            return Some(self.resolve(client, value).to_string());
        }
        let times = members.get("$repeat")?.as_u64().unwrap();
        Some(members["of"].as_str().unwrap().repeat(times as usize))
    }

    fn text_of(&self, client: &str, value: &Value) -> String {
        plain(&self.resolve(client, value))
    }

    /// Compares what came with what a step says, whose directives stand for many values.
    fn compare(&mut self, client: &str, expected: &Value, got: &Value) {
        let fail = || panic!("expected {expected}\n     got {got}");
        match expected {
            Value::String(text) if text == "$any" => {}
            Value::Object(members) if members.contains_key("$json") => {
                let Some(text) = got.as_str() else { fail() };
                let inner = serde_json::from_str(text).unwrap_or_else(|_| fail());
                self.compare(client, &members["$json"], &inner);
            }
            Value::Object(members) if members.contains_key("$contains") => {
                let part = self.text_of(client, &members["$contains"]);
                if !got.as_str().is_some_and(|text| text.contains(&part)) {
                    fail();
                }
            }
            Value::Object(members) if members.contains_key("$between") => {
                let bound = |n: usize| members["$between"][n].as_f64().unwrap();
                let within = |n: f64| bound(0) <= n && n <= bound(1);
                if !got.as_f64().is_some_and(within) {
                    fail();
                }
            }
            Value::Object(members) => {
                let Some(others) = got.as_object() else { fail() };
                if !members.keys().eq(others.keys()) {
                    fail();
                }
                members.iter().for_each(|(key, value)| self.compare(client, value, &others[key]));
            }
            Value::Array(items) => {
                let Some(others) = got.as_array() else { fail() };
                if items.len() != others.len() {
                    fail();
                }
                items.iter().zip(others).for_each(|(a, b)| self.compare(client, a, b));
            }
            other => {
                if self.resolve(client, other) != *got {
                    fail();
                }
            }
        }
    }
}

/// A string as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
