//! What `monitoring/` has: Prometheus scrapes servers by its queries, and answers what alerts and dashboard ask.

use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use snowflake_testkit::{DEADLINE, Node, Tied, orders, private_directory, run, wait_for};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../monitoring");
const ROLE: &str = "prometheus";

#[test]
fn alerts_are_valid_and_fire_when_they_should() -> Result<()> {
    for arguments in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]] {
        let mut promtool = Command::new("promtool");
        run(promtool.args(arguments).current_dir(FOLDER))?;
    }
    Ok(())
}

#[test]
fn prometheus_sees_the_numbers_move() -> Result<()> {
    let folder = private_directory()?;
    let busy = Node::builder("busy").start()?;
    let twin = Node::builder("twin").start()?;
    let unset = Node::builder("unset").unset("pg_snowflake.machine_id").start()?;
    let [at_busy, at_twin, at_unset] =
        [&busy, &twin, &unset].map(|node| Exporter::start(node, folder.path()));
    let (at_busy, at_twin, at_unset) = (at_busy?, at_twin?, at_unset?);
    let prometheus = Prometheus::start(&[&at_busy, &at_twin, &at_unset], folder.path())?;
    let table = "CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval())";
    busy.connect("postgres")?.batch_execute(table)?;
    let load = orders::insert(&busy, 2);

    for metric in ["last_id_timestamp_seconds", "renewals_total"] {
        let query = format!("pg_snowflake_{metric}{{instance=\"{}\"}}", at_busy.address);
        let first = prometheus.wait_for_number(&query)?;
        wait_for(&format!("{metric} to move"), DEADLINE, || {
            load.wait_for_new_ids()?;
            Ok(prometheus.wait_for_number(&query)? > first)
        })?;
    }
    load.stop()?;
    for (exporter, ready) in [(&at_busy, 1.0), (&at_twin, 1.0), (&at_unset, 0.0)] {
        let query = format!("pg_snowflake_ready{{instance=\"{}\"}}", exporter.address);
        assert_eq!(prometheus.wait_for_number(&query)?, ready, "{query}");
    }
    for alert in ["SnowflakeDuplicateIdentity", "SnowflakeNotIssuing"] {
        prometheus.wait_for_number(&format!("ALERTS{{alertname=\"{alert}\"}}"))?;
    }
    assert_eq!(prometheus.ask("ALERTS{alertname=\"SnowflakeRunsOut\"}")?, [0.0; 0]);
    let asked = dashboard_queries()?;
    ensure!(asked.len() > 10, "{asked:?}");
    for query in asked {
        prometheus.wait_for_number(&query)?;
    }
    Ok(())
}

/// What the panels ask, of any server.
fn dashboard_queries() -> Result<Vec<String>> {
    let text = fs::read_to_string(Path::new(FOLDER).join("dashboard.json"))?;
    let dashboard: Value = serde_json::from_str(&text)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries = targets.filter_map(|target| target["expr"].as_str());
    Ok(queries
        .map(|query| query.replace("$instance", ".*").replace("$__rate_interval", "1m"))
        .collect())
}

/// A program that has the figures of a server, and the address where it has them.
struct Exporter {
    address: String,
    _program: Tied,
}

impl Exporter {
    fn start(node: &Node, folder: &Path) -> Result<Self> {
        node.connect("postgres")?.batch_execute(&format!(
            "CREATE EXTENSION pg_snowflake; CREATE ROLE {ROLE} LOGIN IN ROLE pg_monitor"
        ))?;
        let address = free_address()?;
        let mut command = program("prometheus-postgres-exporter", folder)?;
        let environment = node.client_environment();
        let host = environment.iter().find(|(name, _)| *name == "PGHOST").context("no host")?;
        let source =
            format!("user={ROLE} host={} dbname=postgres sslmode=disable", host.1.display());
        command.env("DATA_SOURCE_NAME", source);
        command.args(["--disable-default-metrics", "--disable-settings-metrics"]);
        command.arg(format!("--extend.query-path={FOLDER}/queries.yaml"));
        command.arg(format!("--web.listen-address={address}"));
        Ok(Self { address, _program: Tied::start(command)? })
    }
}

struct Prometheus {
    address: String,
    _program: Tied,
}

impl Prometheus {
    fn start(exporters: &[&Exporter], folder: &Path) -> Result<Self> {
        let targets: Vec<_> = exporters.iter().map(|it| format!("'{}'", it.address)).collect();
        let file = folder.join("prometheus.yml");
        fs::write(
            &file,
            format!(
                "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
                 rule_files: ['{FOLDER}/alerts.yaml']\n\
                 scrape_configs:\n\
                 - job_name: postgres\n\
                 \x20 static_configs: [{{targets: [{}]}}]\n",
                targets.join(", ")
            ),
        )?;
        let address = free_address()?;
        let mut command = program("prometheus", folder)?;
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("storage").display()));
        command.arg(format!("--web.listen-address={address}"));
        Ok(Self { address, _program: Tied::start(command)? })
    }

    /// The numbers that answer a query.
    fn ask(&self, query: &str) -> Result<Vec<f64>> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        // It may be starting.
        let Ok(mut connection) = TcpStream::connect(&self.address) else { return Ok(Vec::new()) };
        write!(connection, "GET /api/v1/query?query={escaped} HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        connection.read_to_string(&mut text)?;
        let (_, body) = text.split_once("\r\n\r\n").context("no answer")?;
        let Ok(answer) = serde_json::from_str::<Value>(body) else { return Ok(Vec::new()) };
        ensure!(answer["status"] == "success", "{query}: {body}");
        let results = answer["data"]["result"].as_array().context("no result")?;
        let numbers = results.iter().filter_map(|result| result["value"][1].as_str());
        Ok(numbers.filter_map(|number| number.parse().ok()).collect())
    }

    /// The first number, as soon as there is one.
    fn wait_for_number(&self, query: &str) -> Result<f64> {
        let mut number = None;
        wait_for(&format!("an answer to {query}"), DEADLINE, || {
            number = self.ask(query)?.into_iter().find(|number| !number.is_nan());
            Ok(number.is_some())
        })?;
        number.context("no number")
    }
}

/// A program that writes to a file of its own, which is shown nowhere: it is for who looks into a test that hangs.
fn program(name: &str, folder: &Path) -> Result<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    ensure!(
        env::split_paths(&path).any(|folder| folder.join(name).exists()),
        "{name} is not installed (`tools/setup servers` does it)"
    );
    let log = File::options().create(true).append(true).open(folder.join(format!("{name}.log")))?;
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// Nothing else has it now; a program that starts soon can.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
