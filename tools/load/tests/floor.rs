//! The floor on the wire: enough of the protocol for a real client, in pieces of any size.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use support::Floor;

/// Sends `bytes` in two writes, cut at `cut`.
fn send(stream: &mut TcpStream, bytes: &[u8], cut: usize) {
    stream.set_nodelay(true).unwrap();
    stream.write_all(&bytes[..cut]).unwrap();
    stream.write_all(&bytes[cut..]).unwrap();
}

fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut found = vec![0; expected.len()];
    stream.read_exact(&mut found).unwrap();
    assert_eq!(found.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// A client's frame masked with zeros, which leaves the payload readable.
fn frame(opcode: u8, payload: &str) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(payload.as_bytes());
    frame
}

fn server_text(payload: &str) -> Vec<u8> {
    [&[0x81, u8::try_from(payload.len()).unwrap()], payload.as_bytes()].concat()
}

#[test]
fn subscribe_publish_ping_and_close() {
    for mode in [&[][..], &["--coalesce"]] {
        let floor = Floor::start(mode);
        let mut socket = TcpStream::connect(floor.address()).unwrap();
        let upgrade = "GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        send(&mut socket, upgrade.as_bytes(), 30);
        expect(&mut socket, b"HTTP/1.1 101 ");
        let mut rest = Vec::new();
        while !rest.ends_with(b"120}\"}") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            rest.push(byte[0]);
        }
        let rest = String::from_utf8_lossy(&rest);
        assert!(rest.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{rest}");
        assert!(rest.contains(r#"{"event":"pusher:connection_established","data":"{\"socket_id"#));

        let subscribe = frame(1, r#"{"event":"pusher:subscribe","data":{"channel":"a"}}"#);
        send(&mut socket, &subscribe, 7);
        let succeeded =
            r#"{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"a"}"#;
        expect(&mut socket, &server_text(succeeded));

        let mut publisher = TcpStream::connect(floor.address()).unwrap();
        let body = r#"{"name":"E","channel":"a","data":"1"}"#;
        let length = body.len();
        let post =
            format!("POST /apps/1/events HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}");
        // Two requests, pipelined, the second cut in the middle of its body.
        send(&mut publisher, post.repeat(2).as_bytes(), 2 * post.len() - 5);
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        expect(&mut publisher, answer.repeat(2).as_bytes());
        let event = server_text(r#"{"event":"E","channel":"a","data":"1"}"#);
        expect(&mut socket, &event.repeat(2));

        send(&mut socket, &frame(9, "hi"), 0);
        expect(&mut socket, b"\x8a\x02hi");
        send(&mut socket, &frame(1, r#"{"event":"pusher:ping","data":{}}"#), 3);
        expect(&mut socket, &server_text(r#"{"event":"pusher:pong","data":"{}"}"#));
        send(&mut socket, &frame(8, "\x03\x09"), 1);
        expect(&mut socket, b"\x88\x02\x03\x09");
        assert_eq!(socket.read(&mut [0]).unwrap(), 0, "closed by the server");
    }
}

#[test]
fn what_it_does_not_know_is_answered_and_harms_nobody() {
    let floor = Floor::start(&[]);
    let mut socket = TcpStream::connect(floor.address()).unwrap();
    send(&mut socket, b"GET /ready HTTP/1.1\r\n\r\n", 4);
    expect(&mut socket, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let body = r#"{"channel":"a"}"#;
    let post =
        format!("POST /apps/1/events HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    send(&mut socket, post.as_bytes(), 4);
    // Nobody is subscribed: nothing to build, nothing to complain about.
    expect(&mut socket, b"HTTP/1.1 200 OK");

    let mut hostile = TcpStream::connect(floor.address()).unwrap();
    let endless = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", u64::MAX);
    send(&mut hostile, endless.as_bytes(), 9);
    assert_eq!(hostile.read(&mut [0]).unwrap_or(0), 0);
    let report = floor.run("publish --connections 1 --seconds 0.1 --warmup 0");
    assert!(report.status.success(), "{report:?}");
}
