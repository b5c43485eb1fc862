//! `snowflake_guard`: notices rows with IDs of this server that it has not issued, as they arrive.

use super::spi::readable;
use crate::error::{Code, Refusal, Report};
use crate::{lease, node, shared};
use pgrx::pg_sys::elog::PgLogLevel;
use pgrx::prelude::*;
use pgrx::trigger_support::{called_as_trigger, trigger_fired_before, trigger_fired_by_update};
use snowflake_core::Node;
use std::ffi::{CStr, CString};

/// A row as the trigger protocol passes it: a pointer in a datum.
type RowPointer = i64;

/// `snowflake_guard([level | column]...)`, a trigger function: the row passes as it is, unless the level
/// is `error` and its ID is one of this server that it has not issued.
#[pg_extern(sql = false)]
fn snowflake_guard(fcinfo: pg_sys::FunctionCallInfo) -> RowPointer {
    let row = Row::of(fcinfo).unwrap_or_else(|| misuse());
    let Arguments { level, column } = row.arguments();
    let column = column.map_or_else(|| row.primary_key(), |name| row.column(&name));
    row.refuse_generated(column);
    if let Some(id) = row.bigint(column) {
        match beyond_mark(id) {
            Ok(None) => {}
            Ok(Some(mark)) => row.beyond_mark(id, mark).report(level),
            // A guard that cannot see says so.
            Err(refusal) => refusal.report_as(level),
        }
    }
    row.pointer()
}

/// What an ID of this server's identity lies beyond, if it has not issued it.
enum Mark {
    /// The ID that it will issue next at the earliest.
    Next(i64),
    /// It has not issued any yet.
    Nothing,
}

/// The mark, if the ID has this server's identity and lies beyond it.
fn beyond_mark(id: i64) -> Result<Option<Mark>, Refusal> {
    let generator = match node::generator() {
        // Without an identity there is none to misuse.
        Err(Refusal::MachineUnset) => return Ok(None),
        generator => generator?,
    };
    // By the space that this server's IDs have, whatever the settings say: `mark` tells the difference.
    let is_ours = node::space()?.decode(id).is_ok_and(|id| id.node == generator.node());
    if !is_ours {
        return Ok(None);
    }
    let mark = lease::mark(&generator, shared::get().ok_or(Refusal::NotPreloaded)?)?;
    let is_beyond = generator.check(mark).is_ok() && id >= generator.id(mark);
    Ok(is_beyond.then(|| if mark == 0 { Mark::Nothing } else { Mark::Next(generator.id(mark)) }))
}

/// What the trigger was created with.
struct Arguments {
    level: PgLogLevel,
    column: Option<CString>,
}

/// The new row of the trigger's event, in the memory that PostgreSQL has it in.
struct Row {
    relation: pg_sys::Relation,
    tuple: pg_sys::HeapTuple,
    trigger: *mut pg_sys::Trigger,
    is_before: bool,
}

impl Row {
    /// None if the call is not that of a row trigger that has a new row.
    fn of(fcinfo: pg_sys::FunctionCallInfo) -> Option<Self> {
        // SAFETY: PostgreSQL passes a valid call, which in a trigger has its data as context.
        unsafe {
            if !called_as_trigger(fcinfo) {
                return None;
            }
            let data = &*(*fcinfo).context.cast::<pg_sys::TriggerData>();
            let event = data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK;
            let has_new_row =
                event == pg_sys::TRIGGER_EVENT_INSERT || event == pg_sys::TRIGGER_EVENT_UPDATE;
            if data.tg_event & pg_sys::TRIGGER_EVENT_ROW == 0 || !has_new_row {
                return None;
            }
            let is_update = trigger_fired_by_update(data.tg_event);
            let tuple = if is_update { data.tg_newtuple } else { data.tg_trigtuple };
            let is_before = trigger_fired_before(data.tg_event);
            Some(Self { relation: data.tg_relation, tuple, trigger: data.tg_trigger, is_before })
        }
    }

    fn pointer(&self) -> RowPointer {
        self.tuple as RowPointer
    }

    fn descriptor(&self) -> pg_sys::TupleDesc {
        // SAFETY: the relation is open for as long as the trigger runs.
        unsafe { (*self.relation).rd_att }
    }

