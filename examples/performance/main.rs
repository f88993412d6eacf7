//! What the program costs, measured: `reports/performance.md`.
//!
//! `cargo build --release && cargo run --release --example performance > reports/performance.md` makes its inputs,
//! and measures whole processes: CPU time and peak memory, and what other programs take for the same file in the same
//! run. `--python PYTHON` names an interpreter with orjson and numpy, `--peer SCRIPT` a script of pandas, scipy and
//! matplotlib to be timed beside it, `--data FOLDER` where inputs are kept, `--small` makes all inputs a tenth, and
//! `--part reading|memory|scale|script` measures one part alone.
//!
//! The last section, on reading a server, is made by `benches/server`.

mod inputs;
mod process;
mod typed;

use std::path::{Path, PathBuf};

use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use process::{Cost, cost, median_cost, program};

/// Peak memory that is allowed beside the columns: 64 MiB, in bytes.
const BASE_BYTES: f64 = 67_108_864.0;
/// A sample in the columns: time, value, resolution and marks, in bytes.
const ROW_BYTES: f64 = 24.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ingest", file] => read(Path::new(file)),
        ["typed", file] => typed::read(Path::new(file)),
        ["measure", command @ ..] => process::measure(command),
        _ => report(&Settings::of(&arguments)),
    }
}

/// Only reads a file.
fn read(path: &Path) {
    let options = Options {
        format: None,
        interval: None,
        end_ms: None,
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    };
    let read = leaktrend::read::readings(&[Source::File(path.to_owned())], &options);
    let n_samples: usize = read.series.iter().map(|series| series.samples.len()).sum();
    println!("{} series, {n_samples} samples", read.series.len());
}

struct Settings {
    data: PathBuf,
    python: Option<String>,
    peer: Option<String>,
    /// Inputs are divided by this.
    divisor: usize,
    /// All when there is none.
    part: Option<String>,
}

