//! What several tests share: the program, and inputs made for them.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

/// 2026-03-04 09:17:00 UTC, in seconds.
pub(crate) const START: u64 = 1_772_615_820;

/// Runs the program in the root of the repository.
pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leaktrend")).current_dir(env!("CARGO_MANIFEST_DIR")).args(args).output().unwrap()
}

/// Runs `analyze` and gives its exit code, which must be that of a verdict.
#[track_caller]
pub(crate) fn analyze(args: &[&str]) -> i32 {
    let output = run(&[&["analyze"], args].concat());
    let code = output.status.code().unwrap();
    assert!(code != 2, "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    code
}

/// Writes a Prometheus matrix: names and values, a sample every 15 seconds.
pub(crate) fn write_matrix(path: &Path, series: &[(String, Vec<f64>)]) {
    let series: Vec<String> = series
        .iter()
        .map(|(name, values)| {
            let mut samples = String::new();
            for (index, value) in values.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(samples, "{comma}[{},\"{value:.0}\"]", START + 15 * index as u64).unwrap();
            }
            let name = serde_json::to_string(name).unwrap();
            format!("{{\"metric\":{{\"__name__\":\"container_memory_working_set_bytes\",\"name\":{name}}},\"values\":[{samples}]}}")
        })
        .collect();
    let text =
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}}}}", series.join(","));
    std::fs::write(path, text).unwrap();
}

/// Memory that grows by `rate` MiB a minute from 100 MiB, with a little noise.
pub(crate) fn growing(n: u32, rate: f64) -> Vec<f64> {
    let mib = f64::from(1 << 20);
    // Noise without a generator: the fractional parts of multiples of the golden ratio.
    (0..n).map(|i| (100.0 + rate * f64::from(i) / 4.0 + (f64::from(i) * 0.618_034).fract()) * mib).collect()
}

/// Names that try to be more than names.
pub(crate) const HOSTILE: [&str; 8] = [
    "a|b<script>![x](y)",
    "../../etc/passwd",
    "\u{1b}[2J\u{1b}]0;owned\u{7}x",
    "`x`; rm -rf '/'",
    "\"><img src=x onerror=alert(1)>",
    "https://evil.example/x @everyone #1 **bold**",
    "line\nbreak\r\n# heading",
    "pay\u{202e}gnp.exe]]></style><b>",
];
