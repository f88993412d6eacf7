//! The text of `docker stats`: tables, bare rows, streams.
#![no_main]

use leaktrend::account::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: leaktrend_fuzz::on_this_thread(), |data: &[u8]| leaktrend_fuzz::readings(data, Some(Format::DockerStats)));
