//! Waiting, but not for ever.

use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long anything may take, on a machine that is busy with other tests.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A socket on which nobody waits for ever, and nothing waits for more to send.
pub(crate) fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    socket.set_write_timeout(Some(TEST_TIMEOUT)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Waits until a condition holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TEST_TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {TEST_TIMEOUT:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
