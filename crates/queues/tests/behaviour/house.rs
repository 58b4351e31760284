//! What the tests have in common: queues of a configuration, rooms, jobs, and whoever does them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::Sources;
use queues::{Consumer, Delivery, Job, Queue, Room};
use std::sync::Mutex;
use tokio::time::timeout;

/// How long anything may take before a test fails.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A queue, opened anew: what another node has.
pub(crate) fn open(env: &[(String, String)]) -> Queue {
    let sources = Sources { env: env.to_vec(), ..Sources::default() };
    let loaded = config::load(&sources).unwrap();
    Queue::open(&loaded.config).unwrap().unwrap()
}

pub(crate) fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Takes in everything, but of some partitions nothing.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashSet<String>>);

impl Rooms {
    pub(crate) fn without(partition: &str) -> Arc<Self> {
        let rooms = Arc::new(Rooms::default());
        rooms.0.lock().unwrap().insert(partition.to_owned());
        rooms
    }

    pub(crate) fn open_all(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl Room for Rooms {
    fn room(&self, partition: &str) -> usize {
        if self.0.lock().unwrap().contains(partition) { 0 } else { 1000 }
    }
}

pub(crate) fn job(partition: &str, group: &str, number: usize) -> Job {
    Job { partition: partition.into(), group: group.into(), payload: number.to_string().into() }
}

/// Jobs with numbers from `from` up, spread over so many partitions and groups.
pub(crate) fn jobs(from: usize, count: usize, partitions: usize, groups: usize) -> Vec<Job> {
    let numbers = from..from + count;
    let job = |n| {
        job(&format!("lane {}", n % partitions), &format!("group {}", n / partitions % groups), n)
    };
    numbers.map(job).collect()
}

pub(crate) fn number(job: &Job) -> usize {
    std::str::from_utf8(&job.payload).unwrap().parse().unwrap()
}

/// The next job, or a test that fails.
pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    timeout(TEST_TIMEOUT, consumer.next()).await.expect("a job is handed out")
}

/// What was done, in order.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Job>>);

impl Log {
    pub(crate) fn add(&self, job: &Job) {
        self.0.lock().unwrap().push(job.clone());
    }

    /// How many different jobs were done.
    pub(crate) fn count(&self) -> usize {
        let numbers: HashSet<usize> = self.0.lock().unwrap().iter().map(number).collect();
        numbers.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Of each partition and group, the jobs were done in order, leaving out those that were done again.
    pub(crate) fn check_order(&self) {
        let mut groups: BTreeMap<(String, String), (usize, HashSet<usize>)> = BTreeMap::new();
        for job in self.0.lock().unwrap().iter() {
            let (last, seen) =
                groups.entry((job.partition.clone(), job.group.clone())).or_default();
            let number = number(job);
            if seen.insert(number) {
                assert!(number >= *last, "{job:?} came after {last}");
                *last = number;
            }
        }
    }
}

/// Does every job at once, until it is stopped.
pub(crate) fn do_all(queue: &Queue, log: &Arc<Log>) -> tokio::task::JoinHandle<()> {
    let (mut consumer, log) = (queue.consume(Arc::new(Rooms::default())), log.clone());
    tokio::spawn(async move {
        loop {
            let delivery = consumer.next().await;
            log.add(&delivery.job);
            delivery.done();
        }
    })
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < TEST_TIMEOUT, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
