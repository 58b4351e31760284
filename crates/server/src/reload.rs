//! Taking over a configuration that has changed, without dropping a connection that may stay.

use std::path::PathBuf;

use config::{ConfigErrors, Reloaded};

use crate::node::Node;

/// How the configuration is read again: on SIGHUP, and when one of its files has changed.
pub struct Reload {
    /// Reads it.
    pub read: Box<dyn Fn() -> Result<Reloaded, ConfigErrors> + Send>,
    /// The files to watch.
    pub watched: Vec<PathBuf>,
}

/// Reads the configuration again and takes its apps over; on errors everything stays as it is. Apps
/// in a store are looked up anew.
pub(crate) fn reload(node: &Node, reload: &Reload) {
    let reloaded = match (reload.read)() {
        Ok(reloaded) => reloaded,
        Err(errors) => {
            return tracing::error!("the configuration is kept as it was:\n{errors}");
        }
    };
    for warning in &reloaded.warnings {
        tracing::warn!("{warning}");
    }
    if !reloaded.needs_restart.is_empty() {
        let keys = reloaded.needs_restart.join(", ");
        tracing::warn!("changed, but only taken over by a restart: {keys}");
    }
    if node.apps.are_in_store() {
        tracing::info!("the apps in use are looked up again");
        return node.apps.look_up_anew();
    }
    tracing::info!(apps = reloaded.apps.len(), "the apps are read again");
    node.apps.replace(reloaded.apps).into_iter().for_each(|gone| node.outside().close(gone));
    node.channels.send_withdrawn();
}
