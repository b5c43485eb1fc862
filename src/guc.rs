//! The settings: definition, checks, typed getters.
//!
//! All of them but `max_drift` are fixed from server start on. PostgreSQL admits such settings
//! only while libraries are being preloaded; in a session that loads the library by itself they
//! are defined as administrator settings (sighup), so that decoding follows the configuration
//! there too and no session can change them.

use pgrx::guc::{GucCheckError, GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{pg_guard, pg_sys};
use snowflake_core::{Epoch, EpochError, Layout, Origin};
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Names of the settings, as messages and lookups use them.
pub mod name {
    use std::ffi::CStr;

    pub const PREFIX: &CStr = c"pg_snowflake";
    pub const DATACENTER_ID: &CStr = c"pg_snowflake.datacenter_id";
    pub const MACHINE_ID: &CStr = c"pg_snowflake.machine_id";
    pub const MACHINE_ID_FROM: &CStr = c"pg_snowflake.machine_id_from";
    pub const EPOCH: &CStr = c"pg_snowflake.epoch";
    pub const DATACENTER_BITS: &CStr = c"pg_snowflake.datacenter_bits";
    pub const MACHINE_BITS: &CStr = c"pg_snowflake.machine_bits";
    pub const SEQUENCE_BITS: &CStr = c"pg_snowflake.sequence_bits";
    pub const MAX_DRIFT: &CStr = c"pg_snowflake.max_drift";

    /// The settings that make up the ID space.
    pub const SPACE: [&CStr; 4] = [EPOCH, DATACENTER_BITS, MACHINE_BITS, SEQUENCE_BITS];
    /// The settings that only issuing needs.
    pub const ISSUING: [&CStr; 4] = [DATACENTER_ID, MACHINE_ID, MACHINE_ID_FROM, MAX_DRIFT];
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
static MACHINE_ID_FROM: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static EPOCH: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(DEFAULT_EPOCH));
static DATACENTER_BITS: GucSetting<i32> = GucSetting::<i32>::new(5);
static MACHINE_BITS: GucSetting<i32> = GucSetting::<i32>::new(5);
static SEQUENCE_BITS: GucSetting<i32> = GucSetting::<i32>::new(12);
static MAX_DRIFT_MS: GucSetting<i32> = GucSetting::<i32>::new(5_000);

/// The epoch in force, parsed, as milliseconds since 1970; kept by the assign hook.
static EPOCH_UNIX_MILLIS: AtomicI64 = AtomicI64::new(0);

/// When the configuration had been read last, as the library was loaded.
static LOADED_WITH: AtomicI64 = AtomicI64::new(0);

/// What the configuration said under our prefix and the library did not accept when it was loaded.
static REJECTED: OnceLock<Vec<Rejected>> = OnceLock::new();

/// A value in the configuration that was not accepted, or that no setting has the name for.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Full name, as the configuration has it.
    pub name: CString,
    /// The value it was given.
    pub value: String,
    /// Whether there is such a setting.
    pub is_setting: bool,
    /// Whether that was at server start, and not when a session loaded the library.
    pub at_start: bool,
}

impl Rejected {
    /// Whether a reload of the configuration can correct it.
    pub fn is_reloaded(&self) -> bool {
        self.is(name::MAX_DRIFT)
    }

    fn is(&self, name: &CStr) -> bool {
        self.name.to_bytes().eq_ignore_ascii_case(name.to_bytes())
    }
}

/// Defines all settings and reserves their prefix.
pub fn define(preloading: bool) {
    let configured: Vec<_> = configured().collect();
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
    let rejected = configured.into_iter().filter_map(|(name, value)| {
        let is_setting = rejection(&name)?;
        Some(Rejected { name, value, is_setting, at_start: preloading })
    });
    let rejected = rejected.collect();
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
    // SAFETY: the hook is guarded, has the signature PostgreSQL calls it with, and accepts the default value.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name::MACHINE_ID_FROM,
            c"Sets where the machine part of this server's IDs comes from while machine_id is -1.",
            c"\"hostname\", \"env:NAME\" (the number at the end of the name, before its first dot) or \
              \"file:PATH\" (a file with the number). Read once, at server start.",
            &MACHINE_ID_FROM,
            context(),
            GucFlags::default(),
            Some(check_origin),
            None,
            None,
        );
    }
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

