//! Functions of the extension, and random statements that call them.

use anyhow::{Context, Result};
use postgres::Client;

use crate::values::{Values, literal};

/// From the catalog, so that a function that comes later is called too.
const FUNCTIONS: &str = "
    SELECT p.oid::regprocedure::text, format('%I.%I', p.pronamespace::regnamespace, p.proname),
        array(
            SELECT format_type(type, NULL)
            FROM unnest(p.proargtypes) WITH ORDINALITY AS argument (type, n) ORDER BY n
        ),
        p.pronargdefaults, p.proretset, format_type(p.prorettype, NULL)
    FROM pg_extension AS e
    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
    WHERE e.extname = 'pg_snowflake' AND d.deptype = 'e'
        -- By this one the administrator may move the ID clock by a year.
        AND p.proname <> 'snowflake_raise'
    ORDER BY 1";

/// What goes beyond these as an argument is not asked of a set in full: it would take seconds.
const ROWS: i64 = 10_000;

/// When a trigger fires: all that PostgreSQL knows, the ordinary ones more often.
const EVENTS: &[(&str, &str)] = &[
    ("TRIGGER guard BEFORE INSERT OR UPDATE", "FOR EACH ROW"),
    ("TRIGGER guard BEFORE INSERT OR UPDATE", "FOR EACH ROW"),
    ("TRIGGER guard BEFORE INSERT OR UPDATE", "FOR EACH ROW"),
    ("TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE", "FOR EACH ROW"),
    ("TRIGGER guard AFTER INSERT OR UPDATE", "FOR EACH ROW"),
    ("TRIGGER guard AFTER INSERT OR UPDATE", "FOR EACH ROW"),
    ("TRIGGER guard AFTER DELETE", "FOR EACH ROW"),
    ("TRIGGER guard INSTEAD OF INSERT OR UPDATE OR DELETE", "FOR EACH ROW"),
    ("TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE", "FOR EACH STATEMENT"),
    ("TRIGGER guard AFTER TRUNCATE", "FOR EACH STATEMENT"),
    (
        "CONSTRAINT TRIGGER guard AFTER INSERT OR UPDATE",
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
    ),
];

/// What makes it fire.
const CHANGES: &[&str] = &[
    "MERGE INTO %1$s AS t USING (SELECT DISTINCT unnest($1)) AS s (it) ON t.%2$I = s.it \
     WHEN MATCHED THEN UPDATE SET %2$I = s.it \
     WHEN NOT MATCHED THEN INSERT (%2$I) VALUES (s.it)",
    "INSERT INTO %1$s (%2$I) SELECT unnest($1)",
    "INSERT INTO %1$s (%2$I) SELECT unnest($1)",
    "INSERT INTO %1$s (%2$I) SELECT DISTINCT unnest($1) \
     ON CONFLICT (%2$I) DO UPDATE SET %2$I = excluded.%2$I",
    "UPDATE %1$s SET %2$I = ($1)[1]",
    "UPDATE %1$s SET %2$I = %2$I + 1",
    "DELETE FROM %1$s",
    "TRUNCATE %1$s CASCADE",
];

/// PostgreSQL says of itself that it has no feature to write them.
const SYSTEM_COLUMNS: &[&[u8]] = &[b"tableoid", b"cmax", b"xmax", b"cmin", b"xmin", b"ctid"];

/// One function of the extension.
pub struct Function {
    pub signature: String,
    name: String,
    arguments: Vec<String>,
    /// How many of the arguments have defaults.
    defaults: usize,
    is_set: bool,
    pub result: String,
}

impl Function {
    pub fn all(client: &mut Client) -> Result<Vec<Self>> {
        let rows = client.query(FUNCTIONS, &[])?;
        let function = |row: &postgres::Row| -> Result<Self> {
            Ok(Self {
                signature: row.get(0),
                name: row.get(1),
                arguments: row.get(2),
                defaults: usize::try_from(row.get::<_, i16>(3))?,
                is_set: row.get(4),
                result: row.get(5),
            })
        };
        rows.iter().map(function).collect()
    }

    pub fn is_trigger(&self) -> bool {
        self.result == "trigger"
    }

    /// Whether rows that are there already, or are to come, may forbid what it is called for.
    pub fn is_about_rows(&self) -> bool {
        self.is_trigger() || self.arguments.iter().any(|kind| kind == "regclass")
    }

    /// A statement that calls it, with one text as its result.
    pub fn call(&self, values: &mut Values) -> Result<String> {
        if self.is_trigger() && !values.one_in(10) {
            return self.fire(values);
        }
        let given = self.arguments.len() - values.rng.usize(..=self.defaults);
        let arguments: Result<Vec<_>> =
            self.arguments[..given].iter().map(|kind| values.draw(kind)).collect();
        let arguments = arguments?;
        let call = format!("{}({})", self.name, arguments.join(", "));
        Ok(if self.is_set {
            let is_small = !arguments.iter().any(|argument| is_beyond(argument, ROWS));
            if is_small && values.rng.bool() {
                format!("SELECT min(r::text) FROM {call} AS r")
            } else {
                format!("SELECT min(r::text) FROM (SELECT {call} AS r LIMIT 100) AS rows")
            }
        } else if given > 0 && values.one_in(4) {
            // Not folded into a constant by the planner, and called twice with one call site.
            let row = arguments.join(", ");
            let columns: Vec<_> = (1..=given).map(|n| format!("a{n}")).collect();
            let columns = columns.join(", ");
            let call = format!("{}({columns})", self.name);
            format!("SELECT min({call}::text) FROM (VALUES ({row}), ({row})) AS v ({columns})")
        } else {
            format!("SELECT {call}")
        })
    }

    /// Makes a trigger of it and has that fired.
    fn fire(&self, values: &mut Values) -> Result<String> {
        let table = values.table().context("no tables")?;
        let (when, row) = values.choose(EVENTS);
        let definition = format!("CREATE {when} ON %s {row} EXECUTE FUNCTION {}(%s)", self.name);
        let mut arguments = Vec::new();
        for _ in 0..values.rng.usize(..4) {
            let level = values.choose(&[&b"error"[..], b"warning", b"ERROR", b"Warning"]);
            let argument = if values.rng.bool() { level.to_vec() } else { values.name() };
            arguments.push(literal(&argument));
        }
        // PostgreSQL has MERGE for tables alone.
        let changes = if table.kind == b'v' { &CHANGES[1..] } else { CHANGES };
        let change = values.choose(changes);
        let written = values.one_in(4).then(|| values.name());
        let written = written.filter(|name| !SYSTEM_COLUMNS.contains(&name.as_slice()));
        let column = written.unwrap_or_else(|| b"id".to_vec());
        let ids: Vec<_> = (0..values.rng.usize(..4)).map(|_| values.bigint().to_string()).collect();
        Ok(format!(
            "SELECT kinds.fire({}, '{definition}', ARRAY[{}]::text[], '{change}', {}, '{{{}}}')",
            literal(&table.name),
            arguments.join(", "),
            literal(&column),
            ids.join(", ")
        ))
    }
}

fn is_beyond(argument: &str, limit: i64) -> bool {
    let number = argument.split('\'').nth(1).and_then(|number| number.parse().ok());
    number.is_some_and(|number: i64| number > limit)
}
