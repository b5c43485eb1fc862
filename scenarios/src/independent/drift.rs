//! How far ahead of its wall clock each server's ID clock gets.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use postgres::{Client, Config, Error, NoTls};
use snowflake_testkit::Node;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(20);
/// Null until the server has issued an ID.
const DRIFT: &str = "SELECT coalesce(ceil(extract(epoch FROM drift) * 1000), 0)::bigint
                     FROM snowflake_status()";

/// Looks at the servers, past HAProxy, as long as it exists. One that is down is not looked at.
#[derive(Debug)]
pub(super) struct DriftWatch {
    exists: Arc<()>,
    threads: Vec<JoinHandle<Vec<Sample>>>,
}

/// What a server's status said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) milliseconds: i64,
}

impl DriftWatch {
    pub(super) fn start(nodes: &[Node]) -> Self {
        let exists = Arc::new(());
        let watch = |node: &Node| {
            let (socket, watch) = (node.config("postgres"), Arc::downgrade(&exists));
            thread::spawn(move || {
                let (mut samples, mut client) = (Vec::new(), None);
                while watch.strong_count() > 0 {
                    let at = Instant::now();
                    match look(&mut client, &socket) {
                        Ok(milliseconds) => samples.push(Sample { at, milliseconds }),
                        Err(_) => client = None,
                    }
                    thread::sleep(INTERVAL);
                }
                samples
            })
        };
        let threads = nodes.iter().map(watch).collect();
        Self { exists, threads }
    }

    /// What was seen of each server.
    pub(super) fn finish(self) -> Vec<Vec<Sample>> {
        drop(self.exists);
        let join = |thread: JoinHandle<_>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        self.threads.into_iter().map(join).collect()
    }
}

fn look(client: &mut Option<Client>, socket: &Config) -> Result<i64, Error> {
    let client = match client {
        Some(client) => client,
        None => client.insert(socket.connect(NoTls)?),
    };
    Ok(client.query_one(DRIFT, &[])?.get(0))
}

/// The most drift, in milliseconds, from the first ID on: until then a server may show the lease
/// that it is about to take.
pub(super) fn most<'a>(samples: impl Iterator<Item = &'a Sample>, first_id: Instant) -> i64 {
    let samples = samples.filter(|sample| sample.at >= first_id);
    samples.map(|sample| sample.milliseconds).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_counts_from_the_first_id_on() {
        let start = Instant::now();
        let sample = |(at, milliseconds)| Sample { at: start + INTERVAL * at, milliseconds };
        let samples = [(1, 900), (3, 5), (5, 0), (7, 4)].map(sample);
        let most = |at| most(samples.iter(), start + INTERVAL * at);
        assert_eq!([0, 3, 4, 8].map(most), [900, 5, 4, 0]);
    }
}
