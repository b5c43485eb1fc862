//! The outcome of a scenario, as data and as a table.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::table;

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
}

impl Claim {
    /// A claim with a bar of any kind.
    pub fn new(
        what: impl Into<String>,
        figure: impl fmt::Display,
        bar: impl fmt::Display,
        met: bool,
    ) -> Self {
        Self { what: what.into(), figure: figure.to_string(), bar: bar.to_string(), met }
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
    /// What came out, in a line.
    pub headline: String,
    /// On what it ran: one phrase each.
    pub conditions: Vec<String>,
    /// What was claimed of it.
    pub claims: Vec<Claim>,
    /// All that was measured.
    pub data: Value,
}

impl Report {
    /// Whether every claim holds, and there is one.
    #[must_use]
    pub fn all_met(&self) -> bool {
        !self.claims.is_empty() && self.claims.iter().all(|claim| claim.met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.scenario, self.headline)?;
        writeln!(f, "{}\n", self.conditions.join("; "))?;
        let row = |Claim { what, figure, bar, met }: &Claim| {
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
        Report {
            scenario: "s".into(),
            headline: "h".into(),
            conditions: vec!["c".into()],
            claims,
            data: Value::Null,
        }
    }

    #[test]
    fn a_report_is_met_when_every_claim_is() {
        assert!(!report(vec![]).all_met());
        assert!(report(vec![Claim::equal("a", 0, 0)]).all_met());
        assert!(!report(vec![Claim::equal("a", 0, 0), Claim::at_most("b", 2, 1)]).all_met());
        assert!(!report(vec![Claim::at_least("b", 1, 2)]).all_met());
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
