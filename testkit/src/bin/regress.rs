//! `make regress`: the SQL tests of `tests/pg_regress`, compared with what they are expected to print.
//!
//! That folder is as `cargo pgrx regress` wants it, and psql runs as it runs there. But that command has one server
//! only; here a file that begins with
//!
//! ```sql
//! -- server: name=value ...
//! ```
//!
//! gets a server with these settings changed (`name=`: left out). All other files share one. Each server starts from
//! where `setup.sql` has left the first.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use snowflake_testkit::Node;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/pg_regress");
const SETUP: &str = "setup";
const DATABASE: &str = "pg_snowflake_regress";

/// Runs SQL tests on private servers and compares what they print. With ACCEPT=1 in the environment, it takes what
/// comes out for what is expected.
#[derive(Parser)]
struct Arguments {
    /// These tests alone
    names: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let Arguments { names } = Arguments::parse();
    let setup = Test::find(SETUP)?;
    let names = if names.is_empty() { all_names()? } else { names };
    let tests = names.iter().map(|name| Test::find(name)).collect::<Result<Vec<_>>>()?;
    let (shared, own): (Vec<_>, Vec<_>) = tests.iter().partition(|test| test.settings.is_empty());

    let template = set_up(&setup)?;
    let (mut passed, mut failed) = (1, 0);
    for group in [shared].into_iter().chain(own.into_iter().map(|test| vec![test])) {
        let Some(first) = group.first() else { continue };
        let mut node = start(&template, &first.settings)?;
        for test in group {
            *(if test.passes(&node)? { &mut passed } else { &mut failed }) += 1;
        }
        node.stop()?;
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all_names() -> Result<Vec<String>> {
    let files = fs::read_dir(Path::new(FOLDER).join("sql"))?.collect::<Result<Vec<_>, _>>()?;
    let names = files
        .iter()
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(".sql").map(str::to_owned));
    let mut names: Vec<_> = names.filter(|name| name != SETUP).collect();
    names.sort();
    Ok(names)
}

/// A stopped server on which `setup.sql` has run; all others are copies of it.
fn set_up(setup: &Test) -> Result<Node> {
    let mut node = Node::builder(SETUP).set("client_min_messages", "warning").start()?;
    node.connect("postgres")?.batch_execute(&format!("CREATE DATABASE {DATABASE}"))?;
    ensure!(setup.passes(&node)?, "setup.sql failed, so the other tests have not run");
    node.stop()?;
    Ok(node)
}

fn start(template: &Node, settings: &[(String, String)]) -> Result<Node> {
    let builder =
        settings.iter().fold(template.clone_builder("regress"), |builder, (name, value)| {
            if value.is_empty() { builder.unset(name) } else { builder.set(name, value) }
        });
    builder.start().with_context(|| format!("starting a server with the settings {settings:?}"))
}

fn accepts() -> bool {
    env::var_os("ACCEPT").is_some_and(|value| !value.is_empty())
}

struct Test {
    name: String,
    sql: PathBuf,
    expected: PathBuf,
    /// What its server has other than the shared settings.
    settings: Vec<(String, String)>,
}

impl Test {
    fn find(name: &str) -> Result<Self> {
        let folder = Path::new(FOLDER);
        let sql = folder.join(format!("sql/{name}.sql"));
        let expected = folder.join(format!("expected/{name}.out"));
        let text = fs::read_to_string(&sql)
            .with_context(|| format!("there is no test {name} in tests/pg_regress/sql"))?;
        ensure!(
            accepts() || expected.exists(),
            "the test {name} has no expected output; make it with ACCEPT=1 tools/regress {name}"
        );
        let settings = text.lines().next().and_then(|line| line.strip_prefix("-- server:"));
        let settings = settings.unwrap_or_default().split_whitespace().map(|setting| {
            let (name, value) =
                setting.split_once('=').context("a setting is written name=value")?;
            Ok((name.to_owned(), value.to_owned()))
        });
        let settings = settings.collect::<Result<_>>().with_context(|| format!("in {name}.sql"))?;
        Ok(Self { name: name.to_owned(), sql, expected, settings })
    }

    /// Runs it and says how it went.
    fn passes(&self, node: &Node) -> Result<bool> {
        let printed = node.home().join("printed");
        self.run(node, &printed)?;
        let text = fs::read(&printed)?;
        let name = &self.name;
        if self.variants().iter().any(|file| fs::read(file).is_ok_and(|variant| variant == text)) {
            println!("test {name} ... ok");
            return Ok(true);
        }
        if accepts() {
            fs::write(&self.expected, text).context("accepting")?;
            println!("test {name} ... accepted");
            return Ok(true);
        }
        println!("test {name} ... FAILED");
        let mut diff = Command::new("diff");
        diff.args(["-u", "--label", "expected", "--label", "printed"]);
        diff.args([&self.expected, &printed]).status().context("running diff")?;
        Ok(false)
    }

    /// What it may print: `NAME.out`, or what another version of PostgreSQL makes of it, `NAME_1.out` and so on.
    fn variants(&self) -> Vec<PathBuf> {
        let numbered = (0..10).map(|number| format!("{}_{number}.out", self.name));
        let numbered = numbered.map(|name| self.expected.with_file_name(name));
        numbered.chain([self.expected.clone()]).collect()
    }

    /// Has psql do what it does for pg_regress, but with terse messages.
    fn run(&self, node: &Node, printed: &Path) -> Result<()> {
        let mut printed = File::create(printed)?;
        let mut psql = node.psql(&["--echo-all", "--quiet", "--dbname", DATABASE]);
        psql.args([
            "--set=VERBOSITY=terse",
            "--set=HIDE_TABLEAM=on",
            "--set=HIDE_TOAST_COMPRESSION=on",
        ])
        .env("PGAPPNAME", format!("pg_regress/{}", self.name))
        .env("PGTZ", "PST8PDT")
        .env("PGDATESTYLE", "Postgres, MDY")
        .env("PGOPTIONS", "-c intervalstyle=postgres_verbose")
        .current_dir(FOLDER)
        .stdin(File::open(&self.sql)?)
        .stdout(printed.try_clone()?)
        .stderr(printed.try_clone()?);
        let status = psql.status().context("running psql")?;
        if !status.success() {
            writeln!(printed, "psql ended with {status}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    const REFERENCE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference.md"));
    const RUN: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/pg_regress/sql/examples.sql"));

    #[test]
    fn every_example_of_the_table_of_functions_is_run() {
        let examples = REFERENCE.lines().filter_map(|line| {
            let (_, example) = line.strip_prefix("| `snowflake_")?.rsplit_once(" | `")?;
            example.strip_suffix("` |")
        });
        let (run, missing): (Vec<_>, Vec<_>) = examples.partition(|example| RUN.contains(example));
        assert!(!run.is_empty(), "no example found in docs/reference.md");
        assert!(missing.is_empty(), "not in examples.sql: {missing:#?}");
    }
}
