//! What clusters of different sizes cost: the real links and channels on a simulated network, with a
//! simulated clock, so the figures are the same on every machine. `docs/scale.md` has them.
//!
//! ```sh
//! UPDATE_DOCS=1 cargo test -p simulation --test scale -- --ignored   # writes them anew
//! ```

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod measure;
mod node;
mod page;
mod plot;
mod table;
mod world;

use std::sync::Mutex;

use peak_alloc::PeakAlloc;

use measure::{Figures, measure};

/// Counts the bytes that are allocated and not freed, as they were asked for.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Two clusters at a time would count each other's memory.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Numbers of nodes.
const SIZES: [usize; 4] = [4, 16, 64, 256];

fn figures(sizes: &[usize]) -> Vec<Figures> {
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    let measured = |nodes: &usize| {
        let figures = measure(*nodes);
        eprintln!("{figures:?}, at most {:.0} MiB", MEMORY.peak_usage_as_mb());
        figures
    };
    sizes.iter().map(measured).collect()
}

#[test]
fn small_clusters_cost_what_the_page_says() {
    let page = page::read();
    figures(&SIZES[..2]).iter().for_each(|figures| table::check(&page, figures));
}

/// Writes the page if it is asked to.
#[test]
#[ignore = "takes a quarter of an hour and 3 GiB"]
fn all_clusters_cost_what_the_page_says() {
    let all = figures(&SIZES);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        page::write(&table::draw(&all), &plot::draw(&all));
    }
    let page = page::read();
    all.iter().for_each(|figures| table::check(&page, figures));
}
