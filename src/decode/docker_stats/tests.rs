use std::collections::BTreeMap;

use super::super::SeriesSamples;
use crate::account::{Format, Input};
use crate::read::test_support::{MTIME_MS, account, describe, read_all};
use crate::report::words;
use crate::series::MemorySeries;

const HEADER: &str = "CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS";

/// A row of a container of one letter: `a` has an ID of twelve of them and the name `name-a`.
fn row(id: char, mib: u32, received_kb: u32) -> String {
    let hex: String = std::iter::repeat_n(id, 12).collect();
    format!("{hex}   name-{id}   0.1{}%   {mib}MiB / 1GiB   1.0%   {received_kb}kB / 0B   0B / 0B   7\n", mib % 10)
}

fn read(text: &str) -> (Input, Vec<SeriesSamples>) {
    let (mut inputs, series) = read_all(Format::DockerStats, &[(text, MTIME_MS)]);
    let input = inputs.remove(0);
    let n_lines = text.lines().count() as u64;
    assert_eq!(
        input.samples + input.gaps + input.rejected_count + input.other_lines,
        n_lines + input.further,
        "{text}"
    );
    (input, series)
}

/// Checks which containers are in which snapshot: letters of one snapshot stand together.
#[track_caller]
fn check_snapshots(rows: &str, expected: &str) {
    let text: String = rows.chars().filter(|c| *c != ' ').map(|id| row(id, 10, 1)).collect();
    let (_, series) = read(&text);
    let mut snapshots: BTreeMap<i64, String> = BTreeMap::new();
    for series in &series {
        for time_ms in &series.samples.time_ms {
            snapshots.entry(*time_ms).or_default().push(series.info.id.chars().last().unwrap());
        }
    }
    let found: Vec<String> = snapshots
        .into_values()
        .map(|snapshot| {
            let mut ids: Vec<char> = snapshot.chars().collect();
            ids.sort_unstable();
            ids.into_iter().collect()
        })
        .collect();
    assert_eq!(found.join(" "), expected, "{rows}");
}

#[test]
fn a_snapshot_ends_where_docker_would_not_go_on() {
    check_snapshots("abc abc", "abc abc");
    check_snapshots("a a a", "a a a");
    // A container is down for a while.
    check_snapshots("abc bc abc", "abc bc abc");
    check_snapshots("abc a bc", "abc abc");
    check_snapshots("abc ab abc", "abc ab abc");
    // The newest comes first.
    check_snapshots("abc abc dabc dabc", "abc abc abcd abcd");
    check_snapshots("abc abc dabc abc", "abc abc abcd abc");
    // One that starts during the call comes last, for once.
    check_snapshots("abc ab c abc", "abc abc abc");
    check_snapshots("abc bca abc", "abc abc abc");
    check_snapshots("abc abcd dabc dabc", "abc abcd abcd abcd");
    // One that is older than the others but was down until now.
    check_snapshots("ac ac abc abc abc", "ac ac abc abc abc");
}

#[test]
fn a_container_created_anew_is_marked_and_is_a_snapshot_of_its_own() {
    let text = row('a', 10, 5)
        + &row('a', 11, 5).replace("aaaaaaaaaaaa", "bbbbbbbbbbbb")
        + &row('a', 12, 5).replace("aaaaaaaaaaaa", "bbbbbbbbbbbb");
    insta::assert_snapshot!(describe(&read(&text).1), @"name-a: -2220=10MiB -1320=11MiB(recreated) -420=12MiB");
}

#[test]
fn counters_that_fall_and_gaps_are_marked() {
    let text = [
        row('a', 10, 990),
        row('a', 11, 990).replace("990kB", "1.01MB"),
        row('a', 12, 5),
        row('a', 12, 5).replace("12MiB / 1GiB", "-- / --").replace("5kB / 0B", "--"),
        row('a', 14, 6),
        row('a', 0, 0).replace("0MiB / 1GiB", "0B / 0B").replace("0kB", "0B"),
        row('a', 16, 0),
    ]
    .concat();
    insta::assert_snapshot!(describe(&read(&text).1), @"name-a: -5820=10MiB -4920=11MiB -4020=12MiB(reset) -2220=14MiB(gap) -420=16MiB(reset)(gap)");
}

