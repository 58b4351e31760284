//! JSON text: escaping on the way out, borrowing on the way in.
//! It must not know any frame or body.

mod escape;
mod read;

pub use escape::{escape_into, string_into, string_literal};
pub(crate) use escape::{escape_twice_into, number_into};
pub(crate) use read::{Raw, Text, array, object, reason};
