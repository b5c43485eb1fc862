//! The lease cannot be written, or not be read: a session that needs it gets an error that says why, no other one
//! gets an ID that the old lease does not cover, and all is well as soon as the disk is.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use postgres::Client;
use snowflake_testkit::{
    Builder, DEADLINE, Ledger, Load, Node, Refusal, Session,
    ledger::distinct,
    refusal,
    shim::{Call, Faults},
    wait_for,
};

const SESSIONS: usize = 2;
const IDS_PER_REQUEST: u32 = 10;
/// More than a lease.
const A_WHILE: Duration = Duration::from_millis(1_500);
const ERRORS: [(Errno, &str, &str); 2] = [
    (Errno::ENOSPC, "53100", "No space left on device"),
    (Errno::EIO, "58030", "Input/output error"),
];
const NEXT: &str = "SELECT snowflake_nextval()";
const READY: &str = "database system is ready to accept connections";

fn start(builder: Builder) -> Result<Node> {
    let node = builder.with_faults().start()?;
    node.connect("postgres")?.batch_execute("CREATE EXTENSION pg_snowflake")?;
    Ok(node)
}

/// One session that wants to know.
struct Probe {
    client: Client,
    session: Session,
}

impl Probe {
    fn connect(node: &Node) -> Result<Self> {
        Ok(Self { client: node.connect("postgres")?, session: Session::new("probe") })
    }

    fn ask(&mut self) -> Result<(), postgres::Error> {
        let Self { client, session } = self;
        session.request(|| Ok(vec![client.query_one(NEXT, &[])?.get(0)]))
    }

    /// Asks until it is refused.
    fn refused(&mut self) -> Result<Refusal> {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            let answer = self.ask();
            if answer.is_err() {
                return refusal(answer);
            }
        }
        bail!("never refused")
    }
}

/// The error names the step, the file and the cause, and says what to do.
fn check_refusal(refusal: &Refusal, call: Call, code: &str, cause: &str) -> Result<()> {
    let verb = match call {
        Call::OpenToRead | Call::OpenToWrite => "open",
        Call::Write => "write",
        Call::Fsync => "fsync",
        Call::Rename | Call::FsyncDirectory => bail!("{call} is no step of a renewal"),
    };
    check_text(refusal, verb, "\"pg_snowflake.lease\"", code, cause)
}

fn check_text(refusal: &Refusal, verb: &str, file: &str, code: &str, cause: &str) -> Result<()> {
    let Refusal { message, detail, hint, .. } = refusal;
    ensure!(refusal.code == code, "{refusal:?}");
    ensure!(message.starts_with(&format!("could not {verb} ")), "{refusal:?}");
    ensure!(message.contains(file) && message.ends_with(&format!(": {cause}")), "{refusal:?}");
    ensure!(!detail.is_empty() && !hint.is_empty(), "{refusal:?}");
    Ok(())
}

fn fail_once(faults: &Faults, load: &Load, call: Call, errno: Errno) -> Result<()> {
    let before = faults.failures(call);
    faults.fail(call, errno, 1);
    wait_for("a renewal", DEADLINE, || Ok(faults.failures(call) > before))?;
    load.wait_for_new_ids()
}

fn fail_for_a_while(
    faults: &Faults,
    probe: &mut Probe,
    call: Call,
    errno: Errno,
) -> Result<Refusal> {
    let start = Instant::now();
    faults.fail_always(call, errno);
    let first = probe.refused()?;
    while start.elapsed() < A_WHILE {
        ensure!(refusal(probe.ask())? == first);
    }
    faults.heal();
    // The very next call.
    probe.ask()?;
    Ok(first)
}

fn survive_all_errors(builder: Builder) -> Result<()> {
    let mut node = start(builder)?;
    let (faults, pid) = (node.faults()?, node.pid());
    let mut probe = Probe::connect(&node)?;
    let load = Load::start(node.config("postgres"), SESSIONS, IDS_PER_REQUEST);
    let mut told = Vec::new();
    for (errno, code, cause) in ERRORS {
        for call in Call::RENEWAL {
            let context = || format!("{errno} of {call}");
            load.wait_for_new_ids().with_context(context)?;
            fail_once(faults, &load, call, errno).with_context(context)?;
            let refusal =
                fail_for_a_while(faults, &mut probe, call, errno).with_context(context)?;
            check_refusal(&refusal, call, code, cause).with_context(context)?;
            told.push((format!("{code}: {}", refusal.message), refusal.message));
        }
    }
    load.wait_for_new_ids()?;
    let tally = load.stop()?;
    let probed: Ledger = [probe.session].into_iter().collect();
    probed.check()?;
    distinct(tally.ledger.ids().chain(probed.ids()))?;
    let history = node.history()?;
    history.check(&tally.ledger)?;
    history.check(&probed)?;
    println!("{} IDs, longest gap {:?}", tally.ids, tally.longest_gap);
    for error in &tally.errors {
        assert!(told.iter().any(|(known, _)| known == error), "{error}");
    }
    let told: Vec<_> = told.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(node.unexpected_log_lines(&told)?, [""; 0]);
    // Neither has the server ended, nor started its processes over.
    assert_eq!(node.pid(), pid);
    assert_eq!(node.log()?.matches(READY).count(), 1);
    node.stop()
}

#[test]
fn a_disk_that_fails_is_survived() -> Result<()> {
    survive_all_errors(Node::builder("io"))
}

