//! Compiles the shim that stands between a server under test and the system; see `shim/shim.c`.

use std::{env, path::PathBuf, process::Command};

const SOURCES: [&str; 3] = ["shim/shim.c", "shim/clock.c", "shim/disk.c"];

fn main() {
    println!("cargo::rerun-if-changed=shim");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("shim.so");
    let compiler = cc::Build::new().warnings(true).pic(true).get_compiler();
    let mut command: Command = compiler.to_command();
    // Fortified headers define what the shim defines.
    command.args(["-std=gnu11", "-shared", "-U_FORTIFY_SOURCE", "-o"]);
    command.arg(out).args(SOURCES).arg("-ldl");
    let status = command.status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{command:?}: {status:?}");
}
