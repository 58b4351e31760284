//! What subjects are called.
//!
//! A prefix stays as it is if it can, and what cannot is encoded, as the [module](super) tells. So
//! two prefixes never make the same subject.

use std::fmt::Write;

use async_nats::Subject;

use crate::Incarnation;

/// The subjects of one deployment.
pub(super) struct Subjects {
    prefix: String,
    hello: Subject,
}

impl Subjects {
    pub(super) fn new(prefix: &str) -> Self {
        let prefix = legal(prefix);
        let hello = format!("{prefix}dunlin.hello").into();
        Subjects { prefix, hello }
    }

    /// Where all nodes say hello.
    pub(super) fn hello(&self) -> Subject {
        self.hello.clone()
    }

    /// The inbox of one node.
    pub(super) fn node(&self, node: Incarnation) -> Subject {
        format!("{}dunlin.node.{node}", self.prefix).into()
    }
}

/// A prefix that subjects can begin with, a different one for each that is given.
fn legal(prefix: &str) -> String {
    let mut out = String::with_capacity(prefix.len());
    for byte in prefix.bytes() {
        let empty_level = byte == b'.' && (out.is_empty() || out.ends_with('.'));
        if byte.is_ascii_graphic() && !b"*>%$".contains(&byte) && !empty_level {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefixes_that_are_legal_stay() {
        for prefix in ["", "prod", "prod.", "a.b.", "a-b_c:d/"] {
            let subjects = Subjects::new(prefix);
            assert_eq!(subjects.hello().as_str(), format!("{prefix}dunlin.hello"));
            let inbox = format!("{prefix}dunlin.node.000000000000002a");
            assert_eq!(subjects.node(Incarnation(42)).as_str(), inbox);
        }
    }

    #[test]
    fn what_is_not_legal_is_encoded() {
        let all =
            [(".", "%2e"), ("a..b.", "a.%2eb."), ("$SYS.", "%24SYS."), ("ü *", "%c3%bc%20%2a")];
        for (prefix, encoded) in all {
            assert_eq!(legal(prefix), encoded);
        }
    }

    proptest! {
        #[test]
        fn every_prefix_makes_legal_subjects_of_its_own(one in ".{0,9}", other in "[.%a*]{0,4}") {
            let subjects = [&one, &other].map(|prefix| Subjects::new(prefix));
            prop_assert!(subjects.iter().all(|subjects| subjects.hello().is_valid()));
            prop_assert!(subjects.iter().all(|subjects| subjects.node(Incarnation(1)).is_valid()));
            prop_assert_eq!(one == other, legal(&one) == legal(&other));
        }
    }
}
