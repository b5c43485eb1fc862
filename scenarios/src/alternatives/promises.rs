//! What has to come out on any machine, and what the page's words lean on.

use std::time::Duration;

use snowflake_testkit::latency::milliseconds;

use super::{Measured, Scheme};
use crate::report::Claim;

/// Of pairs asked for at a distance of milliseconds, for the schemes that are in order then.
const NEARLY_NONE: f64 = 0.01;
/// How much larger an index of random UUIDs is at least; key for key it would be 1.4.
const LARGER: f64 = 1.3;

pub(super) fn claims(all: &[Measured], repeated: usize, patience: Duration) -> Vec<Claim> {
    let mut claims = vec![Claim::equal("keys that came twice", repeated, 0)];
    claims.extend(all.iter().flat_map(availability));
    // Or the cut has troubled no client.
    let pair = all.iter().filter(|one| one.scheme == Scheme::TicketPair);
    claims.extend(pair.map(|pair| {
        let what = "two ticket servers: ms to a key from the other one";
        Claim::at_least(what, pair.one_cut_slowest.round(), milliseconds(patience))
    }));
    claims.extend(all.iter().filter_map(order));
    let bytes = |scheme| {
        let of = all.iter().find(|one| one.scheme == scheme);
        of.map_or(0.0, |one| one.index.bytes as f64)
    };
    let larger = bytes(Scheme::UuidV4) / bytes(Scheme::Snowflake);
    claims.push(Claim::new(
        "index of UUID v4, against ours",
        format!("{larger:.2}"),
        format!("at least {LARGER}"),
        larger >= LARGER,
    ));
    claims
}

fn availability(one: &Measured) -> [Claim; 2] {
    // The first ticket server is the one that is cut off, so that a single one is of no use.
    let alone = one.scheme.tickets() == 0;
    let one_cut = alone || one.scheme == Scheme::TicketPair;
    let claim = |what: &str, (answered, asked): (usize, usize), all: bool| {
        let bar = if all { asked } else { 0 };
        Claim::new(
            format!("{}: answered, {what} cut off", one.scheme.name()),
            format!("{answered} of {asked}"),
            bar,
            answered == bar && asked > 0,
        )
    };
    [claim("ticket server", one.one_cut, one_cut), claim("every server", one.all_cut, alone)]
}

fn order(one: &Measured) -> Option<Claim> {
    let share = one.disorder_with_pause;
    let (bar, met) = match one.scheme {
        Scheme::UuidV4 => ("0.4 to 0.6".to_owned(), (0.4..=0.6).contains(&share)),
        Scheme::Ticket => ("0".to_owned(), share == 0.0 && one.disorder_at_once == 0.0),
        Scheme::UuidV7 | Scheme::Snowflake => {
            (format!("at most {NEARLY_NONE}"), share <= NEARLY_NONE)
        }
        // It depends on which server has been busier.
        Scheme::AutoIncrement | Scheme::TicketPair => return None,
    };
    let what = format!("{}: share of pairs out of order, milliseconds apart", one.scheme.name());
    Some(Claim::new(what, format!("{share:.3}"), bar, met))
}
