//! The text and the JSON lines of `docker events`.
#![no_main]

use leaktrend::ingest;
use leaktrend_fuzz::check_account;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let paths = leaktrend_fuzz::files(&[data]);
    let log = ingest::read_events(&paths);
    let input = &log.inputs[0];
    check_account(input, data);
    assert!(log.events.is_sorted_by_key(|event| event.time_ms));
    let counted = input.events.map_or(0, |counts| counts.read);
    assert_eq!(log.events.len() as u64, counted, "{input:?}");
    if let Some((first, last)) = log.spans[0] {
        assert!(log.events.iter().all(|event| first <= event.time_ms && event.time_ms <= last), "{log:?}");
    }
    assert_eq!(log, ingest::read_events(&paths), "the same bytes are read differently");
});
