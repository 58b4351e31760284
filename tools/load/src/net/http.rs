//! The little of HTTP/1.1 that a load generator and its reference server need: where a head ends
//! and how long the body is. It must not know what is said over it.

use memchr::memmem;

/// A response whose head and body are both there.
pub(crate) struct Response<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// The body; for a chunked response, with its chunk framing.
    pub(crate) body: &'a [u8],
    /// Bytes of the whole response.
    pub(crate) length: usize,
}

/// Bytes up to and with the empty line, `None` while it has not come.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// The value of the first header called `name`, whatever its case.
pub(crate) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        found.eq_ignore_ascii_case(name.as_bytes()).then_some(())?;
        Some(value.strip_prefix(b":")?.trim_ascii())
    })
}

/// The length that `head` announces for its body: 0 without a `Content-Length` that is a number.
pub(crate) fn content_length(head: &[u8]) -> usize {
    let value = header(head, "content-length").and_then(|value| std::str::from_utf8(value).ok());
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// The first response in `bytes`, `None` while a part is missing.
pub(crate) fn response(bytes: &[u8]) -> Option<Response<'_>> {
    let start = head_end(bytes)?;
    let head = &bytes[..start];
    let status = head.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    let chunked = header(head, "transfer-encoding").is_some();
    let length = if chunked {
        // Answers to a publish are a few bytes: the last chunk is the first empty one.
        start + memmem::find(&bytes[start..], b"0\r\n\r\n")? + 5
    } else {
        start.checked_add(content_length(head))?
    };
    Some(Response { status: status.unwrap_or(0), body: bytes.get(start..length)?, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_cut_where_they_end() {
        let two = b"HTTP/1.1 200 OK\r\ncontent-LENGTH:  2\r\n\r\n{}HTTP/1.1 401 No\r\n\r\n";
        let first = response(two).unwrap();
        assert_eq!((first.status, first.body), (200, b"{}".as_slice()));
        let second = response(&two[first.length..]).unwrap();
        assert_eq!((second.status, second.body.len()), (401, 0));
        assert!((0..first.length).all(|cut| response(&two[..cut]).is_none()));

        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nX";
        assert_eq!(response(chunked).unwrap().length, chunked.len() - 1);
    }
}
