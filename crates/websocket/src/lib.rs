//! An RFC 6455 server-side codec without IO: bytes in, messages out, and back.
//!
//! It is strict about what a client may send, allocates nothing for a frame that arrives whole,
//! and holds no buffer while a connection is idle. It must not know sockets, runtimes, HTTP
//! libraries, extensions or what the messages mean.
//!
//! * [`Decoder`] turns what a client sent into [`Message`]s.
//! * [`text`], [`text_with`], [`close`], [`ping`], ... make whole server frames that can be sent
//!   to any number of clients.
//! * [`handshake`] judges an upgrade request and computes the accept key.
//! * [`client`] is the other side, just enough of it for tests and load tools.
//!
//! ```
//! use websocket::{Decoder, Message, Opcode, client};
//!
//! let mut decoder = Decoder::new(1024);
//! let mut input = client::encode(Opcode::Text, b"hello", [1, 2, 3, 4]);
//! let mut frames = decoder.feed(&mut input);
//! while let Some(message) = frames.next()? {
//!     assert_eq!(message, Message::Text("hello"));
//! }
//! # Ok::<(), websocket::ProtocolError>(())
//! ```

pub mod client;
pub mod close_code;
mod decoder;
mod encode;
mod error;
pub mod handshake;
mod header;
mod mask;
mod message;
mod opcode;
mod partial;

pub use decoder::{Decoder, Frames};
pub use encode::{MAX_CONTROL, binary, close, ping, pong, text, text_with};
pub use error::ProtocolError;
pub use message::Message;
pub use opcode::Opcode;
