//! Acting as another role.

use pgrx::pg_sys;

/// What code of that role may do meanwhile.
pub enum Context {
    /// Whatever the role itself may: for statements that run none of its code.
    Ordinary,
    /// Nothing that outlasts the statement in the caller's session, as where PostgreSQL builds an index.
    Restricted,
}

/// Runs `work` with the rights of `role`, as PostgreSQL does for REINDEX. If that raises an error, the end of the
/// transaction or savepoint gives the caller's rights back.
pub fn acting_as<T>(role: pg_sys::Oid, context: Context, work: impl FnOnce() -> T) -> T {
    let context = match context {
        Context::Ordinary => pg_sys::SECURITY_LOCAL_USERID_CHANGE,
        Context::Restricted => pg_sys::SECURITY_RESTRICTED_OPERATION,
    };
    let (mut caller, mut before) = (pg_sys::InvalidOid, 0);
    // SAFETY: plain reads and writes of the session's state, each taken back here or by the end of the
    // transaction or savepoint.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut caller, &mut before);
        if caller == role {
            return work();
        }
        pg_sys::SetUserIdAndSecContext(role, before | context as i32);
        let settings = pg_sys::NewGUCNestLevel();
        let result = work();
        // What the role's code has set, it has set for itself.
        pg_sys::AtEOXact_GUC(false, settings);
        pg_sys::SetUserIdAndSecContext(caller, before);
        result
    }
}
