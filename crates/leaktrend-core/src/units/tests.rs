use super::*;

#[track_caller]
fn check_amount(text: &str, bytes: f64, resolution: f64) {
    let amount: WrittenAmount = text.parse().unwrap();
    assert!((amount.bytes - bytes).abs() < 1e-6 * bytes.max(1.0), "{text}: {amount:?}");
    assert!((amount.resolution - resolution).abs() < 1e-6 * resolution, "{text}: {amount:?}");
}

#[test]
fn amounts_are_read_with_the_spacing_of_their_printer() {
    check_amount("512.3MiB", 512.3 * MIB, 0.1 * MIB);
    check_amount("512MiB", 512.0 * MIB, 0.1 * MIB);
    check_amount("5.629MiB", 5.629 * MIB, 0.001 * MIB);
    check_amount("1023MiB", 1023.0 * MIB, MIB);
    check_amount("12.05GiB", 12.05 * GIB, 0.01 * GIB);
    check_amount("3.092MB", 3_092_000.0, 1000.0);
    check_amount("38.21 MiB", 38.21 * MIB, 0.01 * MIB);
    check_amount("1e+03kB", 1_000_000.0, 1000.0);
    check_amount("5.62912MiB", 5.62912 * MIB, 1e-5 * MIB);
    check_amount("0B", 0.0, 1.0);
    check_amount("796 KB", 796_000.0, 100.0);
    check_amount("17Mi", 17.0 * MIB, 0.01 * MIB);
}

#[test]
fn what_is_not_an_amount_is_refused_with_what_was_expected() {
    let refusal = |text: &str| text.parse::<Bytes>().unwrap_err().to_string();
    insta::assert_snapshot!(refusal("512.3"), @"`512.3` is not an amount of memory: no unit (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)");
    insta::assert_snapshot!(refusal("512.3Mb"), @"`512.3Mb` is not an amount of memory: unknown unit `Mb` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)");
    insta::assert_snapshot!(refusal("MiB"), @"`MiB` is not an amount of memory: no number before the unit");
    insta::assert_snapshot!(refusal("-5MiB"), @"`-5MiB` is not an amount of memory: out of range (expected 0 to 2^53 bytes)");
    insta::assert_snapshot!(refusal("infMiB"), @"`infMiB` is not an amount of memory: unknown unit `infMiB` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)");
    insta::assert_snapshot!(refusal("--"), @"`--` is not an amount of memory: no unit (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)");
    insta::assert_snapshot!("15 parsecs".parse::<Seconds>().unwrap_err(), @"`15 parsecs` is not a length of time (expected a number with a unit: ms, s, m, h, d or w, such as `15m`)");
}

#[test]
fn what_docker_prints_is_printed_alike() {
    // As Go prints `units.BytesSize`: four significant digits, trailing zeros dropped.
    for (bytes, text) in [
        (0.0, "0B"),
        (512.0, "512B"),
        (1536.0, "1.5KiB"),
        (1023.96 * MIB, "1024MiB"),
        (12.047 * GIB, "12.05GiB"),
        (9.9996 * MIB, "10MiB"),
    ] {
        assert_eq!(docker_text(bytes), text);
    }
}

#[test]
fn durations_are_read_and_printed() {
    for (text, seconds) in [("15m", 900.0), ("1.76s", 1.76), ("1h30m", 5400.0), ("500ms", 0.5), ("7d", 604_800.0)] {
        assert_eq!(text.parse::<Seconds>().unwrap().get(), seconds);
    }
    for (seconds, text) in [
        (8.5, "8.5 s"),
        (60.0, "1 min"),
        (725.0, "12 min"),
        (95.0, "1 min 35 s"),
        (5400.0, "1 h 30 min"),
        (273_600.0, "3 d 4 h"),
        (1e6, "12 d"),
        (86_399.0, "24 h"),
        (4e8, "13 years"),
    ] {
        assert_eq!(duration_text(seconds), text);
    }
}

#[test]
fn rates_of_a_report_have_one_unit() {
    let day = |mib: f64| mib * MIB / DAY;
    for (hours, unit) in [(1.0, "a minute"), (2.0, "an hour"), (47.0, "an hour"), (48.0, "a day"), (720.0, "a day")] {
        assert_eq!(RateUnit::of_window(hours * 3600.0).name(), unit, "{hours}");
    }
    assert_eq!(RateUnit::Minute.text(0.45 * MIB), "27 MiB a minute");
    assert_eq!(RateUnit::Hour.text(day(36.0)), "1.5 MiB an hour");
    assert_eq!(RateUnit::Day.text(day(36.0)), "36 MiB a day");
    assert_eq!(RateUnit::Day.text(-4e-28), "0 B a day");
    assert_eq!(RateUnit::Minute.interval_text(0.45 * MIB, 0.4 * MIB, 0.5 * MIB), "27 MiB a minute (24 to 30)");
    let interval = |rate, lower, upper| RateUnit::Day.interval_text(day(rate), day(lower), day(upper));
    assert_eq!(interval(1e-20, -3.9, 3.9), "0 MiB a day (-3.9 to 3.9)");
    assert_eq!(interval(0.1, -1.5, 1.7), "0.1 MiB a day (-1.5 to 1.7)");
    assert_eq!(interval(-0.75, -6.4, 6.9), "-0.75 MiB a day (-6.4 to 6.9)");
    // No more decimals than the largest deserves.
    assert_eq!(interval(-0.0939, -5.18, 5.53), "-0.09 MiB a day (-5.18 to 5.53)");
    assert_eq!(interval(72.5, -51.3, 831.0), "72 MiB a day (-51 to 831)");
    assert_eq!(interval(-0.0387, -21.5, 20.0), "-0.04 MiB a day (-21.5 to 20)");
    // Nothing reads like its own bound: more decimals where they help, one number for both ends where they do not.
    assert_eq!(interval(1.04, 1.01, 400.0), "1.04 MiB a day (1.01 to 400)");
    assert_eq!(interval(108.0, 107.7, 108.4), "108 MiB a day (±1)");
    assert_eq!(interval(17.0, 16.999, 17.001), "17 MiB a day (±0.1)");
}

/// A table shows the estimate alone, a sentence with its interval: the same figure in the same unit.
#[test]
fn an_estimate_reads_alike_with_its_interval_and_without() {
    for [rate, lower, upper] in [[0.684, -18.4, 20.2], [66.0, 64.0, 480.0], [1e6, 9.9e5, 1.02e6], [-3e4, -9e4, 4e4]] {
        let unit = RateUnit::Hour;
        let (alone, whole) = (unit.estimate_text(rate, lower, upper), unit.interval_text(rate, lower, upper));
        assert_eq!(whole.split(" (").next(), Some(&*alone));
    }
    assert_eq!(RateUnit::Hour.bounds_text(0.684, -18.4, 20.2), "-64.7 and 71 KiB an hour");
}
