//! Making a data directory: fresh, or as a copy of a running server's.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    node::{Node, PORT, SUPERUSER},
    program::{Installation, run},
    settings::Settings,
};

/// What a [`Node`] is to be; [`Builder::start`] makes it.
#[derive(Debug)]
pub struct Builder {
    name: String,
    settings: Settings,
    /// Socket directory of the server to clone.
    primary: Option<PathBuf>,
}

impl Builder {
    pub(crate) fn fresh(name: &str) -> Self {
        let mut settings = Settings::shared();
        settings.set("listen_addresses", "");
        settings.set("port", PORT);
        Self { name: name.to_owned(), settings, primary: None }
    }

    pub(crate) fn standby_of(primary: &Path, name: &str, settings: Settings) -> Self {
        Self { name: name.to_owned(), settings, primary: Some(primary.to_owned()) }
    }

    /// Gives the setting `name` another value than the shared list or the primary has.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.set(name, value);
        self
    }

    /// Leaves the setting `name` at PostgreSQL's default.
    #[must_use]
    pub fn unset(mut self, name: &str) -> Self {
        self.settings.unset(name);
        self
    }

    /// Makes the data directory and starts the server; returns when it accepts connections.
    pub fn start(mut self) -> Result<Node> {
        let installation = Installation::find()?;
        let home = make_home(&installation)?;
        let data = home.path().join("data");
        let made = match &self.primary {
            None => initdb(&installation, &data),
            Some(primary) => base_backup(&installation, primary, &data),
        };
        made.with_context(|| format!("making the data directory of node {}", self.name))?;
        let socket_directory = home.path().to_string_lossy();
        self.settings.set("unix_socket_directories", &socket_directory);
        let mut node = Node::new(self.name, installation, self.settings, home);
        node.start()?;
        Ok(node)
    }
}

/// A private directory. In /tmp whatever TMPDIR says, because a socket's path has to stay within
/// 107 bytes; scripts that tidy up after a killed test name a directory of their own.
fn make_home(installation: &Installation) -> Result<TempDir> {
    let named = env::var_os("SNOWFLAKE_SCRATCH").filter(|name| !name.is_empty());
    let parent = named.unwrap_or_else(|| "/tmp".into());
    let parent = fs::canonicalize(&parent).with_context(|| format!("looking for {parent:?}"))?;
    let home = tempfile::Builder::new()
        .prefix("snowflake-")
        .tempdir_in(parent)
        .context("making a temporary directory")?;
    installation.give(home.path())?;
    Ok(home)
}

fn initdb(installation: &Installation, data: &Path) -> Result<String> {
    let mut command = installation.server("initdb");
    command
        .args(["--encoding=UTF8", "--locale=C", "--auth=trust"])
        .args(["--no-sync", "--no-instructions", "--username", SUPERUSER])
        .arg("--pgdata")
        .arg(data);
    if installation.major >= 18 {
        command.arg("--no-data-checksums");
    }
    in_home_of(data, &mut command)
}

fn base_backup(installation: &Installation, primary: &Path, data: &Path) -> Result<String> {
    let mut command = installation.server("pg_basebackup");
    command
        .args(["--write-recovery-conf", "--wal-method=stream"])
        .args(["--checkpoint=fast", "--no-sync"])
        .args(["--port", PORT, "--username", SUPERUSER, "--host"])
        .arg(primary)
        .arg("--pgdata")
        .arg(data);
    in_home_of(data, &mut command)
}

/// The server's user may not be allowed into the directory that this process is in.
fn in_home_of(data: &Path, command: &mut std::process::Command) -> Result<String> {
    if let Some(home) = data.parent() {
        command.current_dir(home);
    }
    run(command)
}
