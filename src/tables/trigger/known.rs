//! What a trigger's definition and its table's say, worked out once: an apply worker calls a trigger anew for each
//! row, so nothing can be kept with the call.

use super::row::Row;
use pgrx::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

thread_local! {
    /// Goes up whenever the definition of a table may have changed, its triggers' and indexes' included.
    static DEFINITIONS: Cell<u64> = const { Cell::new(0) };
}

/// What is known of each trigger of this session's.
pub struct Known<T> {
    definitions: Cell<u64>,
    triggers: RefCell<BTreeMap<u32, T>>,
}

impl<T: Copy> Known<T> {
    /// Nothing.
    pub const fn new() -> Self {
        Self { definitions: Cell::new(0), triggers: RefCell::new(BTreeMap::new()) }
    }

    /// What is known of the trigger that this row is for; else what `find` says, and that is known from now on.
    pub fn of(&self, row: &Row, find: impl FnOnce(&Row) -> T) -> T {
        let definitions = definitions();
        if self.definitions.replace(definitions) != definitions {
            self.triggers.borrow_mut().clear();
        }
        let known = self.triggers.borrow().get(&row.trigger().to_u32()).copied();
        known.unwrap_or_else(|| {
            let found = find(row);
            self.triggers.borrow_mut().insert(row.trigger().to_u32(), found);
            found
        })
    }
}

/// Never 0: that is before any is watched.
fn definitions() -> u64 {
    DEFINITIONS.with(|definitions| {
        if definitions.get() == 0 {
            definitions.set(1);
            // SAFETY: the callback lives as long as the process, as does this library once it is loaded.
            unsafe {
                pg_sys::CacheRegisterRelcacheCallback(Some(at_change), pg_sys::Datum::null());
            }
        }
        definitions.get()
    })
}

#[pg_guard]
unsafe extern "C-unwind" fn at_change(_argument: pg_sys::Datum, _relation: pg_sys::Oid) {
    DEFINITIONS.set(DEFINITIONS.get() + 1);
}
