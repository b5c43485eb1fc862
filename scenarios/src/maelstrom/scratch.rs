//! A directory that is removed even when its owner is killed.
//!
//! The workbench ends its nodes by SIGKILL. The kernel then stops a node's server, but somebody has to
//! remove its data: a sweeper, the same program started with [`SWEEP`], which sees its input end.

use std::{
    env, fs,
    io::{self, Read},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use snowflake_testkit::{DEADLINE, processes_in, scratch, wait_for};
use tempfile::TempDir;

/// The option, followed by the directory, that makes a sweeper of a program: see [`sweep`].
pub const SWEEP: &str = "--sweep";

/// A directory that ends with this value, or with this process.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
    sweeper: Child,
}

impl Scratch {
    /// A new directory, which everybody can enter. The program that calls this has to know [`SWEEP`].
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("maelstrom-")
            .permissions(fs::Permissions::from_mode(0o711))
            .tempdir_in(scratch())
            .context("making a temporary directory")?;
        let mut command = Command::new(env::current_exe().context("looking for this program")?);
        command.arg(SWEEP).arg(directory.path()).current_dir("/");
        // Whoever waits for the end of this process's output must not wait for the sweeper.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C is for this process, which then ends its sweeper.
        let sweeper = command.process_group(0).spawn().context("starting the sweeper")?;
        Ok(Self { directory, sweeper })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        self.sweeper.wait().ok();
    }
}

/// What a sweeper does: waits for the end of its owner, which holds the other end of its standard
/// input, then for the processes in `directory`, and removes it.
pub fn sweep(directory: &Path) -> Result<()> {
    let expected = directory
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"maelstrom-"));
    if !expected {
        bail!("{} is not a directory to sweep", directory.display());
    }
    io::stdin().read_to_end(&mut Vec::new()).ok();
    // A server that is still there after that ends by itself once its files are gone.
    wait_for("the processes to end", DEADLINE, || Ok(processes_in(directory)?.is_empty())).ok();
    let mut last = Ok(());
    for _ in 0..50 {
        last = fs::remove_dir_all(directory);
        match &last {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Somebody made a file meanwhile.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
    last.with_context(|| format!("removing {}", directory.display()))
}
