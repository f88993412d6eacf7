//! Every form in which people keep the tables of container memory, as small texts of our own.
//!
//! Each is read through the front door with the format decided by content: which it is, what became of every line,
//! and the memory of each series in the order of its readings.
#![expect(clippy::format_push_string, reason = "short texts of a test")]

use std::io::Write;

use leaktrend::account::{Format, Input};
use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::read::readings;
use leaktrend::report::words;
use leaktrend::resolve::Readings;
use leaktrend::series::Marks;
use leaktrend::units::docker_text;

/// 2026-11-23T20:07:00Z, in milliseconds.
const END_MS: i64 = 1_795_464_420_000;

fn read_text(text: &str, format: Option<Format>) -> Readings {
    let mut file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let options = Options {
        format,
        interval: None,
        end_ms: Some(END_MS),
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    };
    readings(&[Source::File(file.path().to_owned())], &options)
}

/// The format, the account, and for each series its labels, limit and readings: seconds before the end, memory, marks.
fn describe(text: &str, format: Option<Format>) -> String {
    let readings = read_text(text, format);
    let input = &readings.inputs[0];
    let mut described = account(input, text);
    for series in &readings.series {
        described += &format!("\n{}:", series.info.id);
        let samples = &series.samples;
        for index in 0..samples.len() {
            let marks = Marks::from_bits(samples.marks[index]);
            described += &format!(
                " {}={}{}{}",
                (samples.time_ms[index] - END_MS) / 1000,
                docker_text(samples.used_bytes[index]),
                if marks.contains(Marks::RECREATED) { "(recreated)" } else { "" },
                if marks.contains(Marks::GAP_BEFORE) { "(gap)" } else { "" },
            );
        }
        if let Some(limit) = series.info.limit {
            described += &format!(" of {}", docker_text(limit.bytes));
        }
    }
    described
}

fn account(input: &Input, text: &str) -> String {
    let total = input.samples + input.gaps + input.other_lines + input.rejected_count;
    if input.unusable.is_none() {
        assert_eq!(Some(text.lines().count() as u64), input.lines);
        assert_eq!(input.lines.unwrap() + input.further, total, "{input:?}");
    }
    let mut account = format!(
        "{}: {} readings, {} gaps, {} others, {} rejected",
        input.format.map_or("-", Format::name),
        input.samples,
        input.gaps,
        input.other_lines,
        input.rejected_count
    );
    for rejected in &input.rejected {
        account += &format!("\nline {}: {}", rejected.line, rejected.why);
    }
    if let Some(why) = &input.unusable {
        account += &format!("\nunusable: {why}");
    }
    account
}

fn auto(text: &str) -> String {
    describe(text, None)
}

