//! Random client streams: mostly lawful frames, some that break a rule, and then random damage.

use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};
use websocket::client;

use super::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT};

/// Runs `check` on many values. The seed is random, printed on failure, and taken from
/// `PROPTEST_RNG_SEED` when that is set.
pub(crate) fn for_all<S: Strategy>(cases: u32, strategy: S, check: impl Fn(S::Value))
where
    S::Value: std::fmt::Debug,
{
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => {
            let now = std::time::UNIX_EPOCH.elapsed().expect("the clock is past 1970");
            now.as_nanos() as u64
        }
    };
    config.rng_seed = RngSeed::Fixed(seed);
    let result = TestRunner::new(config).run(&strategy, |value| {
        check(value);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, value)) => {
            panic!("PROPTEST_RNG_SEED={seed}\n{why}\nsmallest input: {value:?}")
        }
        Err(error) => panic!("PROPTEST_RNG_SEED={seed}\n{error}"),
    }
}

/// A stream of up to a dozen frames, in half of the cases with some bytes changed, cut out or put
/// in. With `overlong` some lengths are not in their shortest form.
pub(crate) fn hostile(overlong: bool) -> impl Strategy<Value = Vec<u8>> {
    let damages = prop_oneof![Just(Vec::new()), vec(damage(), 1..4)];
    (vec(frame(overlong), 0..12), damages).prop_map(|(frames, damages)| {
        let mut stream = frames.concat();
        for (at, damage) in damages {
            let at = at.index(stream.len() + 1);
            match damage {
                Damage::Put(byte) => stream.insert(at, byte),
                Damage::Flip(bits) if at < stream.len() => stream[at] ^= bits,
                Damage::Cut(count) => drop(stream.drain(at..stream.len().min(at + count))),
                Damage::Flip(_) => {}
            }
        }
        stream
    })
}

#[derive(Debug, Clone)]
enum Damage {
    Put(u8),
    Flip(u8),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
    let damage = prop_oneof![
        any::<u8>().prop_map(Damage::Put),
        any::<u8>().prop_map(Damage::Flip),
        (1..20_usize).prop_map(Damage::Cut),
    ];
    (any::<prop::sample::Index>(), damage)
}

fn frame(overlong: bool) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        // Weighted so that fragmented messages often come out right.
        8 => select(vec![FIN | TEXT, FIN | BINARY, PING, PONG]),
        4 => select(vec![TEXT, BINARY]),
        8 => select(vec![CONTINUATION, FIN | CONTINUATION]),
        1 => Just(CLOSE),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        6 => "\\PC{0,60}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..80),
        // Characters cut in two, and fragments without payload.
        3 => select(vec![&b""[..], b"\xce", b"\xba", b"\xf0\x9d", b"\x84\x9e", b"a\xe6\x97", b"\xa5"])
            .prop_map(Vec::from),
        2 => (select(vec![125, 126, 127, 300, 65_535, 65_536]), 0x20..0x7f_u8)
            .prop_map(|(length, byte)| vec![byte; length]),
        2 => (select(vec![999, 1000, 1004, 1005, 1011, 1015, 2999, 3000, 4999, 5000]), "\\PC{0,9}")
            .prop_map(|(code, reason): (u16, String)| {
                [&code.to_be_bytes(), reason.as_bytes()].concat()
            }),
    ];
    let length_form = if overlong { 0..40_u8 } else { 2..40 };
    (first, payload, any::<[u8; 4]>(), length_form).prop_map(|(first, payload, mask, form)| {
        let frame = client::encode_raw(first, &payload, mask);
        let masked = &frame[frame.len() - payload.len()..];
        let length = payload.len() as u64;
        let mut overlong = vec![first];
        match form {
            0 if length < 1 << 16 => {
                overlong.push(0x80 | 126);
                overlong.extend_from_slice(&(length as u16).to_be_bytes());
            }
            1 => {
                overlong.push(0x80 | 127);
                overlong.extend_from_slice(&length.to_be_bytes());
            }
            2 => return [&[first, payload.len().min(125) as u8], &payload[..]].concat(), // unmasked
            _ => return frame,
        }
        overlong.extend_from_slice(&mask);
        overlong.extend_from_slice(masked);
        overlong
    })
}