impl Settings {
    fn of(arguments: &[String]) -> Settings {
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            Some(arguments.get(at + 1).unwrap_or_else(|| panic!("{name} needs a value")).clone())
        };
        let small = arguments.iter().any(|argument| argument == "--small");
        Settings {
            data: value("--data").map_or_else(|| std::env::temp_dir().join("leaktrend-performance"), PathBuf::from),
            python: value("--python"),
            peer: value("--peer"),
            divisor: if small { 10 } else { 1 },
            part: value("--part"),
        }
    }

    /// The path of an input, which is made when it is not there.
    fn input(&self, name: &str, make: impl FnOnce(&Path) -> std::io::Result<()>) -> String {
        std::fs::create_dir_all(&self.data).expect("a folder can be made");
        let path = self.data.join(format!("{}-{name}", self.divisor));
        if !path.exists() {
            make(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        path.display().to_string()
    }
}

fn report(settings: &Settings) {
    println!("# What it costs\n");
    println!(
        "Made by `cargo build --release && cargo run --release --example performance`, on {} cores. CPU time is that \
         of whole processes, user and system; memory is the peak resident set. Seconds depend on the machine: ratios \
         are of the same run. Inputs are generated (`examples/performance/inputs.rs`).\n",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    let parts = [("reading", reading as fn(&Settings)), ("memory", memory), ("scale", scale), ("script", script)];
    for (name, measure) in parts {
        if settings.part.as_deref().is_none_or(|part| part == name) {
            measure(settings);
        }
    }
}

/// Reading alone, against general programs.
fn reading(settings: &Settings) {
    println!("## Reading\n");
    println!(
        "Text to columns in memory, on one thread (`RAYON_NUM_THREADS=1`), medians of five runs in turn. The last column \
         is the wall time of one thread over that of two.\n"
    );
    println!(
        "| input | size | CPU | beside | CPU of that | ours / that | two threads |\n|---|---|---|---|---|---|---|"
    );
    let d = settings.divisor;
    let log = settings.input("log", |path| inputs::log(path, 50, 116_000 / d, 15));
    let csv = settings.input("csv", |path| inputs::trend(path, 4_900_000 / d, 1));
    let json = settings.input("json", |path| inputs::matrix(path, 6_600 / d, 5_760, 15));
    let this = std::env::current_exe().expect("it runs").display().to_string();
    let awk = "{ v = $4; u = 1; if (v ~ /GiB/) u = 1073741824; else if (v ~ /MiB/) u = 1048576; sum[$2] += v * u } \
               END { for (name in sum) print name, sum[name] }";
    let orjson = "import sys, orjson, numpy as np\n\
                  for s in orjson.loads(open(sys.argv[1], 'rb').read())['data']['result']:\n  \
                  np.array([p[0] for p in s['values']]); np.array([float(p[1]) for p in s['values']])";
    for (name, file, others) in [
        ("docker stats log", &log, vec![("`wc -l`", vec!["wc", "-l"]), ("mawk, one column summed", vec!["mawk", awk])]),
        ("trend CSV", &csv, vec![("`wc -l`", vec!["wc", "-l"])]),
        ("Prometheus range", &json, vec![("`serde_json::from_slice`, typed", vec![this.as_str(), "typed"])]),
    ] {
        let mut others = others;
        if let (Some(python), "Prometheus range") = (&settings.python, name) {
            others.push(("orjson and numpy", vec![python.as_str(), "-c", orjson]));
        }
        let commands: Vec<Vec<&str>> = std::iter::once(vec!["env", "RAYON_NUM_THREADS=1", &this, "ingest"])
            .chain(std::iter::once(vec!["env", "RAYON_NUM_THREADS=2", &this, "ingest"]))
            .chain(others.iter().map(|(_, command)| command.clone()))
            .map(|command| command.into_iter().chain([file.as_str()]).collect())
            .collect();
        let costs = median_cost(&commands, 5);
        let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len()) as f64 / 1e6;
        let two = costs[0].wall_seconds / costs[1].wall_seconds;
        for ((other, _), theirs) in others.iter().zip(&costs[2..]) {
            println!(
                "| {name} | {size:.0} MB | {:.2} s | {other} | {:.2} s | {:.2} | {two:.2} |",
                costs[0].cpu_seconds,
                theirs.cpu_seconds,
                costs[0].cpu_seconds / theirs.cpu_seconds
            );
        }
    }
    println!();
}

/// Peak memory of the whole program.
fn memory(settings: &Settings) {
    println!("## Memory\n");
    println!(
        "The whole program, reports and all, without charts. Allowed are 64 MiB and 1.5 times the columns, of {ROW_BYTES} \
         bytes a sample.\n"
    );
    println!("| input | samples | peak | allowed |\n|---|---|---|---|");
    let d = settings.divisor;
    let log = settings.input("log", |path| inputs::log(path, 50, 116_000 / d, 15));
    let csv = settings.input("csv", |path| inputs::trend(path, 4_900_000 / d, 1));
    let json = settings.input("1000x5760.json", |path| inputs::matrix(path, 1_000 / d, 5_760, 15));
    let zipped = settings.input("log.gz", |path| process::shell(&format!("gzip -1 < {log} > {}", path.display())));
    let zeros = settings.input("zeros.gz", |path| {
        let to = path.display();
        let member = format!("{to}.member");
        process::shell(&format!(
            "head -c {} /dev/zero | gzip -1 > {member}; for i in 0 1 2 3 4 5 6 7 8 9; do cat {member}; done > {to}; rm {member}",
            1_000_000_000 / d
        ))
    });
    let line = settings.input("line", |path| inputs::long_line(path, 100_000_000 / d));
    let program = program();
    let analyze = |input: &str| format!("{program} analyze {input} --charts none --out $OUT");
    for (name, command, n_samples) in [
        ("docker stats log", analyze(&log), 50 * (116_000 / d)),
        ("the same through a pipe", format!("cat {log} | {}", analyze("-")), 50 * (116_000 / d)),
        ("the same as `.gz`", analyze(&zipped), 50 * (116_000 / d)),
        ("trend CSV of one container", analyze(&csv), 4_900_000 / d),
        ("Prometheus, 1,000 series", analyze(&json), 1_000 / d * 5_760),
        ("a line of 100 MB among readings", analyze(&line), 96),
        ("10 GB of zeros as `.gz`", analyze(&zeros), 0),
    ] {
        let cost = cost(&["sh", "-c", &command]);
        let allowed = BASE_BYTES + 1.5 * ROW_BYTES * n_samples as f64;
        println!("| {name} | {n_samples} | {:.0} MiB | {:.0} MiB |", mib(cost.peak_bytes), mib(allowed));
    }
    println!();
}

/// Time and memory against the size of the input.
fn scale(settings: &Settings) {
    println!("## Scale\n");
    println!("The whole program on Prometheus ranges, reports and all, without charts.\n");
    println!("| series | samples each | CPU | per sample | peak |\n|---|---|---|---|---|");
    let program = program();
    let sizes = [1, 2, 5, 10, 20, 50, 100];
    let wide = sizes.map(|times| (100 * times, 96));
    let long = sizes.map(|times| (10, 576 * times));
    for (n_series, n_samples) in wide.into_iter().chain(long).chain([(1_000, 5_760)]) {
        let n_series = (n_series / settings.divisor).max(1);
        let input = settings.input(&format!("{n_series}x{n_samples}.json"), |path| {
            inputs::matrix(path, n_series, n_samples, if n_samples == 96 { 900 } else { 15 })
        });
        let command = format!("{program} analyze {input} --charts none --out $OUT");
        let Cost { cpu_seconds, peak_bytes, .. } = median_cost(&[vec!["sh", "-c", &command]], 3)[0];
        println!(
            "| {n_series} | {n_samples} | {cpu_seconds:.2} s | {:.2} us | {:.0} MiB |",
            cpu_seconds * 1e6 / (n_series * n_samples) as f64,
            mib(peak_bytes)
        );
    }
    println!();
}

/// Against the script that people write.
fn script(settings: &Settings) {
    let (Some(python), Some(peer)) = (&settings.python, &settings.peer) else { return };
    println!("## Beside a script\n");
    println!(
        "Reading, statistics, verdicts and charts: this program, and a script of pandas, scipy (Theil-Sen), \
         pymannkendall, ruptures and matplotlib, which draws every container. `failing` is the default.\n"
    );
    println!(
        "| input | `--charts` | CPU | CPU of the script | times faster | wall time, times faster |\n|---|---|---|---|---|---|"
    );
    for (name, charts, n_ticks, interval) in [
        ("a day: 5 containers every 15 minutes", "failing", 96, 900),
        ("a day: 5 containers every 15 minutes", "all", 96, 900),
        ("a month: 5 containers every 5 minutes", "all", 8_640, 300),
    ] {
        let log = settings.input(&format!("{n_ticks}.log"), |path| inputs::log(path, 5, n_ticks, interval));
        let ours = format!("{} analyze {log} --interval {interval}s --charts {charts} --out $OUT", program());
        let theirs = format!("{python} {peer} --docker {log} --interval {interval} -o $OUT");
        let costs = median_cost(&[vec!["sh", "-c", &ours], vec!["sh", "-c", &theirs]], 3);
        println!(
            "| {name} | `{charts}` | {:.3} s | {:.2} s | {:.0} | {:.0} |",
            costs[0].cpu_seconds,
            costs[1].cpu_seconds,
            costs[1].cpu_seconds / costs[0].cpu_seconds,
            costs[1].wall_seconds / costs[0].wall_seconds
        );
    }
}

fn mib(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}
