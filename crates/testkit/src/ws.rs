//! A WebSocket client over a blocking socket that sends any bytes and hides nothing it receives.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use protocol::auth::{Secret, sign_signin, sign_subscription};
use serde_json::{Value, json};
use websocket::{Opcode, client};

use crate::TEST_TIMEOUT;
use crate::http::AppKeys;
use crate::waiting::patient;

const MASK: [u8; 4] = [0x5a, 0x11, 0xe0, 0x07];

/// What a server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The code and the reason; 1005 if it has none.
    Close(u16, String),
    /// The TCP connection has ended.
    End,
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Known after [`Client::connect`].
    pub socket_id: String,
    pings: u64,
}

/// The bytes that ask for a WebSocket.
pub fn upgrade(target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!(
        "GET {target} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    (head + "\r\n").into_bytes()
}

/// A masked text frame.
pub fn text(payload: &str) -> Vec<u8> {
    client::encode(Opcode::Text, payload.as_bytes(), MASK)
}

/// A masked frame of any kind, right or wrong.
pub fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
    client::encode_raw(first, payload, MASK)
}

impl Client {
    /// Opens a socket and says nothing yet.
    pub fn raw(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Over a socket that is connected already.
    pub fn over(stream: TcpStream) -> Self {
        let stream = patient(stream);
        Client { stream, buffer: Vec::new(), socket_id: String::new(), pings: 0 }
    }

    /// Opens a WebSocket.
    pub fn open(address: SocketAddr, target: &str) -> Self {
        Self::open_with(address, target, &[])
    }

    /// Opens a WebSocket with more headers.
    pub fn open_with(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Self {
        let mut client = Self::raw(address);
        client.write(&upgrade(target, headers));
        client.upgraded();
        client
    }

    /// Opens a WebSocket, if the server is there and takes it.
    pub fn try_open(address: SocketAddr, target: &str) -> Option<Self> {
        let mut client = Self::over(TcpStream::connect(address).ok()?);
        client.stream.write_all(&upgrade(target, &[])).ok()?;
        client.head()?.starts_with("HTTP/1.1 101").then_some(client)
    }

    /// Opens a WebSocket and reads the first frame.
    pub fn connect(address: SocketAddr, target: &str) -> Self {
        let mut client = Self::open(address, target);
        client.established();
        client
    }

    /// Reads the answer to the handshake.
    pub fn upgraded(&mut self) {
        let head = self.head().expect("closed during the handshake");
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    }

    /// The head of an answer; none if the connection ends before.
    fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = self.buffer.drain(..end + 4).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// Reads the first frame of a connection.
    pub fn established(&mut self) {
        let frame = self.json();
        assert_eq!(frame["event"], "pusher:connection_established", "{frame}");
        let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
        self.socket_id = data["socket_id"].as_str().unwrap().to_owned();
    }

    /// The socket, to be treated badly.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends a text frame.
    pub fn send(&mut self, payload: &str) {
        self.write(&text(payload));
    }

    /// Sends a text frame.
    pub fn send_json(&mut self, payload: &Value) {
        self.send(&payload.to_string());
    }

    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing within {TEST_TIMEOUT:?}: {error}"),
        }
    }

    /// The next frame.
    pub fn next(&mut self) -> Frame {
        loop {
            let parsed = client::parse(&self.buffer).unwrap();
            if let Some((frame, size)) = parsed {
                assert!(frame.fin, "the server does not fragment");
                let payload = frame.payload.to_vec();
                let opcode = frame.opcode;
                self.buffer.drain(..size);
                return read(opcode, payload);
            }
            if !self.fill() {
                return Frame::End;
            }
        }
    }

