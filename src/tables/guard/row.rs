//! The row that a trigger is called for.

use super::super::spi::readable;
use crate::error::{Code, Report};
use pgrx::PgList;
use pgrx::prelude::*;
use pgrx::trigger_support::{called_as_trigger, trigger_fired_before, trigger_fired_instead};
use std::ffi::{CStr, CString, c_char};

/// A virtual generated column is never stored; PostgreSQL has these since version 18.
const VIRTUAL: c_char = b'v' as c_char;

/// What brings the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Insert,
    Update,
}

/// A row and the one that it replaces, in the memory that PostgreSQL has them in.
pub struct Row {
    pub event: Event,
    pub is_before: bool,
    relation: pg_sys::Relation,
    trigger: *mut pg_sys::Trigger,
    new: pg_sys::HeapTuple,
    /// The row that an UPDATE replaces, or `new`.
    old: pg_sys::HeapTuple,
}

impl Row {
    /// None if the call is not that of a row trigger of a table, before or after it gets a row.
    pub fn of(fcinfo: pg_sys::FunctionCallInfo) -> Option<Self> {
        // SAFETY: PostgreSQL passes a valid call, which in a trigger has its data as context.
        unsafe {
            if !called_as_trigger(fcinfo) {
                return None;
            }
            let data = &*(*fcinfo).context.cast::<pg_sys::TriggerData>();
            let is_of_row = data.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0;
            if !is_of_row || trigger_fired_instead(data.tg_event) {
                return None;
            }
            let (event, new) = match data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_INSERT => (Event::Insert, data.tg_trigtuple),
                pg_sys::TRIGGER_EVENT_UPDATE => (Event::Update, data.tg_newtuple),
                _ => return None,
            };
            let is_before = trigger_fired_before(data.tg_event);
            let (relation, trigger) = (data.tg_relation, data.tg_trigger);
            Some(Self { event, is_before, relation, trigger, new, old: data.tg_trigtuple })
        }
    }

    /// The row as a trigger returns it.
    pub fn pointer(&self) -> i64 {
        self.new as i64
    }

    pub fn relation(&self) -> pg_sys::Oid {
        // SAFETY: the relation is open for as long as the trigger runs.
        unsafe { (*self.relation).rd_id }
    }

    pub fn is_of_partition(&self) -> bool {
        // SAFETY: as in `relation`.
        unsafe { (*(*self.relation).rd_rel).relispartition }
    }

    pub fn relation_name(&self) -> CString {
        // SAFETY: an open relation has a name, a C string.
        unsafe { CStr::from_ptr((*(*self.relation).rd_rel).relname.data.as_ptr()) }.to_owned()
    }

    fn descriptor(&self) -> pg_sys::TupleDesc {
        // SAFETY: as in `relation`.
        unsafe { (*self.relation).rd_att }
    }

    /// What the trigger was created with.
    pub fn arguments(&self) -> impl Iterator<Item = &CStr> {
        // SAFETY: the trigger lives as long as the row, and has as many arguments as it says, all C strings.
        unsafe {
            let trigger = &*self.trigger;
            (0..usize::try_from(trigger.tgnargs).unwrap_or(0))
                .map(|index| CStr::from_ptr(*trigger.tgargs.add(index)))
        }
    }

    /// The number of the column with this name, if there is one that is not a system column.
    pub fn column(&self, name: &CStr) -> Option<i32> {
        // SAFETY: descriptor and name are valid.
        let number = unsafe { pg_sys::SPI_fnumber(self.descriptor(), name.as_ptr()) };
        (number > 0).then_some(number)
    }

    /// The number of the primary key's only column.
    pub fn primary_key(&self) -> i32 {
        primary_key(self.relation).unwrap_or_else(|| {
            Report::new(
                Code::ERRCODE_UNDEFINED_COLUMN,
                "snowflake_guard() does not know which column has the IDs",
                format!(
                    "Relation \"{}\" has no primary key of one column.",
                    readable(&self.relation_name())
                ),
                "Name the column in the trigger's arguments: snowflake_guard('column').",
            )
            .raise()
        })
    }

    /// Refuses a column that has no IDs, or none yet.
    pub fn check(&self, column: i32) {
        // SAFETY: the column is one of the descriptor's.
        let (kind, generated) = unsafe {
            let kind = pg_sys::getBaseType(pg_sys::SPI_gettypeid(self.descriptor(), column));
            (kind, pg_sys::get_attgenerated(self.relation(), column as i16))
        };
        if kind != pg_sys::INT8OID {
            Report::new(
                Code::ERRCODE_DATATYPE_MISMATCH,
                "snowflake_guard() guards columns of type bigint only",
                "Snowflake IDs are stored as bigint.",
                "",
            )
            .raise();
        }
        if generated == VIRTUAL {
            Report::new(
                Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "snowflake_guard() cannot see a virtual generated column",
                "It has no value until a query reads it.",
                "Make it a stored column, and the trigger an AFTER trigger.",
            )
            .raise();
        }
        if self.is_before && generated != 0 {
            Report::new(
                Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "snowflake_guard() cannot see a generated column before the row is stored",
                "It has no value yet.",
                "Make it an AFTER trigger.",
            )
            .raise();
        }
    }

    /// The new row's value of a column that [`Row::check`] has let pass; none where it is null.
    pub fn new_id(&self, column: i32) -> Option<i64> {
        self.id(self.new, column)
    }

    /// The same of the row that an UPDATE replaces.
    pub fn old_id(&self, column: i32) -> Option<i64> {
        self.id(self.old, column)
    }

    fn id(&self, tuple: pg_sys::HeapTuple, column: i32) -> Option<i64> {
        let mut is_null = true;
        // SAFETY: the column is one of the descriptor's and a bigint, and the tuple has its form.
        unsafe {
            let datum = pg_sys::SPI_getbinval(tuple, self.descriptor(), column, &mut is_null);
            i64::from_datum(datum, is_null)
        }
    }
}

/// The only column of the primary key. `RelationGetIndexAttrBitmap()` leaves out a key that is deferrable, up to
/// PostgreSQL 16.
fn primary_key(relation: pg_sys::Relation) -> Option<i32> {
    // SAFETY: the relation is open, and its indexes with it. A row of pg_index begins with its form, which has
    // as many columns as it says, one at least.
    unsafe {
        let indexes = PgList::<()>::from_pg(pg_sys::RelationGetIndexList(relation));
        (0..indexes.len()).filter_map(|position| indexes.get_oid(position)).find_map(|index| {
            let cache = pg_sys::SysCacheIdentifier::INDEXRELID as i32;
            let tuple = pg_sys::SearchSysCache1(cache, index.into());
            if tuple.is_null() {
                return None;
            }
            let index = &*pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_index>();
            let column = i32::from(*index.indkey.values.as_ptr());
            let is_key = index.indisprimary && index.indnkeyatts == 1;
            pg_sys::ReleaseSysCache(tuple);
            is_key.then_some(column)
        })
    }
}
