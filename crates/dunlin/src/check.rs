//! `check-config`: the effective configuration, then what is worth saying or wrong.

use std::process::ExitCode;

use config::Sources;

use crate::exit::BAD_CONFIG;
use crate::output;

pub(crate) fn run(sources: &Sources) -> ExitCode {
    let loaded = match config::load(sources) {
        Ok(loaded) => loaded,
        Err(errors) => {
            output::errors(&errors);
            return ExitCode::from(BAD_CONFIG);
        }
    };
    output::print(&config::table(&loaded.provenance));
    output::warnings(&loaded.warnings);
    ExitCode::SUCCESS
}
