//! A function result of several columns.

use crate::outdated::outdated;
use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

/// One row of `N` columns, where `None` is null, for a function with `N` OUT parameters (pgrx knows
/// named composite types and `RETURNS TABLE` only; the latter returns a set).
pub struct Row<const N: usize>(pub [Option<pg_sys::Datum>; N]);

// SAFETY: names the SQL type that `box_into` returns.
unsafe impl<const N: usize> SqlTranslatable for Row<N> {
    const TYPE_IDENT: &'static str = "pg_snowflake::row::Row";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Err(ArgumentError::NotValidAsArgument("Row"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("record")));
}

// SAFETY: the datum returned is a composite value of the type that the call's own descriptor says.
unsafe impl<const N: usize> BoxRet for Row<N> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        let mut nulls = self.0.map(|datum| datum.is_none());
        let mut datums = self.0.map(|datum| datum.unwrap_or(pg_sys::Datum::null()));
        // SAFETY: PostgreSQL passes a valid call; the arrays are as long as the descriptor.
        unsafe {
            let descriptor = descriptor(fcinfo.as_mut_ptr(), N as i32);
            let tuple =
                pg_sys::heap_form_tuple(descriptor, datums.as_mut_ptr(), nulls.as_mut_ptr());
            fcinfo.return_raw_datum(pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data))
        }
    }
}

/// The descriptor of the call's result, kept with the call site: looking it up costs far more
/// than taking an ID apart.
unsafe fn descriptor(fcinfo: pg_sys::FunctionCallInfo, columns: i32) -> pg_sys::TupleDesc {
    // SAFETY: `fcinfo` is valid, and `fn_extra` is this function's to use for as long as the call
    // site lives, as is memory of `fn_mcxt`.
    unsafe {
        let flinfo = (*fcinfo).flinfo;
        if (*flinfo).fn_extra.is_null() {
            let mut descriptor = std::ptr::null_mut();
            let mut type_id = pg_sys::InvalidOid;
            let class = pg_sys::get_call_result_type(fcinfo, &mut type_id, &mut descriptor);
            if class != pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE {
                pgrx::error!(
                    "function returning record called in context that cannot accept type record"
                );
            }
            if (*descriptor).natts != columns {
                outdated(fcinfo);
            }
            let caller = pg_sys::MemoryContextSwitchTo((*flinfo).fn_mcxt);
            let descriptor = pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor));
            pg_sys::MemoryContextSwitchTo(caller);
            (*flinfo).fn_extra = descriptor.cast();
        }
        (*flinfo).fn_extra.cast()
    }
}
