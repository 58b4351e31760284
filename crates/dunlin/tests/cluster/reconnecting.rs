//! Clients that connect to any node that takes them, and again at once when they are told to.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::Value;
use testkit::publisher::Number;
use testkit::roster::{Roster, ask_to_join};
use testkit::ws::{Client, Frame, raw};

/// What all clients subscribe to.
pub(crate) const EVENTS: &str = "numbers";
pub(crate) const ROOM: &str = "presence-room";

/// The nodes, and how many clients have both subscriptions.
pub(crate) struct Pool {
    addresses: Vec<SocketAddr>,
    next: AtomicUsize,
    pub(crate) subscribed: AtomicUsize,
}

/// What one client saw.
#[derive(Default)]
pub(crate) struct Story {
    /// Connections that a node did not take.
    pub(crate) refused: usize,
    /// How its connections ended, by code; 0 without a close frame.
    pub(crate) ends: BTreeMap<u16, usize>,
    /// The events that came from each subscription on to its end.
    pub(crate) sessions: Vec<Vec<Number>>,
    /// The members at the end.
    pub(crate) roster: Roster,
    /// The last connection. It stays, since one that is told the end sooner would else be seen to
    /// leave by others who are not told it yet.
    connection: Option<Client>,
}

impl Pool {
    pub(crate) fn new(addresses: &[SocketAddr]) -> Self {
        Pool {
            addresses: addresses.to_vec(),
            next: AtomicUsize::new(0),
            subscribed: AtomicUsize::new(0),
        }
    }

    /// A client's life, until it is told that it is the end.
    pub(crate) fn live(&self, user: &str) -> Story {
        let mut story = Story::default();
        loop {
            let address = self.addresses[self.next.fetch_add(1, SeqCst) % self.addresses.len()];
            let Some(mut client) = Client::try_open(address, "/app/app-key?protocol=7") else {
                story.refused += 1;
                // A pace: all but one node may be gone at the moment.
                std::thread::sleep(std::time::Duration::from_millis(1));
                continue;
            };
            let (mut numbers, mut succeeded) = (Vec::new(), 0);
            let end = loop {
                let frame = match client.next() {
                    Frame::Text(text) => serde_json::from_str::<Value>(&text).unwrap(),
                    Frame::Close(code, _) => break Some(code),
                    Frame::End => break Some(0),
                    other => panic!("{other:?}"),
                };
                match frame["event"].as_str().unwrap() {
                    "pusher:connection_established" => {
                        let data: Value =
                            serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
                        client.socket_id = data["socket_id"].as_str().unwrap().to_owned();
                        ask_to_join(&mut client, ROOM, user);
                        client.ask_for(EVENTS, None, None);
                    }
                    "pusher_internal:subscription_succeeded" => {
                        succeeded += 1;
                        if succeeded == 2 {
                            self.subscribed.fetch_add(1, SeqCst);
                        }
                        if frame["channel"] == ROOM {
                            story.roster.hear(&frame);
                        }
                    }
                    "n" => numbers.push(Number::read(frame["data"].as_str().unwrap())),
                    "end" => break None,
                    _ => drop(story.roster.hear(&frame)),
                }
            };
            if succeeded == 2 {
                self.subscribed.fetch_sub(1, SeqCst);
            }
            story.sessions.push(numbers);
            let Some(code) = end else {
                story.connection = Some(client);
                return story;
            };
            *story.ends.entry(code).or_default() += 1;
            let _ = client.stream().write_all(&raw(0x88, &code.max(1000).to_be_bytes()));
        }
    }
}
