use super::super::Format;
use super::super::test_support::{MTIME_MS, account, describe, read_all};
use super::looks_like_table;

/// Reads a table of rows at 1795464400 and 1795464410: 20 and 10 seconds before the end.
#[track_caller]
fn check(text: &str, expected_series: &str, expected_account: &str) {
    assert!(looks_like_table(text), "not recognised: {text}");
    let (inputs, series) = read_all(Format::CsvTable, &[(text, MTIME_MS)]);
    assert_eq!(describe(&series), expected_series);
    assert_eq!(account(&inputs[0]), expected_account);
    let input = &inputs[0];
    let sum = input.samples + input.gaps + input.other_lines + input.rejected_count;
    assert_eq!(Some(sum), input.lines.map(|lines| lines + input.further), "the account does not add up");
}

#[test]
fn a_column_for_each_container() {
    check(
        "epoch,web,api\n1795464400,512.3MiB,1GiB\n1795464410,513MiB,\n",
        "web: -20=512.3MiB -10=513MiB\napi: -20=1GiB\n",
        "3 samples, 1 gaps, 1 other, 0 rejected\n",
    );
}

#[test]
fn semicolons_decimal_commas_and_units_in_the_header() {
    check(
        "Time;web (MiB);api [GiB]\r\n1795464400000;512,5;1,5\r\n1795464410000;513;--\r\n",
        "web: -20=512.5MiB -10=513MiB\napi: -20=1.5GiB\n",
        "3 samples, 1 gaps, 1 other, 0 rejected\n",
    );
}

#[test]
fn a_row_for_each_container() {
    check(
        "timestamp\tcontainer\tcpu\tmem_usage\n2026-11-23T20:06:40Z\tweb\t1 %\t100MiB / 1GiB\n2026-11-23T20:06:40Z\tapi\t2 %\t3e8\n2026-11-23T20:06:50Z\tweb\t1 %\tnull\n2026-11-23T20:06:50Z\t\t1 %\t1MiB\n",
        "web: -20=100MiB\napi: -20=286.1MiB\n",
        "2 samples, 1 gaps, 1 other, 1 rejected\nwarning: columns that are not the memory of a container are left out: `cpu`\nline 5: `2026-11-23T20:06:50Z1 %1MiB`: it names no container\n",
    );
}

/// Grafana, "Formatted data" off, and for Excel with `sep=`.
#[test]
fn columns_named_as_in_promql() {
    let rows = "1795464400000,104857600,2048\r\n1795464410000,104857601,\r\n\r\n";
    let header = r#""Time","container_memory_rss{container=""web"", job=""a,b""}","{name=""api""}""#;
    let expected = "web: -20=100MiB -10=100MiB\napi: -20=2KiB\n";
    let warning =
        "warning: its columns are answers to a query at fixed steps: a restart between two steps is invisible\n";
    check(
        &format!("{header}\r\n{rows}"),
        expected.replace("web:", "web container_memory_rss:").as_str(),
        &format!("3 samples, 1 gaps, 2 other, 0 rejected\n{warning}"),
    );
    let one = r#""Time","{container=""web""}""#;
    check(
        &format!("sep=,\r\n{one}\r\n1795464400000,104857600\r\n"),
        "web: -20=100MiB\n",
        &format!("1 samples, 0 gaps, 2 other, 0 rejected\n{warning}"),
    );
}

/// Grafana, "Formatted data" on: local dates and units.
#[test]
fn dates_without_a_zone_are_taken_as_utc_and_said() {
    check(
        "\"Time\",\"web\"\n2026-11-23 20:06:40,512 MiB\n2026-11-23 20:06:50,1.25 GiB\n",
        "web: -20=512MiB -10=1.25GiB\n",
        "2 samples, 0 gaps, 1 other, 0 rejected\nwarning: its times have no zone (`2026-11-23 20:06:40`): they are taken as UTC\n",
    );
}

/// A host's figures: only used memory is memory of something.
#[test]
fn beside_other_measures_only_memory_is_read() {
    check(
        "currentTime,cpu(%),totalMemory,usedMemory\n2026-11-23 20:06:40.5Z,0.0,16698884096,1048576\n",
        "usedMemory: -19.5=1MiB\n",
        "1 samples, 0 gaps, 1 other, 0 rejected\nwarning: columns that are not the memory of a container are left out: `cpu(%)`, `totalMemory`\n",
    );
}

#[test]
fn odd_rows_are_rejected_and_the_rest_is_used() {
    check(
        "time,web\n1795464400,1MiB\nsoon,2MiB\n1795464410,much\n1795464410,-5\ntime,web\n1795464410\n1795464410,4MiB\n",
        "web: -20=1MiB -10=4MiB\n",
        "2 samples, 1 gaps, 2 other, 3 rejected\nline 3: `soon,2MiB`: `soon` is not a time (expected an epoch or a date with a time)\nline 4: `1795464410,much`: `much` is not an amount of memory: unknown unit `much` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)\nline 5: `1795464410,-5`: `-5` is less than nothing (expected an amount of memory)\n",
    );
}

#[test]
fn a_table_without_memory_is_refused() {
    let (inputs, _) = read_all(Format::CsvTable, &[("time,cpu %\n1795464400,3\n", MTIME_MS)]);
    assert_eq!(
        inputs[0].unusable.as_deref(),
        Some("its table holds no memory (expected a column for each container, or one of memory)")
    );
}

#[test]
fn what_is_no_table_is_not_taken_for_one() {
    for text in ["1795464400,512.3MiB\n", "name,memory\nweb,1MiB\n", "time\n1795464400\n", "time,web\nx,1\n", ""] {
        assert!(!looks_like_table(text), "{text}");
    }
}
