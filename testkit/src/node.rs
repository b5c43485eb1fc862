//! One private PostgreSQL server.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context, Error, Result, anyhow, bail};
use nix::sys::signal::Signal;
use postgres::{Client, Config, NoTls};
use tempfile::TempDir;

use crate::{
    builder::{Builder, Role},
    explained::unexpected,
    poll::{DEADLINE, wait_for},
    process::{freeze, kill9_in, processes_in, send, spawn_tied},
    program::{Installation, show},
    settings::Settings,
    shim::{Clock, Faults, Shim},
};

pub(crate) const SUPERUSER: &str = "postgres";
/// A part of the socket's name, for servers that listen nowhere else.
pub(crate) const PORT: &str = "5432";

const LOG_TAIL: usize = 20;
const RELOADED: &str = "received SIGHUP, reloading configuration files";

/// A private, throw-away PostgreSQL server.
///
/// Its data, socket and log are in one temporary directory. Dropping the node stops the server and
/// removes the directory; when this process is killed, the kernel tells the server to stop.
#[derive(Debug)]
pub struct Node {
    name: String,
    installation: Installation,
    settings: Settings,
    shim: Option<Shim>,
    environment: BTreeMap<String, String>,
    postmaster: Option<Child>,
    home: TempDir,
}

impl Node {
    /// A new server with the settings of `pgrx-conf/postgresql.conf`.
    #[must_use]
    pub fn builder(name: &str) -> Builder {
        Builder::fresh(name)
    }

    /// A streaming standby of this server, with this server's settings unless changed.
    #[must_use]
    pub fn standby_builder(&self, name: &str) -> Builder {
        Builder::copy_of(self.home(), Role::Standby, name, self.settings.clone())
    }

    /// A copy of this server, which runs or was stopped cleanly, that goes its own way from now on, with
    /// this server's settings unless changed.
    #[must_use]
    pub fn clone_builder(&self, name: &str) -> Builder {
        let role = if self.postmaster.is_some() { Role::Clone } else { Role::CloneOfStopped };
        Builder::copy_of(self.home(), role, name, self.settings.clone())
    }

    /// A copy of this server that, once started, recovers from `restore_command` up to its recovery
    /// target.
    #[must_use]
    pub fn restored_builder(&self, name: &str) -> Builder {
        Builder::copy_of(self.home(), Role::Restored, name, self.settings.clone())
    }

    /// Makes and starts a streaming standby of this server.
    pub fn create_standby(&self, name: &str) -> Result<Self> {
        self.standby_builder(name).start().map_err(|error| self.with_log(error))
    }

    pub(crate) fn new(
        name: String,
        installation: Installation,
        settings: Settings,
        shim: Option<Shim>,
        home: TempDir,
    ) -> Self {
        let environment = BTreeMap::new();
        Self { name, installation, settings, shim, environment, postmaster: None, home }
    }

    /// Everything of this server is in here, its socket too.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home().join("data")
    }

    /// The postmaster's process id while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        i32::try_from(self.postmaster.as_ref()?.id()).ok()
    }

    /// The server's own wall clock.
    pub fn clock(&self) -> Result<&Clock> {
        let clock = self.shim.as_ref().and_then(Shim::clock);
        clock.with_context(|| format!("node {} has no clock of its own", self.name))
    }

    /// What goes wrong with the server's lease file.
    pub fn faults(&self) -> Result<&Faults> {
        let faults = self.shim.as_ref().and_then(|shim| shim.faults.as_ref());
        faults.with_context(|| format!("node {} was made without faults", self.name))
    }

    /// The server's major version.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        self.installation.major
    }
}

/// Settings. They reach the server with the next start, restart or reload.
impl Node {
    /// Changes a setting.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.settings.set(name, value);
        self
    }

    /// Gives the server an environment variable, from its next start on.
    pub fn set_environment(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Leaves a setting at PostgreSQL's default.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.settings.unset(name);
        self
    }

    /// Has the running server read its settings; sessions that start afterwards see them.
    pub fn reload(&self) -> Result<()> {
        self.write_settings()?;
        let reloads = || Ok::<_, Error>(self.log()?.matches(RELOADED).count());
        let before = reloads()?;
        send(self.running_pid()?, Signal::SIGHUP)?;
        wait_for("the reload", DEADLINE, || Ok(reloads()? > before))
            .map_err(|error| self.with_log(error))
    }

    fn write_settings(&self) -> Result<()> {
        let file = self.data().join("postgresql.conf");
        fs::write(&file, self.settings.to_string())
            .with_context(|| format!("writing {}", file.display()))
    }
}

