//! Any file: the format is decided by content.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: leaktrend_fuzz::on_this_thread(), |data: &[u8]| leaktrend_fuzz::readings(data, None));
