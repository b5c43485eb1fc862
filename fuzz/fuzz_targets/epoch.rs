#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use snowflake_core::{Epoch, EpochError};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    match text.parse::<Epoch>() {
        Ok(epoch) => {
            let written = epoch.to_string();
            let again = written.parse::<Epoch>();
            assert_eq!(again, Ok(epoch), "{text:?} is written {written:?}");
            assert_eq!(again.map(|epoch| epoch.to_string()), Ok(written));
            assert_eq!(Epoch::from_unix_millis(epoch.unix_millis()), Some(epoch));
            assert_eq!(text.trim().parse(), Ok(epoch));
        }
        Err(EpochError::Syntax(reason)) => assert!(!reason.is_empty()),
        Err(EpochError::Fraction) => assert!(text.contains(['.', ',']), "{text:?} has a fraction"),
    }
    Corpus::Keep
});
