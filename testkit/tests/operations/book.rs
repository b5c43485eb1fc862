//! The page, and servers for its tasks. A block is run on the server that its fence names (`sh on standby`), or on the
//! primary.

use std::{
    env,
    ffi::OsString,
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use snowflake_testkit::{
    DEADLINE, Installation, Warden,
    explained::unexpected,
    pages::{Block, Page},
    run, shared_settings, wait_for,
};

/// The servers that the page has commands for.
const HOSTS: [&str; 3] = ["primary", "standby", "other"];
/// The page.
pub const PAGE: &str = "docs/operations.md";
/// What the page writes without options: the log and the socket are where a private server has them.
const PRELUDE: &str =
    r#"pg_ctl() { command pg_ctl -s -t 300 -l "$PGDATA/../log" -o "-k '$PGHOST'" "$@"; }"#;
pub const ORDERS: &str = "CREATE EXTENSION pg_snowflake;
    CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text)";
pub const INSERT: &str = "INSERT INTO orders (note) SELECT 'hi' FROM generate_series(1, 1000)";

/// The page, and a place for the servers that it is about.
pub struct Book {
    page: Page,
    pub installation: Installation,
    pub warden: Warden,
    /// What else the page's commands find in their environment.
    pub variables: Vec<(&'static str, OsString)>,
}

impl Book {
    pub fn open() -> Result<Self> {
        let installation = Installation::find()?;
        let warden = Warden::engage(&installation)?;
        let book = Self { page: Page::read(PAGE)?, installation, warden, variables: Vec::new() };
        for host in HOSTS {
            let home = book.home(host);
            fs::create_dir(&home)?;
            book.installation.give(&home)?;
        }
        Ok(book)
    }

    /// With a primary that issues IDs into a table.
    pub fn with_primary() -> Result<Self> {
        Self::with_primary_of(&[])
    }

    pub fn with_primary_of(settings: &[(&str, &str)]) -> Result<Self> {
        let book = Self::open()?;
        book.start("primary", &[&[("pg_snowflake.datacenter_id", "0")], settings].concat())?;
        book.query("primary", ORDERS)?;
        book.query("primary", INSERT)?;
        Ok(book)
    }

    /// The same, with a standby that streams.
    pub fn with_standby() -> Result<Self> {
        let book = Self::with_primary_of(&[("wal_log_hints", "on"), ("wal_keep_size", "1GB")])?;
        book.run("Make a standby")?;
        book.wait_for_replay("primary", "standby")?;
        Ok(book)
    }

    pub fn home(&self, host: &str) -> PathBuf {
        self.warden.home().join(host)
    }

    pub fn data(&self, host: &str) -> PathBuf {
        self.home(host).join("data")
    }

    pub fn log(&self, host: &str) -> Result<String> {
        Ok(fs::read_to_string(self.home(host).join("log"))?)
    }

