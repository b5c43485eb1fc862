//! What the planner is told of `snowflake_between()`: that it is a range of IDs, as its SQL body says too. But
//! each statement reads that body anew, which takes longer than to find the two IDs.

use crate::api::first_id;
use pgrx::pg_sys::NodeTag::{T_Const, T_SupportRequestSimplify, T_Var};
use pgrx::prelude::*;
use pgrx::{Internal, PgList, is_a};
use std::ptr::null_mut;

/// `bigint >= bigint`, in PostgreSQL's pg_operator.dat.
const AT_LEAST: pg_sys::Oid = pg_sys::Oid::from_u32(415);
const BELOW: pg_sys::Oid = pg_sys::Oid::from_u32(pg_sys::Int8LessOperator);

/// `snowflake_between_support(internal) -> internal`: a planner support function.
#[pg_extern(sql = false)]
fn snowflake_between_support(request: Internal) -> Internal {
    // SAFETY: PostgreSQL calls this, with a node, as SQL has no values of type internal.
    let range = request.unwrap().and_then(|request| unsafe { range(request.cast_mut_ptr()) });
    // No pointer has PostgreSQL go on with the body. It is not NULL, which a support function may not return.
    Internal::from(Some(range.unwrap_or(null_mut()).into()))
}

/// The call as a range. None where it is not of a column, whose twofold evaluation costs nothing, or where
/// a time is not known yet; or has no ID, or the role no right to the function, which PostgreSQL then reports.
///
/// # Safety
///
/// The argument is a node.
unsafe fn range(request: *mut pg_sys::Node) -> Option<*mut pg_sys::Expr> {
    // SAFETY: the tag of a node says of which type it is, and the planner has checked the arguments.
    unsafe {
        if !is_a(request, T_SupportRequestSimplify) {
            return None;
        }
        let call = (*request.cast::<pg_sys::SupportRequestSimplify>()).fcall;
        if !may_execute((*call).funcid) {
            return None;
        }
        let arguments = PgList::<pg_sys::Node>::from_pg((*call).args);
        let id = arguments.get_ptr(0).filter(|&id| is_a(id, T_Var))?;
        let from = first_id(time(arguments.get_ptr(1)?)?).ok()?;
        let to = first_id(time(arguments.get_ptr(2)?)?).ok()?;
        Some(pg_sys::make_and_qual(compare(id, AT_LEAST, from), compare(id, BELOW, to)).cast())
    }
}

fn may_execute(function: pg_sys::Oid) -> bool {
    // SAFETY: looks the function and the role up in the catalog.
    let found = unsafe {
        let (role, right) = (pg_sys::GetUserId(), pg_sys::ACL_EXECUTE);
        #[cfg(feature = "pg15")]
        let found = pg_sys::pg_proc_aclcheck(function, role, right);
        #[cfg(not(feature = "pg15"))]
        let found =
            pg_sys::object_aclcheck(pg_sys::ProcedureRelationId, function, role, right.into());
        found
    };
    found == pg_sys::AclResult::ACLCHECK_OK
}

/// The value of a constant that is a `timestamptz`.
///
/// # Safety
///
/// The argument is an expression of that type.
unsafe fn time(expression: *mut pg_sys::Node) -> Option<i64> {
    // SAFETY: the tag says that it is a constant.
    unsafe {
        let constant = is_a(expression, T_Const).then(|| &*expression.cast::<pg_sys::Const>())?;
        i64::from_datum(constant.constvalue, constant.constisnull)
    }
}

/// # Safety
///
/// `column` is an expression of type `bigint`, and `operator` compares two of those.
unsafe fn compare(column: *mut pg_sys::Node, operator: pg_sys::Oid, id: i64) -> *mut pg_sys::Node {
    let none = pg_sys::InvalidOid;
    // SAFETY: as above. Nodes are not shared by expressions.
    unsafe {
        let column = pg_sys::copyObjectImpl(column.cast()).cast();
        let id = pg_sys::makeConst(pg_sys::INT8OID, -1, none, 8, id.into(), false, true);
        let compared =
            pg_sys::make_opclause(operator, pg_sys::BOOLOID, false, column, id.cast(), none, none);
        pg_sys::set_opfuncid(compared.cast());
        compared.cast()
    }
}
