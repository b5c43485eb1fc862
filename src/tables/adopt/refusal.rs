//! What `snowflake_adopt()` says when it refuses. The kinds are those that the queries return.

use crate::error::Report;
use crate::tables::spi::readable;
use pgrx::pg_sys::errcodes::PgSqlErrorCode as Code;
use std::ffi::CStr;

/// The function is not part of an extension that has `snowflake_nextval()`.
pub fn no_nextval() -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "snowflake_adopt() does not belong to the extension pg_snowflake",
        "It makes the extension's snowflake_nextval() the default of the column.",
        "Call the function that CREATE EXTENSION has created.",
    )
}

/// The caller, or the table's owner, may not take IDs.
pub fn nextval_denied() -> Report {
    Report::new(
        Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
        "permission denied for function snowflake_nextval",
        "It becomes the default of the column.",
        "Grant EXECUTE on it, and USAGE on its schema, to the caller and to the owner of the table.",
    )
}

/// A value is not below the next ID.
pub fn value(column: &CStr, greatest: &CStr, next: i64) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("column {} holds a value that is not below the next ID", readable(column)),
        format!("The greatest value is {}, the next ID is {next}.", readable(greatest)),
        "Renumber the rows with such values; if they are IDs, check this server's clock and settings.",
    )
}

/// Indexes, constraints, statistics or defaults cannot be made anew for a bigint.
pub fn rebuild(facts: Vec<String>) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "other objects need a column that has to be widened to keep its type",
        in_the_way(facts),
        "Drop these objects, or give what they call a variant for bigint; create them again afterwards.",
    )
}

/// The column references another one, in which no new ID can be.
pub fn reference(facts: Vec<String>) -> Report {
    Report::new(
        Code::ERRCODE_FOREIGN_KEY_VIOLATION,
        "the column to adopt is a foreign key itself",
        format!("A new ID is not in the table that it references. {}", in_the_way(facts)),
        "Adopt the referenced column: that includes those that reference it.",
    )
}

/// Partitioned tables that have partitions, but none for the next ID.
pub fn no_partition(tables: Vec<String>) -> Report {
    Report::new(
        Code::ERRCODE_CHECK_VIOLATION,
        "no partition found for the next ID",
        format!("Partitioned without room for it: {}.", tables.join(", ")),
        "Create a partition for the IDs to come, or a DEFAULT partition, first.",
    )
}

/// Checks that the next ID does not pass.
pub fn violated(facts: Vec<String>) -> Report {
    Report::new(
        Code::ERRCODE_CHECK_VIOLATION,
        "the next ID violates a check constraint",
        in_the_way(facts),
        "Drop the constraint, or replace it by one that IDs satisfy, first.",
    )
}

/// Expressions that have no value for the next ID.
pub fn failing(facts: Vec<String>) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "an expression fails for the next ID",
        in_the_way(facts),
        "Drop these objects, or change their expressions, first.",
    )
}

fn in_the_way(facts: Vec<String>) -> String {
    format!("In the way: {}.", facts.join(", "))
}

/// Why the column cannot be adopted, whatever depends on it. `subject` is the column or, as
/// PostgreSQL describes it, the relation.
pub fn of_target(kind: &CStr, subject: &CStr, fact: &CStr) -> Report {
    let (subject, fact) = (readable(subject), readable(fact));
    match kind.to_bytes() {
        b"kind" => Report::new(
            Code::ERRCODE_WRONG_OBJECT_TYPE,
            format!("{subject} is not an ordinary or partitioned table"),
            "",
            "",
        ),
        b"catalog" => Report::new(
            Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("{subject} belongs to the system catalogs"),
            "",
            "",
        ),
        b"owner" => Report::new(
            Code::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of {subject}"),
            "",
            "",
        ),
        b"key" => Report::new(
            Code::ERRCODE_INVALID_COLUMN_REFERENCE,
            format!("{subject} has no primary key of a single column"),
            "Without one, the column to adopt has to be named.",
            "Name it: snowflake_adopt('table', 'column').",
        ),
        b"missing" => Report::new(
            Code::ERRCODE_UNDEFINED_COLUMN,
            format!("column {subject} does not exist"),
            "",
            "",
        ),
        b"system" => Report::new(
            Code::ERRCODE_UNDEFINED_COLUMN,
            format!("column {subject} is a system column"),
            "",
            "",
        ),
        b"domain" => Report::new(
            Code::ERRCODE_DATATYPE_MISMATCH,
            format!("column {subject} has a domain as its type: {fact}"),
            "The constraints of a domain may not fit IDs, and its width cannot be changed.",
            "Give the column the type smallint, integer or bigint first.",
        ),
        b"type" => Report::new(
            Code::ERRCODE_DATATYPE_MISMATCH,
            format!("column {subject} is of type {fact}"),
            "Only smallint, integer and bigint columns can be adopted.",
            "",
        ),
        b"generated" => Report::new(
            Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("column {subject} is generated"),
            "A column whose values are computed has no default.",
            "",
        ),
        _ => Report::new(
            Code::ERRCODE_INVALID_TABLE_DEFINITION,
            format!("column {subject} is inherited"),
            format!("It is inherited from {fact}."),
            "Adopt the column of the parent: that includes all that inherit it.",
        ),
    }
}

