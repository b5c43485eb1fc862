//! The machine id of this server: from its setting, or from where `pg_snowflake.machine_id_from` says.

use crate::error::{Refusal, system_error, warn_of_first_of_a_group};
use crate::guc;
use snowflake_core::{Generator, Node, Origin, Section, SectionError, Space};
use std::io::{self, Read};
use std::sync::OnceLock;

/// A file that is longer holds no number.
const MOST_BYTES: u64 = 64;

/// What the postmaster has found at its start, for all processes of this server life, if a setting says where: guards
/// ask for each row, and the text of a setting is not for that.
static FOUND: OnceLock<Found> = OnceLock::new();

/// What is where the machine id comes from.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where.
    pub origin: Origin,
    /// What, or why nothing.
    pub text: Result<String, String>,
}

/// Looks once, in the postmaster.
pub fn find() {
    let Some(origin) = guc::machine_id_from() else { return };
    let text = read(&origin);
    let is_first = text.as_ref().is_ok_and(|text| origin.is_first_of_a_group(text));
    if is_first && guc::machine_id().is_none() {
        warn_of_first_of_a_group(&origin, text.as_deref().unwrap_or_default());
    }
    // Only set here.
    let _ = FOUND.set(Found { origin, text });
}

/// This server's generator in an ID space.
///
/// # Errors
/// When there is no machine id, there are two of them, or the node does not fit the layout.
pub fn generator(space: Space) -> Result<Generator, Refusal> {
    let found = FOUND.get();
    let machine = match (guc::machine_id(), found) {
        (Some(_), Some(found)) => return Err(Refusal::MachineTwice(found.origin.clone())),
        (Some(machine), None) => u64::from(machine),
        (None, Some(found)) => number(found)?,
        (None, None) => return Err(Refusal::MachineUnset),
    };
    let max = space.layout.max(Section::Machine);
    let machine = u32::try_from(machine)
        .ok()
        .filter(|machine| u64::from(*machine) <= max)
        .ok_or(SectionError { section: Section::Machine, value: machine, max });
    let generator = machine.and_then(|machine| {
        Generator::new(space, Node { datacenter: guc::datacenter_id(), machine })
    });
    generator.map_err(|error| match found {
        Some(found) if error.section == Section::Machine => {
            Refusal::MachineFound { found: found.clone(), max }
        }
        _ => Refusal::Node(error),
    })
}

/// Where the machine id comes from, as `snowflake_status()` has it: the setting that names it, or what it names.
pub fn source() -> String {
    FOUND.get().map_or_else(|| "machine_id".to_owned(), |found| found.origin.to_string())
}

fn number(found: &Found) -> Result<u64, Refusal> {
    let number = found.text.as_ref().ok().and_then(|text| found.origin.number_in(text));
    number.ok_or_else(|| Refusal::NoMachineFound(found.clone()))
}

fn read(origin: &Origin) -> Result<String, String> {
    match origin {
        Origin::Hostname => hostname(),
        Origin::Env(name) => {
            let value = std::env::var_os(name).ok_or("it is not set")?;
            Ok(value.to_string_lossy().into_owned())
        }
        Origin::File(path) => {
            // Anything else might keep the server from starting for as long as it likes.
            if !path.metadata().map_err(system_error)?.is_file() {
                return Err("it is not a regular file".to_owned());
            }
            let mut bytes = Vec::new();
            std::fs::File::open(path)
                .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
                .map_err(system_error)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

fn hostname() -> Result<String, String> {
    let mut name = [0_u8; 256];
    // SAFETY: the buffer is as long as told; one byte of it is left for the end.
    if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0 {
        return Err(system_error(io::Error::last_os_error()));
    }
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    Ok(String::from_utf8_lossy(&name[..end]).into_owned())
}
