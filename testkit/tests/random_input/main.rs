//! A hundred thousand random calls of all functions, with the worst that a statement can say.
//!
//! Whatever the input, a call ends in a value or in an error that says what is wrong with it.
//! An internal error, a crash or a hang is a bug; the failure shows the statement, which can be
//! replayed in a database made by `schema.sql`. What is drawn depends on the seed alone, but for
//! results of earlier calls, which are drawn too. `SEED=7` tries another seed.

mod calls;
mod database;
mod values;

use std::{collections::BTreeMap, env, fmt, thread, time::Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use postgres::{Client, SimpleQueryMessage};
use snowflake_testkit::{DEADLINE, Node, grouped, wait_for};

use calls::Function;
use database::{Database, Encoding};
use values::Values;

/// What runs where.
const SHARES: [(Encoding, u64); 4] = [
    (Encoding::Utf8, 64_000),
    (Encoding::Latin1, 16_000),
    (Encoding::SqlAscii, 16_000),
    (Encoding::EucJp, 8_000),
];
const SEED: u64 = 1;
/// Calls of one session. Short, because a session without an ID of its own is a case too.
const SESSION: usize = 200;
/// Those of them that a client makes itself, so that errors and warnings travel to it.
const DIRECT: usize = 10;
/// This many failures are enough to see what is wrong.
const ENOUGH: usize = 20;

/// Data exception; syntax error or access rule violation; program limit exceeded; object not in prerequisite
/// state.
const CLEAR: [&str; 4] = ["22", "42", "54", "55"];
/// Integrity constraint violation: what the rows of a table do not allow.
const ROWS_FORBID: &str = "23";
/// Those that refuse nothing.
const NEVER_REFUSE: [&str; 3] = ["snowflake_id()", "snowflake_nextval()", "snowflake_status()"];

/// Log lines begin with their SQLSTATE, so that a leak or an internal error stands out.
const LOG_PREFIX: &str = "%e ";
/// What the server may log: refusals that a client was sent, and what the guard warns of.
const EXPECTED_LOG: [&str; 5] = ["22", "23", "42", "54", "55"];
const GUARDED: &str = "23000 WARNING:  ";

#[test]
fn a_hundred_thousand_random_calls_end_in_a_value_or_a_clear_error() -> Result<()> {
    let seed = env::var("SEED").map_or(Ok(SEED), |seed| seed.parse()).context("SEED")?;
    println!("SEED={seed}");
    // Batches of millions of IDs push the ID clock ahead, and no session is to wait for it.
    let node = Node::builder("random input")
        .set("pg_snowflake.max_drift", "1h")
        // What crashed the server is looked for soon after.
        .set("recovery_init_sync_method", "syncfs")
        .set("log_line_prefix", LOG_PREFIX)
        .start()?;
    let start = Instant::now();
    let mut rng = Rng::with_seed(seed);
    let mut trials = Vec::new();
    for (encoding, share) in SHARES {
        trials.push((encoding, share, Trial::new(&node, encoding, rng.fork())?));
    }
    // All at once, as one alone keeps a single core busy.
    let tallies = thread::scope(|scope| {
        let mut running = Vec::new();
        for (encoding, share, trial) in trials {
            running.push((encoding, scope.spawn(move || trial.run(share))));
        }
        let end = |(encoding, thread): (_, thread::ScopedJoinHandle<'_, _>)| {
            (encoding, thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        };
        running.into_iter().map(end).collect::<Vec<_>>()
    });
    let mut calls = 0;
    for (encoding, tally) in tallies {
        let tally = tally?;
        println!("{}\n{tally}", encoding.name());
        tally.check().with_context(|| format!("seed {seed}, database {}", encoding.name()))?;
        calls += tally.calls();
    }
    println!("{} calls, {:.1} s", grouped(calls), start.elapsed().as_secs_f64());
    let mut unexpected = node.unexpected_log_lines(&[])?;
    unexpected.retain(|line| !EXPECTED_LOG.iter().any(|class| line.starts_with(class)));
    ensure!(unexpected.is_empty(), "seed {seed}, in the server's log: {unexpected:#?}");
    ensure!(node.log()?.contains(GUARDED), "no guard has warned");
    ensure!(calls >= 100_000);
    Ok(())
}

/// How calls of one function ended.
#[derive(Default)]
struct Ends {
    values: u64,
    nulls: u64,
    refusals: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Tally {
    ends: BTreeMap<String, Ends>,
    failures: Vec<String>,
    /// Whether a call has taken its session with it.
    is_lost: bool,
}

impl Ends {
    fn calls(&self) -> u64 {
        self.values + self.nulls + self.refusals.values().sum::<u64>()
    }
}

impl Tally {
    fn calls(&self) -> u64 {
        self.ends.values().map(Ends::calls).sum()
    }

    fn check(&self) -> Result<()> {
        ensure!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        for (signature, ends) in &self.ends {
            ensure!(ends.values > 0, "{signature} never returned a value");
            let refuses = !NEVER_REFUSE.contains(&signature.as_str());
            ensure!(ends.refusals.is_empty() != refuses, "{signature}: {:?}", ends.refusals);
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (signature, Ends { values, nulls, refusals }) in &self.ends {
            writeln!(f, "  {signature}: {values} values, {nulls} nulls, {refusals:?}")?;
        }
        Ok(())
    }
}

struct Call<'a> {
    function: &'a Function,
    statement: String,
}

/// How a call ended.
struct End {
    /// SQLSTATE, or none if the connection did not survive.
    state: Option<String>,
    message: String,
    result: Option<String>,
}

struct Trial<'a> {
    database: Database<'a>,
    values: Values,
    tally: Tally,
    /// What the session began with.
    settings: String,
}

impl<'a> Trial<'a> {
    fn new(node: &'a Node, encoding: Encoding, rng: Rng) -> Result<Self> {
        let database = Database::make(node, encoding)?;
        let values = database.values(rng)?;
        Ok(Self { database, values, tally: Tally::default(), settings: String::new() })
    }

    fn run(mut self, calls: u64) -> Result<Tally> {
        let functions = Function::all(&mut self.database.connect()?)?;
        for function in &functions {
            self.tally.ends.insert(function.signature.clone(), Ends::default());
        }
        for _ in 0..calls / SESSION as u64 {
            let calls: Result<Vec<_>> = (0..SESSION).map(|_| self.draw(&functions)).collect();
            self.settings = self.database.settings(&mut self.values);
            self.session(&calls?)?;
            if self.tally.is_lost || self.tally.failures.len() >= ENOUGH {
                break;
            }
        }
        Ok(self.tally)
    }

    fn draw<'f>(&mut self, functions: &'f [Function]) -> Result<Call<'f>> {
        let function = self.values.rng.choice(functions).context("no functions")?;
        Ok(Call { function, statement: function.call(&mut self.values)? })
    }

    fn session(&mut self, calls: &[Call]) -> Result<()> {
        let (together, direct) = calls.split_at(calls.len() - DIRECT);
        let mut client = self.connect()?;
        let statements: Vec<_> = together.iter().map(|call| call.statement.as_str()).collect();
        let rows = match client.query("SELECT * FROM kinds.outcomes($1)", &[&statements]) {
            Ok(rows) => rows,
            Err(error) => return self.one_by_one(together, &error),
        };
        for (call, row) in together.iter().zip(&rows) {
            let [state, message, result] = [0, 1, 2].map(|column| row.get(column));
            self.judge(call, End { state, message: message.unwrap_or_default(), result });
        }
        for call in direct {
            let end = end_of(&mut client, &call.statement);
            self.judge(call, end);
            if self.tally.is_lost {
                break;
            }
        }
        Ok(())
    }

    /// A session, after a crash as soon as there can be one.
    fn connect(&self) -> Result<Client> {
        let mut session = None;
        wait_for("a session", DEADLINE, || {
            let mut client = self.database.connect()?;
            let outcome = client.batch_execute(&self.settings);
            session = outcome.is_ok().then_some(client);
            Ok(session.is_some())
        })?;
        session.context("no session")
    }

    /// Finds the calls that broke the session that made all of them.
    fn one_by_one(&mut self, calls: &[Call], error: &postgres::Error) -> Result<()> {
        let before = self.tally.failures.len();
        let mut client = self.connect()?;
        for call in calls {
            let mut end = end_of(&mut client, &call.statement);
            if end.state.is_none() {
                // Not on account of another session's crash?
                client = self.connect()?;
                end = end_of(&mut client, &call.statement);
            }
            self.judge(call, end);
            if self.tally.is_lost {
                return Ok(());
            }
        }
        if self.tally.failures.len() == before {
            let statements: Vec<_> = calls.iter().map(|call| call.statement.as_str()).collect();
            let all = statements.join(";\n");
            let (settings, error) = (&self.settings, message(error));
            self.tally.failures.push(format!("{settings};\n{all}\n-- all together: {error}"));
        }
        Ok(())
    }

    fn judge(&mut self, call: &Call, End { state, message, result }: End) {
        let Call { function, statement } = call;
        let ends = self.tally.ends.entry(function.signature.clone()).or_default();
        let code = state.as_deref().unwrap_or("no connection any more");
        let class = code.get(..2).unwrap_or_default();
        self.tally.is_lost |= state.is_none();
        // What is in the encoding of the database must come back in it.
        let is_garbled = code == "22021" && self.database.encoding != Encoding::SqlAscii;
        let is_clear = CLEAR.contains(&class) && !is_garbled;
        match result {
            Some(result) if class == "00" => {
                ends.values += 1;
                self.values.keep(&function.result, &result);
            }
            None if class == "00" => ends.nulls += 1,
            _ if is_clear || class == ROWS_FORBID && function.is_about_rows() => {
                *ends.refusals.entry(code.to_owned()).or_default() += 1;
            }
            _ => {
                let settings = &self.settings;
                self.tally.failures.push(format!("{settings};\n{statement}\n-- {code}: {message}"));
            }
        }
    }
}

/// Makes a call and takes back what it did.
fn end_of(client: &mut Client, statement: &str) -> End {
    let outcome = client.simple_query("BEGIN").and_then(|_| client.simple_query(statement));
    let rolled_back = client.simple_query("ROLLBACK");
    match outcome.and_then(|messages| rolled_back.map(|_| messages)) {
        Ok(messages) => {
            let row = messages.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            let result = row.and_then(|row| row.get(0)).map(str::to_owned);
            End { state: Some("00000".to_owned()), message: String::new(), result }
        }
        Err(error) => {
            let state = error.code().map(|code| code.code().to_owned());
            let state = state.filter(|_| !client.is_closed());
            let message =
                error.as_db_error().map_or_else(|| error.to_string(), |it| it.to_string());
            End { state, message, result: None }
        }
    }
}

/// All that an error says.
fn message(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |it| format!("{it:?}"))
}
