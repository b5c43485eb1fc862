//! Making a data directory: fresh, or as a copy of a running server's.

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    node::{Node, PORT, SUPERUSER},
    program::{Installation, run},
    settings::Settings,
    shim::{Parts, Shim},
};

/// What a [`Node`] is to be; [`Builder::start`] makes it.
#[derive(Debug)]
pub struct Builder {
    name: String,
    settings: Settings,
    /// The server to copy, unless this is a new one.
    source: Option<Source>,
    shim: Parts,
    /// How far its clock is ahead of the system's, in nanoseconds.
    ahead: i64,
    group_access: bool,
    /// Where the server's own directory goes.
    parent: Option<PathBuf>,
    /// Who may connect over the network, as `pg_hba.conf` has it.
    peers: Option<String>,
}

#[derive(Debug)]
struct Source {
    socket_directory: PathBuf,
    port: String,
    role: Role,
}

/// What becomes of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It streams from the server that it is a copy of.
    Standby,
    /// It goes its own way from where it was copied.
    Clone,
    /// The same, of a server that is stopped.
    CloneOfStopped,
    /// It recovers from `restore_command`, up to the recovery target.
    Restored,
}

impl Builder {
    pub(crate) fn fresh(name: &str) -> Self {
        let mut settings = Settings::shared();
        settings.set("listen_addresses", "");
        settings.set("port", PORT);
        Self::new(name, settings, None)
    }

    pub(crate) fn copy_of(source: &Path, role: Role, name: &str, settings: Settings) -> Self {
        let port = settings.get("port").unwrap_or(PORT).to_owned();
        let source = Source { socket_directory: source.to_owned(), port, role };
        Self::new(name, settings, Some(source))
    }

    fn new(name: &str, settings: Settings, source: Option<Source>) -> Self {
        let shim = Parts::default();
        Self {
            name: name.to_owned(),
            settings,
            source,
            shim,
            ahead: 0,
            group_access: false,
            parent: None,
            peers: None,
        }
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

    /// Gives the server a wall clock of its own: [`Node::clock`].
    #[must_use]
    pub fn with_clock(mut self) -> Self {
        self.shim.clock = true;
        self
    }

    /// The same, ahead of the system's by this many nanoseconds from the start: a server that runs takes its time to
    /// believe in a step forward.
    #[must_use]
    pub fn clock_ahead(mut self, nanos: i64) -> Self {
        self.ahead = nanos;
        self.with_clock()
    }

    /// Gives the server a lease file that fails on demand ([`Node::faults`]) and of which is known
    /// what would survive a power cut ([`Node::history`]).
    #[must_use]
    pub fn with_faults(mut self) -> Self {
        self.shim.faults = true;
        self
    }

    /// Lets the group of the server's user read the data directory (`initdb --allow-group-access`).
    #[must_use]
    pub fn group_access(mut self) -> Self {
        self.group_access = true;
        self
    }

    /// Puts the server's own directory into `directory`, which the server's user can enter.
    #[must_use]
    pub fn home_in(mut self, directory: &Path) -> Self {
        self.parent = Some(directory.to_owned());
        self
    }

    /// Lets the server also listen at `address` for everyone in the network `peers` (such as
    /// `10.0.0.0/24`), who needs no password. Its socket has the same port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr, peers: &str) -> Self {
        self.settings.set("listen_addresses", &address.ip().to_string());
        self.settings.set("port", &address.port().to_string());
        self.peers = Some(peers.to_owned());
        self
    }

    /// Makes the data directory and starts the server; returns when it accepts connections.
    pub fn start(self) -> Result<Node> {
        let mut node = self.make()?;
        node.start()?;
        Ok(node)
    }

    /// Makes the data directory, for a server that is to be started later.
    pub fn make(mut self) -> Result<Node> {
        let installation = Installation::find()?;
        let home = make_home_in(self.parent.take().unwrap_or_else(scratch), &installation)?;
        let data = home.path().join("data");
        let made = match &self.source {
            None => fresh(&installation, &data, self.group_access),
            Some(Source { socket_directory: home, role: Role::CloneOfStopped, .. }) => {
                copy(&installation, &home.join("data"), &data)
            }
            Some(source) => base_backup(&installation, source, &data),
        };
        made.with_context(|| format!("making the data directory of node {}", self.name))?;
        if let Some(peers) = &self.peers {
            admit(peers, &data)?;
        }
        let socket_directory = home.path().to_string_lossy();
        self.settings.set("unix_socket_directories", &socket_directory);
        let shim = Shim::install(self.shim, home.path(), &installation)?;
        if let Some(clock) = shim.as_ref().and_then(Shim::clock) {
            clock.set(self.ahead);
        }
        Ok(Node::new(self.name, installation, self.settings, shim, home))
    }
}

