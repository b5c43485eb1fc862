//! Text forms: one text for each ID, in the order of the IDs, and no other text is read.
#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used)]

use TextForm::{Base32, Base62};
use proptest::prelude::*;
use snowflake_core::{IdError, TextError, TextForm};

const FORMS: [TextForm; 2] = [Base32, Base62];
const CROCKFORD: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ALPHANUMERIC: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// IDs of every magnitude: a plain range has hardly any below 2^56.
fn ids() -> impl Strategy<Value = i64> {
    (any::<u64>(), 1..64_u32).prop_map(|(bits, shift)| (bits >> shift).cast_signed())
}

/// IDs that often lie close together.
fn two_ids() -> impl Strategy<Value = (i64, i64)> {
    (ids(), prop_oneof![ids(), 0..100_i64]).prop_flat_map(|(a, b)| {
        prop_oneof![Just((a, b)), Just((a, a.saturating_add(b))), Just((a, a ^ (b & 1)))]
    })
}

fn decode(form: TextForm, text: &str) -> Result<i64, TextError> {
    form.decode(text.as_bytes())
}

/// The text of a form, digit by digit.
fn by_hand(form: TextForm, id: i64) -> String {
    let digits = if form == Base32 { CROCKFORD } else { ALPHANUMERIC }.as_bytes();
    let base = digits.len() as u64;
    let mut rest = id.cast_unsigned();
    let mut text = vec![b'0'; form.len()];
    for place in text.iter_mut().rev() {
        *place = digits[(rest % base) as usize];
        rest /= base;
    }
    assert_eq!(rest, 0);
    String::from_utf8(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_written_is_read_back(id in ids()) {
        for form in FORMS {
            let text = form.encode(id).unwrap();
            prop_assert_eq!(&text, &by_hand(form, id));
            prop_assert_eq!(decode(form, &text), Ok(id));
        }
    }

    #[test]
    fn texts_sort_as_the_numbers_do((a, b) in two_ids()) {
        for form in FORMS {
            let (text_a, text_b) = (form.encode(a).unwrap(), form.encode(b).unwrap());
            prop_assert_eq!(text_a.as_bytes().cmp(text_b.as_bytes()), a.cmp(&b));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
        for form in FORMS {
            let _ = form.decode(&bytes);
        }
    }

    #[test]
    fn the_first_byte_of_another_alphabet_is_named(
        id in ids(), byte: u8, places in prop::collection::vec(any::<prop::sample::Index>(), 1..4)
    ) {
        for (form, wrong) in [
            (Base32, !byte.is_ascii_alphanumeric() || byte.eq_ignore_ascii_case(&b'u')),
            (Base62, !byte.is_ascii_alphanumeric()),
        ] {
            let places: Vec<_> = places.iter().map(|place| place.index(form.len())).collect();
            let mut text = form.encode(id).unwrap().into_bytes();
            for &place in &places {
                text[place] = byte;
            }
            let position = places.iter().min().unwrap() + 1;
            let named = form.decode(&text) == Err(TextError::Alphabet { form, position });
            prop_assert_eq!(named, wrong);
        }
    }

    #[test]
    fn base_32_is_read_in_any_case_and_with_lookalikes(id in ids(), choices: [u8; 13]) {
        let text = Base32.encode(id).unwrap();
        let retold = text.bytes().zip(choices).map(|(byte, choice)| {
            let like = match byte {
                b'0' => b"0Oo".as_slice(),
                b'1' => b"1IiLl",
                other => &[other, other.to_ascii_lowercase()],
            };
            like[usize::from(choice) % like.len()]
        });
        prop_assert_eq!(Base32.decode(&retold.collect::<Vec<_>>()), Ok(id));
    }

    #[test]
    fn base_62_minds_case(id in ids(), place in 0..11_usize) {
        let mut text = Base62.encode(id).unwrap().into_bytes();
        text[place] ^= 0x20;
        prop_assert_ne!(Base62.decode(&text), Ok(id));
    }

    #[test]
    fn negative_numbers_have_no_text(id in i64::MIN..0) {
        for form in FORMS {
            prop_assert_eq!(form.encode(id), Err(IdError::Negative(id)));
        }
    }
}

/// The examples in the README of tsid-ts 0.0.9 and in testFromString2 of f4b6a3/tsid-creator.
#[test]
fn published_tsids_ok() {
    for (id, text) in [(501_438_102_971_408_389, "0DXBQ9H279R05"), (10, "000000000000A")] {
        assert_eq!(Base32.encode(id).as_deref(), Ok(text));
        assert_eq!(decode(Base32, text), Ok(id));
    }
    // tsid-creator fills 64 bits, up to FZZZZZZZZZZZZ, of which an ID has 63.
    assert_eq!(decode(Base32, "FZZZZZZZZZZZZ"), Err(TextError::Overflow));
}

/// The "sequence of TSID strings" in the README of f4b6a3/tsid-creator. (It is another one than the
/// sequence of numbers there.)
#[test]
fn published_sequence_of_tsids_has_no_gap() {
    for (stem, ends) in [("01226N0640J7", "KMNPQRST"), ("01226N0693HD", "ABCDEFGH")] {
        let ids: Vec<_> =
            ends.chars().map(|end| decode(Base32, &format!("{stem}{end}")).unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a + 1 == *b), "{ids:?}");
    }
}

#[test]
fn first_and_last_ids_ok() {
    for (form, id, text) in [
        (Base32, 0, "0000000000000"),
        (Base32, 1, "0000000000001"),
        (Base32, i64::MAX - 1, "7ZZZZZZZZZZZY"),
        (Base32, i64::MAX, "7ZZZZZZZZZZZZ"),
        (Base62, 0, "00000000000"),
        (Base62, 1, "00000000001"),
        (Base62, i64::MAX - 1, "AzL8n0Y58m6"),
        (Base62, i64::MAX, "AzL8n0Y58m7"),
    ] {
        assert_eq!(form.encode(id).as_deref(), Ok(text));
        assert_eq!(decode(form, text), Ok(id));
    }
}

#[test]
fn every_character_of_the_alphabet_has_its_value() {
    for (form, digits) in [(Base32, CROCKFORD), (Base62, ALPHANUMERIC)] {
        for (value, digit) in (0..).zip(digits.chars()) {
            let text = format!("{digit:0>width$}", width = form.len());
            assert_eq!(form.encode(value).as_ref(), Ok(&text));
            assert_eq!(decode(form, &text), Ok(value));
        }
    }
}

#[test]
fn every_other_byte_is_refused() {
    for (form, read) in [
        (Base32, "0123456789ABCDEFGHIJKLMNOPQRSTVWXYZabcdefghijklmnopqrstvwxyz"),
        (Base62, ALPHANUMERIC),
    ] {
        for byte in 0..=u8::MAX {
            let mut text = vec![b'0'; form.len()];
            text[form.len() - 1] = byte;
            let refusal = Err(TextError::Alphabet { form, position: form.len() });
            assert_eq!(form.decode(&text) == refusal, !read.as_bytes().contains(&byte), "{byte}");
        }
    }
}

#[test]
fn numbers_beyond_the_last_id_err() {
    for (form, text) in [
        (Base32, "8000000000000"),
        (Base32, "G000000000000"), // the first of 65 bits
        (Base32, "ZZZZZZZZZZZZZ"),
        (Base62, "AzL8n0Y58m8"),
        (Base62, "LygHa16AHYG"), // the first of 65 bits
        (Base62, "zzzzzzzzzzz"),
    ] {
        assert_eq!(decode(form, text), Err(TextError::Overflow), "{text}");
    }
}

#[test]
fn other_lengths_err() {
    for form in FORMS {
        for found in (0..100).filter(|&length| length != form.len()) {
            let refusal = Err(TextError::Length { form, found });
            assert_eq!(form.decode(&vec![b'0'; found]), refusal);
            // The length is counted in bytes, and comes first.
            assert_eq!(form.decode(&vec![0xff; found]), refusal);
        }
    }
    // 13 and 11 characters.
    assert_eq!(decode(Base32, "00000000000é0"), Err(TextError::Length { form: Base32, found: 14 }));
    assert_eq!(decode(Base62, "000000000é0"), Err(TextError::Length { form: Base62, found: 12 }));
}

#[test]
fn text_around_an_id_is_refused() {
    let wrong_at = |form, position| Err(TextError::Alphabet { form, position });
    assert_eq!(decode(Base32, " 1226N0640J7K"), wrong_at(Base32, 1));
    assert_eq!(decode(Base32, "01226N0640J7\n"), wrong_at(Base32, 13));
    assert_eq!(decode(Base32, "01226N-640J7K"), wrong_at(Base32, 7));
    assert_eq!(decode(Base32, "01226N0640J7="), wrong_at(Base32, 13));
    assert_eq!(decode(Base62, "-zL8n0Y58m7"), wrong_at(Base62, 1));
    assert_eq!(decode(Base62, "AzL8n\0Y58m7"), wrong_at(Base62, 6));
}

#[test]
fn refusals_say_what_is_wrong() {
    let refusal = |form, text| decode(form, text).unwrap_err().to_string();
    assert_eq!(refusal(Base32, "7ZZ"), "3 bytes instead of 13");
    assert_eq!(refusal(Base62, ""), "0 bytes instead of 11");
    let expected = "byte 2 is not one of 0-9 and A-Z without I, L, O, U";
    assert_eq!(refusal(Base32, "0U00000000000"), expected);
    assert_eq!(refusal(Base62, "0 000000000"), "byte 2 is not one of 0-9, A-Z and a-z");
    assert_eq!(refusal(Base32, "8000000000000"), "greater than the greatest ID");
}
