//! Calls functions of `protocol` and `websocket` to be counted: reads lines `FUNCTION TIMES`, calls
//! that function that many times, and says `done`.

use std::hint::black_box;
use std::io::{self, BufRead, Write};

use protocol::auth::{Secret, sign_subscription, verify_subscription};
use protocol::{Data, client_message, server_message};
use websocket::{Decoder, Message, Opcode, client};

// As the server has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SOCKET: &str = "1234567890.1234567890";
const CHANNEL: &str = "private-room";
const MESSAGE: &str = r#"{"event":"client-typing","channel":"private-room","data":{"line":"Not all those who wander are lost"}}"#;

fn main() -> io::Result<()> {
    let mut output = io::stdout();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (function, times) = line.split_once(' ').unwrap_or((&line, "1"));
        let mut call = function_called(function);
        for _ in 0..times.parse().map_err(io::Error::other)? {
            call();
        }
        output.write_all(b"done\n")?;
        output.flush()?;
    }
    Ok(())
}

fn function_called(name: &str) -> Box<dyn FnMut()> {
    match name {
        "frame_encoding" => {
            let data = Data::from_text(&"All that is gold does not glitter. ".repeat(4));
            Box::new(move || {
                let data = black_box(&data);
                let write = |to: &mut Vec<u8>| server_message::event(to, "message", CHANNEL, data);
                black_box(websocket::text_with(320, write));
            })
        }
        "frame_decoding" => {
            let frame = client::encode(Opcode::Text, MESSAGE.as_bytes(), [0x37, 0xfa, 0x21, 0x3d]);
            let mut decoder = Decoder::new(1024);
            let mut input = frame.clone();
            Box::new(move || {
                // Decoding unmasks in place.
                input.copy_from_slice(&frame);
                let mut frames = decoder.feed(black_box(&mut input));
                assert_eq!(frames.next(), Ok(Some(Message::Text(MESSAGE))));
                assert_eq!(frames.next(), Ok(None));
            })
        }
        "message_parsing" => Box::new(|| {
            black_box(client_message::parse(black_box(MESSAGE))).expect("a client event");
        }),
        "signature_check" => {
            let secret = Secret::new(b"app-secret");
            let auth = sign_subscription("app-key", &secret, SOCKET, CHANNEL, None);
            Box::new(move || {
                let auth = black_box(&auth);
                let verified = verify_subscription("app-key", &secret, auth, SOCKET, CHANNEL, None);
                assert_eq!(black_box(verified), Ok(()));
            })
        }
        unknown => panic!("there is no function {unknown:?}"),
    }
}
