//! `load cluster`: the page is written whatever can be measured, and what several nodes cost is
//! counted. The nodes of a floor do not know each other, so only one on its own can be measured on
//! it; the rest needs the server itself, if it has been built beside `load`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};
use support::LOAD;

const SIZES: &str =
    "--rounds 1 --seconds 0.3 --cycles 200 --rate 100 --channels 60 --subscribers 30";

fn folder(name: &str) -> PathBuf {
    env::temp_dir().join(format!("load-test-{name}-{}", std::process::id()))
}

fn cluster(server: &str, options: &str, out: &Path) -> Output {
    Command::new(LOAD)
        .args(["cluster", "--server", server, "--out"])
        .arg(out)
        .args(format!("{SIZES} {options}").split_whitespace())
        .output()
        .unwrap()
}

#[test]
fn a_node_on_its_own_is_measured_in_every_scenario() {
    let out = folder("alone");
    let output = cluster(&format!("{LOAD} floor --port $PORT"), "--adapters local", &out);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(out.join("scaling-figures.md")).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), page.trim());
    assert_eq!(page.matches("| 1 x local |").count(), 5, "{page}");
    assert_eq!(page.matches("| 1 x local, one thread |").count(), 1, "{page}");
    assert!(page.contains("No delivery was lost"), "{page}");
    let runs = fs::read_to_string(out.join("scaling-figures.json")).unwrap();
    let runs: Value = serde_json::from_str(&runs).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 6);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn nodes_that_do_not_start_are_reported() {
    let out = folder("broken");
    let output = cluster("false", "--only latency --adapters cluster", &out);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("2 runs failed"), "{output:?}");
    let page = fs::read_to_string(out.join("scaling-figures.md")).unwrap();
    assert!(page.contains("Latency, 2 x cluster: the server ended before"), "{page}");
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn several_nodes_are_held_to_their_bars() {
    let server = Path::new(LOAD).with_file_name("dunlin");
    if !server.exists() {
        println!("skipped: {} has not been built", server.display());
        return;
    }
    let out = folder("nodes");
    // Brokers need not be installed here.
    let options = "--adapters cluster --json";
    let output = cluster(&format!("{} start", server.display()), options, &out);
    let runs = support::json(&output);
    let of = |scenario: &str, contender: &str| {
        let fits = |run: &&Value| run["scenario"] == scenario && run["contender"] == contender;
        runs.as_array().unwrap().iter().find(fits).unwrap().clone()
    };
    assert_eq!(of("occupied", "2 x cluster")["cycles"], 200);
    assert!(of("interest", "4 x cluster, one thread")["cpu_us_per_publish"].as_f64() > Some(0.0));
    assert_eq!(of("sparse", "4 x cluster, one thread")["lost"], 0);
    assert_eq!(of("elsewhere", "2 x cluster, one thread")["lost"], 0);
    let fanout = of("fanout", "3 x cluster");
    assert_eq!(fanout["lost"], 0);
    assert_eq!(
        fanout["deliveries"].as_u64(),
        fanout["events"].as_u64().map(|events| events * 30),
        "{fanout}"
    );
    let page = fs::read_to_string(out.join("scaling-figures.md")).unwrap();
    let judged =
        page.lines().filter(|line| line.ends_with("met |") || line.ends_with("missed** |"));
    assert_eq!(judged.count(), 5, "{page}");
    fs::remove_dir_all(out).unwrap();
}
