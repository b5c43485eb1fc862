//! Lines of bytes, of bounded length.

use std::io::{self, BufRead, Read};

/// Longer lines are skipped, so that input without line ends does not fill the memory.
pub const LONGEST: u64 = 64 << 20;

/// What [`next`] read.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// A line that was longer than allowed, and skipped.
    TooLong,
}

/// Reads up to the next `\n`, or what there is before the end of the input; `None` at the end.
pub fn next(input: &mut impl BufRead, longest: u64) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let read = input.by_ref().take(longest + 1).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if read as u64 > longest {
        skip_line(input)?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|&byte| byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut input: &[u8], longest: u64) -> Vec<Line> {
        std::iter::from_fn(|| next(&mut input, longest).unwrap()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.into())
    }

    #[test]
    fn every_line_comes_once_the_last_one_without_its_end_too() {
        assert_eq!(all(b"a\n\nb", 9), [whole("a"), whole(""), whole("b")]);
        assert_eq!(all(b"", 9), []);
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        assert_eq!(
            all(b"123\n1234\n12345\nx\n", 3),
            [whole("123"), Line::TooLong, Line::TooLong, whole("x")]
        );
        assert_eq!(all(b"12345", 3), [Line::TooLong]);
    }
}
