//! What the frames say that a client is sent.

use cluster::Incarnation;
use serde::Deserialize;

use crate::Channel;

/// An event, numbered by its publisher.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) publisher: Incarnation,
    pub(crate) number: u64,
    /// Whose client event it is.
    pub(crate) user_id: Option<Box<str>>,
}

/// What one frame says.
#[derive(Debug)]
pub(crate) enum Said {
    Event(Event),
    /// A member has come.
    Added(Box<str>),
    /// A member has gone.
    Removed(Box<str>),
    /// So many are subscribed.
    Count(u64),
}

#[derive(Deserialize)]
struct Json {
    event: String,
    channel: String,
    data: String,
    user_id: Option<Box<str>>,
}

#[derive(Deserialize)]
struct OfMember {
    user_id: Box<str>,
}

#[derive(Deserialize)]
struct OfCount {
    subscription_count: u64,
}

impl Event {
    /// The data, as a JSON literal.
    pub(crate) fn data(&self) -> String {
        format!("\"{} {}\"", self.publisher.0, self.number)
    }

    /// The whole WebSocket frame.
    pub(crate) fn encode(&self, channel: &Channel) -> bytes::Bytes {
        let user_id = self.user_id.as_ref().map(|id| format!(r#","user_id":"{id}""#));
        let user_id = user_id.unwrap_or_default();
        let data = self.data();
        let json = format!(r#"{{"event":"news","channel":"{channel}","data":{data}{user_id}}}"#);
        websocket::text(json.as_bytes())
    }
}

impl Said {
    /// Reads a frame that is about a channel.
    pub(crate) fn decode(frame: &[u8], channel: &Channel) -> Said {
        let (whole, length) = websocket::client::parse(frame).unwrap().unwrap();
        assert!(whole.fin && length == frame.len(), "a delivery is one frame");
        let json: Json = serde_json::from_slice(whole.payload).unwrap();
        assert_eq!(json.channel, **channel, "a frame is about its topic");
        let member = || serde_json::from_str::<OfMember>(&json.data).unwrap().user_id;
        match &*json.event {
            "pusher_internal:member_added" => Said::Added(member()),
            "pusher_internal:member_removed" => Said::Removed(member()),
            "pusher_internal:subscription_count" => {
                let OfCount { subscription_count } = serde_json::from_str(&json.data).unwrap();
                Said::Count(subscription_count)
            }
            "news" => {
                let (publisher, number) = json.data.split_once(' ').unwrap();
                Said::Event(Event {
                    publisher: Incarnation(publisher.parse().unwrap()),
                    number: number.parse().unwrap(),
                    user_id: json.user_id,
                })
            }
            event => panic!("nobody sends {event}"),
        }
    }
}
