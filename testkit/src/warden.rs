//! Who cleans up after programs that start others: a process that outlives this one.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{builder::make_home, program::Installation};

/// A private directory for the server's user. When it is dropped, or this process ends in whatever way,
/// all processes that work in folders of the directory are ended, and it is removed.
#[derive(Debug)]
pub struct Warden {
    home: PathBuf,
    process: Child,
}

impl Warden {
    /// Makes the directory.
    pub fn engage(installation: &Installation) -> Result<Self> {
        let home = make_home(installation)?;
        let process = Command::new("sh")
            .args(["-c", include_str!("warden.sh"), "sh"])
            .arg(home.path())
            .current_dir("/")
            // Ctrl-C is for this process, and by its end for the warden.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("running sh, which is to clean up")?;
        Ok(Self { home: home.keep(), process })
    }

    /// The directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        // Closes its input, then waits.
        if let Err(error) = self.process.wait() {
            eprintln!("{} may not be gone: {error}", self.home.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        poll::{DEADLINE, wait_for},
        process::processes_in,
    };

    #[test]
    fn nothing_is_left_when_the_warden_is_dismissed() -> Result<()> {
        let installation = Installation::find()?;
        let warden = Warden::engage(&installation)?;
        let home = warden.home().to_owned();
        let work = home.join("member/data");
        fs::create_dir_all(&work)?;
        let mut stubborn = Command::new("sh");
        stubborn.args(["-c", "trap '' QUIT; while :; do sleep 0.1; done"]).current_dir(&work);
        let mut stubborn = stubborn.spawn()?;
        wait_for("the process", DEADLINE, || Ok(!processes_in(&work)?.is_empty()))?;
        drop(warden);
        assert!(!stubborn.wait()?.success());
        assert!(!home.exists());
        Ok(())
    }
}
