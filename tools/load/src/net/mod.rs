//! Sockets that never block, the event loop around them, and as much of HTTP and WebSocket framing
//! as the load generator and the floor need. It must not know the Pusher protocol.

mod alarm;
pub(crate) mod frames;
pub(crate) mod http;
pub(crate) mod open_files;
pub(crate) mod reactor;
pub(crate) mod stream;
