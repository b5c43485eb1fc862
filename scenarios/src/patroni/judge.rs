//! What is claimed of a cluster with failover, and whether it is so.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};
use snowflake_testkit::{
    Ledger, grouped,
    latency::quantile,
    ledger::{Fault, distinct, repeated},
};

use super::{
    Part,
    figures::{self, Figures},
    rounds::{Event, Outcome},
};
use crate::report::Claim;

/// What we may add to an outage.
const ADDED_MILLIS: f64 = 100.0;
const ADDED: &str = "from the first write without an ID on a new leader to the first with one";
/// SQLSTATE of a server that follows: a client may meet it before the connection breaks.
const READ_ONLY: &str = "25006: ";

/// The claims about one cluster, and the data behind them.
#[must_use]
pub fn judge(part: Part, mut outcome: Outcome) -> (Vec<Claim>, Value) {
    let figures = figures::of_rounds(&outcome.rounds, &outcome.orders.ledger);
    let probes = outcome.rounds.drain(..).map(|round| round.first.session);
    outcome.orders.ledger.extend(probes);
    let mut claims = if part.is_synchronous() {
        promised(part, &figures, &outcome)
    } else {
        lost(&outcome.orders.ledger).into()
    };
    for claim in &mut claims {
        claim.what = format!("{}: {}", part.title(), claim.what);
    }
    let data = json!({
        "part": part,
        "ids": outcome.orders.ledger.count(),
        "rows": outcome.rows.len(),
        "failovers": figures,
        "errors": counted(&outcome.orders.errors),
    });
    (claims, data)
}

fn promised(part: Part, figures: &[Figures], outcome: &Outcome) -> Vec<Claim> {
    let ledger = &outcome.orders.ledger;
    let mut claims =
        vec![failovers(figures), unique(ledger), ordered(ledger), control(&outcome.naive)];
    if part.has_rows() {
        claims.push(in_rows(ledger, &outcome.rows));
        claims.push(machines(part, figures, &outcome.machines));
    } else {
        let what = "rows with IDs, whose COMMIT would have taken leases to the standbys";
        claims.push(Claim::equal(what, outcome.rows.len(), 0));
    }
    claims.push(errors(&outcome.orders.errors));
    // Clients without rows are out from when their leader is cut off.
    claims.extend(added(figures).into_iter().take(if part.has_rows() { 4 } else { 2 }));
    claims
}

/// What is not promised: a next leader that has not heard of them gives IDs again.
fn lost(ledger: &Ledger) -> [Claim; 2] {
    let repeats = format!("{} of {}", repeated(ledger.ids()), grouped(ledger.count()));
    let Claim { what, figure, .. } = ordered(ledger);
    [
        Claim::reported("control: IDs that clients received twice", repeats),
        Claim::reported(format!("control: {what}"), figure),
    ]
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
    let repeat = distinct(ledger.ids()).err();
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

/// Those of every member that has led.
fn machines(part: Part, figures: &[Figures], found: &[i32]) -> Claim {
    let of_member = part.machine_ids();
    let leaders = figures.iter().flat_map(|it| [it.from, it.to]);
    let led: BTreeSet<_> = leaders.map(|number| of_member[number - 1].to_string()).collect();
    let list = |ids: BTreeSet<String>| ids.into_iter().collect::<Vec<_>>().join(", ");
    let found = found.iter().map(ToString::to_string).collect();
    Claim::equal("machine ids in the IDs, against those of all leaders", list(found), list(led))
}

fn errors(errors: &[String]) -> Claim {
    let unexpected: Vec<_> = errors.iter().filter(|it| !it.starts_with(READ_ONLY)).collect();
    let figure = unexpected.first().map_or("none".to_owned(), |first| format!("{first} ..."));
    let what = "errors but lost connections and servers that follow";
    Claim::new(what, figure, "none", unexpected.is_empty())
}

fn added(figures: &[Figures]) -> [Claim; 4] {
    let show = |of: fn(&Figures) -> f64| {
        let [median, most] = [0.5, 1.0].map(|share| quantile(figures.iter().map(of), share));
        format!("{median:.1} ms, at most {most:.1}")
    };
    let reported = |what, of| Claim::reported(what, show(of));
    let bar = format!("less than {ADDED_MILLIS} ms");
    let met = !figures.is_empty() && figures.iter().all(|it| it.added_ms < ADDED_MILLIS);
    [
        Claim::new(ADDED, show(|it| it.added_ms), bar, met).about_time(),
        reported("the same between two first writes without, which is noise", |it| it.noise_ms),
        reported("from the last ID of the old leader to the first write without one", |it| {
            it.outage_without_ids_ms
        }),
        reported("the outage that clients who want IDs notice", |it| it.clients_outage_ms),
    ]
}

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

    use snowflake_testkit::Session;

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
