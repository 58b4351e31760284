//! One network namespace: made, entered and removed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace, until it is dropped.
pub(crate) struct Space {
    pub(crate) name: String,
}

impl Space {
    /// A new one, in which only loopback is up.
    ///
    /// # Errors
    /// Why this machine does not allow that.
    pub(crate) fn new() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Relaxed);
        let name = format!("dunlin-test-{}-{count}", std::process::id());
        run("ip", &["netns", "add", &name])?;
        let space = Space { name };
        space.ip("link set lo up");
        Ok(space)
    }

    /// Has `ip` do something in here; words are separated by spaces.
    pub(crate) fn ip(&self, words: &str) {
        let words = words.split(' ');
        let arguments: Vec<&str> = ["-n", &self.name].into_iter().chain(words).collect();
        run("ip", &arguments).unwrap();
    }

    /// Does something on a thread in here. A socket belongs to the namespace that it was made in,
    /// and can be used from everywhere.
    pub(crate) fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let space = File::open(format!("/run/netns/{}", self.name)).unwrap();
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(space.as_fd(), kind).unwrap();
                act()
            });
            inside.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// A command that runs in here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Processes that are started in here from now on ask this name server.
    pub(crate) fn set_name_server(&self, address: &str) {
        fs::create_dir_all(self.settings()).unwrap();
        let line = format!("nameserver {address}\noptions timeout:1\n");
        fs::write(self.settings().join("resolv.conf"), line).unwrap();
    }

    /// What lies in here replaces files of `/etc`.
    fn settings(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.name)
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = run("ip", &["netns", "del", &self.name]);
        if fs::remove_dir_all(self.settings()).is_ok() {
            // Unless it has others.
            let _ = fs::remove_dir("/etc/netns");
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let failed = |reason: String| format!("{program} {}: {reason}", arguments.join(" "));
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Says that a test is skipped, past the runner, which shows only what failed tests print.
pub(crate) fn skip(why: &str) {
    let name = thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(io::stderr(), "SKIPPED {name}: {why}");
}