#[test]
fn a_disk_that_fails_is_survived_without_a_keeper() -> Result<()> {
    survive_all_errors(Node::builder("io").set("max_worker_processes", "0"))
}

/// CREATE EXTENSION goes on without the file, and says so; so does the first ID, until the file can be made.
#[test]
fn a_file_that_cannot_be_made_is_made_later() -> Result<()> {
    for call in Call::CREATION {
        let node = Node::builder("new").with_faults().start()?;
        node.faults()?.fail_always(call, Errno::EIO);
        let mut probe = Probe::connect(&node)?;
        probe.client.batch_execute("CREATE EXTENSION pg_snowflake")?;
        let refusal = refusal(probe.ask())?;
        let (verb, file) = match call {
            Call::OpenToRead | Call::OpenToWrite => ("create", "\"pg_snowflake.lease.tmp\""),
            Call::Write => ("write", "\"pg_snowflake.lease.tmp\""),
            Call::Fsync => ("fsync", "\"pg_snowflake.lease.tmp\""),
            Call::Rename => ("rename", "\"pg_snowflake.lease.tmp\""),
            Call::FsyncDirectory => ("fsync", "directory"),
        };
        // A file that has its name may be written to, which must not work before the name is durable.
        check_text(&refusal, verb, file, "58030", "Input/output error")?;
        node.faults()?.heal();
        probe.ask().with_context(|| format!("after {call}"))?;
        let ledger: Ledger = [probe.session].into_iter().collect();
        node.history()?.check(&ledger)?;
        let explained = ["could not", "does not exist"];
        ensure!(node.unexpected_log_lines(&explained)?.is_empty());
    }
    Ok(())
}

/// A file system that cannot fsync directories, as PostgreSQL knows of some.
#[test]
fn a_directory_that_cannot_be_synced_is_no_reason_to_refuse() -> Result<()> {
    for errno in [Errno::EINVAL, Errno::EBADF] {
        let node = Node::builder("strange").with_faults().start()?;
        node.faults()?.fail_always(Call::FsyncDirectory, errno);
        let mut probe = Probe::connect(&node)?;
        probe.client.batch_execute("CREATE EXTENSION pg_snowflake")?;
        probe.ask()?;
        ensure!(node.faults()?.failures(Call::FsyncDirectory) > 0);
        ensure!(node.unexpected_log_lines(&[])?.is_empty());
    }
    Ok(())
}

/// As long as the write has not worked, and no longer, though no session asks for an ID meanwhile.
#[test]
fn the_status_shows_a_failed_write() -> Result<()> {
    let node = start(Node::builder("status"))?;
    let mut monitor = node.connect("postgres")?;
    let mut error = || -> Result<Option<String>> {
        Ok(monitor.query_one("SELECT error FROM snowflake_status()", &[])?.get(0))
    };
    let mut probe = Probe::connect(&node)?;
    ensure!(error()?.is_none());
    // Before the first ID, and afterwards; the third time, the server has not issued for longer than a lease.
    for round in 0..3 {
        if round == 2 {
            let idle = "SELECT wall_time > lease_end + interval '2 s' FROM snowflake_status()";
            let mut client = node.connect("postgres")?;
            wait_for("the lease to lapse", DEADLINE, || Ok(client.query_one(idle, &[])?.get(0)))?;
        }
        node.faults()?.fail_always(Call::Write, Errno::ENOSPC);
        let refusal = probe.refused()?;
        ensure!(error()? == Some(refusal.message));
        node.faults()?.heal();
        wait_for("the status to be well", DEADLINE, || Ok(error()?.is_none()))?;
        probe.ask()?;
    }
    ensure!(node.unexpected_log_lines(&["could not write file"])?.is_empty());
    Ok(())
}

#[test]
fn a_full_disk_does_not_keep_the_server_from_stopping() -> Result<()> {
    let mut node = start(Node::builder("full"))?;
    let mut probe = Probe::connect(&node)?;
    probe.ask()?;
    node.faults()?.fail_always(Call::Write, Errno::ENOSPC);
    node.stop()?;
    assert!(node.faults()?.failures(Call::Write) > 0, "the mark was written");
    node.faults()?.heal();
    node.start()?;
    probe.client = node.connect("postgres")?;
    probe.ask()?;
    let ledger: Ledger = [probe.session].into_iter().collect();
    ledger.check()?;
    node.history()?.check(&ledger)?;
    assert_eq!(node.unexpected_log_lines(&["could not write file"])?, [""; 0]);
    Ok(())
}

#[test]
fn a_lease_that_cannot_be_read_is_not_guessed() -> Result<()> {
    let mut node = start(Node::builder("read"))?;
    let mut probe = Probe::connect(&node)?;
    probe.ask()?;
    node.crash()?;
    node.start()?;
    probe.client = node.connect("postgres")?;
    node.faults()?.fail_always(Call::OpenToRead, Errno::EIO);
    for _ in 0..2 {
        let refusal = refusal(probe.ask())?;
        check_refusal(&refusal, Call::OpenToRead, "58030", "Input/output error")?;
    }
    node.faults()?.heal();
    probe.ask()?;
    let ledger: Ledger = [probe.session].into_iter().collect();
    ledger.check()?;
    node.history()?.check(&ledger)?;
    assert_eq!(node.unexpected_log_lines(&["could not open file"])?, [""; 0]);
    Ok(())
}
