//! What is done with the bytes of a server by the fuzz target, and by the property test, which is
//! run with every other test.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redis::{Value, parse_redis_value};
use tokio::io::BufReader;

use crate::Reply;
use crate::reply::read;

/// Reads what a server sends, reply after reply. How the network chops it changes neither the
/// replies nor what is wrong, what was read is written and read again as the same, and the `redis`
/// crate, which has a reader of its own, says the same of it.
///
/// # Panics
/// That does not hold.
pub fn replies(stream: &[u8]) {
    let (replies, error) = read_all(stream, 64 << 10);
    for chunk in [1, 7] {
        let (chopped, why) = read_all(stream, chunk);
        assert_eq!((chopped, &why), (replies.clone(), &error), "in pieces of {chunk}");
    }
    let mut written = Vec::new();
    for reply in &replies {
        let begin = written.len();
        write(reply, &mut written);
        let other = parse_redis_value(&written[begin..]).expect("the redis crate reads it, too");
        assert!(same(reply, &other), "{reply:?} is {other:?}");
    }
    assert_eq!(read_all(&written, 64 << 10).0, replies);
}

/// Everything up to the first error, at most so many bytes at once; a stream always ends with one.
fn read_all(stream: &[u8], at_once: usize) -> (Vec<Reply>, String) {
    let mut from = BufReader::with_capacity(at_once, stream);
    let mut replies = Vec::new();
    loop {
        match pin!(read(&mut from)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(reply)) => replies.push(reply),
            Poll::Ready(Err(error)) => return (replies, error.to_string()),
            Poll::Pending => panic!("all of the stream is there"),
        }
    }
}

fn write(reply: &Reply, to: &mut Vec<u8>) {
    let line = |to: &mut Vec<u8>, kind: char, text: &str| {
        to.extend(format!("{kind}{text}\r\n").into_bytes());
    };
    match reply {
        Reply::Status(text) => line(to, '+', text),
        Reply::Error(text) => line(to, '-', text),
        Reply::Integer(number) => line(to, ':', &number.to_string()),
        Reply::Bulk(None) => line(to, '$', "-1"),
        Reply::Bulk(Some(bytes)) => {
            line(to, '$', &bytes.len().to_string());
            to.extend_from_slice(bytes);
            to.extend_from_slice(b"\r\n");
        }
        Reply::Array(elements) => {
            line(to, '*', &elements.len().to_string());
            elements.iter().for_each(|element| write(element, to));
        }
    }
}

fn same(ours: &Reply, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Reply::Status(text), Value::SimpleString(theirs)) => text == theirs,
        (Reply::Status(text), Value::Okay) => text == "OK",
        // It takes the error apart.
        (Reply::Error(_), Value::ServerError(_)) => true,
        (Reply::Integer(number), Value::Int(theirs)) => number == theirs,
        (Reply::Bulk(None), Value::Nil) => true,
        (Reply::Bulk(Some(bytes)), Value::BulkString(theirs)) => bytes == theirs,
        (Reply::Array(elements), Value::Array(theirs)) => {
            elements.len() == theirs.len()
                && elements.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use testkit::{CountingAllocator, HostileTarget};

    use super::*;

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    #[test]
    fn replies_of_strangers() {
        let samples = [
            &b"+OK\r\n-MOVED 3999 127.0.0.1:6381\r\n:-12\r\n$-1\r\n*-1\r\n*0\r\n"[..],
            b"*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$5\r\na\r\nbc\r\n",
            b"*2\r\n:0\r\n*3\r\n:5460\r\n*2\r\n$9\r\n127.0.0.1\r\n:7000\r\n*1\r\n*0\r\n",
            b"$12\r\n0123456789ab\r\n$0\r\n\r\n",
            b"$1048575\r\nthe beginning of a long string",
        ];
        let target = HostileTarget {
            source_file: file!(),
            run: replies,
            samples: &samples.map(<[u8]>::to_vec),
            // What is read at once, and room for the beginning of a long string.
            at_most: 2 << 20,
            per_byte: 300,
        };
        target.withstands_strangers();
    }
}
