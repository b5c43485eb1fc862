//! An error of the server, taken apart for comparison.

use anyhow::{Context, Result, bail};

/// The four parts of an error that a user of the server reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE.
    pub code: String,
    /// Primary line.
    pub message: String,
    /// DETAIL, empty when there is none.
    pub detail: String,
    /// HINT, empty when there is none.
    pub hint: String,
}

/// The refusal in `result`; an error when the server did not refuse or the connection broke.
pub fn refusal<T>(result: Result<T, postgres::Error>) -> Result<Refusal> {
    let Err(error) = result else {
        bail!("the server did not refuse");
    };
    let db = error.as_db_error().with_context(|| format!("not an error of the server: {error}"))?;
    Ok(Refusal {
        code: db.code().code().to_owned(),
        message: db.message().to_owned(),
        detail: db.detail().unwrap_or_default().to_owned(),
        hint: db.hint().unwrap_or_default().to_owned(),
    })
}
