//! What the scenarios have shown, and the table at the end.

use std::{fmt, fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::{report::Report, text::table};

/// By scenario, in the order in which they were run; displayed as a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Results(Vec<Outcome>);

/// Of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The scenario's name on the command line.
    pub name: String,
    /// When it ended, in local time.
    pub date: String,
    /// How long it took, servers and all.
    pub seconds: u64,
    /// What it has shown.
    #[serde(flatten)]
    pub report: Report,
}

impl Outcome {
    /// How many claims hold, and how many there are.
    #[must_use]
    pub fn held(&self) -> String {
        let claims = || self.report.with_bar();
        format!("{} of {}", claims().filter(|claim| claim.met).count(), claims().count())
    }
}

impl Results {
    /// Those that were written before.
    pub fn read(file: &Path) -> Result<Self> {
        let json = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        serde_json::from_slice(&json).with_context(|| format!("reading {}", file.display()))
    }

    /// Writes them to a file, as JSON.
    pub fn write(&self, file: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self).context("the results as JSON")?;
        fs::write(file, json + "\n").with_context(|| format!("writing {}", file.display()))
    }

    pub(super) fn add(&mut self, name: &str, took: Duration, report: Report) {
        let date = Zoned::now().date().to_string();
        self.0.push(Outcome { name: name.to_owned(), date, seconds: took.as_secs(), report });
    }

    /// Takes the place of what `older` has of the same scenarios.
    #[must_use]
    pub fn over(self, mut older: Self) -> Self {
        for outcome in self.0 {
            match older.0.iter_mut().find(|it| it.name == outcome.name) {
                Some(place) => *place = outcome,
                None => older.0.push(outcome),
            }
        }
        older
    }

    /// Of each scenario.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.0.iter()
    }

    /// Of the scenario of this name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Outcome> {
        self.0.iter().find(|outcome| outcome.name == name)
    }

    /// Whether every claim of every scenario holds, and there is one.
    #[must_use]
    pub fn all_met(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|outcome| outcome.report.all_met())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |outcome: &Outcome| {
            let Outcome { name, seconds, .. } = outcome;
            [name.clone(), outcome.held(), format!("{seconds} s")]
        };
        let head = ["scenario", "claims that hold", "took"];
        writeln!(f, "{}", table(head, self.0.iter().map(row)))?;
        for outcome in self.outcomes() {
            for claim in outcome.report.claims.iter().filter(|claim| !claim.met) {
                writeln!(f, "NOT MET: {}: {}: {}", outcome.name, claim.what, claim.figure)?;
            }
        }
        let seconds: u64 = self.outcomes().map(|outcome| outcome.seconds).sum();
        let verdict = if self.all_met() { "Every claim holds" } else { "Not every claim holds" };
        write!(f, "{verdict}, after {} min {} s.", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::Claim;

    fn results(outcomes: &[(&str, usize)]) -> Results {
        let mut results = Results::default();
        for &(name, duplicates) in outcomes {
            let report = Report {
                scenario: name.to_owned(),
                conditions: Vec::new(),
                claims: vec![Claim::equal("a", 1, 1), Claim::equal("duplicates", duplicates, 0)],
                data: Value::Null,
            };
            results.add(name, Duration::from_secs(40), report);
        }
        results
    }

    #[test]
    fn one_claim_of_one_scenario_decides() {
        assert!(!Results::default().all_met());
        assert!(results(&[("one", 0), ("two", 0)]).all_met());
        assert!(!results(&[("one", 0), ("two", 1)]).all_met());
    }

    #[test]
    fn the_table_tells_what_does_not_hold() {
        let text = results(&[("one", 0), ("two", 1)]).to_string();
        let words: Vec<_> = text.lines().map(|line| line.split("  ").next()).collect();
        assert_eq!(words[1..3], [Some("one"), Some("two")], "{text}");
        assert!(text.contains("1 of 2") && text.contains("NOT MET: two: duplicates: 1"), "{text}");
        assert!(text.ends_with("Not every claim holds, after 1 min 20 s."), "{text}");
    }

    #[test]
    fn new_results_take_the_place_of_old_ones_of_the_same_name() {
        let merged = results(&[("two", 0), ("three", 0)]).over(results(&[("one", 0), ("two", 9)]));
        let names: Vec<_> = merged.outcomes().map(|outcome| &*outcome.name).collect();
        assert_eq!(names, ["one", "two", "three"]);
        assert!(merged.all_met());
    }

    #[test]
    fn what_is_written_can_be_read() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (file, results) = (folder.path().join("results.json"), results(&[("one", 0)]));
        results.write(&file)?;
        assert_eq!(Results::read(&file)?, results);
        Ok(())
    }
}
