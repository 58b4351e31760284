//! A target that records every byte and answers as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a target does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, after a while.
    Slowly(Duration, Vec<u8>),
    /// A status of 200, and then a body without an end.
    Endless,
    /// A status of 200 and a body that stops in its middle.
    HalfABody,
    /// Nothing at all.
    Hang,
    /// The connection is closed.
    Close,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Reply {
        Reply::with(status, &[], "ok")
    }

    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head = format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\n{headers}\r\n");
        Reply::Bytes((head + body).into_bytes())
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// From the method to the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Which of the target's connections brought it.
    pub(crate) connection: usize,
}

impl Received {
    /// A header by its exact name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

type Answer = dyn Fn(usize, &Received) -> Reply + Send + Sync;

/// Listens until it is dropped.
pub(crate) struct Target {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    answer: Box<Answer>,
}

impl Target {
    /// Answers with what `answer` says to the so-manieth request.
    pub(crate) async fn start(
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Target {
        Self::listen(None, answer).await
    }

    pub(crate) async fn listen(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            answer: Box::new(answer),
        });
        let task = tokio::spawn(accept(listener, tls, shared.clone()));
        Target { port, shared, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let connection = shared.connections.fetch_add(1, Ordering::Relaxed);
        let (shared, tls) = (shared.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => serve(socket, connection, &shared).await,
                // Whoever does not believe us goes away.
                Some(tls) => match tls.accept(socket).await {
                    Ok(socket) => serve(socket, connection, &shared).await,
                    Err(_) => None,
                },
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve<S>(mut socket: S, connection: usize, shared: &Shared) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if socket.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
        let mut request = Received { head, body: Vec::new(), connection };
        let length = request.header("Content-Length").unwrap().parse().unwrap();
        while buffer.len() < length {
            if socket.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        }
        request.body = buffer.drain(..length).collect();
        let number = {
            let mut received = shared.received.lock();
            received.push(request.clone());
            received.len() - 1
        };
        match (shared.answer)(number, &request) {
            Reply::Bytes(bytes) => socket.write_all(&bytes).await.ok()?,
            Reply::Slowly(after, bytes) => {
                tokio::time::sleep(after).await;
                socket.write_all(&bytes).await.ok()?;
            }
            Reply::Endless => {
                let head = b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n";
                socket.write_all(head).await.ok()?;
                let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
                loop {
                    socket.write_all(&chunk).await.ok()?;
                }
            }
            Reply::HalfABody => {
                let head = b"HTTP/1.1 200 So\r\nContent-Length: 10\r\n\r\nxxxxx";
                socket.write_all(head).await.ok()?;
                std::future::pending::<()>().await;
            }
            Reply::Hang => std::future::pending().await,
            Reply::Close => return None,
        }
    }
}
