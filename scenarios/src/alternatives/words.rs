//! What the figures say, as tables and sentences: none of it can be at odds with them.

use snowflake_testkit::grouped;

use super::{Measured, Scheme};
use crate::markdown::{
    Column::{self, Left, Right},
    table,
};

/// A smaller lead is not told: the next run may have it the other way round.
const NOISE: f64 = 1.1;

/// A figure by which alternatives are ranked.
struct Measure {
    name: &'static str,
    of: fn(&Measured) -> f64,
    more_is_better: bool,
    show: fn(f64) -> String,
}

const INSERTS: Measure = Measure {
    name: "inserts a second",
    of: |one| one.inserts_per_second,
    more_is_better: true,
    show: whole,
};

const MEASURES: [Measure; 7] = [
    INSERTS,
    Measure { name: "p50 of an insert", of: |one| one.p50, more_is_better: false, show: ms },
    Measure { name: "p99 of an insert", of: |one| one.p99, more_is_better: false, show: ms },
    Measure { name: "p99.9 of an insert", of: |one| one.p999, more_is_better: false, show: ms },
    Measure {
        name: "keys a second in one statement",
        of: |one| one.keys_per_second,
        more_is_better: true,
        show: whole,
    },
    Measure {
        name: "index size",
        of: |one| one.index.bytes as f64,
        more_is_better: false,
        show: |bytes| format!("{} MB", megabytes(bytes as i64)),
    },
    Measure {
        name: "rows a second in batches",
        of: |one| one.index.rows_per_second,
        more_is_better: true,
        show: whole,
    },
];

impl Measure {
    /// How many times as good the first is as the second.
    fn lead(&self, first: &Measured, second: &Measured) -> f64 {
        let (first, second) = ((self.of)(first), (self.of)(second));
        if self.more_is_better { first / second } else { second / first }
    }

    /// All, the best first.
    fn ranked<'a>(&self, all: &'a [Measured]) -> Vec<&'a Measured> {
        let mut ranked: Vec<_> = all.iter().collect();
        ranked.sort_by(|a, b| (self.of)(a).total_cmp(&(self.of)(b)));
        if self.more_is_better {
            ranked.reverse();
        }
        ranked
    }
}

fn whole(figure: f64) -> String {
    grouped(figure.round() as u64)
}

fn ms(figure: f64) -> String {
    format!("{figure:.2} ms")
}

pub(super) fn of(all: &[Measured], scheme: Scheme) -> Option<&Measured> {
    all.iter().find(|one| one.scheme == scheme)
}

