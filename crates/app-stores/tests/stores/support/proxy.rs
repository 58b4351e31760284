//! A way to a server that can go silent, as a broken network does: nothing arrives any more, and
//! nobody says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use testkit::databases::process::LOOPBACK;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    silences: watch::Sender<Silence>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Default)]
struct Silence {
    now: bool,
    count: usize,
}

impl Proxy {
    /// Leads to a port.
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silences, heard) = watch::channel(Silence::default());
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Relaxed);
                tokio::spawn(carry(client, target, heard.clone()));
            }
        });
        Self { port, silences, accepted, task }
    }

    /// Silences the connections that there are for ever, and new ones until [`pass`](Self::pass).
    pub(crate) fn silence(&self) {
        self.silences.send_modify(|s| *s = Silence { now: true, count: s.count + 1 });
    }

    /// New connections get through.
    pub(crate) fn pass(&self) {
        self.silences.send_modify(|s| s.now = false);
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, target: u16, mut silences: watch::Receiver<Silence>) {
    let begin = *silences.borrow_and_update();
    if !begin.now {
        let Ok(mut server) = TcpStream::connect((LOOPBACK, target)).await else { return };
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
            _ = silences.wait_for(|silence| silence.count > begin.count) => {}
        }
        std::future::pending().await
    }
    // Held open, unheard.
    std::future::pending().await
}
