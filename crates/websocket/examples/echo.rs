//! An echo server for conformance suites such as Autobahn: text and binary come back, pings are
//! answered, the closing handshake is done as RFC 6455 7 wants it.
//!
//! `cargo run --release -p websocket --example echo [address]`, default `127.0.0.1:9001`.

use std::{env, io, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use websocket::{Decoder, Message, close_code, handshake};

/// The most bytes of a message.
const MAX_MESSAGE: usize = 16 << 20;

/// The most bytes of an upgrade request.
const MAX_REQUEST: usize = 16 << 10;

/// How long a client may take to close its side after us.
const LINGER: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (socket, peer) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(socket).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn serve(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let Some(mut input) = upgrade(&mut socket).await? else { return Ok(()) };
    let mut decoder = Decoder::new(MAX_MESSAGE);
    let mut output = Vec::new();
    loop {
        let closing = echo(&mut decoder, &mut input, &mut output);
        socket.write_all(&output).await?;
        if closing {
            return linger(socket).await;
        }
        output.clear();
        input.clear();
        input.reserve(64 << 10);
        if socket.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

/// Answers everything in `input`; returns whether the connection is to be closed.
fn echo(decoder: &mut Decoder, input: &mut [u8], output: &mut Vec<u8>) -> bool {
    let mut frames = decoder.feed(input);
    loop {
        let (reply, closing): (Bytes, bool) = match frames.next() {
            Ok(None) => return false,
            Ok(Some(Message::Text(text))) => (websocket::text(text.as_bytes()), false),
            Ok(Some(Message::Binary(bytes))) => (websocket::binary(bytes), false),
            Ok(Some(Message::Ping(payload))) => (websocket::pong(payload), false),
            Ok(Some(Message::Pong(_))) => continue,
            Ok(Some(Message::Close(code, _))) => {
                (websocket::close(code.unwrap_or(close_code::NO_STATUS), ""), true)
            }
            Err(error) => (websocket::close(error.close_code(), &error.to_string()), true),
        };
        output.extend_from_slice(&reply);
        if closing {
            return true;
        }
    }
}

/// Ends our side and reads on until the client ends its own: closing a socket with unread input
/// would reset the connection and could destroy the close frame on its way (RFC 6455 7.1.1).
async fn linger(mut socket: TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    let mut scrap = [0; 4096];
    let drain = async { while matches!(socket.read(&mut scrap).await, Ok(1..)) {} };
    // A client that does not end in time is cut off.
    let _ = timeout(LINGER, drain).await;
    Ok(())
}

/// Does the opening handshake; returns what came after the request, or `None` after a refusal.
async fn upgrade(socket: &mut TcpStream) -> io::Result<Option<BytesMut>> {
    let mut input = BytesMut::with_capacity(4096);
    let end = loop {
        if let Some(at) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if input.len() > MAX_REQUEST || socket.read_buf(&mut input).await? == 0 {
            return Ok(None);
        }
    };
    let request = input.split_to(end);
    let request = String::from_utf8_lossy(&request);
    let method = request.split(' ').next().unwrap_or_default();
    let header = |name: &str| {
        request.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().as_bytes())
        })
    };
    let verdict = handshake::validate(
        method,
        header("upgrade"),
        header("connection"),
        header("sec-websocket-version"),
        header("sec-websocket-key"),
    );
    let (response, input) = match verdict {
        Ok(accept) => (handshake::response(&accept), Some(input)),
        Err(error) => {
            let mut response =
                format!("HTTP/1.1 {} Refused\r\ncontent-length: 0\r\n", error.status());
            for (name, value) in error.headers() {
                response += &format!("{name}: {value}\r\n");
            }
            ((response + "\r\n").into_bytes(), None)
        }
    };
    socket.write_all(&response).await?;
    Ok(input)
}
