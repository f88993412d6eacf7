use super::GivenColumns;
use crate::account::{ContentWarning, Format, TimeWarning, Warning};
use crate::read::test_support::{MTIME_MS, account, describe, read_all};

fn looks_like_table(text: &str) -> Result<bool, String> {
    super::looks_like_table(text, &GivenColumns::default()).map_err(|why| why.to_string())
}

/// Reads a table of rows at 1795464400 and 1795464410: 20 and 10 seconds before the end.
#[track_caller]
fn check(text: &str, expected_series: &str, expected_account: &str) {
    assert_eq!(looks_like_table(text), Ok(true), "{text}");
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
    let rows = "1795464400000,104857600,2097152\r\n1795464410000,104857601,\r\n\r\n";
    let header = r#""Time","container_memory_rss{container=""web"", job=""a,b""}","{name=""api""}""#;
    let expected = "web: -20=100MiB -10=100MiB\napi: -20=2MiB\n";
    let warning = "warning: its columns come from a query with fixed steps: restarts between two steps are invisible\n";
    check(
        &format!("{header}\r\n{rows}"),
        expected.replace("web:", "web container_memory_rss:").as_str(),
        &format!(
            "3 samples, 1 gaps, 2 other, 0 rejected\nwarning: its numbers have no unit: they are read as bytes, and the largest is 2 MiB (pass `--unit KiB` if they are KiB)\n{warning}"
        ),
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
        "2 samples, 0 gaps, 1 other, 0 rejected\nwarning: timestamps without a time zone are read as UTC, such as `2026-11-23 20:06:40`\n",
    );
}

/// A host's figures: only used memory is memory of something.
#[test]
fn beside_other_measures_only_memory_is_read() {
    check(
        "currentTime,cpu(%),totalMemory,usedMemory\n2026-11-23 20:06:40.5Z,0.0,16698884096,536870912\n",
        "stem: -19.5=512MiB\n",
        "1 samples, 0 gaps, 1 other, 0 rejected\nwarning: columns that are not the memory of a container are left out: `cpu(%)`, `totalMemory`\n",
    );
}

#[test]
fn odd_rows_are_rejected_and_the_rest_is_used() {
    check(
        "time,web\n1795464400,1MiB\nsoon,2MiB\n1795464410,much\n1795464410,-5\ntime,web\n1795464410\n1795464410,4MiB\n",
        "web: -20=1MiB -10=4MiB\n",
        "2 samples, 0 gaps, 2 other, 4 rejected\nline 3: `soon,2MiB`: `soon` is not a time (expected an epoch or a date with a time)\nline 4: `1795464410,much`: `much` is not an amount of memory: unknown unit `much` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)\nline 5: `1795464410,-5`: `-5` is negative (expected an amount of memory)\nline 7: `1795464410`: it has 1 field (expected 2, as in the first line)\n",
    );
}

/// A write that was cut, and the next one behind it; a file that is being written to.
#[test]
fn torn_rows_are_rejected() {
    let torn = "1795464410,136314880,52431795464420,137363456,52428800\n";
    check(
        &format!("time,web,db\n1795464400,136314880,52428800\n1795464405,13\n{torn}1795464420,136314880,5242"),
        "web: -20=130MiB 0=130MiB\ndb: -20=50MiB\n",
        "3 samples, 0 gaps, 1 other, 3 rejected\n\
         line 3: `1795464405,13`: it has 2 fields (expected 3, as in the first line)\n\
         line 4: `1795464410,136314880,52431795464420,137363456,52428800`: it has 5 fields (expected 3, as in the first line)\n\
         line 5: `1795464420,136314880,5242`: the last line is incomplete (the file may still be written to)\n",
    );
    check(
        "time,container,memory\n1795464400,web,115343360115343360115343360\n1795464410,web,1MiB\n",
        "web: -10=1MiB\n",
        "1 samples, 0 gaps, 1 other, 1 rejected\n\
         line 2: `1795464400,web,115343360115343360115343360`: `115343360115343360115343360` is out of range (expected 0 to 2^53 bytes)\n",
    );
}

#[test]
fn a_table_without_memory_is_refused() {
    let (inputs, _) = read_all(Format::CsvTable, &[("time,cpu %\n1795464400,3\n", MTIME_MS)]);
    assert_eq!(
        inputs[0].unusable.as_ref().map(ToString::to_string).as_deref(),
        Some("its table holds no memory (expected a column for each container, or one of memory)")
    );
}

