//! Section 3: reserved bits mean an extension, and none is ever negotiated.

use crate::{
    check,
    support::{BINARY, CLOSE, FIN, PING, TEXT, refused, text},
};
use websocket::ProtocolError;

#[test]
fn every_reserved_bit_is_refused_in_every_kind_of_frame() {
    for bits in 1..8 {
        for first in [FIN | TEXT, FIN | BINARY, TEXT, PING, CLOSE] {
            check(
                &format!("bits {bits:03b} in {first:#x}"),
                &[(FIN | TEXT, b"before"), (first | bits << 4, b"small"), (PING, b"")],
                &[text("before"), refused(ProtocolError::ReservedBits(bits))],
            );
        }
    }
}
