//! Parquet and Arrow tables.
#![no_main]

use leaktrend::account::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: leaktrend_fuzz::on_this_thread_past_damage(), |data: &[u8]| {
    let format = if data.starts_with(b"PAR1") { Format::Parquet } else { Format::Arrow };
    leaktrend_fuzz::readings(data, Some(format));
});
