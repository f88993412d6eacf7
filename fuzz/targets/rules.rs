//! Rule files of Prometheus.
#![no_main]

use leaktrend::rules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let paths = leaktrend_fuzz::files(&[data]);
    let read = || match rules::read(&paths) {
        Ok(rules) => format!("{:?}", rules.alerts),
        Err(error) => format!("{error:?}"),
    };
    assert_eq!(read(), read(), "the same bytes are read differently");
});
