//! What is told to others about the project's version is what Cargo.toml says.

/// The values of `"version":` of the extension and the distribution. That of the format is its own.
fn versions(meta: &str) -> Vec<&str> {
    meta.lines()
        .take_while(|line| !line.contains("\"meta-spec\""))
        .filter_map(|line| line.trim().strip_prefix("\"version\": \"")?.split('"').next())
        .collect()
}

#[test]
fn meta_json_names_the_version_of_cargo_toml() {
    assert_eq!(versions(include_str!("../../META.json")), [env!("CARGO_PKG_VERSION"); 2]);
}

#[test]
fn the_control_file_names_the_version_of_cargo_toml() {
    let control = include_str!("../../pg_snowflake.control");
    assert!(control.contains(concat!("default_version = '", env!("CARGO_PKG_VERSION"), "'\n")));
}
