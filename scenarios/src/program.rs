//! Other programs.

use std::{env, ffi::OsStr, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use snowflake_testkit::run;

/// The version that a program prints when it is asked by `flag`.
pub fn version(program: impl AsRef<OsStr>, flag: &str) -> Result<String> {
    let text = run(Command::new(program).arg(flag))?;
    let number =
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let number = number.with_context(|| format!("no version in {text:?}"))?;
    // What follows is the distribution's.
    Ok(number.split('-').next().unwrap_or_default().to_owned())
}

/// Where a program of this workspace is, which is built beside this one: `name` is its path from the
/// folder of this program.
pub fn path(name: &str) -> Result<PathBuf> {
    let this = env::current_exe().context("looking for this program")?;
    let mut folder = this.parent().context("this program is in no folder")?;
    // Cargo puts tests one deeper.
    if folder.ends_with("deps") {
        folder = folder.parent().unwrap_or(folder);
    }
    let program = folder.join(name);
    ensure!(program.is_file(), "{} is not there; `make scenarios` builds it", program.display());
    Ok(program)
}