#[test]
fn docker_from_the_first_version_to_the_latest() {
    // 1.4: no columns for blocks and processes, blanks before units, none around the slash, decimal units.
    insta::assert_snapshot!(auto("CONTAINER           CPU %               MEM USAGE/LIMIT     MEM %               NET I/O\nshop                0.10%               796 KiB/64 MiB      1.21%               788 B/648 B\ncart                0.00%               1.425 MB/1.042 GB   0.14%               0 B/0 B\n"), @r"
    docker-stats: 2 readings, 0 gaps, 1 others, 0 rejected
    shop: 0=796KiB of 64MiB
    cart: 0=1.359MiB of 993.7MiB
    ");
    // 17: wide columns. 29: narrow ones, and whole IDs.
    insta::assert_snapshot!(auto("CONTAINER ID        NAME                CPU %               MEM USAGE / LIMIT     MEM %               NET I/O             BLOCK I/O           PIDS\nb95a83497c91        shop.1.vnc8on831i   0.28%               5.629MiB / 1.952GiB   0.28%               916B / 0B           147kB / 0B          9\n"), @r"
    docker-stats: 1 readings, 0 gaps, 1 others, 0 rejected
    shop.1.vnc8on831i: 0=5.629MiB of 1.952GiB
    ");
    insta::assert_snapshot!(auto("CONTAINER ID                                                       NAME   CPU %     MEM USAGE / LIMIT     MEM %     NET I/O     BLOCK I/O   PIDS\nb95a83497c91b95a83497c91b95a83497c91b95a83497c91b95a83497c91b95a   shop   150.06%   1023MiB / 1.952GiB    0.28%     916B / 0B   0B / 0B     9\n"), @r"
    docker-stats: 1 readings, 0 gaps, 1 others, 0 rejected
    shop: 0=1023MiB of 1.952GiB
    ");
    // Windows: no name in the default table, no limit.
    insta::assert_snapshot!(auto("PS C:\\> docker stats\nCONTAINER ID        CPU %               PRIV WORKING SET    NET I/O             BLOCK I/O\n09d3bb5b1604        6.61%               38.21 MiB           17.1 kB / 7.73 kB   10.7 MB / 3.57 MB\n"), @r"
    docker-stats: 1 readings, 0 gaps, 2 others, 0 rejected
    09d3bb5b1604: 0=38.21MiB
    ");
    insta::assert_snapshot!(auto("   CONTAINER ID   NAME      CPU %   PRIV WORKING SET   NET I/O           BLOCK I/O\n   644e19852fa0   sf-38-a   0.01%   53.25MiB           1.16MB / 526kB    28.4MB / 25.8MB\n"), @r"
    docker-stats: 1 readings, 0 gaps, 1 others, 0 rejected
    sf-38-a: 0=53.25MiB
    ");
    // Columns of the user's own, in another order, without an ID.
    insta::assert_snapshot!(auto("NAME                MEM %               MEM USAGE / LIMIT     CPU %\nshop                0.11%               7.988MiB / 7.088GiB   0.01%\n"), @r"
    docker-stats: 1 readings, 0 gaps, 1 others, 0 rejected
    shop: 0=7.988MiB of 7.088GiB
    ");
}

#[test]
fn rows_without_a_header() {
    insta::assert_snapshot!(auto("2a75d7ae6613   shop   29.88%    2.391GiB / 12GiB      19.93%    3.22GB / 21.9GB   15GB / 3.41GB     109\n47799ced0b2e   cart   0.29%     43.12MiB / 30.59GiB   0.14%     119MB / 74.2MB    551MB / 11.8GB    13\n"), @r"
    docker-stats: 2 readings, 0 gaps, 0 others, 0 rejected
    shop: 0=2.391GiB of 12GiB
    cart: 0=43.12MiB of 30.59GiB
    ");
    // Blanks squeezed by the shell, and templates of the user.
    insta::assert_snapshot!(auto("2a75d7ae6613 shop 29.88% 2.391GiB / 12GiB 19.93% 3.22GB / 21.9GB 15GB / 3.41GB 109\n2a75d7ae6613 shop -- -- / -- -- -- -- --\n2a75d7ae6613 shop 29.88% 2.392GiB / 12GiB 19.93% 1.22GB / 21.9GB 15GB / 3.41GB 109\n"), @r"
    docker-stats: 2 readings, 1 gaps, 0 others, 0 rejected
    shop: -1800=2.391GiB 0=2.392GiB(gap) of 12GiB
    ");
    insta::assert_snapshot!(auto("shop: 10MiB / 1GiB\ncart: 20MiB / 1GiB\nshop: 11MiB / 1GiB\ncart: 20MiB / 1GiB\n"), @r"
    docker-stats: 4 readings, 0 gaps, 0 others, 0 rejected
    shop: -900=10MiB 0=11MiB of 1GiB
    cart: -900=20MiB 0=20MiB of 1GiB
    ");
    insta::assert_snapshot!(auto("shop\t0.1%\t10MiB / 1GiB\n"), @r"
    docker-stats: 1 readings, 0 gaps, 0 others, 0 rejected
    shop: 0=10MiB of 1GiB
    ");
}

#[test]
fn sessions_with_prompts_and_prose() {
    insta::assert_snapshot!(auto("# How much does it use?\n\nLet us look:\n\n```\nme@host ~ % docker stats shop\nCONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS \nf3798749f130   shop   --      -- / --             --      --        --          -- \nf3798749f130   shop   0.1%    5MiB / 1GiB         0.5%    1kB / 0B  0B / 0B     3 \n^C\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n```\n<pre>\n"), @r"
    docker-stats: 1 readings, 1 gaps, 11 others, 0 rejected
    shop: 0=5MiB(gap) of 1GiB
    ");
    insta::assert_snapshot!(auto("# Sortie :\n# CONTAINER ID   NAME   CPU %     MEM USAGE / LIMIT     MEM %     NET I/O\n# 80b45fb18d33   shop   0.50%     128MiB / 7.775GiB     1.61%     1.2kB / 0B\n"), @r"
    docker-stats: 1 readings, 0 gaps, 2 others, 0 rejected
    shop: 0=128MiB of 7.775GiB
    ");
}

#[test]
fn what_damages_a_row_is_rejected_and_a_failed_call_takes_its_time() {
    let row = |mib: u32| format!("f3798749f130   shop   0.1%   {mib}MiB / 1GiB   0.5%   1kB / 0B   0B / 0B   3\n");
    insta::assert_snapshot!(auto(&[
        &*row(10),
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
        &row(12),
        "f3798749f130   shop   0.1%   \n",
        "f3798749f130\n",
        "disk full: 12MiB left\n",
        "sh: 1: cannot fork\n",
    ].concat()), @r"
    docker-stats: 2 readings, 0 gaps, 1 others, 4 rejected
    line 2: the command failed here: this reading is missing
    line 4: no amount of memory found (expected a container, `USED / LIMIT` and more, in columns at least two spaces apart)
    line 5: no amount of memory found (expected a container, `USED / LIMIT` and more, in columns at least two spaces apart)
    line 6: no amount of memory found (expected a container, `USED / LIMIT` and more, in columns at least two spaces apart)
    shop: -1800=10MiB 0=12MiB of 1GiB
    ");
}

#[test]
fn stopped_containers_and_uncounted_memory_are_gaps() {
    insta::assert_snapshot!(auto("CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS\n57f320406648   shop   0.20%   64.2MiB / 6.698GiB  0.94%   1kB / 0B  0B / 0B     20\nCONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS\n57f320406648   shop   --      -- / --             --      --        --          --\nCONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O   BLOCK I/O   PIDS\n57f320406648   shop   0.20%   64.3MiB / 6.698GiB  0.94%   1kB / 0B  0B / 0B     20\n"), @r"
    docker-stats: 2 readings, 1 gaps, 3 others, 0 rejected
    shop: -1800=64.2MiB 0=64.3MiB(gap) of 6.698GiB
    ");
    let uncounted = "CONTAINER ID   NAME    CPU %     MEM USAGE / LIMIT   MEM %   NET I/O        BLOCK I/O   PIDS\n5ab9c0d1e2f3   probe   131.20%   0B / 0B             0.00%   21MB / 3.9MB   0B / 0B     128\n";
    insta::assert_snapshot!(auto(uncounted), @r"
    docker-stats: 0 readings, 1 gaps, 1 others, 0 rejected
    probe:
    ");
    insta::assert_snapshot!(words::warnings(&read_text(uncounted, None).inputs[0]).join("\n"), @r"
    it holds no values (`--` or `0B / 0B`): the containers are not running, or the kernel does not count memory (is the memory cgroup enabled?)
    assuming one reading every 15 min, the last at 2026-11-23T20:07:00Z (as `--end` says)
    ");
}

#[test]
fn podman_tables_and_json() {
    insta::assert_snapshot!(auto("ID            NAME   CPU %   MEM USAGE / LIMIT  MEM %   NET IO          BLOCK IO           PIDS   CPU TIME    AVG CPU %\n6bbb8d28df21  shop   7.70%   208.8MB / 981.1MB  21.28%  -- / --         265.1MB / 38.02MB  90     9.458591s   0.28%\nee511a122c87  cart   --      1.024MB / 981.1MB  0.10%   628B / 1.646kB  731.1kB / 0B       1      270.761ms   0.01%\n3b33001239ee  gone   --      -- / --            --      -- / --         -- / --            --     --          --\n"), @r"
    podman-stats: 2 readings, 1 gaps, 1 others, 0 rejected
    shop: 0=199.1MiB of 935.6MiB
    cart: 0=1000KiB of 935.6MiB
    gone:
    ");
    // Without the header, a CPU of `--` is not the name.
    insta::assert_snapshot!(auto("6bbb8d28df21  shop   7.70%   208.8MB / 981.1MB  21.28%  -- / --         265.1MB / 38.02MB  90     9.458591s   0.28%\nee511a122c87  cart   --      1.024MB / 981.1MB  0.10%   628B / 1.646kB  731.1kB / 0B       1      270.761ms   0.01%\n"), @r"
    podman-stats: 2 readings, 0 gaps, 0 others, 0 rejected
    shop: 0=199.1MiB of 935.6MiB
    cart: 0=1000KiB of 935.6MiB
    ");
    // `--format json`: an array of objects over several lines per report, and the keys of the manual page.
    let report = |mb: u32, key: &str| {
        format!(
            "[\n {{\n  \"id\": \"6bbb8d28df21\",\n  \"name\": \"shop\",\n  \"cpu_percent\": \"7.70%\",\n  \"mem_usage\": \"{mb}MB / 981.1MB\",\n  \"{key}\": \"628B / 1.646kB\",\n  \"pids\": \"2\"\n }},\n {{\n  \"id\": \"ee511a122c87\",\n  \"name\": \"cart\",\n  \"mem_usage\": \"-- / --\"\n }}\n]\n"
        )
    };
    insta::assert_snapshot!(auto(&(report(208, "net_io") + &report(209, "netio"))), @r"
    podman-stats: 2 readings, 2 gaps, 26 others, 0 rejected
    shop: -900=198.4MiB 0=199.3MiB of 935.6MiB
    cart:
    ");
    // One that breaks off loses its last object alone.
    let cut = report(208, "net_io");
    insta::assert_snapshot!(auto(&cut[..cut.len() - 40]), @r"
    podman-stats: 1 readings, 0 gaps, 8 others, 3 rejected
    line 10: the JSON object that begins here has no end (expected a closing brace)
    shop: 0=198.4MiB of 935.6MiB
    ");
    // `--format '{{json .}}'`: bytes. On one line: an array, with more readings than lines.
    insta::assert_snapshot!(auto("{\"ContainerID\":\"6bbb8d28df21\",\"Name\":\"shop\",\"CPU\":0.5,\"MemUsage\":208000001,\"MemLimit\":981000000,\"MemPerc\":21.2}\n"), @r"
    podman-stats: 1 readings, 0 gaps, 0 others, 0 rejected
    shop: 0=198.4MiB of 935.6MiB
    ");
    insta::assert_snapshot!(auto("[{\"id\":\"6bbb8d28df21\",\"name\":\"shop\",\"mem_usage\":\"208MB / 981.1MB\"},{\"id\":\"ee511a122c87\",\"name\":\"cart\",\"mem_usage\":\"1MB / 981.1MB\"}]\n[]\n"), @r"
    podman-stats: 2 readings, 0 gaps, 1 others, 0 rejected
    shop: 0=198.4MiB of 935.6MiB
    cart: 0=976.6KiB of 935.6MiB
    ");
}

#[test]
fn nerdctl_tables() {
    let table = "# nerdctl stats\nCONTAINER ID   NAME           CPU %     MEM USAGE / LIMIT   MEM %     NET I/O         BLOCK I/O   PIDS\nd192a03378b1   shop-fronten   181.40%   964KiB / 16EiB      0.00%     1.21kB / 598B   0B / 0B     1\nd292a03378b1   shop-fronten   181.40%   964MiB / 16EiB      0.00%     1.21kB / 598B   0B / 0B     1\n";
    insta::assert_snapshot!(auto(table), @r"
    nerdctl-stats: 2 readings, 0 gaps, 2 others, 0 rejected
    shop-fronten: 0=964KiB
    shop-fronten (d292a03378b1): 0=964MiB
    ");
    insta::assert_snapshot!(words::warnings(&read_text(table, None).inputs[0]).join("\n"), @r"
    several containers have the same name at the same time, such as `shop-fronten`: they are told apart by ID
    nerdctl cuts names to 12 characters, such as `shop-fronten` (`--no-trunc` keeps them whole)
    assuming one reading every 15 min, the last at 2026-11-23T20:07:00Z (as `--end` says)
    ");
}

#[test]
fn crictl_tables_and_json() {
    // 2017: no names. Now: names, which containers of different pods share, behind a cleared screen.
    insta::assert_snapshot!(auto("CONTAINER           CPU %               MEM                 DISK                INODES\n414dcd62ff8a1       0.08                12.91MB             27.65kB             8\n"), @r"
    crictl-stats: 1 readings, 0 gaps, 1 others, 0 rejected
    414dcd62ff8a1: 0=12.31MiB
    ");
    let table = "\x1b[2J\x1b[HCONTAINER           NAME                CPU %               MEM                 DISK                INODES              SWAP\n414dcd62ff8a1       proxy               0.08                12.91MB             27.65kB             8                   0B\n54c45ca76fa24       proxy               0.00                2.604MB             55.12kB             16                  0B\n";
    insta::assert_snapshot!(auto(&table.repeat(2)), @r"
    crictl-stats: 4 readings, 0 gaps, 2 others, 0 rejected
    proxy: -900=12.31MiB 0=12.31MiB
    proxy (54c45ca76fa2): -900=2.483MiB 0=2.483MiB
    ");
    insta::assert_snapshot!(auto("414dcd62ff8a1       shop                0.08                12.91MB             27.65kB             8\n"), @r"
    crictl-stats: 1 readings, 0 gaps, 0 others, 0 rejected
    shop: 0=12.31MiB
    ");
    let json = "{\n  \"stats\": [\n    {\n      \"attributes\": {\n        \"id\": \"414dcd62ff8a1414dcd62ff8a1\",\n        \"metadata\": {\n          \"attempt\": 0,\n          \"name\": \"shop\"\n        },\n        \"labels\": {\n          \"io.kubernetes.pod.name\": \"shop-0\",\n          \"io.kubernetes.pod.namespace\": \"prod\"\n        }\n      },\n      \"memory\": {\n        \"timestamp\": \"1795464410000000000\",\n        \"workingSetBytes\": {\n          \"value\": \"12910000\"\n        }\n      }\n    }\n  ]\n}\n";
    insta::assert_snapshot!(auto(json), @r"
    crictl-stats: 1 readings, 0 gaps, 22 others, 0 rejected
    prod/shop-0/shop: -10=12.31MiB
    ");
    let line: String = json.lines().map(str::trim).collect();
    insta::assert_snapshot!(auto(&format!("{line}\n")), @r"
    crictl-stats: 1 readings, 0 gaps, 0 others, 0 rejected
    prod/shop-0/shop: -10=12.31MiB
    ");
}

#[test]
fn kubectl_top_with_and_without_containers() {
    insta::assert_snapshot!(auto("POD                     NAME    CPU(cores)   MEMORY(bytes)   \nshop-5d6f8b7c9d-x2x4z   shop    12m          134Mi           \nshop-5d6f8b7c9d-x2x4z   proxy   1m           34Mi            \n                                ________     ________        \n                                13m          168Mi           \n"), @r"
    kubectl-top: 2 readings, 0 gaps, 3 others, 0 rejected
    shop-5d6f8b7c9d-x2x4z/shop: 0=134MiB
    shop-5d6f8b7c9d-x2x4z/proxy: 0=34MiB
    ");
    insta::assert_snapshot!(auto("NAMESPACE   NAME     CPU(cores)   MEMORY(bytes)\nprod        shop-0   12m          134Mi\ntest        shop-0   1m           34Mi\n"), @r"
    kubectl-top: 2 readings, 0 gaps, 1 others, 0 rejected
    prod/shop-0: 0=134MiB
    test/shop-0: 0=34MiB
    ");
    insta::assert_snapshot!(auto("NAMESPACE   POD      NAME   CPU(cores)   MEMORY(bytes)   SWAP(bytes)\nprod        shop-0   shop   12m          134Mi           0Mi\n"), @r"
    kubectl-top: 1 readings, 0 gaps, 1 others, 0 rejected
    prod/shop-0/shop: 0=134MiB
    ");
    // A loop with `--no-headers`, each row behind a time.
    insta::assert_snapshot!(auto("2026-11-23T20:06:00Z shop-0   shop   12m   134Mi\n2026-11-23T20:06:00Z shop-1   shop   12m   90Mi\n2026-11-23T20:06:30Z shop-0   shop   12m   135Mi\nerror: Metrics API not available\n2026-11-23T20:06:31Z Error from server: Metrics not available for pod prod/shop-1\n"), @r"
    kubectl-top: 3 readings, 0 gaps, 0 others, 2 rejected
    line 4: the command failed here: this reading is missing
    line 5: the command failed here: this reading is missing
    shop-0/shop: -60=134MiB -30=135MiB
    shop-1/shop: -60=90MiB
    ");
    insta::assert_snapshot!(read_text("shop-0   shop   12m   134Mi\n", None).series[0].samples.resolution_bytes.get(0), @"1048576");
    insta::assert_snapshot!(auto("NAME     CPU(cores)   CPU%   MEMORY(bytes)   MEMORY%   \nnode-1   250m         6%     5190Mi          33%       \n"), @r"
    -: 0 readings, 0 gaps, 0 others, 0 rejected
    unusable: it is output of `kubectl top node`: machines, not containers (expected `kubectl top pod --containers`)
    ");
}

#[test]
fn times_before_blocks_and_rows() {
    let table = |mib: u32| {
        format!(
            "CONTAINER ID   NAME   CPU %   MEM USAGE / LIMIT   MEM %   NET I/O    BLOCK I/O   PIDS\nf3798749f130   shop   0.1%    {mib}MiB / 1GiB         0.5%    1kB / 0B   0B / 0B     3\n"
        )
    };
    for (first, second) in [
        ("2026-11-23T20:06:00Z", "2026-11-23T21:06:30+01:00"),
        ("Mon Nov 23 20:06:00 UTC 2026", "Mon Nov 23 20:06:30 UTC 2026"),
        ("Mo 23. Nov 21:06:00 CET 2026", "Mo 23. Nov 21:06:30 CET 2026"),
        ("1795464360", "1795464390"),
        ("=== 2026-11-23 20:06:00 ===", "=== 2026-11-23 20:06:30 ==="),
    ] {
        let text = format!("{first}\n{}{second}\n{}", table(10), table(11));
        let expected = "docker-stats: 2 readings, 0 gaps, 4 others, 0 rejected\nshop: -60=10MiB -30=11MiB of 1GiB";
        assert_eq!(auto(&text), expected, "{first}");
    }
    for (first, second) in [
        ("2026-11-23T20:06:00Z ", "2026-11-23T20:06:30Z "),
        ("2026-11-23T21:06:00+0100 ", "2026-11-23T21:06:30+0100 "),
        ("1795464360 ", "1795464390 "),
        ("Nov 23 20:06:00 ", "Nov 23 20:06:30 "),
        ("Nov 23 20:06:00 host cron[12]: ", "Nov 23 20:06:30 host cron[12]: "),
        ("<14>1 2026-11-23T20:06:00Z host cron 12 - - ", "<14>1 2026-11-23T20:06:30Z host cron 12 - - "),
        ("2026-11-23T20:06:00+0000 host cron[12]: ", "2026-11-23T20:06:30+0000 host cron[12]: "),
    ] {
        let row = |mib: u32| format!("f3798749f130   shop   0.1%    {mib}MiB / 1GiB   0.5%   1kB / 0B   0B / 0B   3\n");
        let text = format!("{first}{}{second}{}", row(10), row(11));
        let expected = "docker-stats: 2 readings, 0 gaps, 0 others, 0 rejected\nshop: -60=10MiB -30=11MiB of 1GiB";
        assert_eq!(auto(&text), expected, "{first}");
    }
}

#[test]
fn local_clocks_that_go_back_or_on_do_not_mix_readings() {
    let log = |times: &[&str]| -> String {
        let rows: Vec<String> = times
            .iter()
            .enumerate()
            .map(|(n, time)| {
                format!("{time} f3798749f130   shop   0.1%   {}MiB / 1GiB   0.5%   1kB / 0B   0B / 0B   3\n", n + 1)
            })
            .collect();
        rows.concat()
    };
    let check = |text: &str| {
        let readings = read_text(text, None);
        let times = &readings.series[0].samples.time_ms;
        let minutes: Vec<i64> = times.iter().map(|time| (time - times[0]) / 60_000).collect();
        format!("{minutes:?}\n{}", words::warnings(&readings.inputs[0]).join("\n"))
    };
    let autumn = [
        "2026-10-25 02:15:00",
        "2026-10-25 02:30:00",
        "2026-10-25 02:45:00",
        "2026-10-25 02:00:01",
        "2026-10-25 02:15:01",
        "2026-10-25 02:30:00",
    ];
    insta::assert_snapshot!(check(&log(&autumn)), @r"
    [0, 15, 30, 45, 60, 75]
    timestamps without a time zone are read as UTC, such as `2026-10-25 02:15:00`
    after 2026-10-25T02:45:00, its clock jumped back an hour, as at the end of summer time: later timestamps are moved forward an hour
    ");
    let spring = [
        "2026-03-29 01:15:00",
        "2026-03-29 01:30:00",
        "2026-03-29 01:45:00",
        "2026-03-29 03:00:01",
        "2026-03-29 03:15:01",
    ];
    insta::assert_snapshot!(check(&log(&spring)), @r"
    [0, 15, 30, 45, 60]
    timestamps without a time zone are read as UTC, such as `2026-03-29 01:15:00`
    after 2026-03-29T01:45:00, its clock jumped forward an hour, as at the start of summer time: later timestamps are moved back an hour
    ");
    // Where the zone is said, an hour is an hour.
    let zoned = ["2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:15:00+01:00"];
    insta::assert_snapshot!(check(&log(&zoned)), @"[0, 15, 30]");
    // A clock that was set, and a part that was written twice.
    let set = [
        "2026-11-23T19:00:00Z",
        "2026-11-23T19:15:00Z",
        "2026-11-23T19:10:00Z",
        "2026-11-23T19:25:00Z",
        "2026-11-23T19:25:00Z",
    ];
    insta::assert_snapshot!(check(&log(&set)), @r"
    [0, 15, 10, 25, 25]
    times go back in 1 place, the first in `shop` from 2026-11-23T19:15:00Z to 2026-11-23T19:10:00Z: the readings are sorted by time (was a clock set, or are parts of the file in another order?)
    1 reading has the same time as another of the same series, the first in `shop` at 2026-11-23T19:25:00Z: the one read last is kept
    ");
    insta::assert_snapshot!(check(&(log(&set[..2]) + &log(&set[..2]))), @r"
    [0, 15, 0, 15]
    times go back in 1 place, the first in `shop` from 2026-11-23T19:15:00Z to 2026-11-23T19:00:00Z: the readings are sorted by time (was a clock set, or are parts of the file in another order?)
    2 readings have the same time as another of the same series, the first in `shop` at 2026-11-23T19:00:00Z: the one read last is kept
    ");
}

#[test]
fn what_is_not_readings_is_named() {
    let refusal = |text: &str| read_text(text, None).inputs[0].unusable.as_ref().expect("it is refused").to_string();
    insta::assert_snapshot!(refusal("2019-09-19T23:36:39.621984668Z container die c2bae9196988677a65583af8b768f08588ec86745c2cc429e59f734fa3f2e2cf (exitCode=137, image=shop, name=shop)\n"), @"it is output of `docker events`, which holds no memory readings (expected the output of `docker stats` or another format; pass this file with `--events`)");
    insta::assert_snapshot!(refusal("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}\n"), @"it is output of `kubectl get -o json`, which holds events or pods but no memory readings (expected the output of `kubectl top pod --containers` or another format; pass this file with `--events`)");
    insta::assert_snapshot!(refusal("[Mon Nov 23 20:13:08 2026] Memory cgroup out of memory: Killed process 4711 (node) total-vm:1124396kB, anon-rss:521032kB\n"), @"it is a kernel log, which holds no memory readings (expected the output of `docker stats` or another format; pass this file with `--events`)");
    assert!(refusal("{\"status\":\"oom\",\"id\":\"25fa85c5b233\",\"from\":\"shop\",\"time\":1449497801,\"timeNano\":1449497801984903035}\n").starts_with("it is output of `docker events`"));
    assert!(refusal("{\"Type\":\"container\",\"Action\":\"oom\",\"Actor\":{\"ID\":\"25fa85c5b233\"},\"time\":1449497801,\"timeNano\":1449497801984903035}\n").starts_with("it is output of `docker events`"));
    insta::assert_snapshot!(refusal("2011-08-07T18:30:12.100+0100: 10.362: [GC [PSYoungGen: 524160K->0K(524224K)] 2621312K->2125296K(20971456K), 0.0587810 secs]\n"), @"it is a garbage collection log of a Java virtual machine, which shows the heap but not the container (expected readings of the container, such as the output of `docker stats`)");
    insta::assert_snapshot!(refusal("rss 145 MB\nheapUsed 61 MB\n"), @"it holds keys of `process.memoryUsage()`, but no complete object (expected the output of `console.log(process.memoryUsage())`, or JSON: `console.log(JSON.stringify({ time: new Date(), ...process.memoryUsage() }))`)");
    insta::assert_snapshot!(refusal("20:11:59   UID       PID  minflt/s  majflt/s     VSZ     RSS   %MEM  Command\n20:12:00     0     55833     13.00      0.00 2460728   22872   1.23  java\n"), @"it is output of `pidstat -r`: processes, not containers, and times without a date (expected readings of containers, or `epoch,512.3MiB` lines)");
    insta::assert_snapshot!(refusal("CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES\nf3798749f130   shop    \"shop\"    1 h ago   Up 1 h           shop\n"), @"it is output of `docker ps`, which holds no memory readings (expected the output of `docker stats --no-stream`)");
    insta::assert_snapshot!(refusal("               total        used        free\nMem:        16303428     5190232      804044\n"), @"it is the memory of a machine, from `free`, `top` or /proc/meminfo (expected readings of containers, such as the output of `docker stats`)");
    insta::assert_snapshot!(refusal("USER   PID %CPU %MEM    VSZ   RSS TTY STAT START TIME COMMAND\nroot     1  0.0  0.0 167744 11000 ?   Ss   Nov01 0:10 init\n"), @"it is output of `ps`: processes, not containers (expected readings of containers, such as the output of `docker stats`)");
    insta::assert_snapshot!(refusal("hello\n"), @"no reading was recognised in it: it begins with `hello` (expected docker stats text, `epoch,512.3MiB` lines, CSV with a header or a Prometheus response)");
}
