//! WebSocket frames as the load generator sees them: skipped through by their headers, never
//! parsed as JSON, never copied. It must not know sockets or the Pusher protocol, and it is no
//! conformance check: that is what a codec is for.

/// Opcodes of RFC 6455 11.8.
pub(crate) const TEXT: u8 = 0x1;
/// Connection close.
pub(crate) const CLOSE: u8 = 0x8;
/// Control ping, answered with a pong of the same payload.
pub(crate) const PING: u8 = 0x9;
/// Control pong.
pub(crate) const PONG: u8 = 0xA;

/// Masks every client frame. RFC 6455 5.3 asks for an unpredictable key to protect proxies from
/// hostile pages; a load generator needs only one that costs the server an unmasking.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One whole frame inside a read buffer.
pub(crate) struct Frame<'a> {
    /// The opcode, FIN and the reserved bits left aside.
    pub(crate) opcode: u8,
    /// The masking key, `None` in frames from a server.
    pub(crate) mask: Option<[u8; 4]>,
    /// The payload as it is on the wire, still masked if `mask` is set.
    pub(crate) payload: &'a [u8],
}

/// Walks over the whole frames at the front of `bytes`; what is left over is in `rest`.
pub(crate) struct Frames<'a> {
    /// Bytes not yet walked over: at the end, an incomplete frame or nothing.
    pub(crate) rest: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let (&first, &second) = (self.rest.first()?, self.rest.get(1)?);
        let (mut start, length) = match second & 0x7f {
            126 => (4, u16::from_be_bytes(*self.rest.get(2..)?.first_chunk()?) as usize),
            127 => {
                let length = u64::from_be_bytes(*self.rest.get(2..)?.first_chunk()?);
                (10, usize::try_from(length).ok()?)
            }
            short => (2, usize::from(short)),
        };
        let mask = if second & 0x80 == 0 {
            None
        } else {
            let key = *self.rest.get(start..)?.first_chunk::<4>()?;
            start += 4;
            Some(key)
        };
        let end = start.checked_add(length)?;
        let payload = self.rest.get(start..end)?;
        self.rest = &self.rest[end..];
        Some(Frame { opcode: first & 0x0f, mask, payload })
    }
}

impl Frame<'_> {
    /// Writes the unmasked payload over what is in `out`.
    pub(crate) fn unmask_into(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.payload);
        if let Some(key) = self.mask {
            for (byte, key) in out.iter_mut().zip(key.iter().cycle()) {
                *byte ^= key;
            }
        }
    }
}

/// Appends a masked frame, as a client sends it (RFC 6455 5.3).
pub(crate) fn push_client(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_header(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Appends an unmasked frame, as a server sends it.
pub(crate) fn push_server(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    push_header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

/// Appends the header of a server's text frame whose `length` bytes the caller appends itself.
pub(crate) fn push_text_header(out: &mut Vec<u8>, length: usize) {
    push_header(out, TEXT, length, 0);
}

fn push_header(out: &mut Vec<u8>, opcode: u8, length: usize, mask_bit: u8) {
    out.push(0x80 | opcode);
    // RFC 6455 5.2: the shortest of the three forms that holds the length.
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => out.push(mask_bit | short),
        (_, Ok(medium)) => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_form_comes_back_masked_or_not() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut bytes = Vec::new();
            push_client(&mut bytes, TEXT, &payload);
            push_server(&mut bytes, PING, &payload);
            bytes.push(0x81);

            let mut frames = Frames { rest: &bytes };
            let mut unmasked = Vec::new();
            let client = frames.next().unwrap();
            client.unmask_into(&mut unmasked);
            assert_eq!((client.opcode, &unmasked), (TEXT, &payload), "length {length}");
            let server = frames.next().unwrap();
            assert_eq!((server.opcode, server.payload), (PING, payload.as_slice()));
            assert!(frames.next().is_none());
            assert_eq!(frames.rest, [0x81]);
        }
    }

    #[test]
    fn a_frame_cut_anywhere_is_left_alone() {
        let mut bytes = Vec::new();
        push_client(&mut bytes, TEXT, &[7; 300]);
        for cut in 0..bytes.len() {
            let mut frames = Frames { rest: &bytes[..cut] };
            assert!(frames.next().is_none());
            assert_eq!(frames.rest.len(), cut);
        }
        let absurd = [0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255, 0];
        assert!(Frames { rest: &absurd }.next().is_none());
    }
}
