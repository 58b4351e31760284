//! A process under callgrind, and what the operations that it does cost. It must not know what they
//! are.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{binaries, functions};

/// Every operation is counted so many times, and the least is taken: whatever a clock makes a
/// process do on the side can only add to it.
const ROUNDS: usize = 3;

/// What one operation costs.
pub(crate) struct Count {
    /// The operation's name.
    pub(crate) name: &'static str,
    /// Instructions of one of them.
    pub(crate) instructions: f64,
}

/// The counters of a process that runs under callgrind.
pub(crate) struct Counters {
    folder: PathBuf,
    name: &'static str,
    pid: u32,
    dumps: u32,
}

/// `program` under callgrind, not started yet, in an environment of its own. `name` is for its files.
pub(crate) fn command(program: &Path, name: &str) -> Result<Command> {
    let folder = profiles()?;
    let mut command = Command::new("valgrind");
    command
        .env_clear()
        .env("PATH", path())
        .args(["--quiet", "--tool=callgrind"])
        .arg(setting("--vgdb-prefix=", &folder.join("vgdb")))
        .arg(setting("--callgrind-out-file=", &folder.join(name)))
        .arg(program);
    Ok(command)
}

impl Counters {
    /// Those of the process `pid` that was started from [`command`] with this `name`.
    pub(crate) fn of(pid: u32, name: &'static str) -> Result<Self> {
        Ok(Self { folder: profiles()?, name, pid, dumps: 0 })
    }

    /// Counts `operation`, which makes the process do `name` once and waits until that is done. The
    /// profile is kept.
    pub(crate) fn count(
        &mut self,
        name: &'static str,
        repeats: u32,
        mut operation: impl FnMut() -> Result<()>,
    ) -> Result<Count> {
        self.count_all(name, repeats, |times| (0..times).try_for_each(|_| operation()))
    }

    /// The same with a function that makes the process do as many as it is given.
    pub(crate) fn count_all(
        &mut self,
        name: &'static str,
        repeats: u32,
        mut operations: impl FnMut(u32) -> Result<()>,
    ) -> Result<Count> {
        operations(repeats / 4 + 1).with_context(|| format!("{name} does not work"))?;
        let mut least = u64::MAX;
        for _ in 0..ROUNDS {
            fs::remove_file(self.dump()?)?;
            operations(repeats).with_context(|| format!("{name} does not work"))?;
            let dump = self.dump()?;
            let total = total(&dump)?;
            if total < least {
                least = total;
                fs::rename(dump, profile(name)?)?;
            } else {
                fs::remove_file(dump)?;
            }
        }
        let functions = functions::of_profile(&profile(name)?, repeats)?;
        fs::write(functions_of(name)?, functions::to_text(&functions))?;
        let instructions = least as f64 / f64::from(repeats);
        println!("{name:<24}{instructions:>10.0}");
        Ok(Count { name, instructions })
    }

    /// Writes what was counted since the last dump; the counters begin anew.
    fn dump(&mut self) -> Result<PathBuf> {
        let output = Command::new("vgdb")
            .arg(setting("--vgdb-prefix=", &self.folder.join("vgdb")))
            .arg(format!("--pid={}", self.pid))
            .arg("dump")
            // User and host are part of a file's name, so it must know as little of them.
            .env_clear()
            .env("PATH", path())
            .output()
            .context("cannot run vgdb, which comes with valgrind")?;
        self.dumps += 1;
        let file = self.folder.join(format!("{}.{}", self.name, self.dumps));
        if !output.status.success() || !file.exists() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("callgrind did not dump its counters, which needs ptrace: {}", said.trim());
        }
        Ok(file)
    }
}

/// Where the profiles are, which stay until the next run.
pub(crate) fn profiles() -> Result<PathBuf> {
    Ok(binaries::target()?.join("guard-profiles"))
}

/// The profile of an operation, as of the last run.
pub(crate) fn profile(operation: &str) -> Result<PathBuf> {
    Ok(profiles()?.join(format!("{operation}.out")))
}

/// The file with the functions in that profile, per operation.
pub(crate) fn functions_of(operation: &str) -> Result<PathBuf> {
    Ok(profiles()?.join(format!("{operation}.functions")))
}

/// Removes those of the last run.
pub(crate) fn clear_profiles() -> Result<()> {
    let folder = profiles()?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {folder:?}"))
}

/// Where programs are, all that a program's environment has from ours.
pub(crate) fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

fn setting(name: &str, path: &Path) -> OsString {
    let mut setting = OsString::from(name);
    setting.push(path);
    setting
}

/// All instructions of a profile.
fn total(profile: &Path) -> Result<u64> {
    let text = fs::read_to_string(profile).with_context(|| format!("cannot read {profile:?}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("summary: "));
    let total = line.with_context(|| format!("{profile:?} has no line \"summary:\""))?;
    total.trim().parse().with_context(|| format!("{profile:?}: {total:?} is no number"))
}