pub(super) fn share(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

pub(super) fn answered((answered, asked): (usize, usize)) -> String {
    format!("{answered} of {asked}")
}

pub(super) fn megabytes(bytes: i64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
}

/// A table with the first column of names.
fn by_name(
    head: &[Column<'_>],
    all: &[Measured],
    cells: impl Fn(&Measured) -> Vec<String>,
) -> String {
    let columns: Vec<_> = [&[Left("alternative")], head].concat();
    let name = |one: &Measured| vec![one.scheme.name().to_owned()];
    table(&columns, all.iter().map(|one| [name(one), cells(one)].concat()))
}

pub(super) fn speed(all: &[Measured]) -> String {
    let head = [
        "inserts/s",
        "slowest to fastest round",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "keys/s",
        "rows/s in batches",
    ];
    by_name(&head.map(Right), all, |one| {
        vec![
            whole(one.inserts_per_second),
            one.inserts_range.map(whole).join(" to "),
            format!("{:.1}", one.p50),
            format!("{:.1}", one.p99),
            format!("{:.1}", one.p999),
            whole(one.keys_per_second),
            whole(one.index.rows_per_second),
        ]
    })
}

pub(super) fn size(all: &[Measured]) -> String {
    let head = [
        "bytes of a key",
        "index MB",
        "rebuilt MB",
        "index bytes a row",
        "pairs out of order, at once",
        "with a pause",
        "answered, ticket server cut off",
        "all servers cut off",
    ];
    by_name(&head.map(Right), all, |one| {
        vec![
            one.scheme.bytes().to_string(),
            megabytes(one.index.bytes),
            megabytes(one.index.rebuilt_bytes),
            format!("{:.1}", one.index.bytes_per_row()),
            share(one.disorder_at_once),
            share(one.disorder_with_pause),
            answered(one.one_cut),
            answered(one.all_cut),
        ]
    })
}

pub(super) fn fourths(all: &[Measured]) -> String {
    let head = [Left("what it takes")];
    by_name(&head, all, |one| vec![one.scheme.fourth_server().to_owned()])
}

/// Who is where, by inserts.
pub(super) fn ranks(all: &[Measured]) -> String {
    let ranked = INSERTS.ranked(all);
    let Some((best, others)) = ranked.split_first() else { return String::new() };
    let behind = |one: &&Measured| {
        format!("{} ({})", one.scheme.name(), share(1.0 / INSERTS.lead(best, one)))
    };
    let others: Vec<_> = others.iter().map(behind).collect();
    let best = best.scheme.name();
    format!(
        "Most {}: {best}; then, in shares of that, {}. Where the ranges of two overlap, the next run \
         may have them the other way round.",
        INSERTS.name,
        others.join(", ")
    )
}

/// Of all of it, in a line.
pub(super) fn headline(all: &[Measured]) -> String {
    let (Some(ours), Some(random)) = (of(all, Scheme::Snowflake), of(all, Scheme::UuidV4)) else {
        return String::new();
    };
    let others = |one: &&&Measured| one.scheme != Scheme::Snowflake;
    let ranked = INSERTS.ranked(all);
    let Some(best) = ranked.iter().find(others) else { return String::new() };
    let [own, other] = [ours, best].map(|one| whole(one.inserts_per_second));
    let [small, large] = [ours, random].map(|one| megabytes(one.index.bytes));
    format!(
        "{own} inserts a second, {other} with {}; index {small} MB, with UUID v4 {large} MB",
        best.scheme.name()
    )
}

/// By what somebody else is better than we are, by more than noise.
pub(super) fn losses(all: &[Measured]) -> String {
    let Some(ours) = of(all, Scheme::Snowflake) else { return String::new() };
    let lost = |measure: &Measure| {
        let better: Vec<_> = measure
            .ranked(all)
            .into_iter()
            .filter(|one| measure.lead(one, ours) > NOISE)
            .map(|one| format!("{} {}", one.scheme.name(), (measure.show)((measure.of)(one))))
            .collect();
        let own = (measure.show)((measure.of)(ours));
        (!better.is_empty()).then(|| format!("- {}: {own}; {}.", measure.name, better.join(", ")))
    };
    let lines: Vec<_> = MEASURES.iter().filter_map(lost).collect();
    let count = format!(
        "Of the {} figures of speed and size, others were better at {} by more than 10 %{}",
        MEASURES.len(),
        lines.len(),
        if lines.is_empty() { "." } else { ":\n\n" }
    );
    format!("{count}{}\n\n{}", lines.join("\n"), disorder(all, ours))
}

fn disorder(all: &[Measured], ours: &Measured) -> String {
    let better = all.iter().filter(|one| one.disorder_at_once < ours.disorder_at_once);
    let better: Vec<_> = better.map(|one| one.scheme.name()).collect();
    let fewer = if better.is_empty() { "none" } else { &better.join(", ") };
    let share = share(ours.disorder_at_once);
    format!(
        "Of keys of different servers, asked for without a pause, {share} of pairs were out of order; \
         alternatives with fewer: {fewer}."
    )
}

pub(super) fn v7(native: bool) -> &'static str {
    if native {
        "UUID v7 is PostgreSQL's own `uuidv7()`, which also keeps order within a millisecond of a \
         session."
    } else {
        "This PostgreSQL has no `uuidv7()`, which came with 18: **UUID v7 is an SQL expression** here \
         (RFC 9562: the milliseconds over the first 48 bits of a random UUID). The native one also \
         keeps order within a millisecond of a session, which spares an index that is filled many rows \
         a millisecond what it costs here; that, and its speed, were not measured."
    }
}

/// What it costs in time to have it.
pub(super) fn v7_where(native: bool) -> &'static str {
    if native { "PostgreSQL 18 or later" } else { "before PostgreSQL 18, an SQL expression" }
}

pub(super) fn v7_note(all: &[Measured], native: bool) -> String {
    let keys = of(all, Scheme::UuidV7).map_or(0.0, |one| one.keys_per_second);
    let how = if native { "natively" } else { "as an SQL expression, before PostgreSQL 18" };
    format!("One server makes {} a second, {how}.", whole(keys))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::alternatives::measure::Index;

    /// All alike.
    pub(crate) fn measured() -> Vec<Measured> {
        let index = Index { rows: 100, bytes: 2_000, rebuilt_bytes: 2_000, rows_per_second: 9.0 };
        let one = |scheme| Measured {
            scheme,
            inserts_per_second: 1_000.0,
            inserts_range: [900.0, 1_100.0],
            p50: 1.0,
            p99: 2.0,
            p999: 3.0,
            keys_per_second: 1e6,
            one_cut: (3, 3),
            all_cut: (3, 3),
            one_cut_slowest: 1.0,
            disorder_at_once: 0.0,
            disorder_with_pause: 0.0,
            index,
        };
        Scheme::ALL.into_iter().map(one).collect()
    }

    #[test]
    fn the_first_is_named_first_whichever_it_is() {
        for best in 0..6 {
            let mut all = measured();
            all[best].inserts_per_second *= 2.0;
            let start = format!("Most inserts a second: {};", all[best].scheme.name());
            assert!(ranks(&all).starts_with(&start));
        }
    }

    #[test]
    fn what_we_lose_is_told_and_what_we_do_not_lose_is_not() {
        let mut all = measured();
        assert!(losses(&all).contains("at 0 by more"));
        all[2].p99 = 1.0;
        all[3].inserts_per_second = 500.0;
        let text = losses(&all);
        assert!(
            text.contains("- p99 of an insert: 2.00 ms; auto-increment by 3 1.00 ms."),
            "{text}"
        );
        assert!(!text.contains("inserts a second"));
    }

    #[test]
    fn disorder_of_ours_is_told() {
        let mut all = measured();
        all[5].disorder_at_once = 0.25;
        assert!(losses(&all).contains("25 % of pairs were out of order"));
    }
}
