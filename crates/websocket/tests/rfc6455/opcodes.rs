//! Section 4: opcodes that nobody defined.

use crate::{
    check,
    support::{FIN, PING, TEXT, refused, text},
};
use websocket::ProtocolError;

#[test]
fn every_undefined_opcode_is_refused() {
    for opcode in (3..8).chain(11..16) {
        for payload in [&b""[..], b"reserved opcode"] {
            check(
                &format!("opcode {opcode:#x}"),
                &[(FIN | TEXT, b"before"), (FIN | opcode, payload), (PING, b"")],
                &[text("before"), refused(ProtocolError::ReservedOpcode(opcode))],
            );
        }
    }
}