/// Where the machine id comes from if it is not set, if that is said.
pub fn machine_id_from() -> Option<Origin> {
    // The check hook accepts nothing else, and UTF-8 only.
    MACHINE_ID_FROM.get()?.to_str().ok()?.parse().ok()
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

/// The first of these settings that the configuration gives a value which was not accepted, or any name
/// under our prefix that is no setting's: it may be a misspelt one of these.
///
/// A reload may have corrected `max_drift` since; PostgreSQL itself reports what a reload rejects.
pub fn rejected(names: &[&CStr]) -> Option<Rejected> {
    let stands = |it: &&Rejected| {
        let is_asked_for = !it.is_setting || names.iter().any(|name| it.is(name));
        is_asked_for && (!it.is_reloaded() || !reloaded())
    };
    REJECTED.get()?.iter().find(stands).cloned()
}

#[pg_guard]
unsafe extern "C-unwind" fn check_origin(
    new: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL passes a pointer to the new value, a C string.
    let text = unsafe { CStr::from_ptr(*new) };
    if text.is_empty() || text.to_str().is_ok_and(|text| text.parse::<Origin>().is_ok()) {
        return true;
    }
    let hint = "Valid values are \"hostname\", \"env:NAME\" and \"file:PATH\".";
    // SAFETY: this is a check hook.
    unsafe { GucCheckError::default().with_hint(hint).apply() };
    false
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
    let report = GucCheckError::default()
        .with_detail(match error {
            EpochError::Syntax(reason) => format!("It cannot be read: {reason}."),
            EpochError::Fraction => "The epoch must be a whole millisecond.".to_owned(),
        })
        .with_hint(
            "Write date and time in ISO 8601 with an offset from UTC, \
             such as 2024-01-01 00:00:00+00.",
        );
    // SAFETY: this is a check hook.
    unsafe { report.apply() };
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

/// Names and values that the server's configuration, a role, a database or a session has given under our
/// prefix, before the settings are defined.
fn configured() -> impl Iterator<Item = (CString, String)> {
    let prefix = name::PREFIX.to_bytes();
    let ours = move |name: &CStr| {
        let name = name.to_bytes();
        name.len() > prefix.len()
            && name[..prefix.len()].eq_ignore_ascii_case(prefix)
            && name[prefix.len()] == b'.'
    };
    all().iter().filter_map(move |&setting| {
        // SAFETY: each record of PostgreSQL's table of settings has a name, a C string; the value, if
        // any, is one too. Both are copied at once.
        unsafe {
            let name = CStr::from_ptr((*setting).name);
            if !ours(name) {
                return None;
            }
            let value = pg_sys::GetConfigOption((*setting).name, true, false);
            let value = (!value.is_null()).then(|| CStr::from_ptr(value))?;
            Some((name.to_owned(), value.to_string_lossy().into_owned()))
        }
    })
}

/// Whether what the configuration says was not accepted: as the value of a setting (true), or as there
/// is no such setting (false). Called when the settings are defined.
fn rejection(name: &CStr) -> Option<bool> {
    // SAFETY: the table has valid records, which are never freed, and their names are C strings.
    let record = |&setting: &*mut pg_sys::config_generic| unsafe {
        (&*setting, CStr::from_ptr((*setting).name))
    };
    let (setting, _) = all()
        .iter()
        .map(record)
        .find(|(_, other)| other.to_bytes().eq_ignore_ascii_case(name.to_bytes()))?;
    let is_setting = setting.flags.cast_unsigned() & pg_sys::GUC_CUSTOM_PLACEHOLDER == 0;
    // A value that the definition took over has kept its source.
    let is_accepted = is_setting && setting.source != pg_sys::GucSource::PGC_S_DEFAULT;
    (!is_accepted).then_some(is_setting)
}

/// PostgreSQL's table of settings.
fn all() -> &'static [*mut pg_sys::config_generic] {
    // SAFETY: the table has as many entries as PostgreSQL says. This process has one thread, and
    // nothing is defined while a caller looks at it.
    unsafe {
        #[cfg(feature = "pg15")]
        let (count, table) = (pg_sys::GetNumConfigOptions(), pg_sys::get_guc_variables());
        #[cfg(not(feature = "pg15"))]
        let (count, table) = {
            let mut count = 0;
            let table = pg_sys::get_guc_variables(&mut count);
            (count, table)
        };
        std::slice::from_raw_parts(table, usize::try_from(count).unwrap_or(0))
    }
}

fn reloaded() -> bool {
    config_time() != LOADED_WITH.load(Ordering::Relaxed)
}

fn config_time() -> i64 {
    // SAFETY: a plain read of a global that only this process writes.
    unsafe { pg_sys::PgReloadTime }
}
