//! The pull decoder: masked bytes of a client in, messages out.

use std::ops::Range;

use crate::{
    Message, Opcode, ProtocolError,
    header::{Context, Header},
    mask,
    partial::{Assembly, Partial},
};

/// The receiving half of one connection; a few words while idle, without any buffer.
///
/// It is small so that a caller can move it out of its connection while it handles messages.
pub struct Decoder {
    max_message: usize,
    partial: Option<Box<Partial>>,
    state: DecoderState,
}

#[derive(Clone, Copy)]
enum DecoderState {
    /// Waiting for input.
    Open,
    /// Input was fed and has not been read to its end.
    Reading,
    /// A close frame came; what follows is discarded (RFC 6455 1.4).
    Closed,
    /// The client broke the protocol; the verdict stands.
    Failed(ProtocolError),
}

impl Decoder {
    /// A decoder at the start of a connection. `max_message` is the most payload bytes a text or
    /// binary message may have, all fragments together.
    pub fn new(max_message: usize) -> Self {
        Self { max_message, partial: None, state: DecoderState::Open }
    }

    /// Takes what was read from the socket, any number of bytes, and returns a handle to pull the
    /// messages out of. Payloads are unmasked in place, so `input` is scratch space afterwards.
    ///
    /// Pull until [`Frames::next`] gives `None` or an error: only then is the incomplete end of
    /// `input` in the decoder's keeping. A caller that stops earlier, because it closes the
    /// connection, loses the rest, and if it feeds again all the same it gets
    /// [`ProtocolError::Unread`] instead of a stream with a hole. After a
    /// [`Message::Close`] input is discarded, so one may stop there and still feed.
    pub fn feed<'a>(&'a mut self, input: &'a mut [u8]) -> Frames<'a> {
        match self.state {
            DecoderState::Reading => self.fail(ProtocolError::Unread),
            DecoderState::Open if !input.is_empty() => self.state = DecoderState::Reading,
            _ => {}
        }
        Frames { decoder: self, input, at: 0, finished: Vec::new() }
    }

    /// Whether nothing is held: no part of a header, frame or message.
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    fn fail(&mut self, error: ProtocolError) {
        self.state = DecoderState::Failed(error);
        self.partial = None;
    }

    fn partial(&mut self) -> &mut Partial {
        self.partial.get_or_insert_default()
    }

    fn context(&self) -> Context {
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        Context {
            open_message: message.map(|message| message.data.len()),
            max_message: self.max_message,
        }
    }

    /// Frees the partial state as soon as it holds nothing.
    fn settle(&mut self) {
        if self.partial.as_ref().is_some_and(|partial| partial.is_empty()) {
            self.partial = None;
        }
    }
}

/// The messages of one piece of input, see [`Decoder::feed`].
pub struct Frames<'a> {
    decoder: &'a mut Decoder,
    input: &'a mut [u8],
    /// How much of `input` has been consumed.
    at: usize,
    /// A message that came in pieces, while the caller looks at it.
    finished: Vec<u8>,
}

/// Where the payload of a complete message is.
enum Payload {
    Input(Range<usize>),
    Finished,
}

