//! How a member is configured: for all of them in the store, by `pgrx-conf`; for itself, in its file.

use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result};
use postgres::Config;
use serde_json::{Value, json};
use snowflake_testkit::{Installation, shared_settings, shim::Shim};

use crate::network::LOOPBACK;

/// In the member's directory. JSON is YAML, too.
pub const FILE: &str = "patroni.yml";
const SUPERUSER: &str = "postgres";
const MACHINE_ID: &str = "pg_snowflake.machine_id";
const CONNECTING: Duration = Duration::from_secs(2);

/// Who is where.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// The member's PostgreSQL.
    pub server: SocketAddr,
    /// Its Patroni's API.
    pub api: SocketAddr,
    /// The store.
    pub etcd: SocketAddr,
}

/// How clients find whichever of the servers at these addresses they want.
pub fn client(addresses: impl IntoIterator<Item = SocketAddr>) -> Config {
    let mut config = Config::new();
    config.user(SUPERUSER).dbname("postgres").connect_timeout(CONNECTING);
    for address in addresses {
        config.host(&address.ip().to_string()).port(address.port());
    }
    config
}

/// Writes the member's file.
pub fn write(
    home: &Path,
    name: &str,
    machine_id: u32,
    is_synchronous: bool,
    places: &Places,
) -> Result<()> {
    let file = home.join(FILE);
    let member = member(home, name, machine_id, is_synchronous, places);
    let text = serde_json::to_string_pretty(&member)?;
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
}

fn member(
    home: &Path,
    name: &str,
    machine_id: u32,
    is_synchronous: bool,
    places: &Places,
) -> Value {
    let Places { server, api, etcd } = places;
    let admitted = format!("host all,replication all {LOOPBACK} trust");
    json!({
        "scope": "snowflake",
        "name": name,
        "etcd3": { "hosts": etcd },
        "restapi": { "listen": api, "connect_address": api },
        "bootstrap": {
            "dcs": for_all(is_synchronous),
            "initdb": [{ "encoding": "UTF8" }, { "locale": "C" }, "no-sync"],
        },
        "postgresql": {
            "listen": server,
            "connect_address": server,
            "data_dir": home.join("data"),
            "bin_dir": home.join("bin"),
            "pgpass": home.join("pgpass"),
            "authentication": {
                "superuser": { "username": SUPERUSER },
                "replication": { "username": "replicator" },
            },
            "pg_hba": ["local all all trust", admitted],
            // A member's own file has the last word.
            "parameters": {
                "unix_socket_directories": home,
                MACHINE_ID: machine_id.to_string(),
            },
        },
    })
}

/// Where it is synchronous, the next leader knows of every ID that a client received.
fn for_all(is_synchronous: bool) -> Value {
    let mut parameters = shared_settings();
    let mut set = |name: &str, value: &str| parameters.insert(name.to_owned(), value.to_owned());
    // What pg_rewind needs to bring a killed leader back as a standby.
    set("wal_log_hints", "on");
    // Shared memory in files of the data directory is gone with it, also after a kill.
    set("dynamic_shared_memory_type", "mmap");
    json!({
        "ttl": 5,
        "loop_wait": 1,
        "retry_timeout": 3,
        "synchronous_mode": is_synchronous,
        "postgresql": { "use_pg_rewind": true, "parameters": parameters },
    })
}

/// Makes `bin`, where Patroni finds PostgreSQL's programs: the server with the member's clock, all
/// others as they are. Patroni's own clock is the system's.
pub fn link_programs(home: &Path, installation: &Installation, shim: &Shim) -> Result<()> {
    let bin = home.join("bin");
    fs::create_dir(&bin)?;
    for entry in fs::read_dir(installation.bindir()).context("looking for PostgreSQL")? {
        let entry = entry?;
        symlink(entry.path(), bin.join(entry.file_name()))?;
    }
    let server = bin.join("postgres");
    fs::remove_file(&server)?;
    fs::write(&server, with_clock(&installation.bindir().join("postgres"), shim))?;
    Ok(fs::set_permissions(&server, Permissions::from_mode(0o755))?)
}

fn with_clock(server: &Path, shim: &Shim) -> String {
    let variables = shim.environment().into_iter();
    let set: Vec<_> =
        variables.map(|(name, value)| format!("{name}='{}' ", value.display())).collect();
    format!("#!/bin/sh\n{}exec '{}' \"$@\"\n", set.concat(), server.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_differ_in_their_own_file_alone() {
        let [server, api, etcd] = [10, 11, 12].map(|port| ([127, 0, 0, 1], port).into());
        let places = Places { server, api, etcd };
        let [a, b] = [1, 2].map(|id| member(Path::new("/h"), "m", id, true, &places));
        assert_eq!(a["bootstrap"], b["bootstrap"]);
        assert_eq!(a["postgresql"]["parameters"][MACHINE_ID], "1");
        assert_eq!(b["postgresql"]["parameters"][MACHINE_ID], "2");
    }

    #[test]
    fn the_shared_settings_go_to_all_members() {
        let all = for_all(true);
        for (name, value) in shared_settings() {
            assert_eq!(all["postgresql"]["parameters"][name], value.as_str());
        }
        assert_eq!(all["synchronous_mode"], true);
    }
}
