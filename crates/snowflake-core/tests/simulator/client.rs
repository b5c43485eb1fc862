//! What a session of a client does all day.

use super::log::Call;
use super::machine::{MILLI, exponential};
use super::server::{Refusal, Server};

/// A statement of single calls gets as far as this before time has passed: faster than the layout
/// has IDs.
fn calls_at_once(server: &Server) -> u64 {
    (server.millisecond() / 10).max(200)
}
const MICROS_FOR_THEM: i64 = 20;

pub async fn run(server: &Server, session: usize) {
    let machine = &server.machine;
    loop {
        let world = &machine.world;
        let idle = machine.dice(|dice| exponential(dice, world.idle_micros));
        machine.sleep(idle).await;
        let burst = machine.dice(|dice| dice.f64() < world.share_of_bursts());
        let done = if burst {
            self::burst(server, session).await
        } else {
            statement(server, session).await
        };
        machine.commit(session);
        if let Err(Refusal::Disk | Refusal::Issue(_)) = done {
            machine.count(|counts| counts.refusals += 1);
        }
    }
}

/// A few IDs, in one of the three ways.
async fn statement(server: &Server, session: usize) -> Result<(), Refusal> {
    let machine = &server.machine;
    let (way, n) = machine.dice(|dice| (dice.u8(0..4), dice.u64(1..=machine.world.most_ids)));
    match way {
        0 => batch(server, session, n).await,
        1 => run_of(server, session, n.min(server.millisecond())).await,
        _ => singles(server, session, n).await,
    }
}

/// As many IDs as take the ID clock from no drift to about `max_drift`, or beyond.
async fn burst(server: &Server, session: usize) -> Result<(), Refusal> {
    let machine = &server.machine;
    let (way, share) = machine.dice(|dice| (dice.u8(0..3), 0.5 + dice.f64()));
    let n = (machine.world.ids_of_burst() as f64 * share) as u64;
    if way > 0 {
        return singles(server, session, n).await;
    }
    let size = machine.dice(|dice| dice.u64(1..=2 * server.millisecond().max(5_000)));
    for _ in 0..n.div_ceil(size) {
        batch(server, session, size).await?;
    }
    Ok(())
}

async fn singles(server: &Server, session: usize, n: u64) -> Result<(), Refusal> {
    let machine = &server.machine;
    let at_once = calls_at_once(server);
    for done in 1..=n {
        let mut call = machine.ask(session);
        let id = server.next(&mut call).await?;
        machine.returned(id, &call);
        if done % at_once == 0 {
            machine.sleep(MICROS_FOR_THEM).await;
        }
    }
    Ok(())
}

async fn batch(server: &Server, session: usize, n: u64) -> Result<(), Refusal> {
    let mut call = server.machine.ask(session);
    let ticks = server.batch(n, &mut call).await?;
    for tick in ticks.into_iter().flatten() {
        give(server, tick, &call);
    }
    server.machine.sleep(MILLI / 10).await;
    Ok(())
}

async fn run_of(server: &Server, session: usize, n: u64) -> Result<(), Refusal> {
    let mut call = server.machine.ask(session);
    for tick in server.run(n, &mut call).await? {
        give(server, tick, &call);
    }
    Ok(())
}

fn give(server: &Server, tick: u64, call: &Call) {
    server.machine.returned(server.generator.id(tick), call);
}
