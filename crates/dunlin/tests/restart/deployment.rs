//! Every node is restarted, one after another, and everything is as it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes, connections, subscriptions, users};
use testkit::publisher::{Publisher, Tally};
use testkit::target::Target;

use super::crowd::{Crowd, MEMBERS, Story, members, room};
use super::histogram::Histogram;

const CLIENTS: usize = 2000;
const ROOMS: usize = CLIENTS / MEMBERS;
/// Between two events: a hundred a second.
const PACE: Duration = Duration::from_millis(10);
/// How long a node takes to let its clients go.
const GRACE: Duration = Duration::from_secs(3);
/// After which everything is true again.
const QUIET: Duration = Duration::from_secs(5);
/// Whoever is away for less was never away for backends.
const WEBHOOKS_GRACE: Duration = Duration::from_secs(3);

/// What backends are told of rooms.
const KINDS: [&str; 4] = ["channel_occupied", "channel_vacated", "member_added", "member_removed"];

#[test]
fn a_rolling_restart_under_many_clients_tells_backends_nothing() {
    raise_the_limit_of_files();
    let target = Target::new();
    let webhooks = json!([target.webhook(&KINDS)]).to_string();
    let grace = GRACE.as_millis().to_string();
    let webhooks_grace = WEBHOOKS_GRACE.as_millis().to_string();
    let env = [
        ("DEFAULT_APP_WEBHOOKS", &*webhooks),
        ("WEBHOOKS_BATCHING", "true"),
        ("WEBHOOKS_GRACE", &*webhooks_grace),
        ("SHUTDOWN_GRACE_PERIOD", &*grace),
    ];
    let mut nodes = Nodes::start(&Adapter::mesh(), 3, &env);
    let addresses = nodes.addresses.clone();
    let crowd = Crowd::new(&addresses);
    let stop = AtomicBool::new(false);
    let (stories, tally, agreed): (Vec<Story>, _, _) = thread::scope(|scope| {
        let (crowd, stop, addresses) = (&crowd, &stop, &addresses[..]);
        let began = Instant::now();
        let live = |member| {
            let builder = thread::Builder::new().stack_size(256 * 1024);
            builder.spawn_scoped(scope, move || crowd.live(member)).unwrap()
        };
        let clients: Vec<_> = (0..CLIENTS).map(live).collect();
        let everybody = || crowd.present.load(SeqCst) == CLIENTS;
        eventually("everybody is there", everybody);
        println!("{CLIENTS} clients in {ROOMS} rooms after {:?}", began.elapsed());
        // Each room is occupied once and has each of its members added once.
        let initial = ROOMS + CLIENTS;
        assert_eq!(target.wait_for_events(initial).len(), initial);

        let publisher = scope.spawn(|| publish(Publisher::new(addresses, true), stop));
        let began = Instant::now();
        for node in 0..3 {
            restart(&mut nodes, node, crowd);
        }
        let restarted = Instant::now();
        eventually("everybody is back", everybody);
        stop.store(true, SeqCst);
        let tally = publisher.join().unwrap();
        eventually("every node tells the truth", || nodes.up().all(tells_the_truth));
        let agreed = restarted.elapsed();
        println!("restarts took {:?}; all is true {agreed:?} later", restarted - began);
        println!("the longest absence of a client took {:?}", crowd.longest_absence());
        let took = restarted - began;
        let all = Histogram::of(&crowd.returns(), began, restarted + agreed);
        println!("reconnects by second, {:.0} per second on average:\n{all}", all.mean(took));
        // Whatever would be told of those who are away is told by now.
        thread::sleep(WEBHOOKS_GRACE + Duration::from_secs(2));
        for number in 0..ROOMS {
            nodes.node(0).publish(&room(number * MEMBERS), "end", "");
        }
        let stories = clients.into_iter().map(|client| client.join().unwrap()).collect();
        (stories, tally, agreed)
    });
    tally.check();
    tell(&stories);
    assert!(agreed < QUIET, "{agreed:?}");
    nothing_was_told(&target.events()[ROOMS + CLIENTS..]);
    for (member, story) in stories.iter().enumerate() {
        assert_eq!(story.roster.0, members(member / MEMBERS), "{}", room(member));
    }
    nodes.have_no_bugs();
}

/// Nobody was away for longer than the grace.
fn nothing_was_told(since: &[Value]) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for event in since {
        *kinds.entry(event["name"].as_str().unwrap()).or_default() += 1;
    }
    println!("webhooks after the initial ones: {kinds:?}");
    assert!(kinds.is_empty(), "{kinds:?}");
}

/// Restarts a node; its clients come back evenly over the time that it has.
fn restart(nodes: &mut Nodes, node: usize, crowd: &Crowd) {
    let connected = nodes.node(node).metrics().sum("connected") as usize;
    let before = crowd.returns().len();
    let began = Instant::now();
    nodes.terminate(node);
    let left = began.elapsed();
    nodes.restart(node);
    let back = Instant::now();
    eventually("its clients are back", || crowd.returns().len() >= before + connected);
    println!("node {node} left in {left:?}, and was back after {:?}", back - began);
    let returns = crowd.returns();
    let ended = *returns.last().unwrap();
    let took = ended - began;
    let histogram = Histogram::of(&returns, began, ended + Duration::from_millis(1));
    let (mean, most) = (histogram.mean(took), histogram.most() as f64);
    println!(
        "its {connected} clients came back in {took:?}: {mean:.0} per second, {most} at most, \
         {:.2} times the mean\n{histogram}",
        most / mean
    );
    assert!(most <= 2.0 * mean, "{most} in a second, {mean} on average");
}

fn tells_the_truth(node: &testkit::process::Process) -> bool {
    connections(node) == CLIENTS as u64
        && (0..ROOMS).all(|number| {
            let channel = room(number * MEMBERS);
            subscriptions(node, &channel) == MEMBERS as u64
                && users(node, &channel) == members(number)
        })
}

/// A hundred events a second, until the end.
fn publish(mut publisher: Publisher, stop: &AtomicBool) -> Tally {
    let began = Instant::now();
    for number in 0.. {
        if stop.load(SeqCst) {
            break;
        }
        publisher.publish(&room(number * MEMBERS % CLIENTS));
        let next = began + PACE * number as u32;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let rate = publisher.tally.published as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.1} events were published in a second");
    publisher.tally
}

fn tell(stories: &[Story]) {
    let mut ends: BTreeMap<u16, usize> = BTreeMap::new();
    for (code, count) in stories.iter().flat_map(|story| &story.ends) {
        *ends.entry(*code).or_default() += count;
    }
    let refused: usize = stories.iter().map(|story| story.refused).sum();
    let events: usize = stories.iter().map(|story| story.events).sum();
    println!("ends {ends:?}, {refused} connects refused, {events} events");
    // Whoever is too slow to answer is cut off when the grace period is over.
    let (polite, cut) = (ends.remove(&4200).unwrap_or(0), ends.remove(&0).unwrap_or(0));
    assert!(polite >= CLIENTS && cut <= CLIENTS / 50 && ends.is_empty(), "{cut} cut, {ends:?}");
}

/// Each client has a socket here, and the nodes inherit the limit.
fn raise_the_limit_of_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let enough = limit.current.is_none_or(|limit| limit >= 2 * CLIENTS as u64);
    assert!(enough, "{CLIENTS} clients need as many files as that: {limit:?}");
}
