//! HAProxy in front of servers, as a program of our own: no system service is touched.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use postgres::{Config, NoTls};
use snowflake_testkit::{DEADLINE, Tied, interrupt, private_directory};
use tempfile::TempDir;

use crate::program;

const USER: &str = "postgres";
/// Debian puts it where only root's PATH leads.
const PROGRAM: &str = "/usr/sbin/haproxy";

/// The check is PostgreSQL's own handshake, because a server that is starting or shutting down
/// accepts connections only to refuse them. A connection that fails goes to another server at once. A
/// server that is stopped says so; the timeouts are for a machine that is busy.
const SETTINGS: &str = "
global
    maxconn 200
defaults
    mode tcp
    balance leastconn
    timeout connect 30s
    timeout check 30s
    timeout client 10m
    timeout server 10m
    retries 3
    option redispatch 1
    default-server inter 200ms fall 2 rise 2 on-marked-down shutdown-sessions
listen servers
    option pgsql-check user postgres
";

/// A running HAProxy.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    home: TempDir,
    program: Tied,
}

impl Balancer {
    /// Listens for the servers, in their order; returns when it leads to one of them.
    pub fn start(address: SocketAddr, servers: &[SocketAddr]) -> Result<Self> {
        let home = private_directory()?;
        let settings = home.path().join("haproxy.cfg");
        fs::write(&settings, configuration(address, servers))?;
        let log = File::create(log_file(home.path()))?;
        let mut command = Command::new(program());
        // In the foreground, whatever the settings say.
        command.arg("-db").arg("-f").arg(&settings).current_dir(home.path());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let start = Tied::start(command);
        let program = start.context("HAProxy, which `tools/setup scenarios` installs")?;
        let mut balancer = Self { address, home, program };
        let ready = interrupt::wait_for("HAProxy to lead to a server", DEADLINE, || {
            balancer.program.check()?;
            Ok(balancer.config().connect(NoTls).is_ok())
        });
        ready.with_context(|| balancer.log().unwrap_or_default())?;
        Ok(balancer)
    }

    /// How a client reaches some server.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host(&self.address.ip().to_string()).port(self.address.port());
        config.user(USER).dbname("postgres");
        config.connect_timeout(Duration::from_secs(5));
        config
    }

    /// What it has said so far: its settings' faults, and which server went down or came up.
    pub fn log(&self) -> Result<String> {
        fs::read_to_string(log_file(self.home.path())).context("reading HAProxy's log")
    }

    /// How often it has seen the server go down.
    pub fn times_down(&self, server: usize) -> Result<usize> {
        Ok(self.log()?.matches(&format!("/{} is DOWN", name(server))).count())
    }

    /// Its version, for the report.
    pub fn version() -> Result<String> {
        Ok(format!("HAProxy {}", program::version(program(), "-v")?))
    }
}

fn program() -> &'static str {
    if Path::new(PROGRAM).exists() { PROGRAM } else { "haproxy" }
}

fn log_file(home: &Path) -> PathBuf {
    home.join("log")
}

fn configuration(address: SocketAddr, servers: &[SocketAddr]) -> String {
    let lines = servers
        .iter()
        .enumerate()
        .map(|(server, address)| format!("    server {} {address} check\n", name(server)));
    format!("{}    bind {address}\n{}", SETTINGS.trim_start(), lines.collect::<String>())
}

/// What HAProxy calls a server.
fn name(server: usize) -> String {
    format!("server{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_is_checked() {
        let address = |host| SocketAddr::from(([127, 9, 9, host], 5432));
        let text = configuration(address(100), &[address(1), address(2)]);
        assert!(text.ends_with(
            "    bind 127.9.9.100:5432\n    server server0 127.9.9.1:5432 check\n    \
             server server1 127.9.9.2:5432 check\n"
        ));
    }
}
