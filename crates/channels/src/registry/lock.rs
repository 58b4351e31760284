//! The locks of channels, as types: what has to happen under one takes [`Locked`], which nobody but
//! the registry can make; and what must not happen under one asks [`is_anything_locked`].

use std::cell::Cell;
use std::marker::PhantomData;

/// Proof that the lock of a channel's stripe is held, so that what is done now happens in the order
/// of decisions on that channel. It takes no space.
#[derive(Clone, Copy, Debug)]
pub struct Locked<'a>(PhantomData<&'a Held>);

/// Lives exactly as long as the lock.
#[derive(Debug)]
pub(super) struct Held(PhantomData<*const ()>);

thread_local! {
    /// How many stripes this thread has locked.
    static LOCKED: Cell<usize> = const { Cell::new(0) };
}

impl Held {
    /// To be called with the lock in the hand, and dropped before it.
    pub(super) fn new() -> Self {
        if cfg!(debug_assertions) {
            LOCKED.set(LOCKED.get() + 1);
            debug_assert_eq!(LOCKED.get(), 1, "one channel at a time: two could be one stripe");
        }
        Held(PhantomData)
    }

    pub(super) fn proof(&self) -> Locked<'_> {
        Locked(PhantomData)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            LOCKED.set(LOCKED.get() - 1);
        }
    }
}

/// Whether this thread holds the lock of a channel. Release builds do not count, and say no.
pub(crate) fn is_anything_locked() -> bool {
    cfg!(debug_assertions) && LOCKED.get() > 0
}
