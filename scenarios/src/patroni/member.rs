//! One member: a Patroni, the PostgreSQL that it runs, and that server's own wall clock.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use postgres::{Client, Config, NoTls};
use snowflake_testkit::{
    DEADLINE, Installation, Tied, interrupt, kill9_in,
    shim::{Clock, Shim},
};

use super::configuration::{self, Places};

/// One of the three.
#[derive(Debug)]
pub struct Member {
    name: String,
    home: PathBuf,
    installation: Installation,
    shim: Shim,
    places: Places,
    patroni: Option<Tied>,
}

impl Member {
    /// Makes member number `number`, with its directory in `home`.
    pub fn make(
        number: usize,
        machine_id: u32,
        is_synchronous: bool,
        home: &Path,
        places: Places,
        installation: &Installation,
    ) -> Result<Self> {
        let name = format!("member{number}");
        let home = home.join(&name);
        fs::create_dir(&home).context("making a member's directory")?;
        installation.give(&home)?;
        let shim = Shim::with_clock(&home, installation)?;
        configuration::link_programs(&home, installation, &shim)?;
        configuration::write(&home, &name, machine_id, is_synchronous, &places)?;
        let installation = installation.clone();
        Ok(Self { name, home, installation, shim, places, patroni: None })
    }

    /// What Patroni calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its PostgreSQL listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.places.server
    }

    /// Where its Patroni's REST API listens.
    #[must_use]
    pub fn api(&self) -> SocketAddr {
        self.places.api
    }

    /// Whether it has been started, and not killed since.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.patroni.is_some()
    }

    /// The wall clock of its PostgreSQL.
    pub fn clock(&self) -> Result<&Clock> {
        self.shim.clock().context("every member has a clock")
    }

    /// Starts its Patroni, which starts PostgreSQL in its own time.
    pub fn start(&mut self) -> Result<()> {
        ensure!(!self.is_up(), "member {} runs already", self.name);
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command = self.installation.as_server_user("patroni");
        command
            .arg(configuration::FILE)
            .env("HOME", &self.home)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let start = Tied::start(command);
        self.patroni = Some(start.context("Patroni, which `tools/setup scenarios` installs")?);
        Ok(())
    }

    /// SIGKILL to its Patroni and to every process of its PostgreSQL, at once.
    pub fn kill9(&mut self) -> Result<()> {
        ensure!(self.is_up(), "member {} does not run", self.name);
        kill9_in(&self.home)?;
        self.patroni = None;
        Ok(())
    }

    /// How the `postgres` crate reaches its PostgreSQL.
    #[must_use]
    pub fn config(&self) -> Config {
        configuration::client([self.address()])
    }

    /// A session, whether it leads or follows, as soon as there can be one.
    pub fn connect(&self) -> Result<Client> {
        connect(&self.config(), &self.name)
    }

    /// All that its Patroni and its PostgreSQL have logged.
    pub fn log(&self) -> Result<String> {
        let bytes = fs::read(self.log_file()).context("reading a member's log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn log_file(&self) -> PathBuf {
        self.home.join("log")
    }
}

/// Every try is a short one: see [`configuration::client`].
pub fn connect(config: &Config, whom: &str) -> Result<Client> {
    let mut client = None;
    interrupt::wait_for(&format!("a session with {whom}"), DEADLINE, || {
        client = config.connect(NoTls).ok();
        Ok(client.is_some())
    })?;
    client.context("no session")
}
