//! An HTTP/1.1 client over one kept-alive socket, and what a backend signs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::api::auth::sign_query;
use serde_json::Value;

use crate::TEST_TIMEOUT;
use crate::waiting::patient;

/// What a backend knows of its app.
#[derive(Clone, Debug)]
pub struct AppKeys {
    pub id: String,
    pub key: String,
    pub secret: String,
}

impl Default for AppKeys {
    fn default() -> Self {
        Self::new("app-id", "app-key", "app-secret")
    }
}

impl AppKeys {
    pub fn new(id: &str, key: &str, secret: &str) -> Self {
        AppKeys { id: id.into(), key: key.into(), secret: secret.into() }
    }

    /// The signed target of a request for a page below `/apps/{id}`.
    pub fn target(&self, method: &str, page: &str, params: &[(&str, &str)], body: &[u8]) -> String {
        self.target_of(method, &format!("/apps/{}{page}", self.id), params, body)
    }

    /// The signed target of a request for any path.
    pub fn target_of(
        &self,
        method: &str,
        path: &str,
        params: &[(&str, &str)],
        body: &[u8],
    ) -> String {
        self.target_at(now(), method, path, params, body)
    }

    /// As [`target_of`](Self::target_of), signed at another time.
    pub fn target_at(
        &self,
        time: u64,
        method: &str,
        path: &str,
        params: &[(&str, &str)],
        body: &[u8],
    ) -> String {
        let query = sign_query(method, path, params, body, &self.key, &self.secret(), time);
        format!("{path}?{query}")
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The bytes of a request.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer with its body.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpResponse {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The text of an error in soketi's envelope.
    pub fn error(&self) -> String {
        let body = self.json();
        assert_eq!(body["code"], self.status, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// One connection.
pub struct Http {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Http {
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Over a socket that is connected already.
    pub fn over(stream: TcpStream) -> Self {
        Http { stream: patient(stream), buffer: Vec::new() }
    }

    /// Sends bytes as they are; whoever hears them may have closed already.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a request and reads its answer.
    pub fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> HttpResponse {
        self.write(&request(method, target, headers, body));
        self.answer_to(method)
    }

    /// A signed GET of a page below `/apps/{id}`.
    pub fn get(&mut self, app: &AppKeys, page: &str, params: &[(&str, &str)]) -> HttpResponse {
        self.ask("GET", &app.target("GET", page, params, b""), &[], b"")
    }

    /// A signed POST to a page below `/apps/{id}`.
    pub fn post(&mut self, app: &AppKeys, page: &str, body: &[u8]) -> HttpResponse {
        self.ask("POST", &app.target("POST", page, &[], body), &[], body)
    }

    /// The next answer.
    pub fn answer(&mut self) -> HttpResponse {
        self.answer_to("GET")
    }

    fn answer_to(&mut self, method: &str) -> HttpResponse {
        self.try_answer(method).expect("the server closed instead of answering")
    }

    /// The next answer; none if the server closes the connection instead.
    pub fn try_answer(&mut self, method: &str) -> Option<HttpResponse> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if !self.fill() {
                assert!(self.buffer.is_empty(), "half an answer: {:?}", self.buffer);
                return None;
            }
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let mut answer = HttpResponse { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 204 && status >= 200 {
            let length = answer.header("content-length").expect("bodies have a length");
            let length: usize = length.parse().unwrap();
            while self.buffer.len() < length {
                assert!(self.fill(), "half a body");
            }
            answer.body = self.buffer.drain(..length).collect();
        }
        Some(answer)
    }

    /// Whether the server has closed the connection, which it does without another answer.
    pub fn ends(&mut self) -> bool {
        self.buffer.is_empty() && !self.fill()
    }

    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing within {TEST_TIMEOUT:?}: {error}"),
        }
    }
}
