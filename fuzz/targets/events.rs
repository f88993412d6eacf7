//! Files of events: the text and the JSON lines of `docker events`, the JSON of `kubectl get`, logs.
#![no_main]

use leaktrend::events;
use leaktrend::open::Given;
use leaktrend_fuzz::{END_MS, check_account};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let files: Vec<Given> =
        leaktrend_fuzz::files(&[data]).into_iter().map(|path| Given { series: None, path }).collect();
    let read = || events::read_events(&files, Some(END_MS));
    let log = read();
    let input = &log.inputs[0];
    check_account(input, data);
    assert!(log.events.is_sorted_by_key(|event| event.time_ms));
    let counted = input.events.map_or(0, |counts| counts.read);
    assert_eq!(log.events.len() as u64, counted, "{input:?}");
    if let Some((first, last)) = log.spans[0] {
        assert!(log.events.iter().all(|event| first <= event.time_ms && event.time_ms <= last), "{log:?}");
    }
    assert_eq!(log, read(), "the same bytes are read differently");
});
