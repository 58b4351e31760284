//! A stand-in for SQS that keeps the order of FIFO queues as strictly as SQS does, which moto does
//! not when several polls wait: it gives out a group's next messages while earlier ones are hidden.
//! It speaks as much of the protocol as the crate uses, and fails when it is told to.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html>

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A server with one queue, for as long as the runtime.
#[derive(Clone)]
pub(crate) struct StandIn {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    number: u64,
    /// It answers every call with an error.
    broken: bool,
    /// Messages that have this text are refused, one by one.
    refused: Option<String>,
    /// How often somebody received a message, or found none.
    polls: u64,
}

struct Message {
    number: u64,
    group: String,
    body: String,
    receipt: u64,
    received: u32,
    hidden_until: Instant,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stand_in = StandIn { port, state: Arc::default() };
        let serving = stand_in.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let stand_in = serving.clone();
                let service = service_fn(move |request| stand_in.clone().serve(request));
                let serve = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serve);
            }
        });
        stand_in
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/1/queue.fifo", self.port)
    }

    pub(crate) fn set_broken(&self, broken: bool) {
        self.state.lock().unwrap().broken = broken;
    }

    pub(crate) fn refuse(&self, text: Option<&str>) {
        self.state.lock().unwrap().refused = text.map(Into::into);
    }

    pub(crate) fn polls(&self) -> u64 {
        self.state.lock().unwrap().polls
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let action = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let answer = match action.strip_prefix("AmazonSQS.").unwrap() {
            _ if self.state.lock().unwrap().broken => None,
            "ReceiveMessage" => self.receive(&body).await,
            "GetQueueAttributes" => {
                let count = self.state.lock().unwrap().messages.len().to_string();
                Some(json!({ "Attributes": { "ApproximateNumberOfMessages": count } }))
            }
            action => Some(self.state.lock().unwrap().batch(action, &body)),
        };
        let mut response =
            Response::new(Full::from(answer.clone().unwrap_or_default().to_string()));
        if answer.is_none() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok(response)
    }

    async fn receive(&self, body: &Value) -> Option<Value> {
        let until = Instant::now() + Duration::from_secs(body["WaitTimeSeconds"].as_u64().unwrap());
        loop {
            let found = {
                let mut state = self.state.lock().unwrap();
                if state.broken {
                    return None;
                }
                state.receive(body)
            };
            if !found.is_empty() || Instant::now() > until {
                self.state.lock().unwrap().polls += 1;
                return Some(json!({ "Messages": found }));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl State {
    fn receive(&mut self, body: &Value) -> Vec<Value> {
        let (now, mut found) = (Instant::now(), Vec::new());
        let most = body["MaxNumberOfMessages"].as_u64().unwrap() as usize;
        let hidden = Duration::from_secs(body["VisibilityTimeout"].as_u64().unwrap());
        let is_hidden = |message: &&Message| message.hidden_until > now;
        let busy: HashSet<String> =
            self.messages.iter().filter(is_hidden).map(|message| message.group.clone()).collect();
        for message in &mut self.messages {
            if found.len() < most && !busy.contains(&message.group) {
                self.number += 1;
                message.receipt = self.number;
                message.received += 1;
                message.hidden_until = now + hidden;
                found.push(json!({
                    "MessageId": message.number.to_string(),
                    "ReceiptHandle": message.receipt.to_string(),
                    "Body": message.body,
                    "Attributes": { "ApproximateReceiveCount": message.received.to_string() },
                }));
            }
        }
        found
    }

    fn batch(&mut self, action: &str, body: &Value) -> Value {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let entries = body["Entries"].as_array().unwrap();
        assert!((1..=10).contains(&entries.len()));
        for entry in entries {
            let id = &entry["Id"];
            match self.one(action, entry) {
                Some(id_given) => {
                    good.push(json!({ "Id": id, "MessageId": id_given, "MD5OfMessageBody": "" }));
                }
                None => {
                    bad.push(json!({ "Id": id, "Code": "InternalError", "SenderFault": false }));
                }
            }
        }
        json!({ "Successful": good, "Failed": bad })
    }

    fn one(&mut self, action: &str, entry: &Value) -> Option<String> {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        self.number += 1;
        if action == "SendMessageBatch" {
            let body = text("MessageBody");
            if self.refused.as_ref().is_some_and(|refused| body.contains(refused)) {
                return None;
            }
            assert!(!text("MessageDeduplicationId").is_empty());
            self.messages.push(Message {
                number: self.number,
                group: text("MessageGroupId"),
                body,
                receipt: 0,
                received: 0,
                hidden_until: Instant::now(),
            });
            return Some(self.number.to_string());
        }
        let receipt: u64 = text("ReceiptHandle").parse().unwrap();
        let at = self.messages.iter().position(|message| message.receipt == receipt)?;
        if action == "DeleteMessageBatch" {
            self.messages.remove(at);
        } else {
            let seconds = entry["VisibilityTimeout"].as_u64().unwrap();
            self.messages[at].hidden_until = Instant::now() + Duration::from_secs(seconds);
        }
        Some(receipt.to_string())
    }
}
