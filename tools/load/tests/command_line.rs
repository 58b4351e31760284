//! What the command line promises: a server is started and ended, errors say what is wrong, and
//! `compare` writes its page.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};
use support::{LOAD, json, load};

/// A folder that goes away with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("load-test-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_spawned_server_is_measured_and_ended() {
    let folder = Folder::new("spawn");
    let pid = folder.0.join("pid");
    let spawn = format!("sh -c 'echo $$ > {}; exec {LOAD} floor --port $PORT'", pid.display());
    let output = Command::new(LOAD)
        .args(["publish", "--seconds", "0.2", "--warmup", "0", "--json", "--spawn", &spawn])
        .output()
        .unwrap();
    let report = json(&output);
    assert_eq!(report["events"], report["deliveries"]);
    assert!(report["cpu_us_per_publish"].as_f64().is_some(), "{report}");
    let process = Path::new("/proc").join(folder.file("pid").trim());
    assert!(!process.exists(), "{} still runs", process.display());
}

#[test]
fn without_json_the_report_is_a_table() {
    let floor = support::Floor::start(&[]);
    let output = load(&format!("publish --seconds 0.1 --warmup 0 --url {}", floor.url));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with("publish\n"), "{table}");
    assert!(table.lines().any(|line| line.trim().starts_with("publishes per s")), "{table}");
}

#[test]
fn errors_say_what_is_wrong() {
    // Free a moment ago, and nobody listens there now.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = refusing_server("HTTP/1.1 404 Not Found\r\n\r\n");
    for (command, expected) in [
        ("fanout --payload 3", "--payload is 3"),
        ("fanout --in-flight 7", "--in-flight is 7"),
        ("fanout --rate 0", "--rate is 0"),
        ("idle --url nonsense", "use host:port[/prefix]"),
        ("publish --seconds -1", ""),
        (&format!("publish --url {closed}"), "efused"),
        (&format!("publish --url {refused}"), "the upgrade was refused: HTTP/1.1 404"),
        ("publish --spawn false", "ended before it accepted"),
    ] {
        let output = load(command);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{command} should fail");
        assert!(errors.contains(expected), "{command}: {errors}");
    }
}

/// A server that answers every connection with the same bytes; ends with the test process.
fn refusing_server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address.to_string()
}

#[test]
fn compare_writes_page_plot_and_figures() {
    let folder = Folder::new("compare");
    let sizes = "--rounds 1 --seconds 0.2 --subscribers 20 --rate 50 --cycles 50 \
                 --idle-connections 50 --idle-seconds 0.2 --channels 100 --channel-connections 5 \
                 --starts 2";
    let server = format!("{LOAD} floor --coalesce --port $PORT");
    let output = Command::new(LOAD)
        .args(["compare", "--name", "rival & co", "--server", &server, "--out"])
        .arg(&folder.0)
        .args(sizes.split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");

    let page = folder.file("benchmarks.md");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), page.trim());
    let judged =
        page.lines().filter(|line| line.ends_with("met |") || line.ends_with("missed** |"));
    assert_eq!(judged.count(), 12, "{page}");
    assert!(page.contains("No delivery was lost"), "{page}");
    let plot = folder.file("benchmarks.svg");
    assert!(plot.starts_with("<svg") && plot.contains("rival &amp; co"), "{plot}");

    // Three scenarios on three servers, four on two.
    let runs: serde_json::Value = serde_json::from_str(&folder.file("benchmarks.json")).unwrap();
    let runs = runs.as_array().unwrap();
    assert_eq!(runs.len(), 3 * 3 + 4 * 2);
    let order: Vec<_> = runs.iter().take(4).map(|run| run["contender"].as_str().unwrap()).collect();
    assert_eq!(order, ["floor", "floor, coalescing", "rival & co", "floor"]);
}

#[test]
fn compare_reports_a_server_that_does_not_start() {
    let folder = Folder::new("broken");
    let out = folder.0.display();
    let output =
        load(&format!("compare --server false --rounds 1 --only start --starts 1 --out {out}"));
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 runs failed"), "{output:?}");
    assert!(folder.file("benchmarks.md").contains("ended before it accepted"));
}
