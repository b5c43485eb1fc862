//! The settings: definition, checks, typed getters.
//!
//! All of them but `max_drift` are fixed from server start on. PostgreSQL admits such settings
//! only while libraries are being preloaded; in a session that loads the library by itself they
//! are defined as administrator settings (sighup), so that decoding follows the configuration
//! there too and no session can change them.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{pg_guard, pg_sys};
use snowflake_core::{Epoch, EpochError, Layout};
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Names of the settings, as messages and lookups use them.
pub mod name {
    use std::ffi::CStr;

    pub const PREFIX: &CStr = c"pg_snowflake";
    pub const DATACENTER_ID: &CStr = c"pg_snowflake.datacenter_id";
    pub const MACHINE_ID: &CStr = c"pg_snowflake.machine_id";
    pub const EPOCH: &CStr = c"pg_snowflake.epoch";
    pub const DATACENTER_BITS: &CStr = c"pg_snowflake.datacenter_bits";
    pub const MACHINE_BITS: &CStr = c"pg_snowflake.machine_bits";
    pub const SEQUENCE_BITS: &CStr = c"pg_snowflake.sequence_bits";
    pub const MAX_DRIFT: &CStr = c"pg_snowflake.max_drift";

    /// The settings that make up the ID space.
    pub const SPACE: [&CStr; 4] = [EPOCH, DATACENTER_BITS, MACHINE_BITS, SEQUENCE_BITS];
    /// The settings that only issuing needs.
    pub const ISSUING: [&CStr; 3] = [DATACENTER_ID, MACHINE_ID, MAX_DRIFT];
}

/// Value of `machine_id` that means "not set".
const UNSET: i32 = -1;
/// Every section but the timestamp may be this wide, at the cost of the others.
const MAX_BITS: i32 = Layout::MAX_NODE_AND_SEQUENCE_BITS as i32;
/// The greatest number that the widest section holds.
const MAX_ID: i32 = (1 << MAX_BITS) - 1;
/// Drift beyond an hour would be a wrong clock, not a burst.
const MAX_MAX_DRIFT_MS: i32 = 3_600_000;
const DEFAULT_EPOCH: &CStr = c"2024-01-01 00:00:00+00";

static DATACENTER_ID: GucSetting<i32> = GucSetting::<i32>::new(0);
static MACHINE_ID: GucSetting<i32> = GucSetting::<i32>::new(UNSET);
static EPOCH: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(DEFAULT_EPOCH));
static DATACENTER_BITS: GucSetting<i32> = GucSetting::<i32>::new(5);
static MACHINE_BITS: GucSetting<i32> = GucSetting::<i32>::new(5);
static SEQUENCE_BITS: GucSetting<i32> = GucSetting::<i32>::new(12);
static MAX_DRIFT_MS: GucSetting<i32> = GucSetting::<i32>::new(5_000);

/// The epoch in force, parsed, as milliseconds since 1970; kept by the assign hook.
static EPOCH_UNIX_MILLIS: AtomicI64 = AtomicI64::new(0);

/// When the configuration had been read last, as the library was loaded.
static LOADED_WITH: AtomicI64 = AtomicI64::new(0);

/// Settings whose configured value was not accepted when the library was loaded.
static REJECTED: OnceLock<Vec<Rejected>> = OnceLock::new();

/// A setting that the configuration gives a value which was not accepted.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Full name of the setting.
    pub name: &'static CStr,
    /// The value it was given.
    pub value: String,
    /// Whether that was at server start, and not when a session loaded the library.
    pub at_start: bool,
}

