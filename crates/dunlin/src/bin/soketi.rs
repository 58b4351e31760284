//! The command `soketi`, the name that existing scripts call: it becomes the `dunlin` beside it, or
//! the one on the `PATH`. A program of its own and not a second copy, because linking the whole
//! server twice would double the time of a release build.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The exit code of a shell for a command that is not there.
const NOT_FOUND: u8 = 127;

fn main() -> ExitCode {
    let beside = beside();
    let found = beside.as_deref().filter(|path| path.exists());
    // Returns only if there was nothing to become: same process, same signals, same exit code.
    let error = Command::new(found.map_or("dunlin".as_ref(), OsStr::new))
        .args(std::env::args_os().skip(1))
        .exec();
    let tried = match (found, &beside) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(path)) => format!("not at {} and not on the PATH", path.display()),
        (None, None) => "not on the PATH".to_owned(),
    };
    eprintln!(
        "error: soketi is the program dunlin by another name, and dunlin cannot be started: {tried} ({error}); put both into one folder"
    );
    ExitCode::from(NOT_FOUND)
}

/// Where `dunlin` lies if it was installed with this program, also when a link led here.
fn beside() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.with_file_name("dunlin"))
}
