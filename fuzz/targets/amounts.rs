//! Amounts of memory and spans of time. Both readings of an amount agree, and what is printed is read again.
#![no_main]

use leaktrend::units::{self, Bytes, Seconds, WrittenAmount};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(seconds) = text.parse::<Seconds>() {
        assert!(0.0 <= seconds.get() && seconds.get().is_finite());
        let _ = (seconds.as_ms(), units::duration_text(seconds.get()));
    }
    let bytes = text.parse::<Bytes>();
    let Ok(amount) = text.parse::<WrittenAmount>() else {
        assert!(bytes.is_err(), "{text:?} is {bytes:?} and no amount");
        return;
    };
    assert!(0.0 <= amount.bytes && amount.bytes <= 9_007_199_254_740_992.0, "{text:?} is {amount:?}");
    assert!(1.0 <= amount.resolution && amount.resolution.is_finite(), "{text:?} is {amount:?}");
    if let Ok(bytes) = bytes {
        assert!((bytes.as_f64() - amount.bytes).abs() <= 0.5, "{text:?} is {bytes:?} and {amount:?}");
    }
    let printed = units::docker_text(amount.bytes);
    let again: WrittenAmount = printed.parse().unwrap_or_else(|error| panic!("{printed} is refused: {error}"));
    assert!((again.bytes - amount.bytes).abs() <= again.resolution, "{text:?} is printed as {printed}");
    let _ =
        (units::memory_text(amount.bytes), units::short_memory(amount.bytes), units::RateUnit::Day.text(amount.bytes));
});
