//! What a stranger may try.

mod frames;
mod handshakes;
mod mutations;
mod requests;
mod slow_reader;

use crate::Scene;
