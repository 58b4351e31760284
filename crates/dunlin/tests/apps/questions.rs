//! How often the database is asked, by the node's count and by the database's own log.

use std::thread;
use std::time::{Duration, Instant};

use testkit::http::AppKeys;
use testkit::process::Process;
use testkit::ws::{Client, upgrade};

use super::databases::{Database, Postgres, borrowed, cached, is_reached};

/// How many come in a second, if the machine is fast enough.
const RATE: usize = 1000;
const LASTS: Duration = Duration::from_secs(5);
/// Threads that connect; each of them opens a batch at a time.
const THREADS: usize = 4;
const BATCH: usize = 25;

/// A database that logs what it is asked, and a node.
struct Asked {
    database: Postgres,
    node: Process,
}

impl Asked {
    fn start() -> Self {
        let database = Postgres::start(&["log_statement=all"]);
        database.apps("asked_for", &[AppKeys::default()]);
        let env = cached(&database, "asked_for", 10);
        let node = Process::start(&borrowed(&env));
        is_reached(&node, true);
        Asked { database, node }
    }

    /// Questions so far: what the node counts, and what the database has logged.
    fn count(&self) -> [usize; 2] {
        let counted = self.node.metrics().sum("app_store_query_seconds_count") as usize;
        let log = std::fs::read_to_string(self.database.socket_folder().join("log")).unwrap();
        let is_question = |line: &&str| line.contains("SELECT") && line.contains("asked_for");
        [counted, log.lines().filter(is_question).count()]
    }

    /// Opens sockets at the rate, and does meanwhile something else. `act` is given the socket's
    /// number after its handshake. How many there were, how long it took, and the questions that
    /// were asked.
    fn during(
        &self,
        target: impl Fn(usize) -> String + Sync,
        act: impl Fn(Client) + Sync,
        meanwhile: impl FnOnce(Instant),
    ) -> (usize, Duration, [usize; 2]) {
        let before = self.count();
        let began = Instant::now();
        let opened = thread::scope(|scope| {
            let (target, act) = (&target, &act);
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || self.open(thread, began, target, act)))
                .collect();
            meanwhile(began);
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let took = began.elapsed();
        let after = self.count();
        let asked = [after[0] - before[0], after[1] - before[1]];
        let rate = opened as f64 / took.as_secs_f64();
        println!(
            "{opened} sockets in {took:?}, {rate:.0} per second: {} questions by the node's count, \
             {} by the database's log, {:.2} per second",
            asked[0],
            asked[1],
            asked[0] as f64 / took.as_secs_f64()
        );
        (opened, took, asked)
    }

    fn open(
        &self,
        thread: usize,
        began: Instant,
        target: &(impl Fn(usize) -> String + Sync),
        act: &(impl Fn(Client) + Sync),
    ) -> usize {
        let pace = Duration::from_secs(1) * (THREADS * BATCH) as u32 / RATE as u32;
        let mut batches = 0;
        while began.elapsed() < LASTS {
            let number = |index| (batches * THREADS + thread) * BATCH + index;
            let mut clients: Vec<Client> = Vec::new();
            for index in 0..BATCH {
                let mut client = Client::raw(self.node.address);
                client.write(&upgrade(&target(number(index)), &[]));
                clients.push(client);
            }
            for mut client in clients {
                client.upgraded();
                act(client);
            }
            batches += 1;
            let next = began + pace * batches as u32;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        batches * BATCH
    }
}

#[test]
fn a_thousand_connects_a_second_cost_less_than_a_question_a_second() {
    let asked = Asked::start();
    let known = |_| "/app/app-key?protocol=7".to_owned();
    let (opened, took, questions) = asked.during(
        known,
        |mut client| {
            client.established();
            client.abort();
        },
        |_| {},
    );
    for questions in questions {
        assert!(questions >= 1, "nothing is counted");
        assert!(questions as f64 <= took.as_secs_f64(), "{questions} questions in {took:?}");
    }
    let metrics = asked.node.metrics();
    assert_eq!(metrics.sum("new_connections_total"), opened as f64);
    assert_eq!(metrics.sum("panics_total"), 0.0);
}

/// How long a new app may take to be found, on a machine that is busy.
const FOUND: Duration = Duration::from_secs(5);

#[test]
fn a_flood_of_invented_keys_costs_fifty_questions_a_second_and_hides_no_new_app() {
    let asked = Asked::start();
    let invented = |number| format!("/app/invented-{number}?protocol=7");
    let (opened, took, questions) = asked.during(
        invented,
        |mut client| _ = client.expect_refusal(4001),
        |began| {
            let mut times = Vec::new();
            for number in 0.. {
                if began.elapsed() > LASTS.mul_f64(0.8) {
                    break;
                }
                let app = AppKeys::new(&format!("new-{number}"), &format!("new-key-{number}"), "s");
                asked.database.add("asked_for", &app);
                let asks = Instant::now();
                let target = format!("/app/{}?protocol=7", app.key);
                Client::connect(asked.node.address, &target).abort();
                times.push(asks.elapsed());
                thread::sleep(Duration::from_millis(200));
            }
            times.sort();
            let most = *times.last().unwrap();
            println!(
                "{} new apps were found meanwhile, p50 {:?}, max {most:?}",
                times.len(),
                times[times.len() / 2]
            );
            assert!(most < FOUND);
        },
    );
    // One may have been on its way at either end.
    let bar = 50.0 * took.as_secs_f64() + 2.0;
    for questions in questions {
        assert!(questions >= 1, "nothing is counted");
        assert!(questions as f64 <= bar, "{questions} questions in {took:?}");
    }
    let metrics = asked.node.metrics();
    assert!(metrics.sum("unknown_apps") <= 10_000.0);
    let refused = metrics.sum("rejected_connections_total");
    assert_eq!(refused, opened as f64);
    assert_eq!(metrics.sum("panics_total"), 0.0);
}
