//! Frames from clients: reading one never panics, and what is passed on to others is sound JSON
//! that says what the sender said.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::client_message::{ClientMessage, parse};
use protocol::{channel, event_name, member, server_message};
use serde_json::Value;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(ClientMessage::ClientEvent { event, channel, data }) => {
            let _ = event_name::validate_client(&event, 200);
            let mut frame = Vec::new();
            server_message::client_event(&mut frame, &event, &channel, data.as_ref(), Some(text));
            let frame: Value = serde_json::from_slice(&frame).expect("a frame is JSON");
            assert_eq!(frame["event"].as_str(), Some(&*event));
            assert_eq!(frame["channel"].as_str(), Some(&*channel));
            assert_eq!(frame["user_id"].as_str(), Some(text));
            let decoded = data.as_ref().map(|data| data.decoded());
            assert_eq!(frame["data"].as_str(), decoded.as_deref());
            assert_eq!(data.as_ref().map(|data| data.decoded_len()), decoded.map(|d| d.len()));
        }
        Ok(ClientMessage::Subscribe { channel, channel_data, .. }) => {
            let _ = channel::validate(&channel, 200);
            let member = channel_data.map(|data| member::parse_channel_data(&data, 2_048));
            if let Some(Ok(member)) = member {
                let mut frame = Vec::new();
                let roster = [(&*member.id, member.info_json.as_deref())];
                server_message::presence_succeeded(&mut frame, &channel, roster);
                serde_json::from_slice::<Value>(&frame).expect("a frame is JSON");
            }
        }
        Ok(ClientMessage::Signin { user_data, .. }) => {
            if let Ok(user) = member::parse_user_data(&user_data) {
                assert!(!user.id.is_empty() && user.watchlist.len() <= member::MAX_WATCHLIST);
            }
        }
        Ok(_) => {}
        Err(rejection) => assert!(rejection.message().chars().count() < 300),
    }
});