/// Why the columns that have to change cannot be; `facts` is all that stands in the way, as a list.
pub fn of_change(kind: &CStr, facts: &CStr) -> Report {
    use Code::{
        ERRCODE_DATATYPE_MISMATCH as TYPE, ERRCODE_INSUFFICIENT_PRIVILEGE as PRIVILEGE,
        ERRCODE_INVALID_TABLE_DEFINITION as DEFINITION,
        ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE as STATE,
    };
    let facts = readable(facts);
    let (code, message, hint) = match kind.to_bytes() {
        b"owner" => (
            PRIVILEGE,
            "a table that has to be changed has another owner",
            "Have the owner of a referencing table widen its column first, or give all of the tables one owner.",
        ),
        b"schema" => (
            PRIVILEGE,
            "permission denied for the schema of a table that has to be changed",
            "Grant USAGE on the schemas to the owner of the table.",
        ),
        b"references" => (
            PRIVILEGE,
            "permission denied for a foreign key that has to be made anew",
            "Grant REFERENCES on the referenced tables, named in parentheses, to the owner of the table.",
        ),
        b"sequence" => (
            STATE,
            "an identity column's sequence is used elsewhere",
            "Drop these objects, or change them, first: with the identity, its sequence is dropped.",
        ),
        b"not_null" => (
            DEFINITION,
            "a not-null constraint has another name than the one that it inherits from",
            "Use ALTER TABLE ... NO INHERIT, RENAME CONSTRAINT to the name in parentheses, and INHERIT, or \
             DETACH and ATTACH a partition.",
        ),
        b"operator" => (
            STATE,
            "a foreign key compares a column that has to be widened with another type",
            "Drop the foreign key, or give both columns the type bigint first.",
        ),
        b"session" => (
            STATE,
            "a table that has to be changed is a temporary table of another session",
            "Wait until that session has dropped it.",
        ),
        b"security" => (
            STATE,
            "row-level security may hide values that have to be checked",
            "Use ALTER TABLE ... NO FORCE ROW LEVEL SECURITY for the time of the change.",
        ),
        b"generated" => (
            STATE,
            "a column that has to be changed is generated",
            "Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION first.",
        ),
        b"type" => (
            TYPE,
            "a column that would hold IDs has a type that is neither bigint nor can be widened to it",
            "Give the column the type bigint first.",
        ),
        b"inherited" => (
            DEFINITION,
            "a column that has to be widened is inherited",
            "Widen the column of the parent, named in parentheses, first: ALTER TABLE ... ALTER \
             COLUMN ... TYPE bigint.",
        ),
        b"several" => (
            DEFINITION,
            "a column that has to be widened is inherited from tables that do not change together",
            "Use ALTER TABLE ... NO INHERIT for all parents, named in parentheses, but one, and ALTER \
             TABLE ... INHERIT afterwards.",
        ),
        b"foreign" => (
            STATE,
            "a column that has to be widened is in a foreign table",
            "Widen it on both sides first, or detach the foreign table.",
        ),
        b"typed" => (
            STATE,
            "a column that has to be widened is in a typed table",
            "Widen the attribute of its type first: ALTER TYPE ... ALTER ATTRIBUTE ... CASCADE; or \
             use ALTER TABLE ... NOT OF.",
        ),
        b"partition_key" => (
            STATE,
            "a column that has to be widened is part of a partition key",
            "PostgreSQL cannot change its type: move the rows to a new table, partitioned by a \
             bigint.",
        ),
        b"row_type" => (
            STATE,
            "the row type of a table that has to be widened is used",
            "Drop these columns and indexes, and create them again afterwards.",
        ),
        _ => (
            STATE,
            "other objects depend on a column that has to be widened",
            "Drop these objects, and create them again afterwards.",
        ),
    };
    Report::new(code, message, format!("In the way: {facts}."), hint)
}
