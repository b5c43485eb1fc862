//! The row that a trigger is called for.

use crate::error::{Code, Report};
use pgrx::prelude::*;
use pgrx::trigger_support::{called_as_trigger, trigger_fired_before, trigger_fired_instead};
use std::ffi::{CStr, CString, c_int};

/// What brings the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Insert,
    Update,
}

/// A row and the one that it replaces, in the memory that PostgreSQL has them in.
pub struct Row {
    /// The trigger function.
    pub function: &'static str,
    pub event: Event,
    pub is_before: bool,
    pub(super) relation: pg_sys::Relation,
    trigger: *mut pg_sys::Trigger,
    new: pg_sys::HeapTuple,
    /// The row that an UPDATE replaces, or `new`.
    old: pg_sys::HeapTuple,
}

impl Row {
    /// The row that `function` is called for. Refuses a call that is not that of a row trigger of a table, before or
    /// after it gets a row.
    pub fn of(function: &'static str, fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Self::received(function, fcinfo).unwrap_or_else(|| misuse(function))
    }

    fn received(function: &'static str, fcinfo: pg_sys::FunctionCallInfo) -> Option<Self> {
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
            Some(Self {
                function,
                event,
                is_before,
                relation,
                trigger,
                new,
                old: data.tg_trigtuple,
            })
        }
    }

    /// The row as a trigger returns it.
    pub fn pointer(&self) -> i64 {
        self.new as i64
    }

    pub fn trigger(&self) -> pg_sys::Oid {
        // SAFETY: the trigger lives as long as the row.
        unsafe { (*self.trigger).tgoid }
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

    pub(super) fn descriptor(&self) -> pg_sys::TupleDesc {
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

    /// The new row's value of a column that [`Row::check`] let pass; none where it is null.
    pub fn new_id(&self, column: i32) -> Option<i64> {
        self.id(self.new, column)
    }

    /// The same of the row that an UPDATE replaces.
    pub fn old_id(&self, column: i32) -> Option<i64> {
        self.id(self.old, column)
    }

    fn id(&self, tuple: pg_sys::HeapTuple, column: i32) -> Option<i64> {
        let mut is_null = true;
        // SAFETY: the column is one of the descriptor's and a bigint, and the tuple has its form. Such a call raises no
        // error.
        unsafe {
            let datum = SPI_getbinval(tuple, self.descriptor(), column, &mut is_null);
            i64::from_datum(datum, is_null)
        }
    }
}

unsafe extern "C-unwind" {
    /// As pgrx binds it, but without a jump to prepare for errors: that would be half of what a row costs.
    fn SPI_getbinval(
        tuple: pg_sys::HeapTuple,
        descriptor: pg_sys::TupleDesc,
        column: c_int,
        is_null: *mut bool,
    ) -> pg_sys::Datum;
}

fn misuse(function: &str) -> ! {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!(
            "{function}() can only be called as a BEFORE or AFTER row trigger on INSERT or UPDATE"
        ),
        "It looks at the new row.",
        format!(
            "CREATE TRIGGER ... BEFORE INSERT OR UPDATE ON ... FOR EACH ROW EXECUTE FUNCTION {function}()."
        ),
    )
    .raise()
}
