//! The protocol specification, rule by rule; tests are named after the rules they hold.

mod api_auth;
mod auth;
mod channels;
mod citations;
mod client_frames;
mod connect;
mod info;
mod members;
mod properties;
mod publish;
mod responses;
mod server_frames;
mod webhooks;

/// What an output function appends.
fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("frames are UTF-8")
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
