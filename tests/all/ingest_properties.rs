//! What holds for every input: nothing makes the readers fall over, no line is lost, what docker prints reads back.
#![expect(clippy::format_push_string, reason = "short texts of a test")]

use std::io::Write;

use leaktrend::account::Format;
use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use leaktrend::resolve::Readings;
use leaktrend::units::{WrittenAmount, docker_text};
use proptest::prelude::*;

fn read_bytes(bytes: &[u8], format: Option<Format>) -> Readings {
    let mut file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let options = Options {
        format,
        interval: None,
        end_ms: Some(1_795_464_420_000),
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    };
    readings(&[Source::File(file.path().to_owned())], &options)
}

/// Checks what must be true of any answer.
fn check_sound(bytes: &[u8], format: Option<Format>) -> Result<(), TestCaseError> {
    let readings = read_bytes(bytes, format);
    let input = &readings.inputs[0];
    let mut n_samples = 0;
    for series in &readings.series {
        let samples = &series.samples;
        n_samples += samples.len() as u64;
        prop_assert!(samples.used_bytes.iter().all(|bytes| bytes.is_finite() && 0.0 <= *bytes));
        prop_assert!(samples.resolution_bytes.iter().all(|resolution| 1.0 <= resolution));
        prop_assert_eq!(samples.time_ms.len(), samples.used_bytes.len());
        prop_assert_eq!(samples.time_ms.len(), samples.marks.len());
    }
    prop_assert_eq!(n_samples, input.samples);
    prop_assert!(input.rejected.iter().all(|rejected| !rejected.text.chars().any(char::is_control)));
    if let Some(lines) = input.lines
        && input.unusable.is_none()
    {
        let n_lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
        prop_assert_eq!(lines, n_lines);
        let accounted = input.samples + input.gaps + input.other_lines + input.rejected_count;
        prop_assert_eq!(accounted, n_lines + input.further);
    }
    Ok(())
}

/// Pieces that mean something to one of the readers, put together in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&str; 44] = [
        "9a9858661741",
        "8c0d5e3f676a",
        "web",
        "   ",
        "  ",
        " ",
        "\t",
        "\n",
        "\n",
        "\r\n",
        "0.12%",
        "16.18MiB / 1GiB",
        "-- / --",
        "0B / 0B",
        "796B / 0B",
        "--",
        "7",
        "\x1b[2J",
        "\x1b[H",
        "\x1b[K",
        "\x1b[J",
        "\x1b",
        "CONTAINER ID",
        "NAME",
        "MEM USAGE / LIMIT",
        "CPU %",
        "2026-11-23T20:06:38Z",
        "Nov 23 20:06:38",
        "Mon Nov 23 20:06:38 UTC 2026",
        "1795464398",
        ",",
        "512.3MiB",
        "[",
        "]",
        "{",
        "}",
        "\"metric\":",
        "\"values\":",
        "\"status\":\"success\"",
        "[1795464398.5,\"5\"]",
        "\"MemUsage\":\"5MiB / 6MiB\"",
        "\"Name\":\"web\"",
        "é",
        "\0",
    ];
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

fn any_format() -> impl Strategy<Value = Option<Format>> {
    prop::sample::select(vec![
        None,
        Some(Format::DockerStats),
        Some(Format::PodmanStats),
        Some(Format::NerdctlStats),
        Some(Format::CrictlStats),
        Some(Format::KubectlTop),
        Some(Format::TrendCsv),
        Some(Format::Prometheus),
    ])
}

