//! What a server answers, in RESP2, read without ever holding more than one reply.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt};

/// The longest line; error texts and numbers are lines.
const MAX_LINE: u64 = 64 << 10;
/// The longest string, as in Redis by default.
const MAX_BULK: usize = 512 << 20;
/// The most elements of an array.
const MAX_ARRAY: usize = 1 << 20;
/// How deep arrays may lie in each other; `CLUSTER SLOTS` has four levels.
const MAX_DEPTH: usize = 8;
/// No more than this is allocated before it has come.
const MAX_PREALLOCATED: usize = 1 << 20;

/// One answer of a server, or one message that it pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A short text such as `OK`.
    Status(String),
    /// The command was refused.
    Error(String),
    /// A number.
    Integer(i64),
    /// A string of any bytes; none if there is nothing.
    Bulk(Option<Bytes>),
    /// Several replies.
    Array(Vec<Reply>),
}

impl Reply {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Reply::Status(text) => Some(text),
            Reply::Bulk(Some(bytes)) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The elements; none if it is no array.
    pub fn elements(&self) -> &[Reply] {
        match self {
            Reply::Array(elements) => elements,
            _ => &[],
        }
    }
}

/// Reads the next reply. If this is dropped before it is done, the connection is of no use.
pub(crate) async fn read<R: AsyncBufRead + Unpin>(from: &mut R) -> io::Result<Reply> {
    let mut line = Vec::new();
    // The arrays that are not complete, outermost first, with how many elements are missing.
    let mut open: Vec<(Vec<Reply>, usize)> = Vec::new();
    loop {
        let mut reply = match read_line(from, &mut line).await? {
            (b'+', text) => Reply::Status(String::from_utf8_lossy(text).into_owned()),
            (b'-', text) => Reply::Error(String::from_utf8_lossy(text).into_owned()),
            (b':', text) => Reply::Integer(number(text)?),
            (b'$', text) => match length(text, MAX_BULK)? {
                None => Reply::Bulk(None),
                Some(length) => Reply::Bulk(Some(read_bulk(from, length).await?)),
            },
            (b'*', text) => match length(text, MAX_ARRAY)? {
                None => Reply::Bulk(None),
                Some(0) => Reply::Array(Vec::new()),
                Some(_) if open.len() == MAX_DEPTH => {
                    return Err(malformed(format!("arrays deeper than {MAX_DEPTH}")));
                }
                Some(length) => {
                    open.push((Vec::with_capacity(length.min(64)), length));
                    continue;
                }
            },
            (other, _) => {
                return Err(malformed(format!("a reply that begins with byte {other:#04x}")));
            }
        };
        loop {
            let Some((elements, missing)) = open.last_mut() else { return Ok(reply) };
            elements.push(reply);
            *missing -= 1;
            if *missing > 0 {
                break;
            }
            reply = Reply::Array(open.pop().map(|(elements, _)| elements).unwrap_or_default());
        }
    }
}

/// The first byte of a line and the rest of it without its end.
async fn read_line<'a, R: AsyncBufRead + Unpin>(
    from: &mut R,
    line: &'a mut Vec<u8>,
) -> io::Result<(u8, &'a [u8])> {
    line.clear();
    let read = AsyncReadExt::take(&mut *from, MAX_LINE).read_until(b'\n', line).await?;
    if read == 0 {
        return Err(closed());
    }
    match line.as_slice() {
        [kind, text @ .., b'\r', b'\n'] => Ok((*kind, text)),
        _ if read as u64 == MAX_LINE => Err(malformed(format!("a line over {MAX_LINE} bytes"))),
        [.., b'\n'] => Err(malformed("a line that does not end with CR LF".into())),
        _ => Err(closed()),
    }
}

