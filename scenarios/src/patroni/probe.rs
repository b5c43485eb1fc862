//! When a standby becomes the leader: the moments of its first writes, with an ID and without.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use postgres::{Client, Config, NoTls};
use snowflake_testkit::{DEADLINE, Session, interrupt, ledger::stamp};

use super::{Part, cluster::Cluster, load};

/// Between two questions whether the server still follows; what a figure is uncertain by.
const PAUSE: Duration = Duration::from_millis(2);
/// After an error.
const LONG_PAUSE: Duration = Duration::from_millis(25);

/// Three sessions on each standby that wait for it to take writes, and then make one, or ask for an ID.
#[derive(Debug)]
pub struct Probes {
    done: Arc<AtomicBool>,
    members: Vec<(usize, [JoinHandle<Probed>; 3])>,
}

/// The first writes on the new leader, as stamps.
#[derive(Debug)]
pub struct FirstWrites {
    /// The member that took over.
    pub leader: usize,
    /// Without an ID, in two sessions: what they differ by is what the measurement cannot tell.
    pub plain: [u64; 2],
    /// With an ID.
    pub with_id: u64,
    /// The session that was given the ID.
    pub session: Session,
}

type Probed = Option<(u64, Session)>;

impl Probes {
    /// Starts them on all members but the leader.
    pub fn start(cluster: &Cluster, leader: usize, part: Part) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let standbys = (0..cluster.members().len()).filter(|&member| member != leader);
        let members = standbys.map(|member| {
            let config = cluster.members()[member].config();
            let queries = [load::PLAIN, load::PLAIN, load::one_id(part)];
            let start = |query| {
                let (config, done) = (config.clone(), Arc::clone(&done));
                thread::spawn(move || first_write(&config, query, &done))
            };
            (member, queries.map(start))
        });
        Self { members: members.collect(), done }
    }

    /// Waits for a member whose probes have all written.
    pub fn finish(mut self) -> Result<FirstWrites> {
        let finished = |members: &[(usize, [JoinHandle<Probed>; 3])]| {
            members.iter().position(|(_, probes)| probes.iter().all(JoinHandle::is_finished))
        };
        let mut found = None;
        interrupt::wait_for("the first writes on a new leader", DEADLINE, || {
            found = finished(&self.members);
            Ok(found.is_some())
        })?;
        let (leader, probes) = self.members.swap_remove(found.context("no new leader")?);
        let mut writes = probes.into_iter().map(|probe| {
            let probed = probe.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            probed.context("a probe gave up")
        });
        let mut next = || writes.next().context("three probes")?;
        let ((a, _), (b, _), (with_id, session)) = (next()?, next()?, next()?);
        Ok(FirstWrites { leader, plain: [a, b], with_id, session })
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

/// None if it was called off before.
fn first_write(config: &Config, query: &str, done: &AtomicBool) -> Probed {
    let mut session = Session::new("probe");
    while !done.load(Ordering::Relaxed) {
        match write_when_leading(config, query, done, &mut session) {
            Ok(Some(at)) => return Some((at, session)),
            // The connection broke, or the server changed its mind.
            Ok(None) | Err(_) => thread::sleep(LONG_PAUSE),
        }
    }
    None
}

fn write_when_leading(
    config: &Config,
    query: &str,
    done: &AtomicBool,
    session: &mut Session,
) -> Result<Option<u64>, postgres::Error> {
    let mut client: Client = config.connect(NoTls)?;
    let follows = client.prepare("SELECT pg_is_in_recovery()")?;
    let write = client.prepare(query)?;
    while client.query_one(&follows, &[])?.get(0) {
        if done.load(Ordering::Relaxed) {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
    session.request(|| {
        client.query(&write, &[]).map(|rows| rows.iter().map(|row| row.get(0)).collect())
    })?;
    Ok(Some(stamp()))
}
