//! The outcome of a scenario, as data and as a table.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snowflake_testkit::{Node, ledger::Fault, requests::Answers};

use crate::text::table;

/// Instead of a bar.
const REPORTED: &str = "reported";

/// Something that was said of a system, and what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What the figure is of.
    pub what: String,
    /// What came out.
    pub figure: String,
    /// What was to come out.
    pub bar: String,
    /// Whether it did.
    pub met: bool,
    /// Whether that depends on how busy the machine is.
    #[serde(skip)]
    pub is_about_time: bool,
}

impl Claim {
    /// A claim with a bar of any kind.
    pub fn new(
        what: impl Into<String>,
        figure: impl fmt::Display,
        bar: impl fmt::Display,
        met: bool,
    ) -> Self {
        let (figure, bar) = (figure.to_string(), bar.to_string());
        Self { what: what.into(), figure, bar, met, is_about_time: false }
    }

    /// The claim is one about how long something takes.
    #[must_use]
    pub fn about_time(self) -> Self {
        Self { is_about_time: true, ..self }
    }

    /// A figure that is only told.
    pub fn reported(what: impl Into<String>, figure: impl fmt::Display) -> Self {
        Self::new(what, figure, REPORTED, true)
    }

    /// That there is no such fault.
    pub fn no_fault(what: impl Into<String>, fault: Option<Fault>) -> Self {
        let found = fault.map_or("none".to_owned(), |fault| fault.to_string());
        Self::equal(what, found, "none".to_owned())
    }

    /// That it is so.
    pub fn holds(what: impl Into<String>, holds: bool) -> Self {
        Self::new(what, if holds { "yes" } else { "no" }, "yes", holds)
    }

    /// Whether it could fail: it has a bar.
    #[must_use]
    pub fn has_bar(&self) -> bool {
        self.bar != REPORTED
    }

    /// That the figure is just this.
    pub fn equal<T: fmt::Display + PartialEq>(what: impl Into<String>, figure: T, bar: T) -> Self {
        let met = figure == bar;
        Self::new(what, figure, bar, met)
    }

    /// That the figure is at most this.
    pub fn at_most<T: fmt::Display + PartialOrd>(
        what: impl Into<String>,
        figure: T,
        bar: T,
    ) -> Self {
        let met = figure <= bar;
        Self::new(what, figure, format!("at most {bar}"), met)
    }

    /// That the figure is at least this.
    pub fn at_least<T: fmt::Display + PartialOrd>(
        what: impl Into<String>,
        figure: T,
        bar: T,
    ) -> Self {
        let met = figure >= bar;
        Self::new(what, figure, format!("at least {bar}"), met)
    }
}

/// What one scenario found out; displayed as a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// On what it ran: one phrase each.
    pub conditions: Vec<String>,
    /// What was claimed of it.
    pub claims: Vec<Claim>,
    /// All that was measured.
    pub data: Value,
}

impl Report {
    /// The claims that could fail.
    pub fn with_bar(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| claim.has_bar())
    }

    /// Whether every claim holds, and there is one.
    #[must_use]
    pub fn all_met(&self) -> bool {
        self.with_bar().next().is_some() && self.claims.iter().all(|claim| claim.met)
    }

    /// The same without the claims about time, which a machine may break that other tests keep busy.
    #[must_use]
    pub fn all_met_but_times(&self) -> bool {
        let claims = || self.with_bar().filter(|claim| !claim.is_about_time);
        claims().next().is_some() && claims().all(|claim| claim.met)
    }
}

/// That the servers' logs have no line at WARNING or above that what was done to them does not explain,
/// which is those with one of these texts. Shows the first that there are.
pub fn quiet_logs<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    explained: &[&str],
) -> Result<Claim> {
    let mut lines = Vec::new();
    for node in nodes {
        lines.append(&mut node.unexpected_log_lines(explained)?);
    }
    lines.iter().take(10).for_each(|line| eprintln!("  {line}"));
    Ok(Claim::equal("unexpected lines in the servers' logs", lines.len(), 0))
}

/// How long answers took, in milliseconds.
#[must_use]
pub fn latency(answers: &Answers) -> Value {
    let of = |share| answers.quantile(share);
    json!({ "p50": of(0.5), "p99": of(0.99), "p999": of(0.999), "max": of(1.0) })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.scenario)?;
        writeln!(f, "{}\n", self.conditions.join("; "))?;
        let row = |Claim { what, figure, bar, met, .. }: &Claim| {
            let verdict = if *met { "" } else { "NOT MET" };
            [what.clone(), figure.clone(), bar.clone(), verdict.to_owned()]
        };
        writeln!(f, "{}", table(["claim", "measured", "bar", ""], self.claims.iter().map(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(claims: Vec<Claim>) -> Report {
        Report { scenario: "s".into(), conditions: vec!["c".into()], claims, data: Value::Null }
    }

    #[test]
    fn a_report_is_met_when_every_claim_is() {
        assert!(!report(vec![]).all_met());
        assert!(!report(vec![Claim::reported("a", 0)]).all_met());
        assert!(report(vec![Claim::equal("a", 0, 0)]).all_met());
        assert!(!report(vec![Claim::equal("a", 0, 0), Claim::at_most("b", 2, 1)]).all_met());
        assert!(!report(vec![Claim::at_least("b", 1, 2)]).all_met());
    }

    #[test]
    fn a_claim_about_time_may_be_left_out() {
        let late = || Claim::at_most("ms", 2, 1).about_time();
        assert!(!report(vec![Claim::equal("a", 0, 0), late()]).all_met());
        assert!(report(vec![Claim::equal("a", 0, 0), late()]).all_met_but_times());
        assert!(!report(vec![Claim::equal("a", 1, 0), late()]).all_met_but_times());
        assert!(!report(vec![late()]).all_met_but_times());
    }

    #[test]
    fn a_claim_that_is_not_met_stands_out() {
        let text = report(vec![Claim::equal("ids", 1, 1), Claim::at_most("ms", 25, 3)]).to_string();
        let lines: Vec<_> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            ["claim  measured  bar", "ids    1         1", "ms     25        at most 3  NOT MET"]
        );
    }
}