/// Two writers in one log, files that overlap, and an export that begins with the newest.
#[test]
fn restarts_are_those_in_the_order_of_time() {
    let line = |second: u32, id: char, received_kb: u32| {
        format!("2026-11-23T20:06:{second:02}Z {}", row(id, second, received_kb).replace(&format!("name-{id}"), "web"))
    };
    let lines =
        [line(5, 'a', 5), line(10, 'a', 6), line(20, 'a', 1), line(30, 'a', 2), line(40, 'b', 1), line(50, 'b', 3)];
    for order in [
        &[0, 1, 2, 3, 4, 5][..],
        &[5, 4, 3, 2, 1, 0],
        &[0, 2, 1, 3, 4, 5],
        &[0, 1, 2, 4, 3, 5],
        &[0, 1, 2, 3, 2, 3, 4, 5],
        &[0, 1, 2, 3, 4, 2, 3, 4, 5],
        &[4, 5, 2, 3, 0, 1],
        &[2, 3, 4, 5, 0, 1],
    ] {
        let text: String = order.iter().map(|index| lines[*index].as_str()).collect();
        let mut series = read(&text).1;
        let sorted = MemorySeries::new(series[0].info.clone(), std::mem::take(&mut series[0].samples)).unwrap();
        series[0].samples = sorted.into_samples();
        let expected = "web: -55=5MiB -50=10MiB -40=20MiB(reset) -30=30MiB -20=40MiB(recreated) -10=50MiB\n";
        assert_eq!(describe(&series), expected, "{order:?}");
    }
}

