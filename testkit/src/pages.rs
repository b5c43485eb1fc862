//! The pages that people read, taken apart for the tests that run what is in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A page of Markdown.
#[derive(Debug)]
pub struct Page {
    /// Its path from the root of the checkout, such as `docs/reference.md`.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// What stands between two fences. Those in comments count, too: that is how a page gives a test what its
/// reader has.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The headings that it stands under, outermost first.
    pub headings: Vec<String>,
    /// The first word behind the fence.
    pub language: String,
    /// The rest of that line: nothing that a reader sees.
    pub note: String,
    /// The lines, as far left as the fence is.
    pub text: String,
    /// The number of its first line.
    pub line: usize,
}

impl Page {
    /// The page of that name.
    pub fn read(name: &str) -> Result<Self> {
        let path = Path::new(ROOT).join(name);
        let text = fs::read_to_string(path).with_context(|| format!("reading {name}"))?;
        Ok(Self { name: name.to_owned(), text })
    }

    /// The README, and every page in `docs` and `monitoring`.
    pub fn all() -> Result<Vec<Self>> {
        let mut names = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
        for folder in ["docs", "monitoring"] {
            let files =
                fs::read_dir(Path::new(ROOT).join(folder))?.collect::<Result<Vec<_>, _>>()?;
            let files = files.iter().filter_map(|file| file.file_name().into_string().ok());
            let pages = files.filter(|file| file.ends_with(".md"));
            names.extend(pages.map(|file| format!("{folder}/{file}")));
        }
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// Where the page is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new(ROOT).join(&self.name)
    }

    /// Its blocks, in order.
    pub fn blocks(&self) -> Result<Vec<Block>> {
        let mut blocks = Vec::new();
        let mut headings: Vec<(usize, String)> = Vec::new();
        let mut lines = self.text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            if let Some((depth, heading)) = heading(line) {
                headings.retain(|(above, _)| *above < depth);
                headings.push((depth, heading));
            }
            let Some(info) = line.trim_start().strip_prefix("```") else { continue };
            let indent = line.len() - line.trim_start().len();
            let (language, note) = info.split_once(' ').unwrap_or((info, ""));
            ensure!(
                !language.is_empty(),
                "{}:{number}: a block does not say what is in it",
                self.name
            );
            let mut text = String::new();
            loop {
                let (line, _) = lines
                    .next()
                    .with_context(|| format!("{}:{number}: a block does not end", self.name))?;
                if line.trim() == "```" {
                    break;
                }
                text.push_str(line.get(indent..).unwrap_or_default());
                text.push('\n');
            }
            blocks.push(Block {
                headings: headings.iter().map(|(_, heading)| heading.clone()).collect(),
                language: language.to_owned(),
                note: note.trim().to_owned(),
                text,
                line: number + 1,
            });
        }
        Ok(blocks)
    }

    /// Its headings, without marks.
    #[must_use]
    pub fn headings(&self) -> Vec<String> {
        let mut in_block = false;
        let mut headings = Vec::new();
        for line in self.text.lines() {
            in_block ^= line.trim_start().starts_with("```");
            headings.extend(heading(line).filter(|_| !in_block).map(|(_, heading)| heading));
        }
        headings
    }

    /// The SQL in it, each line where it stands in the page, so that psql names the page's lines.
    pub fn sql(&self) -> Result<String> {
        let mut sql = String::new();
        let mut lines = 0;
        for block in self.blocks()?.iter().filter(|block| block.language == "sql") {
            while lines + 1 < block.line {
                sql.push('\n');
                lines += 1;
            }
            sql.push_str(&block.text);
            lines += block.text.lines().count();
        }
        Ok(sql)
    }
}

fn heading(line: &str) -> Option<(usize, String)> {
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    let text = text.strip_prefix(' ').filter(|_| depth > 0)?;
    Some((depth, text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A page\n\n## One\n\n```sql on standby\nSELECT 1;\n```\n\n- in a list\n\n  ```sql\n  \
                        SELECT\n    2;\n  ```\n\n## Two\n\n```sh\n# no heading\n```\n";

    fn page() -> Page {
        Page { name: "page.md".to_owned(), text: TEXT.to_owned() }
    }

    #[test]
    fn a_block_knows_where_it_stands() -> Result<()> {
        let blocks = page().blocks()?;
        let [one, two, three] = &blocks[..] else { panic!("{blocks:?}") };
        assert_eq!((one.language.as_str(), one.note.as_str(), one.line), ("sql", "on standby", 6));
        assert_eq!(one.headings, ["A page", "One"]);
        assert_eq!((two.text.as_str(), two.line), ("SELECT\n  2;\n", 12));
        assert_eq!(three.headings, ["A page", "Two"]);
        assert_eq!(page().headings(), ["A page", "One", "Two"]);
        Ok(())
    }

    #[test]
    fn sql_stands_where_the_page_has_it() -> Result<()> {
        let sql = page().sql()?;
        let lines: Vec<_> = sql.lines().collect();
        assert_eq!((lines[5], lines[11], lines[12]), ("SELECT 1;", "SELECT", "  2;"));
        Ok(())
    }

    #[test]
    fn a_block_says_what_is_in_it() {
        let page = Page { name: "page.md".to_owned(), text: "```\nSELECT 1;\n```\n".to_owned() };
        assert!(page.blocks().is_err());
    }
}
