//! Pages: words from a template, tables and figures from what was measured.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// The head of a table's column, and to which side its cells lean.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// For words.
    Left(&'a str),
    /// For figures.
    Right(&'a str),
}

impl<'a> Column<'a> {
    fn head(self) -> &'a str {
        match self {
            Self::Left(head) | Self::Right(head) => head,
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Left(_) => "---",
            Self::Right(_) => "---:",
        }
    }
}

/// A table, without the end of its last line.
pub fn table(columns: &[Column<'_>], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head = line(columns.iter().map(|column| column.head()));
    let rule = line(columns.iter().map(|column| column.rule()));
    let rows = rows.into_iter().map(|row| line(row.iter().map(|cell| cell.replace('|', "\\|"))));
    [head, rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

fn line<T: AsRef<str>>(cells: impl Iterator<Item = T>) -> String {
    cells.fold("|".to_owned(), |line, cell| line + " " + cell.as_ref() + " |")
}

/// Puts facts into the places that have their names, as `{{name}}`.
pub fn fill(template: &str, facts: &BTreeMap<String, String>) -> Result<String> {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").context("a place without an end")?;
        let Some(fact) = facts.get(name) else { bail!("no such fact: {name}") };
        text += fact;
        text += rest;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_head_a_rule_and_rows() {
        let rows = [vec!["a|b".to_owned(), "1".to_owned()]];
        let text = table(&[Column::Left("name"), Column::Right("figure")], rows);
        assert_eq!(text, "| name | figure |\n| --- | ---: |\n| a\\|b | 1 |");
    }

    #[test]
    fn a_place_for_which_there_is_no_fact_is_refused() {
        assert!(fill("a {{b}} c", &BTreeMap::new()).is_err());
        assert!(fill("a {{b c", &BTreeMap::new()).is_err());
    }
}