/// A container that is called like another one: neither was recreated.
#[test]
fn two_machines_in_one_log_are_told_apart_by_id() {
    let row = |id: char, mib: u32| row(id, mib, 5).replace(&format!("name-{id}"), "web");
    let line = |second: u32, id: char, mib: u32| format!("2026-11-23T20:06:{second:02}Z {}", row(id, mib));
    let timestamped =
        [(0, 'a', 10), (5, 'b', 20), (10, 'a', 11), (15, 'b', 21), (20, 'b', 22), (25, 'a', 12), (30, 'c', 13)];
    let timestamped: String = timestamped.into_iter().map(|(second, id, mib)| line(second, id, mib)).collect();
    let (input, series) = read(&timestamped);
    insta::assert_snapshot!(describe(&series), @r"
    web: -60=10MiB -50=11MiB -35=12MiB -30=13MiB(recreated)
    web (bbbbbbbbbbbb): -55=20MiB -45=21MiB -40=22MiB
    ");
    insta::assert_snapshot!(account(&input), @r"
    7 samples, 0 gaps, 0 other, 0 rejected
    warning: several containers have the same name at the same time, such as `web`: they are told apart by ID
    ");
    assert_eq!(input.series, 2);

    // Whatever the order of the lines.
    let mut lines: Vec<&str> = timestamped.lines().collect();
    for order in [|line: &&str| line.contains("bbbb"), |line: &&str| !line.contains("bbbb")] {
        lines.sort_by_key(order);
        let (_, series) = read(&(lines.join("\n") + "\n"));
        let ids: Vec<(&str, usize)> = series.iter().map(|series| (&*series.info.id, series.samples.len())).collect();
        assert_eq!(ids, [("web", 4), ("web (bbbbbbbbbbbb)", 3)]);
    }

    // One timestamp before the tables of both.
    let tables = |second: u32, mib: u32| {
        let [a, b] = [row('a', mib), row('b', 2 * mib)];
        format!("2026-11-23T20:06:{second:02}Z\n{HEADER}\n{a}{HEADER}\n{b}")
    };
    insta::assert_snapshot!(describe(&read(&(tables(0, 10) + &tables(30, 11))).1), @r"
    web: -60=10MiB -30=11MiB
    web (bbbbbbbbbbbb): -60=20MiB -30=22MiB
    ");
    // One timestamp at the beginning of a log says nothing of the tables that follow.
    let once = tables(0, 10) + &[HEADER, "\n", &row('a', 11), HEADER, "\n", &row('b', 21)].concat();
    insta::assert_snapshot!(describe(&read(&once).1), @r"
    web: -60=10MiB 840=11MiB
    web (bbbbbbbbbbbb): -60=20MiB 1740=21MiB
    ");

    let blocks: String = [('a', 10), ('b', 20), ('a', 11), ('b', 21)]
        .into_iter()
        .map(|(id, mib)| [HEADER, "\n", &row(id, mib)].concat())
        .collect();
    insta::assert_snapshot!(describe(&read(&blocks).1), @r"
    web: -3120=10MiB -1320=11MiB
    web (bbbbbbbbbbbb): -2220=20MiB -420=21MiB
    ");
}

/// The series is that of the name, whoever has it.
#[test]
fn a_container_that_is_renamed_to_and_fro_was_not_created_anew() {
    let line = |second: u32, id: char, name: &str| {
        let row = row(id, second, 5).replace(&format!("name-{id}"), name);
        format!("2026-11-23T20:06:{second:02}Z {row}")
    };
    let rows = [(10, 'a', "x"), (20, 'a', "y"), (30, 'a', "x"), (35, 'b', "y"), (40, 'a', "x"), (45, 'b', "y")];
    let text: String = rows.into_iter().map(|(second, id, name)| line(second, id, name)).collect();
    insta::assert_snapshot!(describe(&read(&text).1), @r"
    x: -50=10MiB -30=30MiB -20=40MiB
    y: -40=20MiB -25=35MiB(recreated) -15=45MiB
    ");
}

/// One of two machines creates its container again each time.
#[test]
fn containers_that_are_created_anew_beside_one_that_stays_leave_it_whole() {
    let line = |second: u32, id: char| {
        let row = row(id, second, 5).replace(&format!("name-{id}"), "web");
        format!("2026-11-23T20:06:{second:02}Z {row}")
    };
    let text: String = "abacadae".chars().zip(10..).map(|(id, second)| line(second, id)).collect();
    insta::assert_snapshot!(describe(&read(&text).1), @r"
    web: -50=10MiB -48=12MiB -46=14MiB -44=16MiB -43=17MiB(recreated)
    web (bbbbbbbbbbbb): -49=11MiB -47=13MiB(recreated) -45=15MiB(recreated)
    ");
}

#[test]
fn tables_are_read_by_their_headers() {
    let read = |text: &str| describe(&read(text).1);
    insta::assert_snapshot!(read("NAME     CPU %   MEM %   MEM USAGE / LIMIT\nweb      0.01%   0.11%   7.988MiB / 7.088GiB\n"), @"web: -420=7.988MiB");
    insta::assert_snapshot!(read("CONTAINER   CPU %   MEM USAGE/LIMIT   MEM %   NET I/O\nredis1      0.07%   796 KiB/64 MiB    1.21%   788 B/648 B\n"), @"redis1: -420=796KiB");
    insta::assert_snapshot!(read("CONTAINER ID   CPU %   PRIV WORKING SET   NET I/O             BLOCK I/O\n09d3bb5b1604   6.61%   38.21 MiB          17.1 kB / 7.73 kB   10.7 MB / 3.57 MB\n"), @"09d3bb5b1604: -420=38.21MiB");
    insta::assert_snapshot!(read("ID    NAME  CPU %  MEM USAGE / LIMIT  MEM %  NET IO   BLOCK IO  PIDS  CPU TIME  AVG CPU %\n<ID>  db    0.5%   3.092MB / 8.59GB   16.1%  -- / --  0B / 0B   35    2m23.4s   0.54%\n<ID>  web   0.5%   4.092MB / 8.59GB   16.1%  -- / --  0B / 0B   35    2m23.4s   0.54%\n"), @r"
    db: -420=2.949MiB
    web: -420=3.902MiB
    ");
    insta::assert_snapshot!(read("web\t0.1%\t10MiB / 1GiB\n"), @"web: -420=10MiB");
    insta::assert_snapshot!(read("{\"Container\":\"web\",\"ID\":\"ed37317fbf42\",\"MemUsage\":\"2MiB / 9MiB\",\"Name\":\"web\",\"NetIO\":\"--\"}\n"), @"web: -420=2MiB");
}

#[test]
fn timestamps_before_rows_and_blocks_are_used() {
    let read = |text: &str| describe(&read(text).1);
    let row = row('a', 10, 1);
    insta::assert_snapshot!(read(&format!("2026-11-23T20:06:00Z {row}1795464370.5 {row}")), @"name-a: -60=10MiB -49.5=10MiB");
    insta::assert_snapshot!(read(&format!("Nov 23 20:06:00 host mem[7]: {row}[2026-11-23 20:06:30] {row}")), @"name-a: -60=10MiB -30=10MiB");
    insta::assert_snapshot!(read(&format!("Mon Nov 23 20:06:00 UTC 2026\n{HEADER}\n{row}2026-11-23T21:06:30+01:00\n{HEADER}\n{row}")), @"name-a: -60=10MiB -30=10MiB");
    insta::assert_snapshot!(read("2026-11-23T20:06:00Z {\"ID\":\"ed37317fbf42\",\"MemUsage\":\"2MiB / 9MiB\",\"Name\":\"web\"}\n"), @"web: -60=2MiB");
    for time in [
        "\"time\":\"2026-11-23T20:06:00Z\"",
        "\"timestamp\":1795464360",
        "\"@timestamp\":1795464360000",
        "\"x\":1,\"time\":1795464360.0",
    ] {
        let object = format!("{{\"ID\":\"ed37317fbf42\",\"MemUsage\":\"2MiB / 9MiB\",\"Name\":\"web\",{time}}}\n");
        assert_eq!(read(&object), "web: -60=2MiB\n", "{object}");
        assert_eq!(read(&format!("[{}]\n", object.trim())), "web: -60=2MiB\n", "{object}");
    }
    // What is no time is of no use, and neither is a name of which nothing else is known.
    let odd = "{\"ID\":\"\",\"Container\":\"web\",\"Name\":\"--\",\"MemUsage\":\"-- / --\",\"time\":{\"x\":[1]}}\n";
    let known =
        "{\"ID\":\"ed37317fbf42\",\"Container\":\"web\",\"Name\":\"web\",\"MemUsage\":\"2MiB / 9MiB\",\"time\":null}\n";
    insta::assert_snapshot!(read(&[known, odd, known].concat()), @"web: -2220=2MiB -420=2MiB(gap)");
}

#[test]
fn a_stream_is_read_frame_by_frame() {
    let frame_20 = |mib| format!("\x1b[2J\x1b[H{HEADER}\n{}{}", row('a', mib, 1), row('b', 20, 1));
    let text = [frame_20(10), frame_20(10), frame_20(11), frame_20(11), frame_20(12)].concat();
    insta::assert_snapshot!(describe(&read(&text).1), @r"
    name-a: -2=10MiB -1=11MiB 0=12MiB
    name-b: -2=20MiB -1=20MiB 0=20MiB
    ");

    let table = |mib| format!("{HEADER}\n{}{}", row('a', mib, 1), row('b', 20, 1));
    let frame_28 = |mib| {
        let again = table(mib).replace('\n', " \x1b[K\n");
        format!("\x1b[H{}\x1b[H{again} \x1b[K\n\x1b[J", table(mib))
    };
    let text = [frame_28(10), frame_28(10), frame_28(11), frame_28(11), frame_28(12)].concat() + "\n";
    insta::assert_snapshot!(describe(&read(&text).1), @r"
    name-a: -2=10MiB -1=11MiB 0=12MiB
    name-b: -2=20MiB -1=20MiB 0=20MiB
    ");

    let frame_29 = |mib| format!("\x1b[H{}\x1b[K\n\x1b[J", table(mib).replace('\n', "\x1b[K\n"));
    let text = [frame_29(10), frame_29(10), frame_29(11), frame_29(11), frame_29(12)].concat() + "\n";
    insta::assert_snapshot!(describe(&read(&text).1), @r"
    name-a: -2=10MiB -1=11MiB 0=12MiB
    name-b: -2=20MiB -1=20MiB 0=20MiB
    ");
}

#[test]
fn what_is_inferred_is_said() {
    let warnings = |text: &str| words::warnings(&read(text).0).join("\n");
    let (a, b) = (row('a', 10, 1), row('b', 10, 1));
    insta::assert_snapshot!(warnings(&[&*a, &a].concat()), @r"
    assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
    it holds one container and no timestamps: downtime is invisible and shifts earlier times
    ");
    insta::assert_snapshot!(warnings(&format!("2026-11-23 20:06:00 {a}{a}{b}")), @r"
    timestamps without a time zone are read as UTC, such as `2026-11-23 20:06:00`
    2 of 3 readings have no timestamp: placed next to the readings that do, one every 15 min
    ");
    insta::assert_snapshot!(warnings(&format!("Nov 23 20:06:00 {a}Nov 23 20:06:00 {b}")), @r"
    timestamps without a time zone are read as UTC, such as `Nov 23 20:06:00`
    timestamps have no year: it is taken from the file's modification time, which makes the first one 2026-11-23T20:06:00Z
    ");
    insta::assert_snapshot!(warnings(&format!("5.2s {a}5.2s {b}")), @r"
    the text before the container is not a timestamp (line 1: `5.2s`)
    assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
    ");
}

#[test]
fn rotated_files_are_anchored_one_by_one() {
    let (a, b) = (row('a', 10, 1), row('b', 10, 1));
    let two = [&*a, &b, &a, &b].concat();
    let (inputs, series) = read_all(Format::DockerStats, &[(&two, MTIME_MS - 3_600_000), (&two, MTIME_MS)]);
    insta::assert_snapshot!(describe(&series), @r"
    name-a: -4920=10MiB -4020=10MiB -1320=10MiB -420=10MiB
    name-b: -4920=10MiB -4020=10MiB -1320=10MiB -420=10MiB
    ");
    insta::assert_snapshot!(words::warnings(&inputs[0]).join("\n"), @r"
    assuming one reading every 15 min, the last at 2026-11-23T19:00:00Z (the file's modification time)
    2 readings are missing between this file and the next one, judging by their modification times
    ");
    let (inputs, series) = read_all(Format::DockerStats, &[(&two, MTIME_MS), (&two, MTIME_MS)]);
    insta::assert_snapshot!(describe(&series), @r"
    name-a: -3120=10MiB -2220=10MiB -1320=10MiB -420=10MiB
    name-b: -3120=10MiB -2220=10MiB -1320=10MiB -420=10MiB
    ");
    insta::assert_snapshot!(words::warnings(&inputs[0]).join("\n"), @r"
    assuming one reading every 15 min, the last at 2026-11-23T19:30:00Z (the file's modification time)
    its modification time is later than the start of the next file: its readings were moved back by 30 min
    ");
}

#[test]
fn lines_that_are_no_rows_are_counted_or_refused() {
    let text = format!(
        "$ docker stats\n\n{HEADER}\n{}^C\n-------\nhello\n{}\njson\nx   y   5MiB\n{{\"a\":1}}\n{{\"a\"\n\x00\x00{}aaaaaaaaaaaa   na",
        row('a', 10, 1),
        row('a', 11, 1).replace("11MiB", "11Mb").trim_end(),
        row('a', 12, 1)
    );
    insta::assert_snapshot!(account(&read(&text).0), @r#"
    2 samples, 0 gaps, 6 other, 6 rejected
    warning: 1 line is not a reading but other text (line 7: `hello`)
    warning: assuming one reading every 15 min, the last at 2026-11-23T20:00:00Z (the file's modification time)
    warning: it holds one container and no timestamps: downtime is invisible and shifts earlier times
    line 8: `aaaaaaaaaaaa   name-a   0.11%   11Mb / 1GiB   1.0%   1kB / 0B   0B / 0B   7`: `11Mb` is not an amount of memory: unknown unit `Mb` (expected B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)
    line 9: `json`: docker before 23.0 treats `--format json` as a template (expected the output of `--format '{{json .}}'`)
    line 10: `x   y   5MiB`: found 3 columns without an amount of memory (expected 8, as in the header)
    line 11: `{"a":1}`: there is no `MemUsage` in it (expected the output of `docker stats --format '{{json .}}'`)
    line 12: `{"a"`: this is not a JSON object: EOF while parsing an object at line 1 column 4
    line 14: `aaaaaaaaaaaa   na`: the last line is incomplete (the file may still be written to)
    "#);
    insta::assert_snapshot!(account(&read("aaaaaaaaaaaa   a\nyou\n").0), @r"
    0 samples, 0 gaps, 1 other, 1 rejected
    warning: 1 line is not a reading but other text (line 2: `you`)
    line 1: `aaaaaaaaaaaa   a`: no amount of memory found (expected a container, `USED / LIMIT` and more, in columns at least two spaces apart)
    unusable: no row of `docker stats` could be read: 1 line rejected, the first is line 1: no amount of memory found (expected a container, `USED / LIMIT` and more, in columns at least two spaces apart)
    ");
    insta::assert_snapshot!(account(&read(&format!("{HEADER}\n")).0), @r"
    0 samples, 0 gaps, 1 other, 0 rejected
    unusable: it holds no row of `docker stats` (only headers, blank lines or other text)
    ");
    let long = "x".repeat(100_000) + "\n" + &row('a', 10, 1);
    insta::assert_snapshot!(read(&long).0.rejected[0].why, @"the line is longer than 64 KiB (expected one reading per line)");
}

/// No container has a blank in its name: what stands behind one is the next column.
#[test]
fn a_name_that_runs_into_the_next_column_is_that_name() {
    let wide = |cpu: &str| {
        format!("{HEADER}\naaaaaaaaaaaa   nectarine {cpu}     5MiB / 1GiB   0.49%     0B / 0B   0B / 0B   1\n")
    };
    let (input, series) = read(&[wide("0.00%"), wide("12.34%")].concat());
    assert_eq!((input.samples, input.rejected_count), (2, 0));
    assert_eq!(series.iter().map(|series| &*series.info.id).collect::<Vec<_>>(), ["nectarine"]);
}

/// A write that was cut, and the next row behind it on the same line: neither is taken for the other.
#[test]
fn two_rows_in_one_line_are_rejected_wherever_the_first_is_cut() {
    let squeezed = |row: &str| row.split_whitespace().collect::<Vec<_>>().join(" ");
    let (first, second) = (row('a', 10, 5), row('b', 20, 5));
    let (first, second) = (first.trim_end(), second.trim_end());
    for (first, second) in [(first, second), (&*squeezed(first), &*squeezed(second))] {
        for cut in 1..=first.len() {
            let lines = format!("{second}\n{}{second}\n{second}\n", &first[..cut]);
            for lines in [lines.clone(), format!("{HEADER}\n{lines}")] {
                let (input, series) = read(&lines);
                assert_eq!((input.samples, input.rejected_count), (2, 1), "{lines}");
                assert_eq!(series.len(), 1, "{lines}");
            }
        }
    }
    let (input, _) = read(&format!("{second}\n{}{second}\n", &first[..40]));
    insta::assert_snapshot!(input.rejected[0].why, @"more columns than a row has: are these two rows on one line, the first one truncated? (expected one container per line)");
}

/// An object is whole or not: one behind a write that was cut is kept.
#[test]
fn a_whole_object_behind_a_cut_one_is_kept_wherever_the_first_is_cut() {
    let object = |name: &str, time: &str| {
        format!("{{\"ID\":\"aaaaaaaaaaaa\",\"Name\":\"{name}\",\"MemUsage\":\"5MiB / 1GiB\"{time}}}")
    };
    let (first, second) = (object("a", ""), object("b", ""));
    for cut in 2..first.len() {
        let (input, series) = read(&format!("{second}\n{}{second}\n{second}\n", &first[..cut]));
        assert_eq!((input.samples, input.rejected_count, input.further), (3, 1, 1), "{cut}");
        assert_eq!(series.len(), 1);
        assert_eq!(input.rejected[0].text, first[..cut]);
    }
    // The time before the line is that of the one that was cut; one of its own is right.
    let (input, _) = read(&format!("2026-11-23T20:06:00Z {second}\n2026-11-23T20:06:10Z {}{second}\n", &first[..40]));
    assert_eq!((input.samples, input.rejected_count), (1, 1));
    let dated = object("b", ",\"time\":\"2026-11-23T20:06:10Z\"");
    let (input, series) =
        read(&format!("2026-11-23T20:06:00Z {second}\n2026-11-23T20:06:05Z {}{dated}\n", &first[..40]));
    assert_eq!((input.samples, input.rejected_count), (2, 1));
    assert_eq!(describe(&series), "b: -60=5MiB -50=5MiB\n");
}
