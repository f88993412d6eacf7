//! Settings files. What was read can be written, and is then read as the same.
#![no_main]

use leaktrend::settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok((read, rules)) = settings::read(text) else { return };
    let written = settings::with_comments(&read);
    let again = settings::read(&written).map(|(settings, _)| settings);
    match again {
        Ok(again) => assert_eq!(format!("{again:?}"), format!("{read:?}"), "{written}"),
        Err(error) => panic!("what was written is refused: {error}\n{written}"),
    }
    for id in ["api", "job-1", ""] {
        let _ = (rules.ignores(&[id]), rules.limit_for(&[id]), rules.settings_for(&[id], &read));
    }
});