/// Defines all settings and reserves their prefix.
pub fn define(preloading: bool) {
    let configured = name::SPACE.into_iter().chain(name::ISSUING).filter_map(|name| {
        configured_value(name).map(|value| Rejected { name, value, at_start: preloading })
    });
    let configured: Vec<_> = configured.collect();
    let fixed = || if preloading { GucContext::Postmaster } else { GucContext::Sighup };
    define_node(fixed);
    define_space(fixed);
    GucRegistry::define_int_guc(
        name::MAX_DRIFT,
        c"Sets how far load may push the ID clock ahead of the wall clock.",
        c"Beyond it, callers are paced: the ID clock advances no faster than real time.",
        &MAX_DRIFT_MS,
        0,
        MAX_MAX_DRIFT_MS,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    // A value that the definition took over has kept its source.
    let rejected = configured.into_iter().filter(|setting| is_default(setting.name)).collect();
    LOADED_WITH.store(config_time(), Ordering::Relaxed);
    // Only set here, and a library is initialised once per process.
    let _ = REJECTED.set(rejected);
    // SAFETY: the prefix is a valid C string.
    unsafe { pg_sys::MarkGUCPrefixReserved(name::PREFIX.as_ptr()) };
}

fn define_node(context: impl Fn() -> GucContext) {
    GucRegistry::define_int_guc(
        name::DATACENTER_ID,
        c"Sets the datacenter part of this server's IDs.",
        c"0 to 2^datacenter_bits - 1. No two servers may share datacenter and machine.",
        &DATACENTER_ID,
        0,
        MAX_ID,
        context(),
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        name::MACHINE_ID,
        c"Sets the machine part of this server's IDs.",
        c"0 to 2^machine_bits - 1; -1 means not set, and no IDs are issued. \
          No two servers may share datacenter and machine.",
        &MACHINE_ID,
        UNSET,
        MAX_ID,
        context(),
        GucFlags::default(),
    );
}

fn define_space(context: impl Fn() -> GucContext) {
    // SAFETY: both hooks are guarded, have the signatures PostgreSQL calls them with, and the
    // check hook accepts the default value.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name::EPOCH,
            c"Sets the instant at which the timestamp section of an ID is 0.",
            c"ISO 8601 date and time with an offset from UTC. Belongs to the data: \
              fixed from the first ID on.",
            &EPOCH,
            context(),
            GucFlags::default(),
            Some(check_epoch),
            Some(assign_epoch),
            None,
        );
    }
    let bits = |name, short, setting| {
        let long = c"Datacenter, machine and sequence may take 24 bits together; the timestamp \
                     gets the rest of 63. Belongs to the data: fixed from the first ID on.";
        let flags = GucFlags::default();
        GucRegistry::define_int_guc(name, short, long, setting, 0, MAX_BITS, context(), flags);
    };
    bits(name::DATACENTER_BITS, c"Sets the width of the datacenter section.", &DATACENTER_BITS);
    bits(name::MACHINE_BITS, c"Sets the width of the machine section.", &MACHINE_BITS);
    bits(name::SEQUENCE_BITS, c"Sets the width of the sequence section.", &SEQUENCE_BITS);
}

/// Datacenter of this server.
pub fn datacenter_id() -> u32 {
    DATACENTER_ID.get().unsigned_abs()
}

/// Machine of this server, unless it was not set.
pub fn machine_id() -> Option<u32> {
    u32::try_from(MACHINE_ID.get()).ok()
}

/// The epoch of the ID space.
pub fn epoch() -> Epoch {
    // The assign hook stored what was an epoch.
    Epoch::from_unix_millis(EPOCH_UNIX_MILLIS.load(Ordering::Relaxed)).unwrap_or_default()
}

/// Widths of the datacenter, machine and sequence sections, in bits: each 0 to 24, not yet
/// checked against each other.
pub fn section_bits() -> (u32, u32, u32) {
    let bits = |setting: &GucSetting<i32>| setting.get().unsigned_abs();
    (bits(&DATACENTER_BITS), bits(&MACHINE_BITS), bits(&SEQUENCE_BITS))
}

/// How far load may push the ID clock ahead, in milliseconds.
#[inline]
pub fn max_drift_millis() -> u32 {
    // SAFETY: PostgreSQL writes the variable from this process's only thread, and not while one
    // of our functions runs. The checked getter costs a thread-id comparison on each ID.
    unsafe { MAX_DRIFT_MS.as_ptr().read() }.unsigned_abs()
}

