//! Backends that publish more than they may, and clients that connect meanwhile.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use testkit::http::{AppKeys, Http};
use testkit::probe::Times;
use testkit::process::Process;
use testkit::ws::Client;

/// Events that an app may publish in a second, over all nodes.
pub(crate) const RATE: u32 = 80;
/// Backends of each node: enough to use a share up if each request waits for 100 ms.
const BACKENDS: usize = 10;
/// Between two requests of a backend.
const PACE: Duration = Duration::from_millis(10);
/// What waits for 100 ms takes less than that, however busy the machine is.
const SOON: Duration = Duration::from_secs(2);

/// What each of the nodes let through.
pub(crate) struct Flood {
    pub(crate) published: Vec<u32>,
    pub(crate) took: Duration,
}

impl Flood {
    /// Floods these nodes for so long. Each request is taken or limited, and every handshake
    /// succeeds.
    pub(crate) fn of(what: &str, nodes: &[&Process], lasts: Duration) -> Self {
        let (began, stop) = (Instant::now(), AtomicBool::new(false));
        let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
        let (published, requests, handshakes) = thread::scope(|scope| {
            let (stop, addresses) = (&stop, &addresses[..]);
            let connecting = scope.spawn(move || connect(addresses, stop));
            let backends: Vec<Vec<_>> = addresses
                .iter()
                .map(|address| {
                    let backend = || scope.spawn(move || publish(*address, began + lasts));
                    (0..BACKENDS).map(|_| backend()).collect()
                })
                .collect();
            let mut requests = Times::default();
            let mut published = Vec::new();
            for backends in backends {
                let mut sum = 0;
                for backend in backends {
                    let (count, times) = backend.join().unwrap();
                    sum += count;
                    times.into_iter().for_each(|time| requests.add(time));
                }
                published.push(sum);
            }
            stop.store(true, Relaxed);
            (published, requests, connecting.join().unwrap())
        });
        let took = began.elapsed();
        println!("{what}: published {published:?} in {took:.2?}");
        println!("  requests: {requests}\n  handshakes: {handshakes}");
        assert!(requests.most() < SOON && handshakes.most() < SOON);
        Flood { published, took }
    }

    /// How much more or less than this part of the rate each node let through; 1 is exact.
    pub(crate) fn shares(&self, part: f64) -> Vec<f64> {
        let allowed = f64::from(RATE) * part * self.took.as_secs_f64();
        self.published.iter().map(|published| f64::from(*published) / allowed).collect()
    }

    pub(crate) fn total(&self) -> u32 {
        self.published.iter().sum()
    }
}

/// How many events were taken, and how long each answer took.
fn publish(address: SocketAddr, until: Instant) -> (u32, Vec<Duration>) {
    let mut http = Http::connect(address);
    let (mut published, mut times) = (0, Vec::new());
    while Instant::now() < until {
        let asked = Instant::now();
        let body = br#"{"name":"e","channel":"c","data":"x"}"#;
        let answer = http.post(&AppKeys::default(), "/events", body);
        times.push(asked.elapsed());
        match answer.status {
            200 => published += 1,
            429 => assert!(answer.header("Retry-After").is_some()),
            status => panic!("{status}: {}", answer.text()),
        }
        thread::sleep(PACE);
    }
    (published, times)
}

/// How long each handshake took.
fn connect(addresses: &[SocketAddr], stop: &AtomicBool) -> Times {
    let mut times = Times::default();
    for address in addresses.iter().cycle() {
        if stop.load(Relaxed) {
            break;
        }
        let asked = Instant::now();
        let mut client = Client::connect(*address, "/app/app-key?protocol=7");
        client.subscribe("c");
        times.add(asked.elapsed());
        client.abort();
        thread::sleep(PACE);
    }
    times
}
