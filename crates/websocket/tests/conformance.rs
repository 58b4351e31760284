//! What the Autobahn suite asks of a server, sections 1 to 7 and 9, as tables. Every case is
//! decoded whole, byte by byte and in random chops.

mod rfc6455;
mod support;

use support::{Event, decode_every_way, stream};

/// The limit of cases that are not about limits, in bytes.
const LIMIT: usize = 1 << 20;

/// Checks what the frames, given as first byte and payload, decode to.
#[track_caller]
fn check(case: &str, frames: &[(u8, &[u8])], expected: &[Event]) {
    assert_eq!(decode_every_way(LIMIT, &stream(frames)), expected, "{case}");
}
