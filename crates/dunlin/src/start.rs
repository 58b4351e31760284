//! `start`: configuration, logging, server.

use std::process::ExitCode;

use config::{Reloader, Sources};
use server::Reload;

use crate::exit::BAD_CONFIG;
use crate::{logging, output, serve};

pub(crate) fn run(sources: Sources) -> ExitCode {
    let loaded = match config::load(&sources) {
        Ok(loaded) => loaded,
        Err(errors) => {
            output::errors(&errors);
            return ExitCode::from(BAD_CONFIG);
        }
    };
    output::warnings(&loaded.warnings);
    logging::init(&loaded.config);
    let watched = sources.config_file.iter().cloned().collect();
    let reloader = Reloader::new(sources, &loaded);
    let reload = Reload { read: Box::new(move || reloader.reload()), watched };
    match serve::serve(loaded.config, reload) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}