/// Where temporary directories go. In /tmp whatever TMPDIR says, because a socket's path has to stay
/// within 107 bytes; scripts that tidy up after a killed test name a directory of their own.
#[must_use]
pub fn scratch() -> PathBuf {
    let named = env::var_os("SNOWFLAKE_SCRATCH").filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "/tmp".into()).into()
}

/// A private directory, where temporary directories go.
pub fn private_directory() -> Result<TempDir> {
    private_directory_in(scratch())
}

/// The same, for the server's user.
pub fn make_home(installation: &Installation) -> Result<TempDir> {
    make_home_in(scratch(), installation)
}

fn make_home_in(parent: PathBuf, installation: &Installation) -> Result<TempDir> {
    let home = private_directory_in(parent)?;
    installation.give(home.path())?;
    Ok(home)
}

fn private_directory_in(parent: PathBuf) -> Result<TempDir> {
    let parent = fs::canonicalize(&parent).with_context(|| format!("looking for {parent:?}"))?;
    let mut directory = tempfile::Builder::new();
    let made = directory.prefix("snowflake-").tempdir_in(parent);
    made.context("making a temporary directory")
}

/// A fresh data directory: a copy of the one that `SNOWFLAKE_TEMPLATE` names, which is made where it is
/// missing. Servers that start as copies are quicker to make, by a second or two each.
fn fresh(installation: &Installation, data: &Path, group_access: bool) -> Result<()> {
    let named = env::var_os("SNOWFLAKE_TEMPLATE").filter(|name| !name.is_empty());
    let Some(template) = named.map(PathBuf::from).filter(|_| !group_access) else {
        return initdb(installation, data, group_access);
    };
    // One at a time, and not before it is whole.
    let lock = File::create(template.with_extension("lock")).context("locking the template")?;
    lock.lock().context("locking the template")?;
    if !template.exists() {
        let new = template.with_extension("new");
        if new.exists() {
            fs::remove_dir_all(&new).context("removing half a template")?;
        }
        initdb(installation, &new, false)?;
        fs::rename(new, &template).context("making the template")?;
    }
    drop(lock);
    copy(installation, &template, data)
}

fn copy(installation: &Installation, from: &Path, data: &Path) -> Result<()> {
    let mut copy = installation.as_server_user("cp");
    in_home_of(data, copy.arg("-a").arg(from).arg(data))
}

fn initdb(installation: &Installation, data: &Path, group_access: bool) -> Result<()> {
    let mut command = installation.server("initdb");
    command
        .args(["--encoding=UTF8", "--locale=C", "--auth=trust"])
        .args(["--no-sync", "--no-instructions", "--username", SUPERUSER])
        .arg("--pgdata")
        .arg(data);
    if group_access {
        command.arg("--allow-group-access");
    }
    if installation.major >= 18 {
        command.arg("--no-data-checksums");
    }
    in_home_of(data, &mut command)
}

fn base_backup(installation: &Installation, source: &Source, data: &Path) -> Result<()> {
    let mut command = installation.server("pg_basebackup");
    command
        .args(["--wal-method=stream", "--checkpoint=fast", "--no-sync"])
        .args(["--port", &source.port, "--username", SUPERUSER, "--host"])
        .arg(&source.socket_directory)
        .arg("--pgdata")
        .arg(data);
    if source.role == Role::Standby {
        command.arg("--write-recovery-conf");
    }
    in_home_of(data, &mut command)?;
    if source.role == Role::Restored {
        let signal = data.join("recovery.signal");
        File::create(&signal).with_context(|| format!("making {}", signal.display()))?;
        installation.give(&signal)?;
    }
    Ok(())
}

fn admit(peers: &str, data: &Path) -> Result<()> {
    let context = "admitting peers to the server";
    let mut file = File::options().append(true).open(data.join("pg_hba.conf")).context(context)?;
    writeln!(file, "host all all {peers} trust").context(context)
}

/// The server's user may not be allowed into the directory that this process is in.
fn in_home_of(data: &Path, command: &mut std::process::Command) -> Result<()> {
    if let Some(home) = data.parent() {
        command.current_dir(home);
    }
    run(command).map(drop)
}
