//! One world after the other, on as many threads as there are, with the same result on any number.

use super::world::{Outcome, World};
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
struct Progress {
    next: u64,
    done: BTreeMap<u64, Outcome>,
}

impl Progress {
    /// The first worlds, up to the one with which there are enough IDs; or all so far, up to the
    /// first one that is not done.
    fn first(&self, ids: u64) -> (u64, bool) {
        let mut sum = 0;
        let done = self.done.iter().zip(0..).take_while(|&((&number, _), place)| number == place);
        for ((number, outcome), _) in done {
            sum += outcome.ids;
            if sum >= ids {
                return (number + 1, true);
            }
        }
        (self.next, false)
    }
}

/// Runs worlds until there are this many IDs; `look` sees each that is done.
pub fn run(
    world: impl Fn(u64) -> World + Sync,
    ids: u64,
    threads: usize,
    look: impl Fn(&Outcome) + Sync,
) -> Vec<Outcome> {
    let progress = Mutex::new(Progress::default());
    let take = || {
        let mut progress = progress.lock().unwrap();
        let (_, enough) = progress.first(ids);
        progress.next += 1;
        (!enough).then_some(progress.next - 1)
    };
    let work = || {
        while let Some(number) = take() {
            let outcome = world(number).run();
            look(&outcome);
            progress.lock().unwrap().done.insert(number, outcome);
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    let progress = progress.into_inner().unwrap();
    let (end, _) = progress.first(ids);
    progress.done.into_iter().take_while(|&(number, _)| number < end).map(|(_, it)| it).collect()
}