    fn arguments(&self) -> Arguments {
        let mut arguments = Arguments { level: PgLogLevel::WARNING, column: None };
        // SAFETY: the trigger has as many arguments as it says, all of them C strings.
        let texts = unsafe {
            let trigger = &*self.trigger;
            (0..usize::try_from(trigger.tgnargs).unwrap_or(0))
                .map(|index| CStr::from_ptr(*trigger.tgargs.add(index)).to_owned())
        };
        for text in texts {
            match text.to_bytes().to_ascii_lowercase().as_slice() {
                b"warning" => arguments.level = PgLogLevel::WARNING,
                b"error" => arguments.level = PgLogLevel::ERROR,
                _ => arguments.column = Some(text),
            }
        }
        arguments
    }

    /// The number of a column.
    fn column(&self, name: &CStr) -> i32 {
        // SAFETY: descriptor and name are valid.
        let number = unsafe { pg_sys::SPI_fnumber(self.descriptor(), name.as_ptr()) };
        if number <= 0 {
            Report::new(
                Code::ERRCODE_UNDEFINED_COLUMN,
                format!("column \"{}\" does not exist in the table", readable(name)),
                "Arguments of snowflake_guard() are \"warning\" or \"error\", and a column.",
                "",
            )
            .raise();
        }
        number
    }

    /// The number of the primary key's only column.
    fn primary_key(&self) -> i32 {
        let mut member = 0;
        // SAFETY: the relation is open; a set that is null is empty.
        let is_single = unsafe {
            let columns = pg_sys::RelationGetIndexAttrBitmap(
                self.relation,
                pg_sys::IndexAttrBitmapKind::INDEX_ATTR_BITMAP_PRIMARY_KEY,
            );
            pg_sys::bms_get_singleton_member(columns, &mut member)
        };
        if !is_single {
            Report::new(
                Code::ERRCODE_UNDEFINED_COLUMN,
                "snowflake_guard() does not know which column has the IDs",
                "The table has no primary key of one column.",
                "Name the column in the trigger's arguments: snowflake_guard('column').",
            )
            .raise();
        }
        member + pg_sys::FirstLowInvalidHeapAttributeNumber
    }

    /// Before a row is stored, its generated columns have no value.
    fn refuse_generated(&self, column: i32) {
        // SAFETY: relation and trigger data are valid while the trigger runs.
        let generated = unsafe {
            self.is_before && pg_sys::get_attgenerated((*self.relation).rd_id, column as i16) != 0
        };
        if generated {
            Report::new(
                Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "snowflake_guard() cannot see a generated column before the row is stored",
                "It has no value yet.",
                "Make it an AFTER trigger.",
            )
            .raise();
        }
    }

    /// The value of a column of type bigint; none where it is null.
    fn bigint(&self, column: i32) -> Option<i64> {
        let mut is_null = true;
        // SAFETY: the column is one of the descriptor's, and the tuple has its form.
        unsafe {
            let kind = pg_sys::getBaseType(pg_sys::SPI_gettypeid(self.descriptor(), column));
            if kind != pg_sys::INT8OID {
                Report::new(
                    Code::ERRCODE_DATATYPE_MISMATCH,
                    "snowflake_guard() guards columns of type bigint only",
                    "Snowflake IDs are stored as bigint.",
                    "",
                )
                .raise();
            }
            let datum = pg_sys::SPI_getbinval(self.tuple, self.descriptor(), column, &mut is_null);
            i64::from_datum(datum, is_null)
        }
    }

    fn beyond_mark(&self, id: i64, mark: Mark) -> Report {
        // SAFETY: an open relation has a name, a C string.
        let table = unsafe { CStr::from_ptr((*(*self.relation).rd_rel).relname.data.as_ptr()) };
        let Node { datacenter, machine } =
            node::generator().map_or(Node::default(), |it| it.node());
        Report::new(
            Code::ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION,
            format!(
                "table \"{}\" gets a snowflake ID of this server that it has not issued",
                readable(table)
            ),
            format!(
                "ID {id} is of datacenter {datacenter}, machine {machine}, as this server is, {}.",
                match mark {
                    Mark::Nothing => "which has not issued any ID yet".to_owned(),
                    Mark::Next(id) => format!("whose next ID is {id} or greater"),
                }
            ),
            "Find the server that has the same \"pg_snowflake.datacenter_id\" and \
             \"pg_snowflake.machine_id\", and give it another machine_id.",
        )
    }
}

fn misuse() -> ! {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "snowflake_guard() can only be called as a row trigger on INSERT or UPDATE",
        "It looks at the new row.",
        "CREATE TRIGGER ... BEFORE INSERT OR UPDATE ON ... FOR EACH ROW EXECUTE FUNCTION \
         snowflake_guard().",
    )
    .raise()
}

extension_sql_file!("../../sql/guard.sql", name = "guard");
