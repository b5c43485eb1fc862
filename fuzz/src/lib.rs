//! What a text form promises, for the targets of both.

use snowflake_core::{TextError, TextForm};

/// Decodes bytes and compares with arithmetic done digit by digit; what decodes has to encode to
/// the one canonical text and to decode again.
pub fn check_text(form: TextForm, alphabet: &[u8], canonical: fn(u8) -> u8, text: &[u8]) {
    let decoded = form.decode(text);
    assert_eq!(decoded, by_hand(form, alphabet, canonical, text));
    match decoded {
        Ok(id) => {
            let written = form.encode(id).expect("an ID that was decoded is not negative");
            assert!(written.bytes().eq(text.iter().copied().map(canonical)), "{written}");
            assert_eq!(form.decode(written.as_bytes()), Ok(id));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn by_hand(
    form: TextForm,
    alphabet: &[u8],
    canonical: fn(u8) -> u8,
    text: &[u8],
) -> Result<i64, TextError> {
    if text.len() != form.len() {
        return Err(TextError::Length { form, found: text.len() });
    }
    let mut number = 0_u128;
    for (index, &byte) in text.iter().enumerate() {
        let digit = alphabet
            .iter()
            .position(|&symbol| symbol == canonical(byte))
            .ok_or(TextError::Alphabet { form, position: index + 1 })?;
        number = number * alphabet.len() as u128 + digit as u128;
    }
    i64::try_from(number).map_err(|_| TextError::Overflow)
}
