//! What a session of a client does: statements, made of calls of the core.

use crate::check::log::Call;
use crate::clock::{MILLI, exponential};
use crate::process::{Done, Process};
use crate::recovery;
use crate::server::Omission;
use crate::worlds::world::World;
use fastrand::Rng;
use snowflake_core::{Obstacle, Server};

#[derive(Clone, Copy, Debug)]
pub enum Statement {
    /// This many IDs, one at a time.
    Singles(u64),
    Batches {
        size: u64,
        times: u64,
    },
    /// This many consecutive IDs.
    Reserve(u64),
    /// Whether the server can issue, and what it has issued at most.
    Check,
    Checkpoint,
    /// One ID, greater than this one.
    Reply(i64),
    /// A row with this ID arrives from another server.
    Witness(i64),
}

const MICROS_FOR_CALLS_AT_ONCE: i64 = 20;

impl Statement {
    /// A few IDs, or as many as take the ID clock from no drift to about `max_drift`, or beyond.
    pub fn draw(world: &World, dice: &mut Rng) -> Self {
        let millisecond = world.millisecond();
        if dice.f64() < world.share_of_bursts() {
            let n = (world.ids_of_burst() as f64 * (0.5 + dice.f64())) as u64;
            if dice.u8(0..3) > 0 {
                return Self::Singles(n);
            }
            let size = dice.u64(1..=2 * millisecond.max(5_000));
            return Self::Batches { size, times: n.div_ceil(size) };
        }
        let n = dice.u64(1..=world.most_ids);
        match dice.u8(0..128) {
            0 => Self::Checkpoint,
            1 => Self::Check,
            2..34 => Self::Batches { size: n, times: 1 },
            34..66 => Self::Reserve(n.min(millisecond)),
            _ => Self::Singles(n),
        }
    }

    /// How long a session waits before the next one.
    pub fn pause(world: &World, dice: &mut Rng) -> i64 {
        exponential(dice, world.idle_micros)
    }

    pub fn run(self, server: &Server<'_, Process<'_>>) -> Done {
        Done::Answered(self.answer(server))
    }

    fn answer(self, server: &Server<'_, Process<'_>>) -> Result<(), Obstacle> {
        match self {
            Self::Singles(n) => return singles(server, n),
            Self::Batches { size, times } => {
                for _ in 0..times {
                    let call = server.host.ask();
                    server.batch(size)?.for_each(|id| server.host.returned(id, &call));
                    server.host.pause(MILLI / 10);
                }
            }
            Self::Reserve(n) => {
                let call = server.host.ask();
                let first = server.reserve(n)?;
                for id in 0..n as i64 {
                    server.host.returned(first + id, &call);
                }
            }
            Self::Check => {
                let call = server.host.ask();
                let mark = server.mark()?;
                server.host.family.log.borrow_mut().check_mark(mark, &call);
                server.check()?;
            }
            Self::Checkpoint => recovery::checkpoint(server),
            Self::Reply(id) => return reply(server, id),
            Self::Witness(id) => return witness(server, id),
        }
        Ok(())
    }
}

fn reply(server: &Server<'_, Process<'_>>, to: i64) -> Result<(), Obstacle> {
    let call = server.host.ask();
    let is_shown = !server.host.family.omits(Omission::Showing);
    let next = if is_shown { server.next_after(to) } else { server.next() };
    match next {
        Err(Obstacle::TooFarAhead { .. }) => server.host.refused(to, &call, true),
        next => server.host.returned(next?, &Call { shown: call.shown.and(to), ..call }),
    }
    Ok(())
}

fn witness(server: &Server<'_, Process<'_>>, id: i64) -> Result<(), Obstacle> {
    let call = server.host.ask();
    let is_shown = !server.host.family.omits(Omission::Showing);
    match if is_shown { server.witness(id) } else { Ok(()) } {
        // The row passes all the same.
        Err(Obstacle::TooFarAhead { .. }) => server.host.refused(id, &call, false),
        noted => {
            noted?;
            // No session sees the row before.
            server.host.commit();
            server.host.family.log.borrow_mut().note_shown(id);
        }
    }
    Ok(())
}

fn singles(server: &Server<'_, Process<'_>>, n: u64) -> Result<(), Obstacle> {
    // Gets as far as this before time has passed: faster than the layout has IDs.
    let at_once = (server.ids_in_a_millisecond() / 10).max(200);
    for done in 1..=n {
        let call: Call = server.host.ask();
        let id = server.next()?;
        server.host.returned(id, &call);
        if done % at_once == 0 {
            server.host.pause(MICROS_FOR_CALLS_AT_ONCE);
        }
    }
    Ok(())
}
