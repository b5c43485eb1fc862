//! Why there is no machine id.

use super::{Code, Report};
use crate::guc::name;
use crate::machine::Found;
use pgrx::pg_sys::elog::PgLogLevel;
use snowflake_core::Origin;

pub fn unset() -> Report {
    let name = name::MACHINE_ID.to_string_lossy();
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("\"{name}\" is not set"),
        "It has no default on purpose: two servers that share datacenter and machine issue the \
         same IDs.",
        format!("Set \"{name}\" to a number that no other server has and restart the server."),
    )
}

pub fn set_twice(origin: &Origin) -> Report {
    let (id, from) = (name::MACHINE_ID.to_string_lossy(), name::MACHINE_ID_FROM.to_string_lossy());
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("\"{id}\" and \"{from}\" are both set"),
        format!("\"{from}\" is \"{origin}\"."),
        format!("Set \"{id}\" to -1, or \"{from}\" to an empty string, and restart the server."),
    )
}

pub fn not_found(Found { origin, text }: &Found) -> Report {
    let wanted = match origin {
        Origin::File(_) => "a decimal number and nothing else",
        Origin::Hostname | Origin::Env(_) => {
            "a decimal number at the end of the name, before the first dot, as in \"db-3\"; the digits of \
             addresses and container ids are none"
        }
    };
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("no machine id found in {}", place(origin)),
        match text {
            Ok(text) => format!("It is \"{}\"; needed is {wanted}.", one_line(text)),
            Err(reason) => format!("It could not be read: {reason}."),
        },
        restart_after("Correct it"),
    )
}

pub fn out_of_range(Found { origin, text }: &Found, max: u64) -> Report {
    Report::new(
        Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("machine id found in {} is out of range", place(origin)),
        format!(
            "It is \"{}\"; the valid range is 0 to {max}, with machine_bits = {}.",
            one_line(text.as_deref().unwrap_or_default()),
            max.count_ones()
        ),
        restart_after(
            "Choose another one or, for a new ID space, more \"pg_snowflake.machine_bits\"",
        ),
    )
}

/// Says at start that the machine id is one that the first server of every group has.
pub fn warn_of_first_of_a_group(origin: &Origin, text: &str) {
    Report::new(
        Code::ERRCODE_WARNING,
        format!("machine id 0 is taken from {} \"{}\"", place(origin), one_line(text)),
        "The first member of every group of numbered servers has such a name.",
        "Where more than one group issues snowflake IDs, give each another \"pg_snowflake.datacenter_id\".",
    )
    .report(PgLogLevel::WARNING);
}

fn restart_after(cure: &str) -> String {
    let id = name::MACHINE_ID.to_string_lossy();
    format!("{cure}, or set \"{id}\" itself, and restart the server.")
}

fn place(origin: &Origin) -> String {
    match origin {
        Origin::Hostname => "host name".to_owned(),
        Origin::Env(name) => format!("environment variable \"{name}\""),
        Origin::File(path) => format!("file \"{}\"", path.display()),
    }
}

fn one_line(text: &str) -> String {
    text.trim().escape_debug().to_string()
}
