//! What `snowflake_guard` has said in a server's log.

/// What it says of a row, or of many.
pub const NOTICED: &str = "has a snowflake ID that this server has not issued";
const MANY: (&str, &str) = ("This warning stands for ", " rows of this session");

/// Warnings and errors of a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noticed {
    /// How many there are.
    pub lines: usize,
    /// How many rows they stand for.
    pub rows: usize,
}

impl Noticed {
    /// Adds up what is in `log`.
    #[must_use]
    pub fn in_log(log: &str) -> Self {
        let lines = log.matches(NOTICED).count();
        let counts = log
            .split(MANY.0)
            .skip(1)
            .filter_map(|rest| rest.split_once(MANY.1)?.0.parse::<usize>().ok());
        Self { lines, rows: lines + counts.map(|rows| rows - 1).sum::<usize>() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_count_stand_for_one_row() {
        let log = format!(
            "WARNING: x {NOTICED}\nDETAIL: y.\nWARNING: z {NOTICED}\nDETAIL: y. This warning stands for 95 rows of this session\n"
        );
        assert_eq!(Noticed::in_log(&log), Noticed { lines: 2, rows: 96 });
        assert_eq!(Noticed::in_log(""), Noticed { lines: 0, rows: 0 });
    }
}
