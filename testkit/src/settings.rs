//! The settings of one server: the shared list plus its own.

use std::{collections::BTreeMap, fmt};

/// The list that the demo, the in-backend tests and every [`Node`](crate::Node) share.
const SHARED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../pgrx-conf/postgresql.conf"));

/// Setting names and values; displayed as a `postgresql.conf`.
#[derive(Debug, Clone)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(crate) fn shared() -> Self {
        let lines =
            SHARED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.filter_map(parse).collect())
    }

    pub(crate) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.0.remove(name);
    }
}

/// The shared list, for a server that something else configures.
#[must_use]
pub fn shared_settings() -> BTreeMap<String, String> {
    Settings::shared().into_map()
}

fn parse(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = value.trim();
    let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let value = quoted.map_or_else(|| value.to_owned(), |inner| inner.replace("''", "'"));
    Some((name.trim().to_owned(), value))
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            writeln!(f, "{name} = '{}'", value.replace('\'', "''"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_list_names_a_node() {
        let text = Settings::shared().to_string();
        assert!(text.contains("shared_preload_libraries = 'pg_snowflake'\n"));
        assert!(text.contains("pg_snowflake.datacenter_id = '1'\n"));
        assert!(text.contains("pg_snowflake.machine_id = '1'\n"));
    }

    #[test]
    fn every_shared_line_is_a_setting() {
        let lines = SHARED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), Settings::shared().0.len());
    }

    #[test]
    fn own_settings_win_and_values_are_quoted() {
        let mut settings = Settings(BTreeMap::new());
        settings.set("application_name", "it's");
        settings.set("work_mem", "1MB");
        settings.set("work_mem", "2MB");
        settings.set("port", "1");
        settings.unset("port");
        assert_eq!(settings.to_string(), "application_name = 'it''s'\nwork_mem = '2MB'\n");
    }
}
