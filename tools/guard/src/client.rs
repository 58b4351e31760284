//! Clients and a backend, just enough to make a server do one operation at a time: they block, and
//! fail if an answer is not the one that was due.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use md5::{Digest, Md5};
use protocol::auth::{Secret, sign_subscription};
use protocol::hex;
use websocket::{Opcode, client};

/// How long an answer may take; a server under callgrind is some fifty times slower than usual.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The app of every server that is measured.
pub(crate) const APP: [(&str, &str); 4] = [
    ("DEFAULT_APP_ID", "app-id"),
    ("DEFAULT_APP_KEY", "app-key"),
    ("DEFAULT_APP_SECRET", "app-secret"),
    ("DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "true"),
];

/// A client's WebSocket.
pub(crate) struct SocketClient {
    stream: TcpStream,
    received: Vec<u8>,
    socket_id: String,
}

impl SocketClient {
    /// Connects, and waits for `pusher:connection_established`.
    pub(crate) fn connect(server: SocketAddr) -> Result<Self> {
        let mut stream = connect(server)?;
        stream.write_all(
            b"GET /app/app-key?protocol=7&client=guard&version=1.0 HTTP/1.1\r\n\
              Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )?;
        let (head, received) = head(&mut stream)?;
        if !head.starts_with("HTTP/1.1 101") {
            bail!("no WebSocket: {head}");
        }
        let mut this = Self { stream, received, socket_id: String::new() };
        let hello = this.expect("pusher:connection_established")?;
        let id = hello.split(r#"socket_id\":\""#).nth(1).and_then(|rest| rest.split('\\').next());
        this.socket_id = id.with_context(|| format!("no socket id in {hello}"))?.to_owned();
        Ok(this)
    }

    /// Closes as RFC 6455 wants it, and waits until the server has closed, too.
    pub(crate) fn close(mut self) -> Result<()> {
        self.stream.write_all(&client::encode(Opcode::Close, &1000_u16.to_be_bytes(), MASK))?;
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(())
    }

    /// Sends a text frame for each message, all of them in one piece.
    pub(crate) fn send(&mut self, messages: &[&str]) -> Result<()> {
        let frames =
            messages.iter().map(|text| client::encode(Opcode::Text, text.as_bytes(), MASK));
        Ok(self.stream.write_all(&frames.collect::<Vec<_>>().concat())?)
    }

    /// Waits for one frame, which must be of this event, and returns its text.
    pub(crate) fn expect(&mut self, event: &str) -> Result<String> {
        loop {
            if let Some((frame, size)) = client::parse(&self.received)? {
                let text = String::from_utf8_lossy(frame.payload).into_owned();
                self.received.drain(..size);
                if !text.contains(event) {
                    bail!("instead of {event} there came {text}");
                }
                return Ok(text);
            }
            let more = self.stream.read_more(&mut self.received);
            more.with_context(|| format!("{event} did not come"))?;
        }
    }

    /// Subscribes, and waits until that is confirmed.
    pub(crate) fn subscribe(&mut self, channel: &str, member: Option<&str>) -> Result<()> {
        let message = self.subscription(channel, member);
        self.send(&[&message])?;
        self.expect("pusher_internal:subscription_succeeded").map(drop)
    }

    /// The signed message that subscribes, as a member of that id if the channel has such.
    pub(crate) fn subscription(&self, channel: &str, member: Option<&str>) -> String {
        let data = member.map(|id| format!(r#"{{"user_id":"{id}","user_info":{{"name":"Ada"}}}}"#));
        let secret = Secret::new(b"app-secret");
        let auth = sign_subscription("app-key", &secret, &self.socket_id, channel, data.as_deref());
        let data = data.map(|data| format!(r#","channel_data":"{}""#, data.replace('"', "\\\"")));
        let data = data.unwrap_or_default();
        format!(
            r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}","auth":"{auth}"{data}}}}}"#
        )
    }
}

/// The message that ends a subscription.
pub(crate) fn unsubscription(channel: &str) -> String {
    format!(r#"{{"event":"pusher:unsubscribe","data":{{"channel":"{channel}"}}}}"#)
}

/// Any mask but zeros makes the server do the same.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An app's backend, which publishes the same event to one channel again and again.
pub(crate) struct Backend {
    stream: TcpStream,
    request: Vec<u8>,
}

impl Backend {
    /// Connects, and signs the request.
    pub(crate) fn connect(server: SocketAddr, channel: &str) -> Result<Self> {
        let body = format!(
            r#"{{"name":"message","channels":["{channel}"],"data":"{{\"text\":\"{}\"}}"}}"#,
            "All that is gold does not glitter. ".repeat(4)
        );
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let query = format!(
            "auth_key=app-key&auth_timestamp={now}&auth_version=1.0&body_md5={}",
            hex::encode(&Md5::digest(&body))
        );
        let signed = format!("POST\n/apps/app-id/events\n{query}");
        let signature = hex::encode(&Secret::new(b"app-secret").sign(&[signed]));
        let request = format!(
            "POST /apps/app-id/events?{query}&auth_signature={signature} HTTP/1.1\r\n\
             Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(Self { stream: connect(server)?, request: request.into_bytes() })
    }

    /// Publishes, and waits for the answer.
    pub(crate) fn publish(&mut self) -> Result<()> {
        self.stream.write_all(&self.request)?;
        let (head, mut body) = head(&mut self.stream)?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("the event was not published: {head}{}", String::from_utf8_lossy(&body));
        }
        // The answer is `{}`; it may come in a packet of its own.
        while !body.ends_with(b"}") {
            self.stream.read_more(&mut body)?;
        }
        Ok(())
    }
}

/// Whether the server says that it is ready.
pub(crate) fn is_ready(server: SocketAddr) -> Result<bool> {
    let mut stream = connect(server)?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    Ok(head(&mut stream)?.0.starts_with("HTTP/1.1 200"))
}

fn connect(server: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The head of an HTTP answer, and what came behind it.
fn head(stream: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut received = Vec::new();
    loop {
        stream.read_more(&mut received)?;
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let body = received.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&received).into_owned(), body));
        }
    }
}

trait ReadMore {
    /// Appends what the next read gives; its end is an error.
    fn read_more(&mut self, to: &mut Vec<u8>) -> Result<()>;
}

impl ReadMore for TcpStream {
    fn read_more(&mut self, to: &mut Vec<u8>) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.read(&mut buffer)? {
            0 => bail!("the server closed the connection"),
            size => to.extend_from_slice(&buffer[..size]),
        }
        Ok(())
    }
}
