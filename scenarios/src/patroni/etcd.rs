//! The store in which Patroni's members agree on a leader.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result};
use snowflake_testkit::{DEADLINE, Installation, Tied, interrupt};

use super::rest;

/// One etcd server.
#[derive(Debug)]
pub struct Etcd(Tied);

impl Etcd {
    /// Starts it in a new directory `etcd` of `home`, for clients and for others of its kind at these
    /// addresses; returns when it answers.
    pub fn start(
        places: [SocketAddr; 2],
        home: &Path,
        installation: &Installation,
    ) -> Result<Self> {
        let home = home.join("etcd");
        fs::create_dir(&home)?;
        installation.give(&home)?;
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
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let start = Tied::start(command);
        let mut etcd = Self(
            start.context("etcd (Debian: etcd-server), which `tools/setup scenarios` installs")?,
        );
        let answer = interrupt::wait_for("etcd to answer", DEADLINE, || {
            etcd.0.check()?;
            Ok(rest::answers(places[0], "/health"))
        });
        // All of it: what was wrong may come before a page on what would have been right.
        answer.with_context(|| fs::read_to_string(home.join("log")).unwrap_or_default())?;
        Ok(etcd)
    }
}
