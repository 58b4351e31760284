//! What is done with the bytes of strangers by the fuzz targets, and by the property tests, which
//! are run with every other test. Each function panics if its property does not hold.

pub use crate::http::fuzzing::handshake_head;
pub use crate::net::fuzzing::proxy_header;

#[cfg(test)]
mod tests {
    use testkit::{CountingAllocator, HostileTarget};

    use super::*;

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator;

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const ASKS: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";

    #[test]
    fn heads_of_strangers() {
        let samples = [
            format!("GET /app/key?protocol=7&client=js HTTP/1.1\r\nHost: t\r\n{ASKS}{KEY}\r\n"),
            format!("GET /app HTTP/1.1\r\nHost: t\r\n{ASKS}{KEY}\r\nearly"),
            format!(
                "GET /app/a%20key/ HTTP/1.1\r\n{ASKS}{KEY}Origin: https://example.com\r\n\
                X-Forwarded-For: 192.0.2.7, 10.0.0.1\r\nx-forwarded-for: 10.0.0.2:80\r\n\r\n"
            ),
            format!("GET /app/key#top HTTP/1.1\r\n{ASKS}{KEY}\r\n"),
            format!("GET /app/a%20k<y HTTP/1.1\r\n{ASKS}{KEY}\r\n"),
            format!("GET /app/key HTTP/1.1\r\n{ASKS}{KEY}Content-Length: 5\r\n\r\nearly"),
            format!(
                "GET /app/key HTTP/1.1\r\n{ASKS}{KEY}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ];
        let target = HostileTarget {
            source_file: file!(),
            run: handshake_head,
            samples: &samples.map(String::into_bytes),
            // The buffers of hyper.
            at_most: 256 << 10,
            per_byte: 64,
        };
        target.withstands_strangers();
    }

    #[test]
    fn proxy_headers_of_strangers() {
        let v2 = |rest: &[u8]| [b"\r\n\r\n\0\r\nQUIT\n", rest].concat();
        let samples = [
            b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\nGET /".to_vec(),
            b"PROXY TCP6 2001:db8::7 ::1 1 65535\r\n".to_vec(),
            b"PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n".to_vec(),
            v2(&[0x21, 0x11, 0, 12, 192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 4, 1, 0xbb]),
            v2(&[&[0x21, 0x21, 0, 39][..], &[0x20; 36], &[4, 0, 0], b"\x16\x03\x01"].concat()),
            v2(&[0x20, 0, 0, 0]),
        ];
        let target = HostileTarget {
            source_file: file!(),
            run: proxy_header,
            samples: &samples,
            at_most: 4 << 10,
            per_byte: 16,
        };
        target.withstands_strangers();
    }
}