/// Life and death.
impl Node {
    /// Starts the server; returns when it accepts connections.
    pub fn start(&mut self) -> Result<()> {
        self.try_start().map_err(|error| self.with_log(error))
    }

    fn try_start(&mut self) -> Result<()> {
        if self.postmaster.is_some() {
            bail!("node {} runs already", self.name);
        }
        self.write_settings()?;
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command = self.installation.server("postgres");
        command.arg("-D").arg(self.data()).current_dir(self.home());
        command.envs(self.shim.iter().flat_map(Shim::environment));
        command.envs(&self.environment);
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        let shown = show(&command);
        // SIGQUIT is PostgreSQL's immediate shutdown.
        let child = spawn_tied(command, Signal::SIGQUIT);
        self.postmaster = Some(child.with_context(|| format!("running {shown}"))?);
        wait_for(&format!("{shown} to accept connections"), DEADLINE, || {
            self.accepts_connections(&shown)
        })
    }

    /// Asks the lock file and not the server, because a connection that comes too early is logged.
    fn accepts_connections(&mut self, shown: &str) -> Result<bool> {
        let pid = self.running_pid()?;
        let postmaster = self.postmaster.as_mut();
        if let Some(status) = postmaster.and_then(|child| child.try_wait().transpose()) {
            self.postmaster = None;
            bail!("{shown} ended with {}", status?);
        }
        let lock = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = lock.lines().map(str::trim);
        let ours = lines.next() == Some(&pid.to_string());
        Ok(ours && lines.nth(6) == Some("ready"))
    }

    /// Stops the server cleanly, open sessions or not (`pg_ctl stop -m fast`).
    pub fn stop(&mut self) -> Result<()> {
        let status = self.end(Signal::SIGINT)?;
        if !status.success() {
            let error = anyhow!("the fast shutdown of node {} ended with {status}", self.name);
            return Err(self.with_log(error));
        }
        Ok(())
    }

    /// Stops the server without letting it write anything more (`pg_ctl stop -m immediate`).
    pub fn crash(&mut self) -> Result<()> {
        self.end(Signal::SIGQUIT).map(drop)
    }

    /// SIGKILL to every process of the server at once, as a power cut of the server alone.
    pub fn kill9_all(&mut self) -> Result<()> {
        self.running_pid()?;
        kill9_in(&self.data())?;
        self.end(Signal::SIGKILL).map(drop)
    }

    /// SIGKILL to one process of the server; returns when the postmaster has seen it, and restarts all
    /// the others. An error if the process ends before by itself.
    pub fn kill9_backend(&self, pid: i32) -> Result<()> {
        if !processes_in(&self.data())?.contains(&pid) {
            bail!("process {pid} is not of node {}", self.name);
        }
        freeze(pid)?;
        send(pid, Signal::SIGKILL)?;
        // Until then, sessions could still begin, to be ended with the others.
        let seen = format!("(PID {pid}) was terminated by signal 9");
        wait_for("the postmaster to see a process killed", DEADLINE, || {
            Ok(self.log()?.contains(&seen))
        })
    }

    /// A clean stop and a start, with the settings as they are now.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// Makes a primary of this standby; returns when it accepts writes.
    pub fn promote(&self) -> Result<()> {
        let seconds = i32::try_from(DEADLINE.as_secs())?;
        let promote = "SELECT pg_promote(true, $1)";
        let promoted: bool = self.connect("postgres")?.query_one(promote, &[&seconds])?.get(0);
        if !promoted {
            return Err(self.with_log(anyhow!("node {} was not promoted", self.name)));
        }
        Ok(())
    }

    fn running_pid(&self) -> Result<i32> {
        self.pid().with_context(|| format!("node {} does not run", self.name))
    }

    /// Sends `signal` to the postmaster and waits for its end.
    fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        send(self.running_pid()?, signal)?;
        let what = format!("node {} to end on {signal}", self.name);
        let mut status = None;
        let postmaster = &mut self.postmaster;
        let ended = wait_for(&what, DEADLINE, || {
            if let Some(child) = postmaster.as_mut() {
                status = child.try_wait()?;
            }
            Ok(status.is_some())
        });
        ended.map_err(|error| self.with_log(error))?;
        self.postmaster = None;
        status.with_context(|| what)
    }
}

