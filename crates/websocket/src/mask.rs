//! Masking of RFC 6455 5.3, in place.

/// Bytes per step; the compiler makes vector instructions of the loop over them.
const WORD: usize = size_of::<u64>();

/// Masks or unmasks `bytes` with `key`, whose first byte belongs to the first of `bytes`.
pub(crate) fn apply(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<WORD>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= mask;
    }
}

/// The key for bytes that come `offset` bytes after the start of the payload.
pub(crate) fn rotate(mut key: [u8; 4], offset: usize) -> [u8; 4] {
    key.rotate_left(offset % 4);
    key
}
