//! The store in which Patroni's members agree on a leader.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use snowflake_cluster::{Installation, wait_for};

use super::ports;

const DEADLINE: Duration = Duration::from_secs(30);

/// One etcd server; the warden of its directory ends it.
#[derive(Debug)]
pub struct Etcd {
    /// Where clients find it.
    pub port: u16,
    _process: Child,
}

impl Etcd {
    /// Starts it in a new directory `etcd` of `home`; returns when it answers.
    pub fn start(home: &Path, installation: &Installation) -> Result<Self> {
        let home = home.join("etcd");
        fs::create_dir(&home)?;
        installation.give(&home)?;
        let [port, peers] = ports::free()?;
        let [clients, peers] = [port, peers].map(|port: u16| format!("http://127.0.0.1:{port}"));
        let log = File::create(home.join("log"))?;
        let process = installation
            .as_server_user("etcd")
            .args(["--name", "etcd", "--data-dir", "data.etcd", "--logger", "zap"])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("etcd={peers}")])
            .current_dir(&home)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("running etcd (Debian: etcd-server; `tools/setup systems` installs it)")?;
        wait_for("etcd to answer", DEADLINE, || Ok(super::rest::answers(port, "/health")))?;
        Ok(Self { port, _process: process })
    }
}
