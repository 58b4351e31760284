//! Cutting echoed input to a sane length. It must not know what the text means.

/// The first `max_chars` characters of `text`.
pub(crate) fn clip(text: &str, max_chars: usize) -> &str {
    if text.len() <= max_chars {
        return text;
    }
    text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end])
}

/// Most characters of a peer's input that an error message repeats.
pub(crate) const ECHO: usize = 100;