/// The first of these settings that the configuration gives a value which was not accepted.
///
/// A reload may have corrected `max_drift` since; PostgreSQL itself reports what a reload rejects.
pub fn rejected(names: &[&CStr]) -> Option<Rejected> {
    let stands = |setting: &&Rejected| {
        names.contains(&setting.name) && (setting.name != name::MAX_DRIFT || !reloaded())
    };
    REJECTED.get()?.iter().find(stands).cloned()
}

#[pg_guard]
unsafe extern "C-unwind" fn check_epoch(
    new: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL passes a pointer to the new value, a C string.
    let text = unsafe { CStr::from_ptr(*new) }.to_string_lossy();
    let Err(error) = text.parse::<Epoch>() else { return true };
    // SAFETY: PostgreSQL reads both strings, and resets them, in the report that follows.
    unsafe {
        pg_sys::GUC_check_errdetail_string = message(&match error {
            EpochError::Syntax(reason) => format!("It cannot be read: {reason}."),
            EpochError::Fraction => "The epoch must be a whole millisecond.".to_owned(),
        });
        pg_sys::GUC_check_errhint_string = message(
            "Write date and time in ISO 8601 with an offset from UTC, \
             such as 2024-01-01 00:00:00+00.",
        );
    }
    false
}

#[pg_guard]
unsafe extern "C-unwind" fn assign_epoch(new: *const c_char, _extra: *mut c_void) {
    // SAFETY: PostgreSQL passes the value that the check hook has seen, a C string.
    let text = unsafe { CStr::from_ptr(new) }.to_string_lossy();
    if let Ok(epoch) = text.parse::<Epoch>() {
        EPOCH_UNIX_MILLIS.store(epoch.unix_millis(), Ordering::Relaxed);
    }
}

/// A message for a check hook's report, where PostgreSQL keeps its own.
fn message(text: &str) -> *mut c_char {
    let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
    // SAFETY: the context exists for as long as the process; the text is a valid C string.
    unsafe { pg_sys::MemoryContextStrdup(pg_sys::ErrorContext, text.as_ptr()) }
}

/// What the server's configuration, a role, a database or a session has given a setting that is
/// not defined yet.
fn configured_value(name: &CStr) -> Option<String> {
    // SAFETY: the name is a valid C string; the result, if any, is one too and is copied at once.
    unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
    }
}

fn reloaded() -> bool {
    config_time() != LOADED_WITH.load(Ordering::Relaxed)
}

fn config_time() -> i64 {
    // SAFETY: a plain read of a global that only this process writes.
    unsafe { pg_sys::PgReloadTime }
}

/// Whether a setting stands at its built-in default.
fn is_default(name: &CStr) -> bool {
    // SAFETY: a record of PostgreSQL's table of settings, which is never freed.
    find(name)
        .is_none_or(|setting| unsafe { (*setting).source } == pg_sys::GucSource::PGC_S_DEFAULT)
}

#[cfg(feature = "pg15")]
fn find(name: &CStr) -> Option<*mut pg_sys::config_generic> {
    // SAFETY: the table has as many entries as PostgreSQL says, each with a name.
    unsafe {
        let len = usize::try_from(pg_sys::GetNumConfigOptions()).ok()?;
        let all = std::slice::from_raw_parts(pg_sys::get_guc_variables(), len);
        all.iter().copied().find(|&setting| CStr::from_ptr((*setting).name) == name)
    }
}

#[cfg(not(feature = "pg15"))]
fn find(name: &CStr) -> Option<*mut pg_sys::config_generic> {
    // SAFETY: the name is a valid C string; a missing setting is reported as null.
    let setting = unsafe { pg_sys::find_option(name.as_ptr(), false, true, 0) };
    (!setting.is_null()).then_some(setting)
}