async fn read_bulk<R: AsyncRead + Unpin>(from: &mut R, length: usize) -> io::Result<Bytes> {
    let mut bytes = BytesMut::with_capacity((length + 2).min(MAX_PREALLOCATED));
    while bytes.len() < length + 2 {
        let missing = length + 2 - bytes.len();
        // Room that is there is filled first; more of it would be moved for every few bytes.
        if bytes.len() == bytes.capacity() {
            bytes.reserve(missing.min(MAX_PREALLOCATED));
        }
        if from.take(missing as u64).read_buf(&mut bytes).await? == 0 {
            return Err(closed());
        }
    }
    if bytes[length..] != *b"\r\n" {
        return Err(malformed("a string that does not end with CR LF".into()));
    }
    bytes.truncate(length);
    Ok(bytes.freeze())
}

fn number(text: &[u8]) -> io::Result<i64> {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| malformed(format!("{:?} is no number", String::from_utf8_lossy(text))))
}

/// A length up to a limit; none for the -1 that stands for nothing.
fn length(text: &[u8], max: usize) -> io::Result<Option<usize>> {
    match number(text)? {
        -1 => Ok(None),
        length => match usize::try_from(length) {
            Ok(length) if length <= max => Ok(Some(length)),
            _ => Err(malformed(format!("a length of {length}, at most {max} is allowed"))),
        },
    }
}

fn malformed(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it does not speak RESP2: {what}"))
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn all(bytes: &[u8]) -> Vec<io::Result<Reply>> {
        let mut from = BufReader::with_capacity(7, bytes);
        let mut replies = Vec::new();
        loop {
            let reply = read(&mut from).await;
            let ended = reply.is_err();
            replies.push(reply);
            if ended {
                return replies;
            }
        }
    }

    fn bulk(text: &'static str) -> Reply {
        Reply::Bulk(Some(text.into()))
    }

    #[tokio::test]
    async fn replies_of_all_kinds_come_one_after_the_other() {
        let bytes = b"+OK\r\n-ERR no\r\n:-12\r\n$5\r\na\r\nbc\r\n$-1\r\n*-1\r\n*0\r\n\
            *3\r\n:1\r\n*2\r\n$0\r\n\r\n*1\r\n+x\r\n$1\r\ny\r\n";
        let replies = all(bytes).await;
        let nested = Reply::Array(vec![bulk(""), Reply::Array(vec![Reply::Status("x".into())])]);
        let expected = [
            Reply::Status("OK".into()),
            Reply::Error("ERR no".into()),
            Reply::Integer(-12),
            bulk("a\r\nbc"),
            Reply::Bulk(None),
            Reply::Bulk(None),
            Reply::Array(vec![]),
            Reply::Array(vec![Reply::Integer(1), nested, bulk("y")]),
        ];
        let good: Vec<_> = replies.iter().filter_map(|reply| reply.as_ref().ok()).collect();
        assert_eq!(good, expected.iter().collect::<Vec<_>>());
        let end = replies.last().unwrap().as_ref().unwrap_err();
        assert_eq!(end.to_string(), "the server closed the connection");
    }

    #[tokio::test]
    async fn what_is_no_reply_is_refused() {
        let deep = b"*1\r\n".repeat(9);
        let long = vec![b'+'; 70_000];
        let cases: [(&[u8], &str); 10] = [
            (b"hello\r\n", "begins with byte 0x68"),
            (b":1x\r\n", "\"1x\" is no number"),
            (b"+OK\n", "end with CR LF"),
            (b"$3\r\nabcde\r\n", "end with CR LF"),
            (b"$-2\r\n", "a length of -2"),
            (b"$999999999999\r\n", "a length of 999999999999"),
            (b"$100\r\nabc", "closed"),
            (b"+OK", "closed"),
            (&deep, "deeper than 8"),
            (&long, "a line over 65536 bytes"),
        ];
        for (bytes, expected) in cases {
            let replies = all(bytes).await;
            let told = replies[0].as_ref().unwrap_err().to_string();
            assert!(told.contains(expected), "{told:?} does not say {expected:?}");
        }
    }

    #[tokio::test]
    async fn long_strings_come_whole() {
        let text = "x".repeat(3 << 20);
        let bytes = format!("${}\r\n{text}\r\n", text.len());
        let replies = all(bytes.as_bytes()).await;
        assert!(replies[0].as_ref().unwrap().text() == Some(&text));
    }
}
