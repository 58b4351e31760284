//! Many clients in rooms of a few, who come back to another node when theirs leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::publisher::Number;
use testkit::roster::{Roster, ask_to_join};
use testkit::ws::{Client, Frame, raw};

/// Members of a room.
pub(crate) const MEMBERS: usize = 20;
/// Nobody waits longer than that before coming back; how long is different for each.
const AWAY: Duration = Duration::from_millis(1000);

/// Where a member goes.
pub(crate) fn room(member: usize) -> String {
    format!("presence-room-{}", member / MEMBERS)
}

/// Who is in a room.
pub(crate) fn members(room: usize) -> BTreeSet<String> {
    (room * MEMBERS..(room + 1) * MEMBERS).map(user).collect()
}

fn user(member: usize) -> String {
    format!("u{member:05}")
}

/// The nodes, and what all members have in common.
pub(crate) struct Crowd {
    addresses: Vec<SocketAddr>,
    next: AtomicUsize,
    /// How many are in their rooms.
    pub(crate) present: AtomicUsize,
    /// When nodes took somebody who came back.
    returns: Mutex<Vec<Instant>>,
    /// From the end of a connection until its member was in the room again, at most.
    longest: Mutex<Duration>,
}

/// What one member saw.
#[derive(Default)]
pub(crate) struct Story {
    /// How the connections ended, by code; 0 without a close frame.
    pub(crate) ends: BTreeMap<u16, usize>,
    /// Connections that no node took.
    pub(crate) refused: usize,
    pub(crate) events: usize,
    /// The others in the room, at the end.
    pub(crate) roster: Roster,
    /// The last connection. It stays, since one that is told the end sooner would else be seen to
    /// leave by others who are not told it yet.
    connection: Option<Client>,
}

impl Crowd {
    pub(crate) fn new(addresses: &[SocketAddr]) -> Self {
        Crowd {
            addresses: addresses.to_vec(),
            next: AtomicUsize::new(0),
            present: AtomicUsize::new(0),
            returns: Mutex::default(),
            longest: Mutex::default(),
        }
    }

    /// When nodes took those who came back.
    pub(crate) fn returns(&self) -> Vec<Instant> {
        self.returns.lock().unwrap().clone()
    }

    /// The longest time that somebody was not in the room.
    pub(crate) fn longest_absence(&self) -> Duration {
        *self.longest.lock().unwrap()
    }

    /// A member's life, until it is told that it is the end.
    pub(crate) fn live(&self, member: usize) -> Story {
        let mut story = Story::default();
        let mut left = None;
        loop {
            let mut client = self.enter(&mut story);
            if left.is_some() {
                self.returns.lock().unwrap().push(Instant::now());
            }
            ask_to_join(&mut client, &room(member), &user(member));
            let code = self.stay(&mut client, left, &mut story);
            let Some(code) = code else {
                story.connection = Some(client);
                return story;
            };
            left = Some(Instant::now());
            *story.ends.entry(code).or_default() += 1;
            let _ = client.stream().write_all(&raw(0x88, &code.max(1000).to_be_bytes()));
            drop(client);
            thread::sleep(AWAY * (member as u32 * 37 % 100) / 100);
        }
    }

    /// Connects to whichever node lets it in.
    fn enter(&self, story: &mut Story) -> Client {
        loop {
            let address = self.addresses[self.next.fetch_add(1, SeqCst) % self.addresses.len()];
            if let Some(client) = open(address) {
                return client;
            }
            story.refused += 1;
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Hears everything until the connection ends; none at the end of all.
    fn stay(&self, client: &mut Client, left: Option<Instant>, story: &mut Story) -> Option<u16> {
        let (mut present, mut last) = (false, BTreeMap::new());
        let end = loop {
            let frame = match client.next() {
                Frame::Text(text) => serde_json::from_str::<Value>(&text).unwrap(),
                Frame::Close(code, _) => break Some(code),
                Frame::End => break Some(0),
                other => panic!("{other:?}"),
            };
            match frame["event"].as_str().unwrap() {
                "n" => {
                    let Number { node, count } = Number::read(frame["data"].as_str().unwrap());
                    let before = last.insert(node, count);
                    assert!(before.is_none_or(|before| before < count), "twice or out of order");
                    story.events += 1;
                }
                "end" => break None,
                "pusher_internal:subscription_succeeded" => {
                    story.roster.hear(&frame);
                    present = true;
                    self.present.fetch_add(1, SeqCst);
                    if let Some(left) = left {
                        let mut longest = self.longest.lock().unwrap();
                        *longest = left.elapsed().max(*longest);
                    }
                }
                _ => drop(story.roster.hear(&frame)),
            }
        };
        if present {
            self.present.fetch_sub(1, SeqCst);
        }
        end
    }
}

/// A WebSocket that knows its socket id, if the node takes it.
fn open(address: SocketAddr) -> Option<Client> {
    let mut client = Client::try_open(address, "/app/app-key?protocol=7")?;
    let Frame::Text(text) = client.next() else { return None };
    let frame: Value = serde_json::from_str(&text).unwrap();
    let data: Value = serde_json::from_str(frame["data"].as_str()?).ok()?;
    client.socket_id = data["socket_id"].as_str()?.to_owned();
    Some(client)
}