    /// The next frame, which is a text.
    pub fn text(&mut self) -> String {
        match self.next() {
            Frame::Text(text) => text,
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// The next frame, which is JSON.
    pub fn json(&mut self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next frame is exactly this text.
    pub fn expect(&mut self, exact: &str) {
        assert_eq!(self.next(), Frame::Text(exact.to_owned()));
    }

    /// The next frame is this event on this channel, with this data.
    pub fn expect_event(&mut self, event: &str, channel: &str, data: &str) {
        assert_eq!(self.json(), json!({"event": event, "channel": channel, "data": data}));
    }

    /// The next frame is an error that leaves the connection open; its text.
    pub fn expect_complaint(&mut self) -> String {
        let frame = self.json();
        assert_eq!(frame["event"], "pusher:error", "{frame}");
        assert_eq!(frame["data"]["code"], Value::Null, "{frame}");
        frame["data"]["message"].as_str().unwrap().to_owned()
    }

    /// The next frames are an error and a close frame with this code, then the connection ends.
    pub fn expect_refusal(&mut self, code: u16) -> String {
        let frame = self.json();
        assert_eq!(frame["event"], "pusher:error", "{frame}");
        assert_eq!(frame["data"]["code"], code, "{frame}");
        let message = frame["data"]["message"].as_str().unwrap().to_owned();
        self.expect_close(code);
        message
    }

    /// The next frame is a close frame with this code, then the connection ends.
    pub fn expect_close(&mut self, code: u16) {
        match self.next() {
            Frame::Close(got, reason) => assert_eq!(got, code, "{reason}"),
            other => panic!("expected close {code}, got {other:?}"),
        }
        // The answer to the close frame; the server need not wait for it.
        let _ = self.stream.write_all(&raw(0x88, &code.to_be_bytes()));
        assert_eq!(self.next(), Frame::End);
    }

    /// Nothing was sent: a pong to a new ping comes next.
    pub fn expect_silence(&mut self) {
        self.pings += 1;
        let payload = self.pings.to_be_bytes();
        self.write(&raw(0x89, &payload));
        assert_eq!(self.next(), Frame::Pong(payload.to_vec()));
    }

    /// Subscribes to a channel that needs no signature.
    pub fn subscribe(&mut self, channel: &str) {
        self.ask_for(channel, None, None);
        self.expect_subscribed(channel);
    }

    /// Subscribes with a signature of the default app.
    pub fn subscribe_signed(&mut self, channel: &str, channel_data: Option<&str>) -> Value {
        self.ask_for_signed(channel, channel_data);
        self.expect_subscribed(channel)
    }

    /// Asks for a subscription with a signature of the default app.
    pub fn ask_for_signed(&mut self, channel: &str, channel_data: Option<&str>) {
        let auth = AppKeys::default().sign_subscription(&self.socket_id, channel, channel_data);
        self.ask_for(channel, Some(&auth), channel_data);
    }

    /// Asks for a subscription.
    pub fn ask_for(&mut self, channel: &str, auth: Option<&str>, channel_data: Option<&str>) {
        let data = json!({"channel": channel, "auth": auth, "channel_data": channel_data});
        self.send_json(&json!({"event": "pusher:subscribe", "data": data}));
    }

    /// The next frame says that a subscription has begun; its data.
    pub fn expect_subscribed(&mut self, channel: &str) -> Value {
        let frame = self.json();
        assert_eq!(frame["event"], "pusher_internal:subscription_succeeded", "{frame}");
        assert_eq!(frame["channel"], channel, "{frame}");
        serde_json::from_str(frame["data"].as_str().unwrap()).unwrap()
    }

    /// Unsubscribes; there is no reply.
    pub fn unsubscribe(&mut self, channel: &str) {
        self.send_json(&json!({"event": "pusher:unsubscribe", "data": {"channel": channel}}));
    }

    /// Asks to be signed in to the default app.
    pub fn sign_in(&mut self, user_data: &str) {
        let auth = AppKeys::default().sign_signin(&self.socket_id, user_data);
        let data = json!({"auth": auth, "user_data": user_data});
        self.send_json(&json!({"event": "pusher:signin", "data": data}));
    }

    /// Leaves as a browser does.
    pub fn close(mut self) {
        self.write(&raw(0x88, &1000u16.to_be_bytes()));
        loop {
            match self.next() {
                Frame::Close(code, _) => assert_eq!(code, 1000),
                Frame::End => return,
                _ => {}
            }
        }
    }

    /// Leaves without a word; the kernel sends a reset.
    pub fn abort(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }

    /// Says that nothing more will be sent, without a close frame.
    pub fn half_close(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

fn read(opcode: Opcode, payload: Vec<u8>) -> Frame {
    match opcode {
        Opcode::Text => Frame::Text(String::from_utf8(payload).unwrap()),
        Opcode::Ping => Frame::Ping(payload),
        Opcode::Pong => Frame::Pong(payload),
        Opcode::Close if payload.is_empty() => Frame::Close(1005, String::new()),
        Opcode::Close => {
            let code = u16::from_be_bytes([payload[0], payload[1]]);
            Frame::Close(code, String::from_utf8(payload[2..].to_vec()).unwrap())
        }
        other => panic!("the server sent a frame of the kind {other:?}"),
    }
}

impl AppKeys {
    /// The `auth` of a subscription.
    pub fn sign_subscription(&self, socket_id: &str, channel: &str, data: Option<&str>) -> String {
        sign_subscription(&self.key, &self.secret(), socket_id, channel, data)
    }

    /// The `auth` of a sign-in.
    pub fn sign_signin(&self, socket_id: &str, user_data: &str) -> String {
        sign_signin(&self.key, &self.secret(), socket_id, user_data)
    }

    /// The secret, ready for signing.
    pub fn secret(&self) -> Secret {
        Secret::new(self.secret.as_bytes())
    }
}
