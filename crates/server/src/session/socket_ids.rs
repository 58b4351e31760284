//! Socket ids that nobody can guess (W6).

use std::cell::RefCell;

use protocol::socket_id::SocketId;

/// Random numbers of the system, fetched for this many ids at a time: asking for each alone is a
/// system call for every connection.
const IDS: usize = 64;

type Numbers = [[u8; 8]; 2];

thread_local! {
    static UNUSED: RefCell<Vec<Numbers>> = const { RefCell::new(Vec::new()) };
}

/// A new id, of 106 random bits.
///
/// # Panics
///
/// If the system has no random numbers: without them there are no safe ids, so no connections.
pub(crate) fn new_socket_id() -> SocketId {
    let numbers = UNUSED.with_borrow_mut(|unused| {
        unused.pop().unwrap_or_else(|| {
            unused.resize(IDS, Numbers::default());
            let bytes = unused.as_flattened_mut().as_flattened_mut();
            if let Err(error) = getrandom::fill(bytes) {
                unused.clear();
                panic!("the system has no random numbers: {error}");
            }
            unused.pop().unwrap_or_default()
        })
    });
    let [first, second] = numbers.map(u64::from_ne_bytes);
    SocketId::from_random(first, second)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_are_the_same_on_any_thread() {
        let batch = || (0..10 * IDS).map(|_| new_socket_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(batch)).collect();
        let ids = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let ids: HashSet<SocketId> = ids.chain(batch()).collect();
        assert_eq!(ids.len(), 5 * 10 * IDS);
        assert!(!ids.contains(&SocketId::from_random(0, 0)));
    }
}