impl Frames<'_> {
    /// The next message, or `None` when the input is used up. What is incomplete stays with the
    /// decoder until more is fed.
    ///
    /// # Errors
    ///
    /// The first breach of the protocol. It is final: every later call on this connection gives
    /// the same error. Close with [`ProtocolError::close_code`].
    // A lending iterator: messages borrow from the handle, which `Iterator` cannot express.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Message<'_>>, ProtocolError> {
        self.finished = Vec::new();
        match self.decoder.state {
            DecoderState::Closed => return Ok(None),
            DecoderState::Failed(error) => return Err(error),
            DecoderState::Open | DecoderState::Reading => {}
        }
        let (opcode, payload) = match self.advance() {
            Ok(Some(complete)) => complete,
            Ok(None) => {
                self.decoder.state = DecoderState::Open;
                return Ok(None);
            }
            Err(error) => {
                self.decoder.fail(error);
                return Err(error);
            }
        };
        let payload = match payload {
            Payload::Input(range) => &self.input[range],
            Payload::Finished => &self.finished,
        };
        let message = Message::new(opcode, payload);
        match message {
            Ok(Message::Close(..)) => {
                self.decoder.state = DecoderState::Closed;
                self.decoder.partial = None;
            }
            Err(error) => self.decoder.fail(error),
            Ok(_) => {}
        }
        message.map(Some)
    }

    /// Consumes input up to the end of the next complete message.
    fn advance(&mut self) -> Result<Option<(Opcode, Payload)>, ProtocolError> {
        while let Some((header, received)) = self.frame()? {
            let start = self.at;
            let due = header.length - received;
            let arrived = due.min(self.input.len() - start);
            let payload = start..start + arrived;
            self.at = payload.end;
            mask::apply(&mut self.input[payload.clone()], mask::rotate(header.mask, received));

            let whole = arrived == header.length;
            let alone = header.opcode != Opcode::Continuation && header.fin;
            if whole && alone {
                self.decoder.settle();
                return Ok(Some((header.opcode, Payload::Input(payload))));
            }
            if let Some(opcode) = self.keep(header, received, payload)? {
                self.decoder.settle();
                return Ok(Some((opcode, Payload::Finished)));
            }
        }
        Ok(None)
    }

    /// The frame that the next payload bytes belong to and how much of it came earlier, or `None`
    /// when there is not enough input for one.
    fn frame(&mut self) -> Result<Option<(Header, usize)>, ProtocolError> {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let context = self.decoder.context();
        let Some(partial) = &mut self.decoder.partial else {
            return self.header(&context);
        };
        if let Some(frame) = partial.frame.take() {
            return Ok(Some(frame));
        }
        let held = partial.head().len();
        if held == 0 {
            return self.header(&context);
        }
        partial.extend_head(rest);
        let Some((header, size)) = Header::parse(partial.head(), &context)? else {
            self.at = self.input.len();
            return Ok(None);
        };
        partial.clear_head();
        self.at += size - held;
        Ok(Some((header, 0)))
    }

    /// A header straight from the input, none of which came earlier.
    fn header(&mut self, context: &Context) -> Result<Option<(Header, usize)>, ProtocolError> {
        let rest = &self.input[self.at..];
        let Some((header, size)) = Header::parse(rest, context)? else {
            self.decoder.partial().extend_head(rest);
            self.at = self.input.len();
            return Ok(None);
        };
        self.at += size;
        Ok(Some((header, 0)))
    }

    /// Puts a piece of payload that is not a message by itself to what is held. Returns the
    /// message's opcode when that completes it; its payload is then in `finished`.
    fn keep(
        &mut self,
        header: Header,
        received: usize,
        payload: Range<usize>,
    ) -> Result<Option<Opcode>, ProtocolError> {
        let bytes = &self.input[payload];
        let received = received + bytes.len();
        let due = header.length - received;
        let partial = self.decoder.partial();
        if due > 0 {
            partial.frame = Some((header, received));
            if bytes.is_empty() {
                // Opens no message yet: the payload may still come whole and need no copy.
                return Ok(None);
            }
        }
        if header.opcode.is_control() {
            partial.control.extend_from_slice(bytes);
            if due > 0 {
                return Ok(None);
            }
            self.finished = std::mem::take(&mut partial.control);
            return Ok(Some(header.opcode));
        }
        let message = partial.message.get_or_insert_with(|| Assembly::new(header.opcode));
        message.extend(bytes, due);
        if due > 0 || !header.fin {
            message.check()?;
            return Ok(None);
        }
        let opcode = message.opcode;
        if let Some(message) = partial.message.take() {
            self.finished = message.data;
        }
        Ok(Some(opcode))
    }
}
