//! Requests for WebSockets that are wrong, slow or huge.

use testkit::http::{Http, request};
use testkit::ws::upgrade;

use super::Scene;

fn head(lines: &[&str]) -> Vec<u8> {
    let mut head = String::from("GET /app/app-key?protocol=7 HTTP/1.1\r\nHost: t\r\n");
    lines.iter().for_each(|line| head += &format!("{line}\r\n"));
    (head + "\r\n").into_bytes()
}

#[test]
fn handshakes_that_are_wrong() {
    let mut scene = Scene::new();
    let (connection, websocket) = ("Connection: Upgrade", "Upgrade: websocket");
    let (version, key) =
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
    let cases: [(&str, u16, Vec<u8>); 8] = [
        ("no key", 400, head(&[connection, websocket, version])),
        ("a short key", 400, head(&[connection, websocket, version, "Sec-WebSocket-Key: eA=="])),
        ("no version", 426, head(&[connection, websocket, key])),
        ("an old version", 426, head(&[connection, websocket, key, "Sec-WebSocket-Version: 8"])),
        ("another protocol", 426, head(&[connection, "Upgrade: h2c", version, key])),
        ("no Connection", 400, head(&[websocket, version, key])),
        ("no Upgrade", 426, head(&[connection, version, key])),
        ("POST", 0, {
            let get = String::from_utf8(upgrade("/app/app-key", &[])).unwrap();
            get.replacen("GET", "POST", 1).into_bytes()
        }),
    ];
    for (name, status, bytes) in cases {
        let mut http = scene.server.http();
        http.write(&bytes);
        let answer = http.answer();
        assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
        if status != 0 {
            assert_eq!(answer.status, status, "{name}: {}", answer.text());
        }
        answer.error();
        scene.is_calm(name);
    }
    scene.ends();
}

#[test]
fn bytes_that_are_no_http() {
    let mut scene = Scene::with(&[("HTTP_KEEP_ALIVE_TIMEOUT", "1")]);
    let many_headers = "X: y\r\n".repeat(5000);
    let inputs: [Vec<u8>; 8] = [
        b"\r\n\r\n\r\n".to_vec(),
        b"\x00\x01\x02\x03\xff\xfe\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(),
        format!("GET / HTTP/1.1\r\nHost: t\r\n{many_headers}\r\n").into_bytes(),
    ];
    for bytes in inputs {
        let mut http = scene.server.http();
        http.write(&bytes);
        // Either it says what is wrong or it only closes, at the latest when it has waited for long
        // enough: empty lines before a request are legal.
        if let Some(answer) = http.try_answer("GET") {
            assert!((400..500).contains(&answer.status), "{bytes:?}: {}", answer.status);
        }
        scene.is_calm(&String::from_utf8_lossy(&bytes[..bytes.len().min(60)]));
    }
    scene.ends();
}

#[test]
fn a_head_without_end_is_cut_off() {
    let mut scene = Scene::new();
    let mut http = scene.server.http();
    http.write(b"GET / HTTP/1.1\r\nX: ");
    for _ in 0..64 {
        http.write(&[b'x'; 4096]);
    }
    if let Some(answer) = http.try_answer("GET") {
        assert_eq!(answer.status, 431);
    }
    let mut http = scene.server.http();
    let long = format!("/{}", "x".repeat(70_000));
    http.write(&request("GET", &long, &[], b""));
    if let Some(answer) = http.try_answer("GET") {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    scene.is_calm("huge heads");
    scene.ends();
}

#[test]
fn whoever_never_finishes_a_head_is_closed() {
    let mut scene = Scene::with(&[("HTTP_KEEP_ALIVE_TIMEOUT", "1")]);
    let beginnings = ["", "G", "GET /app/app-key HTTP/1.1\r\nHost: t\r\nX-Drip: "];
    let mut slow: Vec<Http> = Vec::new();
    for beginning in beginnings {
        let mut http = scene.server.http();
        http.write(beginning.as_bytes());
        slow.push(http);
    }
    // One that was idle after a request, as browsers keep them.
    let mut idle = scene.server.http();
    assert_eq!(idle.ask("GET", "/ready", &[], b"").status, 200);
    scene.is_calm("slow heads");
    for mut http in slow {
        if let Some(answer) = http.try_answer("GET") {
            assert_eq!(answer.status, 408);
        }
        assert!(http.ends());
    }
    assert!(idle.ends());
    // A WebSocket has its own ways to tell who is gone.
    scene.is_calm("slow heads are closed");
    scene.ends();
}
