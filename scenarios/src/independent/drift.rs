//! How far ahead of its wall clock each server's ID clock gets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use postgres::{Client, Config, Error, NoTls};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(20);
/// Null until the server has issued an ID.
const DRIFT: &str = "SELECT coalesce(ceil(extract(epoch FROM drift) * 1000), 0)::bigint
                     FROM snowflake_status()";

/// Looks at the servers, past HAProxy, as long as it exists. One that is down is not looked at.
#[derive(Debug)]
pub(super) struct DriftWatch {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Sample>>>,
}

/// What a server's status said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) milliseconds: i64,
}

impl DriftWatch {
    pub(super) fn start(sockets: Vec<Config>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let watch = |socket: Config| {
            let over = Arc::clone(&over);
            thread::spawn(move || watch(&socket, &over))
        };
        let threads = sockets.into_iter().map(watch).collect();
        Self { over, threads }
    }

    /// What was seen of each server.
    pub(super) fn finish(mut self) -> Vec<Vec<Sample>> {
        self.over.store(true, Ordering::Relaxed);
        let join = |thread: JoinHandle<_>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        self.threads.drain(..).map(join).collect()
    }
}

impl Drop for DriftWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn watch(socket: &Config, over: &AtomicBool) -> Vec<Sample> {
    let (mut samples, mut client) = (Vec::new(), None);
    while !over.load(Ordering::Relaxed) {
        let at = Instant::now();
        match look(&mut client, socket) {
            Ok(milliseconds) => samples.push(Sample { at, milliseconds }),
            Err(_) => client = None,
        }
        thread::sleep(INTERVAL);
    }
    samples
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
pub(super) fn most(samples: &[Sample], first_id: Instant) -> i64 {
    let samples = samples.iter().filter(|sample| sample.at >= first_id);
    samples.map(|sample| sample.milliseconds).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_counts_from_the_first_id_on() {
        let start = Instant::now();
        let sample = |(at, milliseconds)| Sample { at: start + INTERVAL * at, milliseconds };
        let samples: Vec<_> = [(1, 900), (3, 5), (5, 0), (7, 4)].map(sample).into();
        let most = |at| most(&samples, start + INTERVAL * at);
        assert_eq!([0, 3, 4, 8].map(most), [900, 5, 4, 0]);
    }
}
