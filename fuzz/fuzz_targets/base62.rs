#![no_main]

use libfuzzer_sys::fuzz_target;
use snowflake_core::TextForm;
use snowflake_fuzz::check_text;

fuzz_target!(|text: &[u8]| {
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    check_text(TextForm::Base62, alphabet, |byte| byte, text);
});
