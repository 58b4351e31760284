//! What a connection holds of a frame or message that has not arrived completely.
//!
//! It exists only while something is incomplete, and grows with what arrived, never with what a
//! header claims.

use crate::{
    Opcode, ProtocolError,
    header::{Header, MAX_HEADER},
};

/// The incomplete header, frame and message of one connection; any of them may be absent.
#[derive(Default)]
pub(crate) struct Partial {
    /// The first bytes of a header that is incomplete.
    head: [u8; MAX_HEADER],
    head_len: u8,
    /// The frame whose payload is incomplete, and how much of it has arrived.
    pub(crate) frame: Option<(Header, usize)>,
    /// The payload of that frame so far, if it is a control frame.
    pub(crate) control: Vec<u8>,
    /// The data message that is incomplete.
    pub(crate) message: Option<Assembly>,
}

impl Partial {
    /// The bytes of the incomplete header.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head[..self.head_len.into()]
    }

    /// Adds as much of `bytes` to the header as could belong to it.
    pub(crate) fn extend_head(&mut self, bytes: &[u8]) {
        let room = &mut self.head[self.head_len.into()..];
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.head_len += taken as u8; // at most MAX_HEADER
    }

    /// Forgets the header, which has become complete.
    pub(crate) fn clear_head(&mut self) {
        self.head_len = 0;
    }

    /// Whether nothing is incomplete.
    pub(crate) fn is_empty(&self) -> bool {
        self.head_len == 0 && self.frame.is_none() && self.message.is_none()
    }
}

/// A data message on its way: fragments before the current frame and what it has brought so far.
pub(crate) struct Assembly {
    /// Text or binary.
    pub(crate) opcode: Opcode,
    /// The unmasked payload.
    pub(crate) data: Vec<u8>,
    /// How much of `data` is known to be whole characters of UTF-8; unused for binary.
    checked: usize,
}

impl Assembly {
    pub(crate) fn new(opcode: Opcode) -> Self {
        Self { opcode, data: Vec::new(), checked: 0 }
    }

    /// Adds unmasked bytes. `due` is how many more the current frame will bring after them.
    pub(crate) fn extend(&mut self, bytes: &[u8], due: usize) {
        let length = self.data.len() + bytes.len();
        if length > self.data.capacity() {
            // Doubling keeps the copying linear; past what the frame brings it would be waste.
            let wanted = length.max(2 * self.data.len()).min(length + due);
            self.data.reserve_exact(wanted - self.data.len());
        }
        self.data.extend_from_slice(bytes);
    }

    /// Refuses text as soon as it cannot become valid UTF-8 any more (RFC 6455 8.1); a character
    /// may still be cut at the end.
    pub(crate) fn check(&mut self) -> Result<(), ProtocolError> {
        if self.opcode != Opcode::Text {
            return Ok(());
        }
        match simdutf8::compat::from_utf8(&self.data[self.checked..]) {
            Ok(_) => self.checked = self.data.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(ProtocolError::Utf8),
        }
        Ok(())
    }
}
