//! What has to be there to count, and which versions of it were used.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Fails if the CPU lacks what makes valgrind show the same one everywhere.
pub(crate) fn require() -> Result<()> {
    let cpu = fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    if !cpu.split_whitespace().any(|flag| flag == "avx2") {
        bail!("this CPU has no AVX2, so its counts could not be compared: use one that has");
    }
    version().map(drop)
}

/// The versions that counts depend on, on one line.
pub(crate) fn version() -> Result<String> {
    let compiler = said("rustc", "--version", "install Rust")?;
    let valgrind = said("valgrind", "--version", "install Debian's package valgrind")?;
    let libc = said("getconf", "GNU_LIBC_VERSION", "use a system with glibc")?;
    // "rustc 1.95.0 (59807616e 2026-04-14)"
    let compiler = compiler.split(" (").next().unwrap_or_default();
    Ok(format!("{compiler}, {valgrind}, {libc}"))
}

fn said(program: &str, argument: &str, otherwise: &str) -> Result<String> {
    let output = Command::new(program)
        .arg(argument)
        .output()
        .with_context(|| format!("cannot run {program}: {otherwise}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
