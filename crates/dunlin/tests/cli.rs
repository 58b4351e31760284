//! The commands as scripts call them: output and exit codes.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const DUNLIN: &str = env!("CARGO_BIN_EXE_dunlin");
const SOKETI: &str = env!("CARGO_BIN_EXE_soketi");
const BAD_CONFIG: i32 = 78;

/// A working directory that goes when this goes.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dunlin-cli-{}-{unique}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, program: &str, args: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.0).env_clear().envs(env.iter().copied());
        command
    }

    fn run(&self, program: &str, args: &[&str], env: &[(&str, &str)]) -> Run {
        Run::of(self.command(program, args, env).output().unwrap())
    }
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The words of the table's line for a key.
    fn line(&self, key: &str) -> String {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines = self.out.lines().map(words);
        lines.find(|line| line.trim_start_matches("* ").split(' ').next() == Some(key)).unwrap()
    }
}

#[test]
fn check_config_prints_values_and_sources() {
    let folder = Folder::new();
    folder.write(".env", "METRICS_ENABLED=true\n");
    let file = folder.write("c.json", r#"{"eventLimits": {"maxBatchSize": 3}, "port": 1}"#);
    let env = [("SOKETI_PORT", "7000"), ("DEFAULT_APP_SECRET", "hush")];
    for args in [["check-config", "--config", &file], ["check-config", "-c", &file]] {
        let run = folder.run(DUNLIN, &args, &env);
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
        assert_eq!(run.line("port"), "* port 7000 SOKETI_PORT");
        assert_eq!(run.line("metrics.enabled"), "* metrics.enabled true METRICS_ENABLED in ./.env");
        assert_eq!(
            run.line("eventLimits.maxBatchSize"),
            format!("* eventLimits.maxBatchSize 3 {file}")
        );
        assert_eq!(run.line("activityTimeout"), "activityTimeout 30 default");
        assert!(!run.out.contains("hush") && run.out.contains("****"));
    }
}

#[test]
fn both_commands_are_the_same() {
    let folder = Folder::new();
    let runs = [DUNLIN, SOKETI].map(|program| folder.run(program, &["check-config"], &[]));
    assert_eq!(runs[0].out, runs[1].out);
    assert_eq!(runs.map(|run| run.code), [Some(0), Some(0)]);
}

/// Copies a program. Not in this process: what it writes may be inherited by a command of another
/// test for a moment, and the system does not run a file that somebody writes to.
fn copy(program: &str, to: &std::path::Path) {
    assert!(Command::new("cp").arg(program).arg(to).status().unwrap().success());
}

#[test]
fn soketi_alone_says_what_it_looked_for() {
    let folder = Folder::new();
    let alone = folder.0.join("soketi");
    copy(SOKETI, &alone);
    let run = folder.run(alone.to_str().unwrap(), &["start"], &[("PATH", "/nowhere")]);
    assert_eq!((run.code, run.out.as_str()), (Some(127), ""));
    let beside = folder.0.join("dunlin");
    assert!(
        run.err.contains(&format!("not at {} and not on the PATH", beside.display())),
        "{}",
        run.err
    );
    // One that is there and cannot be run is another matter.
    folder.write("dunlin", "");
    let run = folder.run(alone.to_str().unwrap(), &["start"], &[("PATH", "/nowhere")]);
    assert_eq!(run.code, Some(127));
    let denied = format!("cannot be started: {} (Permission denied", beside.display());
    assert!(run.err.contains(&denied), "{}", run.err);
}

#[test]
fn soketi_finds_dunlin_through_a_link_and_on_the_path() {
    let folder = Folder::new();
    let (link, copied) = (folder.0.join("a-link"), folder.0.join("soketi"));
    std::os::unix::fs::symlink(SOKETI, &link).unwrap();
    copy(SOKETI, &copied);
    let path = PathBuf::from(DUNLIN).parent().unwrap().to_str().unwrap().to_owned();
    for (program, env) in [(link, vec![]), (copied, vec![("PATH", path.as_str())])] {
        let run = folder.run(program.to_str().unwrap(), &["--version"], &env);
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
        assert!(run.out.starts_with("dunlin "), "{}", run.out);
    }
}

/// "Nothing but the kernel and libc": what the dynamic linker has to find.
#[test]
fn the_program_asks_for_libraries_of_the_c_library_only() {
    let read = Command::new("readelf").args(["--dynamic", DUNLIN]).output().unwrap();
    let text = String::from_utf8(read.stdout).unwrap();
    let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
    let needed: Vec<_> = needed.filter_map(|line| line.split(['[', ']']).nth(1)).collect();
    assert!(needed.contains(&"libc.so.6"), "{text}");
    let of_libc =
        |name: &&str| ["libc.", "libm.", "ld-linux"].iter().any(|part| name.starts_with(part));
    assert!(needed.iter().all(of_libc), "{needed:?}");
}

#[test]
fn all_errors_are_printed_and_the_exit_code_is_78() {
    let folder = Folder::new();
    let file = folder.write("c.json", r#"{"prot": 1, "debug": "perhaps"}"#);
    let env = [("SOKETI_PORT", "x"), ("SOKETI_ADAPTOR_DRIVER", "redis")];
    for (program, command) in [(DUNLIN, "check-config"), (DUNLIN, "start"), (SOKETI, "start")] {
        let run = folder.run(program, &[command, &format!("--config={file}")], &env);
        assert_eq!((run.code, run.out.as_str()), (Some(BAD_CONFIG), ""));
        let mut lines: Vec<&str> = run.err.lines().collect();
        lines.sort();
        let expected = [
            format!("error: debug = \"perhaps\" (from {file}): must be true or false"),
            "error: port = \"x\" (from SOKETI_PORT): must be an integer between 0 and 65535".to_owned(),
            "error: unknown option SOKETI_ADAPTOR_DRIVER = \"redis\" (from SOKETI_ADAPTOR_DRIVER); \
             did you mean SOKETI_ADAPTER_DRIVER?"
                .to_owned(),
            format!("error: unknown option prot = 1 (from {file}); did you mean port?"),
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_worker_without_a_queue_is_refused() {
    let folder = Folder::new();
    let env = [("MODE", "worker"), ("DEFAULT_APP_SECRET", "s")];
    for command in ["start", "check-config"] {
        let run = folder.run(SOKETI, &[command], &env);
        assert_eq!(run.code, Some(BAD_CONFIG));
        assert!(
            run.err.starts_with("error: mode is worker and queue.driver is sync"),
            "{}",
            run.err
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::new();
    let run = folder.run(DUNLIN, &["start", "--config", "none.json"], &[]);
    assert_eq!(run.code, Some(BAD_CONFIG));
    assert!(run.err.starts_with("error: cannot read none.json: "), "{}", run.err);
}

#[test]
fn help_and_version() {
    let folder = Folder::new();
    let run = folder.run(DUNLIN, &["--help"], &[]);
    assert_eq!(run.code, Some(0));
    assert!(run.out.contains("start") && run.out.contains("check-config"));
    let run = folder.run(DUNLIN, &["--version"], &[]);
    assert_eq!((run.code, run.out), (Some(0), format!("dunlin {}\n", env!("CARGO_PKG_VERSION"))));
    for args in [&[][..], &["strat"], &["start", "--confg", "x"]] {
        let run = folder.run(DUNLIN, args, &[]);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{args:?}");
    }
}

/// `dunlin check-config | head -1` must not end in a panic.
#[test]
fn a_closed_pipe_is_no_panic() {
    let folder = Folder::new();
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for args in [&["check-config"][..], &["--help"]] {
        let mut command = folder.command(DUNLIN, args, &[("DEFAULT_APP_SECRET", "s")]);
        let output = command.stdout(closed()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(
            (output.status.code(), output.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{args:?}"
        );
    }
    let mut command = folder.command(DUNLIN, &["start"], &[("SOKETI_PORT", "x")]);
    let status = command.stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(BAD_CONFIG));
}