/// What a loop of `echo "$(date +%s),$(docker stats --format ..)"` writes.
#[test]
fn rows_that_name_their_container_need_no_header() {
    check(
        "1795464400,web,512.3MiB\n1795464400,api,1GiB / 2GiB\n1795464410,web,--\n1795464410,api,0B / 0B\n",
        "web: -20=512.3MiB\napi: -20=1GiB\n",
        "2 samples, 2 gaps, 0 other, 0 rejected\n",
    );
    check(
        "2026-11-23T20:06:40Z;9a9858661741;web;12,5%;512,3MiB;7\n2026-11-23T20:06:50Z;9a9858661741;web;1%;513MiB;7\n",
        "web: -20=512.3MiB -10=513MiB\n",
        "2 samples, 0 gaps, 0 other, 0 rejected\n",
    );
    check("web\t512.3MiB\t1795464400\n", "web: -20=512.3MiB\n", "1 samples, 0 gaps, 0 other, 0 rejected\n");
}

#[test]
fn a_limit_beside_the_memory_is_that_of_the_series() {
    let (_, series) = read_all(Format::CsvTable, &[("time,web,api\n1795464400,1MiB / 2GiB,1MiB/0B\n", MTIME_MS)]);
    let limits: Vec<Option<f64>> = series.iter().map(|series| series.info.limit.map(|limit| limit.bytes)).collect();
    assert_eq!(limits, [Some(2_147_483_648.0), None]);
}

#[test]
fn memory_of_nobody_in_particular_is_named_after_the_file() {
    check(
        "time,cpu %,mem_usage\n1795464400,3,1MiB\n",
        "stem: -20=1MiB\n",
        "1 samples, 0 gaps, 1 other, 0 rejected\nwarning: columns that are not the memory of a container are left out: `cpu %`\n",
    );
}

#[test]
fn a_unit_may_stand_behind_the_name_of_a_column() {
    for (name, mib) in [
        ("memory_mib", 512.0),
        ("Memory MiB", 512.0),
        ("memMiB", 512.0),
        ("rss_kib", 0.5),
        ("mem_used_mb", 512e6 / 1_048_576.0),
        ("mem [GiB]", 524_288.0),
    ] {
        let text = format!("time,cpu,{name}\n1795464400,3,512\n");
        let (_, series) = read_all(Format::CsvTable, &[(&text, MTIME_MS)]);
        assert_eq!(series[0].samples.used_bytes, [mib * 1_048_576.0], "{name}");
    }
    check(
        "time,web_mib,api\n1795464400,512,2MiB\n",
        "web_mib: -20=512MiB\napi: -20=2MiB\n",
        "2 samples, 0 gaps, 1 other, 0 rejected\n",
    );
}

