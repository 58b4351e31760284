//! What the decoder and encoder allocate: nothing for whole frames, nothing while idle, and never
//! more than a small multiple of what has arrived.

#![allow(unsafe_code)] // `GlobalAlloc`, to count, is an unsafe trait

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use support::{BINARY, CONTINUATION, FIN, MASK, PING, PONG, TEXT, stream};
use websocket::{Decoder, Message, Opcode, ProtocolError, client};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts per thread, so that tests running in parallel do not see each other.
struct Counting;

fn count(calls: usize, bytes: isize) {
    COUNT.set(COUNT.get() + calls);
    HELD.set(HELD.get() + bytes);
    PEAK.set(PEAK.get().max(HELD.get()));
}

// SAFETY: everything is left to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: as our caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: as our caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocator calls while `work` ran, bytes held after it, and the most held at any time.
fn measure(work: impl FnOnce()) -> (usize, isize, isize) {
    let (count, held) = (COUNT.get(), HELD.get());
    PEAK.set(held);
    work();
    (COUNT.get() - count, HELD.get() - held, PEAK.get() - held)
}

/// Feeds `input` and counts the messages.
fn drain(decoder: &mut Decoder, input: &mut [u8]) -> usize {
    let mut messages = 0;
    let mut frames = decoder.feed(input);
    while let Some(message) = frames.next().expect("a lawful stream") {
        std::hint::black_box(message);
        messages += 1;
    }
    messages
}

#[test]
fn whole_frames_allocate_nothing() {
    let long = "x".repeat(100_000);
    let mut input = stream(&[
        (FIN | TEXT, b"{\"event\":\"pusher:ping\"}"),
        (PING, b"are you there"),
        (FIN | TEXT, long.as_bytes()),
        (FIN | BINARY, &[1; 500]),
        (PONG, b""),
    ]);
    let mut decoder = Decoder::new(1 << 20);
    let measured = measure(|| assert_eq!(drain(&mut decoder, &mut input), 5));
    assert_eq!(measured, (0, 0, 0));
}

#[test]
fn a_new_decoder_is_small_and_holds_nothing() {
    assert!(size_of::<Decoder>() <= 40, "{} bytes", size_of::<Decoder>());
    assert_eq!(measure(|| std::mem::forget(Decoder::new(1 << 20))), (0, 0, 0));
}

#[test]
fn nothing_is_held_between_messages() {
    let mut input = stream(&[
        (TEXT, b"first"),
        (PING, b"between"),
        (CONTINUATION, b"second"),
        (FIN, &[b'x'; 70_000]),
        (FIN | TEXT, b"whole"),
    ]);
    for size in [1, 7, 4096] {
        let mut input = input.clone();
        let mut decoder = Decoder::new(1 << 20);
        let (_, held, _) = measure(|| {
            let messages: usize =
                input.chunks_mut(size).map(|chunk| drain(&mut decoder, chunk)).sum();
            assert_eq!(messages, 3);
        });
        assert_eq!(held, 0, "in chunks of {size}");
        assert!(decoder.is_idle());
    }

    // It is freed with the message, not with the decoder: one more message and it is gone.
    let (head, tail) = input.split_at_mut(3);
    let mut decoder = Decoder::new(1 << 20);
    let (_, held, _) = measure(|| assert_eq!(drain(&mut decoder, head), 0));
    assert!(held > 0);
    let (_, freed, _) = measure(|| assert_eq!(drain(&mut decoder, tail), 3));
    assert_eq!(freed, -held);
}

#[test]
fn a_refused_stream_holds_nothing() {
    let mut input = stream(&[(TEXT, &[b'x'; 5000]), (FIN | TEXT, b"not a continuation")]);
    let mut decoder = Decoder::new(1 << 20);
    let (_, held, _) = measure(|| {
        let error = ProtocolError::ExpectedContinuation(Opcode::Text);
        assert_eq!(decoder.feed(&mut input).next(), Err(error));
    });
    assert_eq!(held, 0);
}

#[test]
fn memory_follows_what_arrived_not_what_was_claimed() {
    let frame = client::encode_raw(FIN | TEXT, &vec![b'x'; 16 << 20], MASK);
    for arrived in [10, 14, 24, 5000] {
        let mut input = frame[..arrived].to_vec();
        let mut decoder = Decoder::new(16 << 20);
        let (_, _, peak) = measure(|| assert_eq!(drain(&mut decoder, &mut input), 0));
        assert!(peak <= 256 + arrived as isize, "{peak} bytes for {arrived}");
    }
}

#[test]
fn memory_for_a_message_in_pieces_is_bounded_by_twice_what_arrived() {
    let mut frame = client::encode_raw(FIN | TEXT, &vec![b'x'; 1 << 20], MASK);
    let (most, last) = frame.split_at_mut(1 << 20);
    let mut decoder = Decoder::new(1 << 20);
    let mut arrived = 0;
    let mut held = 0;
    for chunk in most.chunks_mut(1000) {
        arrived += chunk.len() as isize;
        held += measure(|| assert_eq!(drain(&mut decoder, chunk), 0)).1;
        assert!(held <= 256 + 2 * arrived, "{held} bytes for {arrived}");
    }
    // The last doubling stops at what the frame will bring.
    assert!(held <= 256 + (1 << 20), "{held} bytes");
    assert_eq!(measure(|| assert_eq!(drain(&mut decoder, last), 1)).1, -held);
}

#[test]
fn over_the_limit_allocates_nothing() {
    let mut input = client::encode_raw(FIN | TEXT, &[b'x'; 1025], MASK);
    let mut decoder = Decoder::new(1024);
    let measured = measure(|| {
        let error = decoder.feed(&mut input).next().expect_err("over the limit");
        assert_eq!(error.close_code(), 1009);
    });
    assert_eq!(measured, (0, 0, 0));
}

#[test]
fn a_message_in_pieces_is_freed_before_the_next_is_given() {
    let mut decoder = Decoder::new(1 << 20);
    let mut input = stream(&[(TEXT, &[b'a'; 4000]), (FIN, &[b'b'; 4000]), (FIN | TEXT, b"c")]);
    let before = HELD.get();
    let mut frames = decoder.feed(&mut input);
    assert!(matches!(frames.next(), Ok(Some(Message::Text(text))) if text.len() == 8000));
    assert_eq!(HELD.get() - before, 8000);
    assert_eq!(frames.next(), Ok(Some(Message::Text("c"))));
    assert_eq!(HELD.get() - before, 0);
}

#[test]
fn encoding_in_place_copies_nothing() {
    let payload = [b'x'; 50_000];
    let (calls, _, peak) = measure(|| {
        let frame = websocket::text_with(payload.len(), |out| out.extend_from_slice(&payload));
        assert_eq!(frame.len(), 4 + payload.len());
    });
    // The vector and what `Bytes` needs to share it.
    assert!(calls <= 2, "{calls} allocations");
    assert!(peak < 50_100, "{peak} bytes");
}
