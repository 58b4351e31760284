//! Tests of what a bug may cost: the connection that it happened to, and nothing else.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use config::Sources;
use websocket::{Opcode, client};

use crate::inbox::Op;
use crate::running::{Running, start};
use crate::stats::panics;

/// A WebSocket that has been told that it is connected.
fn connect(running: &Running) -> TcpStream {
    let mut socket = TcpStream::connect(running.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = "GET /app/app-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(request.as_bytes()).unwrap();
    until(&mut socket, "connection_established");
    socket
}

fn say(socket: &mut TcpStream, text: &str) {
    socket.write_all(&client::encode(Opcode::Text, text.as_bytes(), [1, 2, 3, 4])).unwrap();
}

fn until(socket: &mut TcpStream, wanted: &str) {
    let (mut heard, mut chunk) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&heard).contains(wanted) {
        let count = socket.read(&mut chunk).unwrap();
        assert!(count > 0, "the connection ended before {wanted}");
        heard.extend_from_slice(&chunk[..count]);
    }
}

#[test]
fn a_bug_ends_one_connection_at_most_and_is_counted() {
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let env = vec![
        of("PORT", "0"),
        of("HOST", "127.0.0.1"),
        of("SHARDS", "1"),
        of("SHUTDOWN_GRACE_PERIOD", "100"),
    ];
    let nowhere = PathBuf::from("/nonexistent");
    let sources = Sources { config_file: None, env, dotenv_dir: nowhere };
    let running = start(config::load(&sources).unwrap().config, None).unwrap();
    let mut bystander = connect(&running);
    let before = panics();

    running.node.inboxes()[0].send(Op::Panic);
    say(&mut bystander, r#"{"event":"pusher:ping"}"#);
    until(&mut bystander, "pusher:pong");

    let mut unlucky = connect(&running);
    say(&mut unlucky, "panic");
    let ended = unlucky.read_to_end(&mut Vec::new());
    assert!(ended.is_ok() || ended.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionReset));
    say(&mut bystander, r#"{"event":"pusher:ping"}"#);
    until(&mut bystander, "pusher:pong");
    drop(connect(&running));

    assert_eq!(panics() - before, 2);
    running.stop();
}
