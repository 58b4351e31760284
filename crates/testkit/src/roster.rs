//! The roster of a presence channel, as one client makes it of what it is told; and a member that
//! writes down who comes and who goes.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use crate::ws::{Client, Frame, raw};

/// Joins a presence channel; the answer is not read yet.
pub fn ask_to_join(client: &mut Client, channel: &str, user: &str) {
    client.ask_for_signed(channel, Some(&json!({"user_id": user}).to_string()));
}

/// Joins a presence channel, and reads over what is sent before the answer.
pub fn join(client: &mut Client, channel: &str, user: &str) {
    ask_to_join(client, channel, user);
    while client.json()["event"] != "pusher_internal:subscription_succeeded" {}
}

/// Who is there. Everybody is added and removed in turns.
#[derive(Debug, Default)]
pub struct Roster(pub BTreeSet<String>);

/// What a frame says about a roster.
pub enum News {
    Whole,
    Added(String),
    Removed(String),
    /// Nothing.
    Other,
}

impl Roster {
    /// Takes in a frame.
    pub fn hear(&mut self, frame: &Value) -> News {
        let data = || -> Value { serde_json::from_str(frame["data"].as_str().unwrap()).unwrap() };
        let user = || data()["user_id"].as_str().unwrap().to_owned();
        match frame["event"].as_str().unwrap() {
            "pusher_internal:subscription_succeeded" => {
                let ids = data()["presence"]["ids"].as_array().cloned().unwrap_or_default();
                self.0 = ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
                News::Whole
            }
            "pusher_internal:member_added" => {
                let user = user();
                assert!(self.0.insert(user.clone()), "{user} is added, but is there");
                News::Added(user)
            }
            "pusher_internal:member_removed" => {
                let user = user();
                assert!(self.0.remove(&user), "{user} is removed, but is not there");
                News::Removed(user)
            }
            _ => News::Other,
        }
    }
}

/// Somebody came or went.
#[derive(Clone, Debug)]
pub struct RosterChange {
    pub at: Instant,
    pub added: bool,
    pub user: String,
}

/// A member that writes down the changes that it is told.
pub struct Witness {
    client: Client,
    pub roster: Roster,
    pub seen: Vec<RosterChange>,
    /// Events of the channel.
    pub events: Vec<Value>,
    pings: u64,
}

impl Witness {
    pub fn join(mut client: Client, channel: &str, user: &str) -> Self {
        ask_to_join(&mut client, channel, user);
        let mut roster = Roster::default();
        assert!(matches!(roster.hear(&client.json()), News::Whole));
        Witness { client, roster, seen: Vec::new(), events: Vec::new(), pings: 0 }
    }

    /// Reads until this is so.
    pub fn until(&mut self, fits: impl Fn(&Self) -> bool) {
        while !fits(self) {
            let frame = self.client.json();
            self.hear(frame);
        }
    }

    /// Reads everything that was sent before now.
    pub fn catch_up(&mut self) {
        self.pings += 1;
        let payload = self.pings.to_be_bytes();
        self.client.write(&raw(0x89, &payload));
        loop {
            match self.client.next() {
                Frame::Pong(pong) if pong == payload => return,
                Frame::Text(text) => self.hear(serde_json::from_str(&text).unwrap()),
                other => panic!("expected a pong, got {other:?}"),
            }
        }
    }

    /// How often this happened to a user.
    pub fn count(&self, added: bool, user: &str) -> usize {
        self.seen.iter().filter(|change| change.added == added && change.user == user).count()
    }

    /// Leaves the channel, with its connection.
    pub fn leave(self) {
        self.client.close();
    }

    fn hear(&mut self, frame: Value) {
        let at = Instant::now();
        match self.roster.hear(&frame) {
            News::Added(user) => self.seen.push(RosterChange { at, added: true, user }),
            News::Removed(user) => self.seen.push(RosterChange { at, added: false, user }),
            News::Whole | News::Other => self.events.push(frame),
        }
    }
}
