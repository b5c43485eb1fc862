//! What is claimed of a cluster with failover, and whether it is so.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use snowflake_cluster::{Ledger, grouped, ledger::Fault};

use super::{
    MachineIds,
    figures::{self, Figures},
    rounds::{Event, Outcome},
};
use crate::{network::Network, report::Claim};

/// What we may add to an outage.
const ADDED_MILLIS: f64 = 100.0;
/// SQLSTATE of a server that follows: a client may meet it before the connection breaks.
const READ_ONLY: &str = "25006: ";

/// The claims about one cluster, and the data behind them.
#[must_use]
pub fn judge(
    machine_ids: MachineIds,
    network: &Network,
    mut outcome: Outcome,
) -> (Vec<Claim>, Value) {
    let figures = figures::of_rounds(&outcome.rounds, &outcome.orders.ledger);
    let probes = outcome.rounds.into_iter().map(|round| round.first.session);
    outcome.orders.ledger.extend(probes);
    let ledger = &outcome.orders.ledger;
    let mut claims = vec![
        failovers(&figures),
        unique(ledger),
        ordered(ledger),
        control(&outcome.naive),
        in_rows(ledger, &outcome.rows),
        machines(machine_ids, &outcome.machines),
        errors(&outcome.orders.errors),
    ];
    claims.push(added(&figures));
    for claim in &mut claims {
        claim.what = format!("{}: {}", machine_ids.title(), claim.what);
    }
    let data = json!({
        "machine_ids": machine_ids,
        "addresses": network.to_string(),
        "ids": ledger.count(),
        "rows": outcome.rows.len(),
        "failovers": figures,
        "errors": counted(&outcome.orders.errors),
    });
    (claims, data)
}

fn failovers(figures: &[Figures]) -> Claim {
    let count = |event| figures.iter().filter(|it| it.event == event).count();
    let [kills, switchovers] = [Event::Kill, Event::Switchover].map(count);
    let figure = format!("{kills} and {switchovers}");
    Claim::new(
        "hard kills and switchovers that another member followed",
        figure,
        "all",
        figures.iter().all(|it| it.from != it.to) && !figures.is_empty(),
    )
}

fn unique(ledger: &Ledger) -> Claim {
    let repeat = snowflake_cluster::ledger::distinct(ledger.ids()).err();
    let figure = match &repeat {
        None => format!("0 of {}", grouped(ledger.count())),
        Some(fault) => fault.to_string(),
    };
    Claim::new(
        "IDs that clients received twice",
        figure,
        "0",
        repeat.is_none() && ledger.count() > 0,
    )
}

fn ordered(ledger: &Ledger) -> Claim {
    let fault = ledger.check().err().filter(|fault| !matches!(fault, Fault::Duplicate(_)));
    let figure = fault.as_ref().map_or("none".to_owned(), Fault::to_string);
    Claim::new("IDs out of order, in a session or between two", figure, "none", fault.is_none())
}

/// A check that cannot fail shows nothing: it has to fail where the extension is not.
fn control(naive: &Ledger) -> Claim {
    let fault = naive.check().err();
    let figure = fault.as_ref().map_or("none".to_owned(), Fault::to_string);
    let what = "control: the same check of IDs from each server's clock alone finds a fault";
    Claim::new(what, figure, "a fault", fault.is_some())
}

fn in_rows(ledger: &Ledger, rows: &[i64]) -> Claim {
    let rows: HashSet<_> = rows.iter().collect();
    let lost = ledger.ids().filter(|id| !rows.contains(id)).count();
    let what =
        "IDs that clients received, without a row on every member (replication is synchronous)";
    Claim::new(what, lost, "0", lost == 0)
}

fn machines(machine_ids: MachineIds, found: &[i32]) -> Claim {
    let met = match machine_ids {
        MachineIds::One => found.len() == 1,
        MachineIds::Each => found.len() > 1,
    };
    let bar = match machine_ids {
        MachineIds::One => "one",
        MachineIds::Each => "one per leader",
    };
    Claim::new("machine ids in the IDs", format!("{found:?}"), bar, met)
}

fn errors(errors: &[String]) -> Claim {
    let unexpected: Vec<_> = errors.iter().filter(|it| !it.starts_with(READ_ONLY)).collect();
    let figure = unexpected.first().map_or("none".to_owned(), |first| format!("{first} ..."));
    let what = "errors but lost connections and servers that follow";
    Claim::new(what, figure, "none", unexpected.is_empty())
}

fn added(figures: &[Figures]) -> Claim {
    let added = figures::spread(figures.iter().map(|it| it.added_ms));
    let noise = figures::spread(figures.iter().map(|it| it.noise_ms));
    let outage = figures::spread(figures.iter().map(|it| it.outage_without_ids_ms));
    let [_, _, worst] = added.unwrap_or([f64::INFINITY; 3]);
    let show = |it: Option<[f64; 3]>| {
        it.map_or("unknown".into(), |[_, median, most]| {
            format!("{median:.1} ms, at most {most:.1}")
        })
    };
    let figure = format!(
        "{} (between two writes without: {}; the outage without: {})",
        show(added),
        show(noise),
        show(outage)
    );
    Claim::new(ADDED, figure, format!("less than {ADDED_MILLIS} ms"), worst < ADDED_MILLIS)
}

/// The claim about time, which a busy machine may break.
pub const ADDED: &str = "from the first write without an ID on a new leader to the first with one";

fn counted(errors: &[String]) -> BTreeMap<&str, usize> {
    let mut counted = BTreeMap::new();
    for error in errors {
        *counted.entry(error.as_str()).or_default() += 1;
    }
    counted
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use snowflake_cluster::Session;

    use super::*;

    fn ledger(ids: &[i64]) -> Ledger {
        let mut session = Session::new("a");
        for &id in ids {
            session.request(|| Ok::<_, Infallible>(vec![id])).unwrap();
        }
        [session].into_iter().collect()
    }

    #[test]
    fn a_repeat_fails_uniqueness_and_a_step_back_fails_order() {
        assert!(unique(&ledger(&[1, 2])).met && ordered(&ledger(&[1, 2])).met);
        assert!(!unique(&ledger(&[1, 1])).met);
        assert!(!ordered(&ledger(&[2, 1])).met);
        assert!(!unique(&ledger(&[])).met);
    }

    #[test]
    fn an_orderly_control_is_a_failure() {
        assert!(!control(&ledger(&[1, 2])).met);
        assert!(control(&ledger(&[2, 1])).met);
    }

    #[test]
    fn an_id_without_a_row_is_noticed() {
        assert!(in_rows(&ledger(&[1, 2]), &[1, 2, 3]).met);
        assert!(!in_rows(&ledger(&[1, 2]), &[2]).met);
    }

    #[test]
    fn only_servers_that_follow_may_refuse() {
        assert!(errors(&["25006: cannot execute INSERT".into()]).met);
        assert!(!errors(&["55000: no".into()]).met);
    }
}
