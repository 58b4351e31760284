//! A network that is drawn from a seed. It must not know who is on it, nor what they say.

mod network;
mod random;

pub use network::{Conditions, Network, SimulatedTransport};
pub use random::Random;
