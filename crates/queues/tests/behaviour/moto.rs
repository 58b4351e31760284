//! moto in the place of SQS: a Python program that answers as AWS does, as far as tests go.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::servers::{LOOPBACK, free_port, until};

/// The port of the one that all tests share, since it takes long to start and forgets nothing.
pub(crate) fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let port = free_port();
        let (python, number) = (python(), port.to_string());
        // It goes with the thread that started it, which is to be the process.
        std::thread::spawn(move || {
            let command = ["-B", "-m", "moto.server", "-H", LOOPBACK, "-p", &number];
            let child = Command::new("setpriv")
                .args(["--pdeathsig", "KILL", &python])
                .args(command)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let status = child.unwrap().wait();
            panic!("moto ended: {status:?}; run ./test install, or set DUNLIN_PYTHON");
        });
        until("moto listens", || TcpStream::connect((LOOPBACK, port)).is_ok());
        port
    })
}

/// The interpreter that ./test has made for clients.
fn python() -> String {
    if let Ok(python) = std::env::var("DUNLIN_PYTHON") {
        return python;
    }
    let test = std::env::current_exe().unwrap();
    let mut all = test.ancestors().map(|folder| folder.join("clients-python/bin/python"));
    let found: Option<PathBuf> = all.find(|path| path.exists());
    let found = found.expect("no Python with moto: run ./test install, or set DUNLIN_PYTHON");
    found.to_str().unwrap().to_owned()
}

/// Makes a queue, and returns its URL.
pub(crate) fn create_queue(name: &str) -> String {
    let attributes = if name.ends_with(".fifo") { r#"{"FifoQueue":"true"}"# } else { "{}" };
    let answer =
        call("CreateQueue", &format!(r#"{{"QueueName":"{name}","Attributes":{attributes}}}"#));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["QueueUrl"].as_str().unwrap().to_owned()
}

/// A call of SQS that nobody signs.
pub(crate) fn call(action: &str, body: &str) -> String {
    let mut stream = TcpStream::connect((LOOPBACK, port())).unwrap();
    let credential = "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/sqs/aws4_request";
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {LOOPBACK}:{}\r\nX-Amz-Target: AmazonSQS.{action}\r\n\
         Content-Type: application/x-amz-json-1.0\r\nAuthorization: {credential}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        port(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    body.to_owned()
}
