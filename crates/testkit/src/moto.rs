//! moto: a Python program that answers as AWS does, as far as tests go. It must not know which of its
//! services they use.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};

const LOOPBACK: &str = "127.0.0.1";
const INSTALL: &str = "run ./test install, or set DUNLIN_PYTHON";

/// The port of the one that all tests of a process share, since it takes long to start and forgets
/// nothing.
pub fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let (listens, port) = mpsc::channel();
        // It goes with the thread that started it, which is to be the process.
        std::thread::spawn(move || {
            let mut child = Command::new("setpriv")
                .args(["--pdeathsig", "KILL", &python()])
                .args(["-B", "-m", "moto.server", "-H", LOOPBACK, "-p", "0"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut last = String::new();
            for line in BufReader::new(child.stderr.take().unwrap()).lines() {
                last = line.unwrap();
                if let Some((_, port)) = last.split_once(&format!("Running on http://{LOOPBACK}:"))
                {
                    listens.send(port.trim().parse().unwrap()).unwrap();
                }
            }
            panic!("moto ended, {:?}: {last}; {INSTALL}", child.wait());
        });
        port.recv().expect("moto listens")
    })
}

/// The interpreter that ./test has made for clients.
pub fn python() -> String {
    if let Ok(python) = std::env::var("DUNLIN_PYTHON") {
        return python;
    }
    let test = std::env::current_exe().unwrap();
    let mut all = test.ancestors().map(|folder| folder.join("clients-python/bin/python"));
    let found: Option<PathBuf> = all.find(|path| path.exists());
    let found = found.unwrap_or_else(|| panic!("no Python with moto: {INSTALL}"));
    found.to_str().unwrap().to_owned()
}

/// Calls a service in a region, without a valid signature, and insists on success; the answer's body.
pub fn post(
    service: &str,
    region: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    // It is what says which service is meant.
    let scope = format!("Credential=id/20260101/{region}/{service}/aws4_request");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {LOOPBACK}:{}\r\n{headers}\
         Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        port(),
        body.len()
    );
    let mut stream = TcpStream::connect((LOOPBACK, port())).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 20"), "{answer}");
    body.to_owned()
}
