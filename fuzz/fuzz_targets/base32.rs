#![no_main]

use libfuzzer_sys::fuzz_target;
use snowflake_core::TextForm;
use snowflake_fuzz::check_text;

fuzz_target!(|text: &[u8]| {
    check_text(TextForm::Base32, b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", canonical, text);
});

fn canonical(byte: u8) -> u8 {
    match byte.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    }
}