/// Clients.
impl Node {
    /// The port of its socket, and of the address where it listens, if it does.
    fn port(&self) -> &str {
        self.settings.get("port").unwrap_or(PORT)
    }

    /// How the `postgres` crate reaches database `dbname`, to be refined by the caller.
    #[must_use]
    pub fn config(&self, dbname: &str) -> Config {
        let mut config = Config::new();
        config.host_path(self.home()).user(SUPERUSER).dbname(dbname);
        // It started with this one.
        config.port(self.port().parse().unwrap_or_default());
        config
    }

    /// A session in database `dbname`.
    pub fn connect(&self, dbname: &str) -> Result<Client> {
        self.config(dbname)
            .connect(NoTls)
            .with_context(|| format!("connecting to database {dbname} of node {}", self.name))
            .map_err(|error| self.with_log(error))
    }

    /// A session in database `dbname` as soon as there can be one, for a server that is recovering.
    pub fn connect_when_ready(&self, dbname: &str) -> Result<Client> {
        let mut client = None;
        wait_for("a session", DEADLINE, || {
            client = self.config(dbname).connect(NoTls).ok();
            Ok(client.is_some())
        })
        .map_err(|error| self.with_log(error))?;
        client.context("no session")
    }

    /// A client program of this PostgreSQL, such as `pg_dump`, that will find this server.
    #[must_use]
    pub fn client_program(&self, program: &str) -> Command {
        let mut command = self.installation.client(program);
        command.envs(self.client_environment());
        command
    }

    /// A program of this PostgreSQL that works on data directories, such as `pg_rewind`.
    #[must_use]
    pub fn server_program(&self, program: &str) -> Command {
        let mut command = self.installation.server(program);
        // Its user may not be allowed into the directory that this process is in.
        command.current_dir(self.home());
        command
    }

    /// The variables that lead PostgreSQL's client programs to this server.
    #[must_use]
    pub fn client_environment(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("PGHOST", self.home().to_owned()),
            ("PGPORT", self.port().into()),
            ("PGUSER", SUPERUSER.into()),
            ("PGDATABASE", SUPERUSER.into()),
            ("PGDATA", self.data()),
        ]
    }

    /// `psql` on this server, without the user's startup file.
    #[must_use]
    pub fn psql(&self, args: &[&str]) -> Command {
        let mut command = self.client_program("psql");
        command.arg("--no-psqlrc").args(args);
        command
    }

    /// Waits until this standby has replayed all that `primary` has written by now.
    pub fn wait_for_replay_of(&self, primary: &Self) -> Result<()> {
        let lsn: String = primary
            .connect("postgres")?
            .query_one("SELECT pg_current_wal_lsn()::text", &[])?
            .get(0);
        let mut standby = self.connect("postgres")?;
        let replayed = "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)";
        wait_for(&format!("the replay of {lsn}"), DEADLINE, || {
            Ok(standby.query_one(replayed, &[&lsn])?.get(0))
        })
        .map_err(|error| self.with_log(error))
    }
}

/// The log.
impl Node {
    /// All that the server has logged since it was made.
    pub fn log(&self) -> Result<String> {
        let bytes = fs::read(self.log_file()).context("reading the server's log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The lines at WARNING and above that neither the `allowed` texts explain nor what is explained
    /// on any server.
    pub fn unexpected_log_lines(&self, allowed: &[&str]) -> Result<Vec<String>> {
        Ok(unexpected(&self.log()?, allowed))
    }

    fn log_file(&self) -> PathBuf {
        self.home().join("log")
    }

    fn log_tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines.len().saturating_sub(LOG_TAIL);
        format!("the end of the log of node {}:\n{}", self.name, lines[tail..].join("\n"))
    }

    fn with_log(&self, error: Error) -> Error {
        anyhow!("{error:#}\n{}", self.log_tail())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        if self.postmaster.is_none() {
            return;
        }
        let ended = self.crash().or_else(|_| self.kill9_all());
        if let Err(error) = ended {
            eprintln!("node {} is not gone: {error:#}", self.name);
        }
    }
}
