//! What a scenario claims, what was measured, and whether the one bears out the other.

use std::fmt;

use serde::Serialize;

/// The outcome of one scenario.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub scenario: String,
    /// All that it claims.
    pub claims: Vec<Claim>,
    /// What was measured, in the scenario's own form.
    pub data: serde_json::Value,
}

/// One claim.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// What is claimed.
    pub what: String,
    /// What was measured.
    pub figure: String,
    /// What is asked for.
    pub bar: String,
    /// Whether it is so.
    pub met: bool,
}

impl Claim {
    /// A claim, from its four parts.
    pub fn new(
        what: impl Into<String>,
        figure: impl fmt::Display,
        bar: impl Into<String>,
        met: bool,
    ) -> Self {
        Self { what: what.into(), figure: figure.to_string(), bar: bar.into(), met }
    }
}

impl Report {
    /// Whether every claim is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.claims.iter().all(|claim| claim.met)
    }
}

/// A table for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | measured | bar | |\n| --- | --- | --- | --- |", self.scenario)?;
        for Claim { what, figure, bar, met } in &self.claims {
            let verdict = if *met { "met" } else { "NOT MET" };
            writeln!(f, "| {what} | {figure} | {bar} | {verdict} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_claim_that_is_not_met_is_enough() {
        let met = Claim::new("a", 1, "1", true);
        let mut report = Report {
            scenario: "s".into(),
            claims: vec![met.clone()],
            data: serde_json::Value::Null,
        };
        assert!(report.is_met());
        report.claims.push(Claim { met: false, ..met });
        assert!(!report.is_met());
        assert!(report.to_string().ends_with("| a | 1 | 1 | NOT MET |\n"));
    }
}
