//! The other programs of this workspace, which are built beside this one.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, ensure};

/// Where a program is: `name` is its path from the folder of this program.
pub fn path(name: &str) -> Result<PathBuf> {
    let this = env::current_exe().context("looking for this program")?;
    let program = this.parent().context("this program is in no folder")?.join(name);
    ensure!(program.is_file(), "{} is not there; `make cluster` builds it", program.display());
    Ok(program)
}
