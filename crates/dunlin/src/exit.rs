//! Exit codes that the system has no name for.

/// The exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits.h).
pub(crate) const BAD_CONFIG: u8 = 78;
