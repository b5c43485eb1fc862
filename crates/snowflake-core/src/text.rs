//! IDs as text that sorts as the numbers do, byte by byte, and that no JavaScript number rounds.

use crate::IdError;
use data_encoding::Encoding;
use data_encoding_macro::new_encoding;
use thiserror::Error;

/// A text form of IDs. Every ID has exactly one text of each, all of the same length, in the order
/// of the IDs when compared as bytes (`COLLATE "C"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextForm {
    /// 13 characters of Crockford's base 32, as TSIDs are written. Reading ignores case and takes
    /// I and L for 1, O for 0.
    Base32,
    /// 11 characters of `0-9A-Za-z`, in the order of ASCII. Reading minds case.
    Base62,
}

/// Why a text is not an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// It does not have as many bytes as the form has.
    #[error("{found} bytes instead of {}", form.len())]
    Length {
        /// The form it should have.
        form: TextForm,
        /// How many bytes it has.
        found: usize,
    },
    /// A byte is none of the alphabet's.
    #[error("byte {position} is not one of {}", form.alphabet())]
    Alphabet {
        /// The form it should have.
        form: TextForm,
        /// Which byte, counted from 1.
        position: usize,
    },
    /// It stands for a number beyond 2^63 - 1.
    #[error("greater than the greatest ID")]
    Overflow,
}

/// Crockford's alphabet, and what he has readers take for it.
const CROCKFORD: Encoding = new_encoding! {
    symbols: "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    translate_from: "abcdefghjkmnpqrstvwxyzILOilo",
    translate_to: "ABCDEFGHJKMNPQRSTVWXYZ110110",
};

/// 10 bytes are 16 characters without padding, of which a number of 64 bits leaves 3 zero.
const WIDE_BYTES: usize = 10;
const WIDE_ZEROS: &str = "000";

impl TextForm {
    /// Length of every text of this form, in bytes, which are as many characters.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "none is empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Base32 => 13,
            Self::Base62 => 11,
        }
    }

    /// The name of the form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base32 => "base 32",
            Self::Base62 => "base 62",
        }
    }

    /// The characters that its texts are written in.
    #[must_use]
    pub const fn alphabet(self) -> &'static str {
        match self {
            Self::Base32 => "0-9 and A-Z without I, L, O, U",
            Self::Base62 => "0-9, A-Z and a-z",
        }
    }

    /// The text of an ID.
    ///
    /// # Errors
    /// When the number is negative.
    pub fn encode(self, id: i64) -> Result<String, IdError> {
        let number = u64::try_from(id).map_err(|_| IdError::Negative(id))?;
        Ok(match self {
            Self::Base32 => encode_base32(number),
            Self::Base62 => format!("{:0>11}", base62::encode(number)),
        })
    }

    /// The ID that a text of this form stands for.
    ///
    /// # Errors
    /// When it is longer or shorter, has other characters, or stands for more than 2^63 - 1.
    pub fn decode(self, text: &[u8]) -> Result<i64, TextError> {
        if text.len() != self.len() {
            return Err(TextError::Length { form: self, found: text.len() });
        }
        let number = match self {
            Self::Base32 => decode_base32(text)?,
            Self::Base62 => decode_base62(text)?,
        };
        i64::try_from(number).map_err(|_| TextError::Overflow)
    }
}

fn encode_base32(number: u64) -> String {
    let wide = u128::from(number).to_be_bytes();
    let text = CROCKFORD.encode(&wide[wide.len() - WIDE_BYTES..]);
    text[WIDE_ZEROS.len()..].to_owned()
}

/// 13 characters hold 65 bits.
fn decode_base32(text: &[u8]) -> Result<u128, TextError> {
    let form = TextForm::Base32;
    let wide = [WIDE_ZEROS.as_bytes(), text].concat();
    let bytes = CROCKFORD.decode(&wide).map_err(|error| {
        let position = error.position + 1 - WIDE_ZEROS.len();
        TextError::Alphabet { form, position }
    })?;
    Ok(bytes.iter().fold(0, |number, &byte| number << 8 | u128::from(byte)))
}

fn decode_base62(text: &[u8]) -> Result<u128, TextError> {
    let form = TextForm::Base62;
    base62::decode(text).map_err(|error| match error {
        base62::DecodeError::InvalidBase62Byte(_, index) => {
            TextError::Alphabet { form, position: index + 1 }
        }
        // What the length rules out already.
        _ => TextError::Overflow,
    })
}
