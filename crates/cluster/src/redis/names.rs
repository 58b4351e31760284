//! What the channels are called.

use crate::Incarnation;
use crate::broker::To;

/// The names of one cluster's channels, as one node uses them.
pub(super) struct Names {
    prefix: String,
    /// Where everybody listens.
    pub(super) hello: String,
    /// Where only we listen.
    pub(super) inbox: String,
}

impl Names {
    pub(super) fn new(prefix: &str, me: Incarnation) -> Self {
        let prefix = format!("{prefix}dunlin:");
        Names { hello: format!("{prefix}hello"), inbox: format!("{prefix}node:{me}"), prefix }
    }

    pub(super) fn channel(&self, to: To) -> String {
        match to {
            To::Everybody => self.hello.clone(),
            To::Node(peer) => format!("{}node:{peer}", self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_begin_with_the_prefix() {
        let names = Names::new("a b:", Incarnation(0xab));
        assert_eq!(names.hello, "a b:dunlin:hello");
        assert_eq!(names.inbox, "a b:dunlin:node:00000000000000ab");
        assert_eq!(names.channel(To::Node(Incarnation(0xab))), names.inbox);
        assert_eq!(names.channel(To::Everybody), names.hello);
    }
}
