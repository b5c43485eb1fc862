//! The programs of the PostgreSQL under test, and whom they run as.

use std::{
    env,
    ffi::OsStr,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};

/// An installed PostgreSQL.
#[derive(Debug, Clone)]
pub struct Installation {
    bindir: PathBuf,
    /// With the minor one, such as 17.2.
    version: String,
    /// Major version, such as 17.
    pub(crate) major: u32,
    /// Whom servers run as when this process is root; `None`: as this process.
    server_user: Option<(u32, u32)>,
}

impl Installation {
    /// The one that `$PG_CONFIG` describes.
    pub fn find() -> Result<Self> {
        let pg_config = env::var_os("PG_CONFIG").unwrap_or_else(|| "pg_config".into());
        let ask = |what| run(Command::new(&pg_config).arg(what));
        let text = ask("--version")?;
        let version = text.split_whitespace().nth(1).unwrap_or_default();
        Ok(Self {
            bindir: ask("--bindir")?.trim().into(),
            version: version.to_owned(),
            major: major(version).with_context(|| format!("no version in \"{text}\""))?,
            server_user: server_user()?,
        })
    }

    /// Where it looks for extensions.
    pub fn extension_directory(&self) -> Result<PathBuf> {
        let shared = run(Command::new(self.bindir.join("pg_config")).arg("--sharedir"))?;
        Ok(Path::new(shared.trim()).join("extension"))
    }

    /// Where its programs are.
    #[must_use]
    pub fn bindir(&self) -> &Path {
        &self.bindir
    }

    /// A program that the server's user has to run.
    pub(crate) fn server(&self, name: &str) -> Command {
        self.as_server_user(self.bindir.join(name))
    }

    /// Any program, not only PostgreSQL's, to be run by the server's user.
    #[must_use]
    pub fn as_server_user(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = plain(program);
        if let Some((uid, gid)) = self.server_user {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// A program that anyone may run.
    pub(crate) fn client(&self, name: &str) -> Command {
        plain(self.bindir.join(name))
    }

    /// Hands `path` to the server's user.
    pub fn give(&self, path: &Path) -> Result<()> {
        let Some((uid, gid)) = self.server_user else {
            return Ok(());
        };
        chown(path, Some(uid), Some(gid))
            .with_context(|| format!("giving {} to the server's user", path.display()))
    }
}

/// A command whose environment holds nothing that leads PostgreSQL's programs astray.
fn plain(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    // Errors of the server would come with a backtrace as DETAIL.
    command.env_remove("RUST_BACKTRACE").env("LC_ALL", "C");
    command
}

/// The major version of the PostgreSQL under test.
pub fn major_version() -> Result<u32> {
    Installation::find().map(|installation| installation.major)
}

/// The whole version of the PostgreSQL under test, such as 17.2.
pub fn version() -> Result<String> {
    Installation::find().map(|installation| installation.version)
}

fn major(version: &str) -> Option<u32> {
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn server_user() -> Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let wanted = env::var("SNOWFLAKE_SERVER_USER").ok();
    let names = match &wanted {
        Some(name) => vec![name.as_str()],
        None => vec!["postgres", "nobody"],
    };
    for name in &names {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some((user.uid.as_raw(), user.gid.as_raw())));
        }
    }
    bail!(
        "PostgreSQL does not run as root, and there is no user {}; set SNOWFLAKE_SERVER_USER",
        names.join(" or ")
    )
}

/// Runs `command` to its end and returns what it printed; an error carries its stderr or, where that is empty, the rest.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", show(command)))?;
    if !output.status.success() {
        let printed = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
        let printed = String::from_utf8_lossy(printed);
        bail!("{} failed with {}: {}", show(command), output.status, printed.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command line, without the environment.
pub(crate) fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read_from_any_release() {
        assert_eq!(major("15.20"), Some(15));
        assert_eq!(major("18.4"), Some(18));
        assert_eq!(major("19beta1"), Some(19));
        assert_eq!(major(""), None);
    }
}
