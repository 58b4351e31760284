//! An error and what has caused it.

use std::error::Error;
use std::iter::successors;

/// An error, what has caused it, what has caused that, and so on.
pub fn error_chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// What an error says, and what has caused it, each after a colon; not what was said already.
pub fn error_report(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in error_chain(error).skip(1) {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Level(&'static str, Option<Box<Level>>);

    impl fmt::Display for Level {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Level {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn what_is_said_is_said_once() {
        let cause = Level("refused", Some(Box::new(Level("by the system", None))));
        assert_eq!(
            error_report(&Level("no connection", Some(Box::new(cause)))),
            "no connection: refused: by the system"
        );
        let again = Level("refused", None);
        assert_eq!(error_report(&Level("it was refused", Some(Box::new(again)))), "it was refused");
    }
}
