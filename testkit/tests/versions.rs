//! What is told to others about the project's version is what Cargo.toml says.

use std::fs;

/// The values of `"version":` of the extension and the distribution. That of the format is its own.
fn versions(meta: &str) -> Vec<&str> {
    meta.lines()
        .take_while(|line| !line.contains("\"meta-spec\""))
        .filter_map(|line| line.trim().strip_prefix("\"version\": \"")?.split('"').next())
        .collect()
}

#[test]
fn meta_json_names_the_version_of_cargo_toml() {
    let meta = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../META.json")).unwrap();
    assert_eq!(versions(&meta), [env!("CARGO_PKG_VERSION"); 2]);
}

#[test]
fn the_control_file_takes_the_version_of_cargo_toml() {
    let control =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../pg_snowflake.control"))
            .unwrap();
    assert!(control.contains("default_version = '@CARGO_VERSION@'"));
}