    /// Makes and starts a server that has the database `app`. A setting without a value is left out.
    pub fn start(&self, host: &str, settings: &[(&str, &str)]) -> Result<()> {
        let data = self.data(host);
        let mut initdb = self.program(host, "initdb");
        run(initdb
            .args([
                "--encoding=UTF8",
                "--locale=C",
                "--auth=trust",
                "--no-sync",
                "--username",
                "postgres",
            ])
            .arg("--pgdata")
            .arg(&data))?;
        let mut all = shared_settings();
        all.insert("listen_addresses".to_owned(), String::new());
        all.extend(settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let mut file = OpenOptions::new().append(true).open(data.join("postgresql.conf"))?;
        for (name, value) in &all {
            if name == "listen_addresses" || !value.is_empty() {
                writeln!(file, "{name} = '{}'", value.replace('\'', "''"))?;
            }
        }
        self.sh(host, "pg_ctl start; createdb app")?;
        Ok(())
    }

    /// A program of PostgreSQL, or another one, run as by the administrator of a server.
    pub fn program(&self, host: &str, program: &str) -> Command {
        let mut command = self.installation.as_server_user(program);
        let path = env::var("PATH").unwrap_or_default();
        let home = self.warden.home();
        command
            .current_dir(home)
            .env("PATH", format!("{}:{path}", self.installation.bindir().display()))
            .env("HOME", home)
            .env("PGDATA", self.data(host))
            .env("PGHOST", self.home(host))
            .env("PGUSER", "postgres")
            .env("PGDATABASE", "app")
            .env("BACKUP", home.join("backup"))
            .env("SERVERS", format!("{0}/primary {0}/other", home.display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        for host in HOSTS {
            command.env(host.to_uppercase(), self.home(host));
        }
        command
    }

    pub fn sh(&self, host: &str, script: &str) -> Result<String> {
        let mut bash = self.program(host, "bash");
        run(bash.args(["-euo", "pipefail", "-c", &format!("{PRELUDE}\n{script}")]))
    }

    pub fn query(&self, host: &str, sql: &str) -> Result<String> {
        let mut psql = self.program(host, "psql");
        let printed = run(psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]))?;
        Ok(printed.trim_end().to_owned())
    }

    pub fn number(&self, host: &str, sql: &str) -> Result<i64> {
        Ok(self.query(host, sql)?.parse()?)
    }

    pub fn max(&self, host: &str) -> Result<i64> {
        self.number(host, "SELECT max(id) FROM orders")
    }

    pub fn next(&self, host: &str) -> Result<i64> {
        self.number(host, "INSERT INTO orders DEFAULT VALUES RETURNING id")
    }

    /// Does what stands under a heading, but not under those below it. Returns what it printed.
    pub fn run(&self, heading: &str) -> Result<String> {
        let blocks = self.page.blocks()?;
        let blocks: Vec<_> = blocks.iter().filter(|block| stands_under(block, heading)).collect();
        ensure!(!blocks.is_empty(), "{PAGE} has nothing under \"{heading}\"");
        let mut printed = String::new();
        for block in blocks {
            let text = self.run_block(block);
            printed.push_str(&text.with_context(|| format!("{PAGE}:{}", block.line))?);
        }
        Ok(printed)
    }

    pub fn run_block(&self, block: &Block) -> Result<String> {
        let host = block.note.strip_prefix("on ").unwrap_or("primary");
        match block.language.as_str() {
            "sh" => self.sh(host, &block.text),
            "sql" => {
                let file = self.warden.home().join("block.sql");
                fs::write(&file, &block.text)?;
                let mut psql = self.program(host, "psql");
                run(psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file))
            }
            "ini" => {
                fs::write(self.warden.home().join(&block.note), &block.text)?;
                Ok(String::new())
            }
            other => anyhow::bail!("no way to run {other}"),
        }
    }

    pub fn wait_for_replay(&self, primary: &str, standby: &str) -> Result<()> {
        let end = self.query(primary, "SELECT pg_current_wal_lsn()")?;
        let replayed = format!("SELECT coalesce(pg_last_wal_replay_lsn() >= '{end}', false)");
        wait_for("the replay", DEADLINE, || Ok(self.query(standby, &replayed)? == "t"))
    }

    /// The end: the servers' logs have nothing at WARNING or above that the task does not explain.
    pub fn close(self, allowed: &[&str]) -> Result<()> {
        for host in HOSTS {
            if let Ok(log) = self.log(host) {
                assert_eq!(unexpected(&log, allowed), [""; 0], "{host}");
            }
        }
        Ok(())
    }

    pub fn wait_for_promotion(&self, host: &str) -> Result<()> {
        let primary = "SELECT NOT pg_is_in_recovery()";
        wait_for("the promotion", DEADLINE, || Ok(self.query(host, primary)? == "t"))
    }
}

fn stands_under(block: &Block, heading: &str) -> bool {
    block.headings.last().is_some_and(|last| last == heading)
}
