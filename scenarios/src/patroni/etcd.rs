//! The store in which Patroni's members agree on a leader.

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Stdio},
};

use anyhow::{Context, Result, bail};
use snowflake_testkit::{DEADLINE, Installation};

use super::{ports, rest};
use crate::{interrupt, network::Network};

/// One etcd server; the warden of its directory ends it.
#[derive(Debug)]
pub struct Etcd {
    /// Where clients find it.
    pub address: SocketAddr,
    _process: Child,
}

impl Etcd {
    /// Starts it as node `node`, in a new directory `etcd` of `home`; returns when it answers.
    pub fn start(
        network: &Network,
        node: usize,
        home: &Path,
        installation: &Installation,
    ) -> Result<Self> {
        let home = home.join("etcd");
        fs::create_dir(&home)?;
        installation.give(&home)?;
        let places: [SocketAddr; 2] = ports::free(network, node)?;
        let [clients, peers] = places.map(|place| format!("http://{place}"));
        let log = File::create(home.join("log"))?;
        let mut command = installation.as_server_user("etcd");
        command
            .args(["--name", "etcd", "--data-dir", "data.etcd", "--logger", "zap"])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("etcd={peers}")])
            // It also talks to itself, and would ask a proxy that the environment names.
            .env("NO_PROXY", "*")
            .current_dir(&home)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut process = network
            .at(node, || command.spawn())?
            .context("running etcd (Debian: etcd-server; `tools/setup systems` installs it)")?;
        let [address, _] = places;
        interrupt::wait_for("etcd to answer", DEADLINE, || {
            if let Some(status) = process.try_wait()? {
                // All of it: what was wrong may come before a page on what would have been right.
                let log = fs::read_to_string(home.join("log")).unwrap_or_default();
                bail!("etcd ended with {status}:\n{}", log.trim_end());
            }
            Ok(rest::answers(address, "/health"))
        })?;
        Ok(Self { address, _process: process })
    }
}
