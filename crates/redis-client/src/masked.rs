//! Options without their secrets, for logs.

/// What a log may show of a secret.
pub(crate) fn masked<T>(secret: &Option<T>) -> Option<&'static str> {
    secret.as_ref().map(|_| "***")
}
