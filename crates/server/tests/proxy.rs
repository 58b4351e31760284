//! Who the client is behind a proxy, over real sockets: the PROXY protocol and `X-Forwarded-For`,
//! as the log tells it.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use support::Server;
use testkit::ws::{Client, upgrade};

const TARGET: &str = "/app/app-key?protocol=7";

/// What the server has logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    log
});

/// The client's address that the server logged for a connection. It is logged before the client
/// learns its socket id.
fn logged(socket_id: &str) -> String {
    let log = String::from_utf8(LOG.0.lock().unwrap().clone()).unwrap();
    let name = format!("socket_id={socket_id} ");
    let line = log.lines().find(|line| line.contains("connected") && line.contains(&name));
    let line = line.unwrap_or_else(|| panic!("no {name} in\n{log}"));
    line.split("client=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// Opens a WebSocket behind these first bytes and with these header lines; the client's address.
fn client(server: &Server, first: &[u8], headers: &[(&str, &str)]) -> String {
    let mut client = Client::raw(server.address());
    client.write(first);
    client.write(&upgrade(TARGET, headers));
    client.upgraded();
    client.established();
    let address = logged(&client.socket_id);
    client.close();
    address
}

fn server(env: &[(&str, &str)]) -> Server {
    LazyLock::force(&LOG);
    Server::with(env)
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let start = b"\r\n\r\n\0\r\nQUIT\n";
    [&start[..], &[0x20 | command, family, 0, body.len() as u8], body].concat()
}

#[test]
fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
    let trusting = server(&[("TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8")]);
    let forwarded = |value| [("X-Forwarded-For", value)];
    assert_eq!(client(&trusting, b"", &[]), "127.0.0.1");
    assert_eq!(client(&trusting, b"", &forwarded("6.6.6.6, 192.0.2.7, 10.1.1.1")), "192.0.2.7");
    assert_eq!(client(&trusting, b"", &forwarded("[2001:db8::7]:4711")), "2001:db8::7");
    let lines = [("X-Forwarded-For", "6.6.6.6, 192.0.2.7"), ("x-forwarded-for", "10.1.1.1")];
    assert_eq!(client(&trusting, b"", &lines), "192.0.2.7");

    let strict = server(&[]);
    assert_eq!(client(&strict, b"", &forwarded("192.0.2.7")), "127.0.0.1");
}

#[test]
fn the_proxy_protocol_tells_the_client() {
    let server = server(&[("PROXY_PROTOCOL", "true"), ("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")]);
    let v1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 56324 6001\r\n";
    assert_eq!(client(&server, v1, &[]), "192.0.2.7");
    let v4 = [192, 0, 2, 8, 127, 0, 0, 1, 1, 2, 3, 4, 0x04, 0, 1, 9];
    assert_eq!(client(&server, &v2(1, 0x11, &v4), &[]), "192.0.2.8");
    assert_eq!(client(&server, &v2(0, 0, &[]), &[]), "127.0.0.1");
    assert_eq!(client(&server, b"PROXY UNKNOWN\r\n", &[]), "127.0.0.1");
    // Behind it speaks another trusted proxy, or the client itself.
    let forwarded = [("X-Forwarded-For", "192.0.2.9")];
    let inner = b"PROXY TCP4 10.0.0.5 127.0.0.1 56324 6001\r\n";
    assert_eq!(client(&server, inner, &forwarded), "192.0.2.9");
    assert_eq!(client(&server, v1, &forwarded), "192.0.2.7");
    server.is_clean();
}

#[test]
fn a_header_in_pieces_is_put_together() {
    let server = server(&[("PROXY_PROTOCOL", "true"), ("TRUSTED_PROXIES", "127.0.0.1")]);
    // Longer than one look at the socket, together with the request, and byte by byte.
    let mut body = vec![192, 0, 2, 8, 127, 0, 0, 1, 1, 2, 3, 4];
    body.extend([0x04, 0, 200]);
    body.extend([7; 200]);
    let header = v2(1, 0x11, &body);
    let mut whole = Client::raw(server.address());
    whole.write(&[&header[..], &upgrade(TARGET, &[])].concat());
    whole.upgraded();
    whole.established();
    assert_eq!(logged(&whole.socket_id), "192.0.2.8");

    let mut pieces = Client::raw(server.address());
    header.iter().for_each(|byte| pieces.write(&[*byte]));
    pieces.write(&upgrade(TARGET, &[]));
    pieces.upgraded();
    pieces.established();
    assert_eq!(logged(&pieces.socket_id), "192.0.2.8");
}

#[test]
fn a_trusted_proxy_has_to_send_a_header() {
    let server = server(&[("PROXY_PROTOCOL", "true"), ("TRUSTED_PROXIES", "127.0.0.1")]);
    let long = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", &[0; 64][..]].concat();
    for first in [&upgrade(TARGET, &[])[..], b"PROXY TCP9 1 2 3 4\r\n", &long] {
        let mut http = testkit::http::Http::connect(server.address());
        http.write(first);
        assert!(http.ends(), "{}", first.escape_ascii());
    }
    let client = Client::raw(server.address());
    let _ = client.stream().shutdown(std::net::Shutdown::Write);
    server.is_clean();
}

#[test]
fn a_header_from_elsewhere_is_a_bad_request() {
    let server = server(&[("PROXY_PROTOCOL", "true"), ("TRUSTED_PROXIES", "10.0.0.0/8")]);
    assert_eq!(client(&server, b"", &[]), "127.0.0.1");
    let v1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 56324 6001\r\n";
    for header in [&v1[..], &v2(0, 0, &[])] {
        let mut http = testkit::http::Http::connect(server.address());
        http.write(&[header, &upgrade(TARGET, &[])].concat());
        assert_eq!(http.answer().status, 400);
    }
}
