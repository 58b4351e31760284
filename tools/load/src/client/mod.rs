//! What a Pusher client and a backend are made of: connections that subscribe, connections that
//! publish, and events that are recognised again. It must not know what is measured.

pub(crate) mod marker;
pub(crate) mod publisher;
pub(crate) mod request;
pub(crate) mod subscribers;
pub(crate) mod websocket;
