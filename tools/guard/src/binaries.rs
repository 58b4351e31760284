//! The programs that are measured: built like a release, with the lines that their code came from,
//! and without the clients of stores and queues, which would be most of the build.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Where the programs are.
pub(crate) struct Binaries {
    /// The server.
    pub(crate) dunlin: PathBuf,
    /// `bin/pure` of this crate.
    pub(crate) pure: PathBuf,
}

impl Binaries {
    /// Builds both. Flags of the environment are not used: they would change the counts.
    pub(crate) fn build() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = target()?;
        let built = Command::new(cargo)
            .args(["build", "--locked", "--profile", "guard", "--no-default-features"])
            .args(["-p", "dunlin", "-p", "guard", "--bin", "dunlin", "--bin", "pure"])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .context("cannot run cargo")?;
        if !built.success() {
            bail!("what is to be measured does not build: {built}");
        }
        let folder = target.join("guard");
        Ok(Self { dunlin: folder.join("dunlin"), pure: folder.join("pure") })
    }
}

/// The target folder that this very program was built into.
pub(crate) fn target() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2);
    Ok(folder.with_context(|| format!("{own:?} is in no target folder"))?.to_owned())
}