/// Lines of every table and of JSON over several lines, in any order, some of them damaged.
fn shuffled_lines() -> impl Strategy<Value = Vec<u8>> {
    const LINES: [&str; 42] = [
        "CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS",
        "9a9858661741   web    0.12%   16.18MiB / 1GiB     1.58%   796B / 0B   0B / 0B   7",
        "8c0d5e3f676a   api    0.12%   116.2MiB / 1GiB     11.4%   796B / 0B   0B / 0B   7",
        "8c0d5e3f676a   api    --      -- / --             --      --          --        --",
        "8c0d5e3f676a api 0.12% 116.2MiB / 1GiB 11.4% 796B / 0B 0B / 0B 7",
        "api: 116.2MiB / 1GiB",
        "\x1b[2J\x1b[HCONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %",
        "9a9858661741   web   0.1%   5MiB / 1GiB   1%\x1b[K",
        "\x1b[J",
        "2026-11-23T20:06:38Z",
        "2026-11-23 02:06:38 9a9858661741   web    0.12%   16.18MiB / 1GiB",
        "Nov 23 20:06:38 9a9858661741   web    0.12%   16.18MiB / 1GiB",
        "{\"ID\":\"9a9858661741\",\"Name\":\"web\",\"MemUsage\":\"16.18MiB / 1GiB\"}",
        "{\"ID\":\"9a9858661741\",\"Name\":\"web\"",
        "[",
        " {",
        "  \"id\": \"9a9858661741\",",
        "  \"mem_usage\": \"3MB / 5GB\"",
        " },",
        " }",
        "]",
        "[{\"id\":\"9a9858661741\",\"mem_usage\":\"3MB / 5GB\"},{\"id\":\"8c0d5e3f676a\",\"mem_usage\":\"-- / --\"},{}]",
        "[\n {\n  \"id\": \"9a9858661741\",\n  \"mem_usage\": \"3MB / 5GB\"\n },",
        " {\n  \"id\": \"8c0d5e3f676a\",\n  \"mem_usage\": \"-- / --\"\n }\n]",
        "{\n \"ID\": \"9a9858661741\",\n \"Name\": \"web\",\n \"MemUsage\": 5\n}",
        "{\n\"stats\": [\n{\n\"attributes\": {\"id\": \"9a9858661741\", \"metadata\": {\"name\": \"web\"}}\n}\n]\n}",
        "{",
        "\"stats\": [",
        "\"attributes\": {\"id\": \"9a9858661741\", \"metadata\": {\"name\": \"web\"}},",
        "\"memory\": {\"timestamp\": \"1795464410000000000\", \"workingSetBytes\": {\"value\": \"5\"}}",
        "POD   NAME   CPU(cores)   MEMORY(bytes)",
        "web-0   app   12m   34Mi",
        "web-0   app   12m   <unknown>",
        "              12m   34Mi",
        "CONTAINER   NAME   CPU %   MEM   DISK   INODES   SWAP",
        "414dcd62ff8a1   web   0.08   12.91MB   27.65kB   8   0B",
        "1795464398,512.3MiB",
        "Error response from daemon: no such container",
        "$ docker stats",
        "a sentence about nothing",
        "",
        "---",
    ];
    let line = (prop::sample::select(LINES.to_vec()), 0usize..12, any::<u8>());
    prop::collection::vec(line, 0..40).prop_map(|lines| {
        let mut text = Vec::new();
        for (line, damage, byte) in lines {
            let mut line = line.as_bytes().to_vec();
            let at = usize::from(byte) % line.len().max(1);
            match damage {
                0 => line.truncate(at),
                1 if at < line.len() => line[at] = byte,
                2 => line.extend_from_within(..at.min(line.len())),
                3 => line.insert(at.min(line.len()), byte),
                _ => {}
            }
            text.extend(line);
            text.push(b'\n');
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), format in any_format()) {
        check_sound(&bytes, format)?;
    }

    #[test]
    fn any_pieces_of_the_formats_are_read_or_refused(bytes in pieces(), format in any_format()) {
        check_sound(&bytes, format)?;
    }

    #[test]
    fn any_order_of_good_and_damaged_lines_is_accounted_for(bytes in shuffled_lines(), format in any_format()) {
        check_sound(&bytes, format)?;
    }

    #[test]
    fn any_cut_of_an_answer_keeps_what_stands_before(cut in 0usize..280) {
        let whole = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"container_memory_rss","container":"a"},"values":[[1795464398,"1"],[1795464408,"2"]]},{"metric":{"__name__":"container_memory_rss","container":"b"},"values":[[1795464398,"3"]]}]}}"#;
        let bytes = &whole.as_bytes()[..cut.min(whole.len())];
        check_sound(bytes, Some(Format::Prometheus))?;
        let readings = read_bytes(bytes, Some(Format::Prometheus));
        let n_points = whole[..cut.min(whole.len())].matches("\"]").count() as u64;
        prop_assert_eq!(readings.inputs[0].samples, n_points);
    }

    #[test]
    fn what_docker_prints_reads_back_within_its_spacing(bytes in 0.0f64..1e14) {
        let text = docker_text(bytes);
        let amount: WrittenAmount = text.parse().unwrap();
        prop_assert!((amount.bytes - bytes).abs() <= 0.5001 * amount.resolution.max(1.0), "{text}: {amount:?}");

        let row = format!("9a9858661741   web   0.1%   {text} / 1TiB   1%   1kB / 0B   0B / 0B   7\n");
        let docker = read_bytes(row.as_bytes(), None);
        prop_assert_eq!(&docker.series[0].samples.used_bytes, &[amount.bytes]);
        let trend = read_bytes(format!("1795464398,{text}\n").as_bytes(), None);
        prop_assert_eq!(&trend.series[0].samples.used_bytes, &[amount.bytes]);
    }

    #[test]
    fn calls_with_all_containers_are_one_tick_each(n_containers in 1usize..6, n_ticks in 1usize..20) {
        let mut text = String::new();
        for tick in 0..n_ticks {
            for container in 0..n_containers {
                text += &format!("{container:012x}   c{container}   0.1%   {}MiB / 1GiB   1%   {tick}kB / 0B   0B / 0B   7\n", tick + 1);
            }
        }
        let readings = read_bytes(text.as_bytes(), None);
        prop_assert_eq!(readings.series.len(), n_containers);
        for series in &readings.series {
            let expected: Vec<i64> = (0..n_ticks as i64).map(|tick| 1_795_464_420_000 - (n_ticks as i64 - 1 - tick) * 900_000).collect();
            prop_assert_eq!(&series.samples.time_ms, &expected);
        }
    }
}
