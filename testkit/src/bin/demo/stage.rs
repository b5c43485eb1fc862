//! What the audience sees: numbered steps, statements, and psql's own tables.

use std::cell::Cell;

use anyhow::Result;
use snowflake_testkit::{Node, interrupt, run};

const MARGIN: &str = "    ";

pub struct Stage<'a> {
    node: &'a Node,
    steps: Cell<u32>,
}

impl<'a> Stage<'a> {
    pub fn new(node: &'a Node) -> Self {
        Self { node, steps: Cell::new(0) }
    }

    /// Begins a numbered step; `about` says what there is to see.
    pub fn step(&self, title: &str, about: &str) -> Result<()> {
        interrupt::check()?;
        self.steps.set(self.steps.get() + 1);
        println!("\n{}. {title}\n   {about}\n", self.steps.get());
        Ok(())
    }

    /// A remark on what was just shown.
    pub fn say(&self, text: &str) -> Result<()> {
        println!("   {text}\n");
        interrupt::check()
    }

    /// Prints the statement, runs it and prints what psql prints.
    pub fn show(&self, sql: &str) -> Result<()> {
        interrupt::check()?;
        for (i, line) in sql.lines().enumerate() {
            println!("{MARGIN}{} {line}", if i == 0 { "=>" } else { "  " });
        }
        println!();
        let printed = self.psql(&["--pset=footer=off", "--command", sql])?;
        let table = printed.trim_end();
        for line in table.lines() {
            println!("{MARGIN}{}", line.trim_end());
        }
        if !table.is_empty() {
            println!();
        }
        Ok(())
    }

    /// The only value that the statement returns.
    pub fn value(&self, sql: &str) -> Result<String> {
        let printed = self.psql(&["--no-align", "--tuples-only", "--command", sql])?;
        Ok(printed.trim().to_owned())
    }

    fn psql(&self, args: &[&str]) -> Result<String> {
        let mut psql = self.node.psql(&["--quiet", "--set=ON_ERROR_STOP=1"]);
        run(psql.args(args))
    }
}
