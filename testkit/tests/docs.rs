//! What the pages say: every SQL statement is run, links lead somewhere, and tables have all that there is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result, ensure};
use snowflake_testkit::{Node, pages::Page, private_directory, run};

/// Its tasks are run by `operations.rs`, on the servers that they are about.
const OPERATIONS: &str = "docs/operations.md";
const EXTENSION: &str = "CREATE EXTENSION pg_snowflake";

/// What has the settings' prefix and is none: the lease's file.
const NO_SETTING: &str = "lease";

/// Each page on a database of its own, in order. psql names the page and the line of what fails.
#[test]
fn every_sql_statement_of_every_page_runs() -> Result<()> {
    let node = Node::builder("docs").start()?;
    let folder = private_directory()?;
    let mut pages = 0;
    for page in Page::all()?.iter().filter(|page| page.name != OPERATIONS) {
        let sql = page.sql()?;
        if sql.is_empty() {
            continue;
        }
        pages += 1;
        let database = format!("page_{pages}");
        let create = format!("CREATE DATABASE {database}");
        node.connect("postgres")?.batch_execute(&create)?;
        if !sql.contains(EXTENSION) {
            node.connect(&database)?.batch_execute(EXTENSION)?;
        }
        let file = folder.path().join(page.name.replace('/', "-"));
        fs::write(&file, sql)?;
        let mut psql = node.psql(&["--quiet", "--set=ON_ERROR_STOP=1", "--dbname", &database]);
        run(psql.current_dir(folder.path()).arg("--file").arg(file.file_name().context("name")?))?;
    }
    ensure!(pages > 4, "only {pages} pages have SQL");
    Ok(())
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut nowhere = Vec::new();
    for page in Page::all()? {
        let folder = page.path().parent().context("folder")?.to_owned();
        for link in links(&page.text) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.path() } else { folder.join(file) };
            let there = target.exists()
                && (anchor.is_empty()
                    || has_anchor(&fs::read_to_string(&target).unwrap_or_default(), anchor));
            if !there {
                nowhere.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert_eq!(nowhere, [""; 0]);
    Ok(())
}

/// Where a page's links lead within this repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target).filter(|target| !target.contains("://"))
}

/// As GitHub names headings.
fn has_anchor(text: &str, anchor: &str) -> bool {
    let page = Page { name: String::new(), text: text.to_owned() };
    let slug = |heading: &String| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|&c| c.is_alphanumeric() || c == '-' || c == '_').collect()
    };
    page.headings().iter().any(|heading| slug(heading) == anchor)
}

#[test]
fn the_index_has_every_page() -> Result<()> {
    let index = Page::read("docs/README.md")?;
    for page in Page::all()? {
        let link = match page.name.strip_prefix("docs/") {
            Some("README.md") => continue,
            Some(name) => name.to_owned(),
            None => format!("../{}", page.name),
        };
        ensure!(index.text.contains(&format!("({link})")), "{link} is not in the index");
    }
    Ok(())
}

/// For a reader who has five minutes.
#[test]
fn the_readme_is_short_and_soon_has_an_id() -> Result<()> {
    let readme = Page::read("README.md")?;
    let lines = readme.text.lines().count();
    ensure!(lines <= 170, "README.md has {lines} lines");
    let first =
        readme.text.lines().position(|line| line.contains("RETURNING id")).context("no ID")?;
    ensure!(first < 25, "the first ID is in line {}", first + 1);
    Ok(())
}

#[test]
fn figures_of_the_readme_are_those_that_were_measured() -> Result<()> {
    let readme = Page::read("README.md")?.text;
    let measured = Page::read("docs/alternatives.md")?.text;
    let section = readme.split("## Why not").nth(1).context("no comparison")?;
    let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4);
    for cell in rows.iter().flat_map(|row| row.split('|').skip(3)).map(str::trim) {
        ensure!(measured.contains(cell), "{cell} is not in docs/alternatives.md");
    }
    Ok(())
}

#[test]
fn the_reference_has_every_function_setting_and_column() -> Result<()> {
    let reference = Page::read("docs/reference.md")?.text;
    let rows: Vec<_> = reference.lines().filter_map(|line| line.strip_prefix("| `")).collect();
    let node = Node::builder("reference").start()?;
    let mut client = node.connect("postgres")?;
    client.batch_execute(EXTENSION)?;

    let functions = "SELECT proname::text FROM pg_proc, pg_depend AS d
                     WHERE d.classid = 'pg_proc'::regclass AND d.objid = pg_proc.oid AND d.deptype = 'e'
                     AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_snowflake')";
    let mut there = BTreeMap::<String, usize>::new();
    for row in client.query(functions, &[])? {
        *there.entry(row.get(0)).or_default() += 1;
    }
    ensure!(there.len() > 10, "{there:?}");
    for (name, count) in &there {
        let described = rows.iter().filter(|row| row.starts_with(&format!("{name}("))).count();
        ensure!(described == *count, "{name}: {described} of {count} are described");
    }

    let settings = "SELECT name, boot_val, unit, CASE context WHEN 'postmaster' THEN 'restart'
                    WHEN 'sighup' THEN 'reload' END FROM pg_settings WHERE name LIKE 'pg_snowflake.%'";
    let settings = client.query(settings, &[])?;
    ensure!(settings.len() >= 7);
    for setting in settings {
        let name: &str = setting.get(0);
        let row = rows.iter().find_map(|row| row.strip_prefix(&format!("{name}` |")));
        let mut cells = row.with_context(|| format!("{name} is not described"))?.split('|');
        let mut cell = || cells.next().unwrap_or_default().trim().trim_matches('`');
        let default: Option<&str> = setting.get(1);
        let has_unit = setting.get::<_, Option<&str>>(2).is_some();
        let described = cell();
        ensure!(has_unit || default.unwrap_or_default() == described, "{name}: {described}");
        ensure!(setting.get::<_, Option<&str>>(3) == Some(cell()), "{name}: changed by?");
    }

    let columns = "SELECT unnest(proargnames) FROM pg_proc WHERE proname = 'snowflake_status'";
    for column in client.query(columns, &[])? {
        let column: &str = column.get(0);
        let named = format!("`{column}`");
        let described = |row: &&&str| {
            row.split('|').next().is_some_and(|cell| format!("`{cell}").contains(&named))
        };
        ensure!(rows.iter().any(|row| described(&row)), "{column} is not described");
    }
    Ok(())
}

#[test]
fn every_setting_that_a_page_names_is_there() -> Result<()> {
    let node = Node::builder("settings").start()?;
    let names = "SELECT substr(name, 14) FROM pg_settings WHERE name LIKE 'pg_snowflake.%'";
    let rows = node.connect("postgres")?.query(names, &[])?;
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    ensure!(there.contains("machine_id"), "{there:?}");
    for page in Page::all()? {
        for rest in page.text.split("pg_snowflake.").skip(1) {
            let name: String =
                rest.chars().take_while(|&c| c == '_' || c.is_ascii_lowercase()).collect();
            let is_none = name.is_empty() || name == NO_SETTING;
            ensure!(is_none || there.contains(&name), "{}: pg_snowflake.{name}", page.name);
        }
    }
    Ok(())
}
