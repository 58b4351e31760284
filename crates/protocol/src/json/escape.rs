//! Strings and numbers as JSON text. It must not know any frame or body.

/// For each byte: 0 if it stands for itself in a JSON string, else what follows the backslash.
const ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0x0c] = b'f';
    table[b'\r' as usize] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Appends `text` as the inside of a JSON string: escaped, without the quotes (RFC 8259 7).
pub fn escape_into(out: &mut Vec<u8>, text: &str) {
    escape_runs(out, text, |out, byte, letter| {
        out.extend_from_slice(&[b'\\', letter]);
        push_control(out, byte, letter);
    });
}

/// Appends `text` as the inside of a JSON string that itself stands inside a JSON string.
pub(crate) fn escape_twice_into(out: &mut Vec<u8>, text: &str) {
    escape_runs(out, text, |out, byte, letter| {
        out.extend_from_slice(b"\\\\");
        if matches!(letter, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(letter);
        push_control(out, byte, letter);
    });
}

/// Appends `text` as a JSON string literal, quotes included.
pub fn string_into(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape_into(out, text);
    out.push(b'"');
}

/// `text` as a JSON string literal, quotes included.
pub fn string_literal(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8 + 2);
    string_into(&mut out, text);
    // Escaping replaces ASCII by ASCII, so this never loses anything.
    String::from_utf8(out).unwrap_or_default()
}

/// Appends `number` in decimal.
pub(crate) fn number_into(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn escape_runs(out: &mut Vec<u8>, text: &str, mut escape: impl FnMut(&mut Vec<u8>, u8, u8)) {
    let bytes = text.as_bytes();
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let letter = ESCAPE[usize::from(byte)];
        if letter != 0 {
            out.extend_from_slice(&bytes[run..at]);
            escape(out, byte, letter);
            run = at + 1;
        }
    }
    out.extend_from_slice(&bytes[run..]);
}

fn push_control(out: &mut Vec<u8>, byte: u8, letter: u8) {
    if letter == b'u' {
        let low = b"0123456789abcdef"[usize::from(byte & 15)];
        out.extend_from_slice(&[b'0', b'0', b'0' + (byte >> 4), low]);
    }
}
