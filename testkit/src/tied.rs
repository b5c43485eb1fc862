//! Programs other than PostgreSQL that a system needs, and that end with this process.

use std::{
    process::{Child, Command},
    thread,
};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use crate::{process::spawn_tied, program::show};

/// A running program. It is killed when this is dropped, and by the kernel when this process dies.
#[derive(Debug)]
pub struct Tied {
    shown: String,
    child: Child,
}

impl Tied {
    /// Starts the program, which must stay in the foreground.
    pub fn start(command: Command) -> Result<Self> {
        let shown = show(&command);
        let child = spawn_tied(command, Signal::SIGKILL);
        let child = child.with_context(|| format!("running {shown}"))?;
        Ok(Self { shown, child })
    }

    /// An error once it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended with {status}", self.shown),
            None => Ok(()),
        }
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended
            && !thread::panicking()
        {
            eprintln!("{} is not gone: {error}", self.shown);
        }
    }
}