#[test]
fn numbers_that_cannot_be_bytes_are_refused() {
    let refused = |text: &str| read_all(Format::CsvTable, &[(text, MTIME_MS)]).0.remove(0).unusable;
    insta::assert_snapshot!(refused("time,web\n1795464400,512.3\n1795464410,513\n").unwrap(), @r#"its numbers without a unit are 512.3 to 513, less than 1 MiB, so they are not bytes of a container (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`; if they are MiB, pass `--unit MiB`; KiB, GiB, kB, MB and GB work too)"#);
    insta::assert_snapshot!(refused("time,web\n1795464400,0\n1795464410,0\n").unwrap(), @r#"its numbers without a unit are all 0, and a running container uses more (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)"#);
    insta::assert_snapshot!(refused("time,web\n1795464400,5000000\n1795464410,-7000000\n1795464420,-1\n").unwrap(), @r#"its numbers without a unit: 2 of 3 are negative, so they are a difference or a rate, not bytes (expected bytes: ask for the memory itself, such as `container_memory_working_set_bytes{container!=""}`)"#);
    assert_eq!(refused("time,web\n1795464400,5000000\n1795464410,-1\n"), None);
    let (inputs, series) = read_all(
        Format::CsvTable,
        &[("time,web\n1795464400,1MiB\n", MTIME_MS - 1), ("time,web\n1795464410,512.3\n", MTIME_MS)],
    );
    assert_eq!((inputs[0].unusable.as_ref(), describe(&series).as_str()), (None, "web: -20=1MiB\n"));
    check(
        "time,web\n1795464400,6000000\n",
        "web: -20=5.722MiB\n",
        "1 samples, 0 gaps, 1 other, 0 rejected\nwarning: its numbers have no unit: they are read as bytes, and the largest is 5.722 MiB (pass `--unit KiB` if they are KiB)\n",
    );
}

/// An hour that local clocks show twice is not read twice into the same hour.
#[test]
fn the_end_of_summer_time_is_followed() {
    let mut text = "time,web\n".to_owned();
    for (index, time) in ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"].into_iter().enumerate() {
        text += &format!("2026-10-25 {time}:00,{}MiB\n", 100 + index);
    }
    let (inputs, series) = read_all(Format::CsvTable, &[(&text, MTIME_MS)]);
    let steps: Vec<i64> = series[0].samples.time_ms.windows(2).map(|pair| (pair[1] - pair[0]) / 60_000).collect();
    assert_eq!(steps, [30; 5]);
    assert!(
        matches!(inputs[0].warnings[..], [.., Warning::Times(TimeWarning::ClockJumped { back: true, .. })]),
        "{:?}",
        inputs[0].warnings
    );
}

#[test]
fn a_header_above_times_that_cannot_be_read_says_so() {
    insta::assert_snapshot!(looks_like_table("Time,web\n11/23/2026 08:06:40 PM,512 MiB\n").unwrap_err(), @"it is a table whose column `Time` begins with `11/23/2026 08:06:40 PM`, which is not a time (expected seconds since 1970 or a date with a time, such as `2026-11-23 20:06:40`)");
    insta::assert_snapshot!(looks_like_table("date,time,web\n2026-11-23,20:06:40,512 MiB\n").unwrap_err(), @"it is a table whose column `date` begins with `2026-11-23`, which is not a time (expected seconds since 1970 or a date with a time, such as `2026-11-23 20:06:40`)");
}

#[test]
fn what_is_no_table_is_not_taken_for_one() {
    // The last two are read as trends: they name no container.
    for text in [
        "1795464400,512.3MiB\n",
        "name,memory\nweb,1MiB\n",
        "time\n1795464400\n",
        "time,web\n",
        "1795464400,web,512\n",
        "",
        "epoch,mem\n1795464400,512.3MiB\n",
        "Time;Memory (MiB)\n1795464400;512,3\n",
    ] {
        assert_eq!(looks_like_table(text), Ok(false), "{text}");
    }
}

/// The header of a log that is rotated stands in its oldest file.
#[test]
fn a_file_without_a_header_goes_on_with_that_of_the_file_before() {
    let files = [
        ("time,web,api\n1795464400,1MiB,2MiB\n", MTIME_MS),
        ("1795464410,3MiB,4MiB\n", MTIME_MS),
        ("1795464415,3.5MiB,4MiB\n1795464420,5MiB\n", MTIME_MS),
    ];
    let (inputs, series) = read_all(Format::CsvTable, &files);
    assert_eq!(describe(&series), "web: -20=1MiB -10=3MiB -5=3.5MiB\napi: -20=2MiB -10=4MiB -5=4MiB\n");
    assert_eq!(inputs[1].warnings, [ContentWarning::HeaderOfFileBefore.into()]);
    assert_eq!(inputs[2].rejected[0].why.to_string(), "it has 2 fields (expected 3, as in the first line)");
}

/// Containers of one pod are several, and so are those of one name in several pods.
#[test]
fn namespace_pod_and_container_name_a_row_together() {
    check(
        "time,namespace,pod,container,memory_bytes\n1795464400,a,web-1,app,1048576\n1795464400,a,web-1,sidecar,2097152\n\
         1795464410,b,web-1,app,3145728\n1795464410,a,web-1,,1048576\n1795464410,a,,,1048576\n",
        "a/web-1/app: -20=1MiB\na/web-1/sidecar: -20=2MiB\nb/web-1/app: -10=3MiB\na/web-1: -10=1MiB\n",
        "4 samples, 0 gaps, 1 other, 1 rejected\n\
         line 6: `1795464410,a,,,1048576`: it names no container\n",
    );
}
