//! Writes generated series and what is said of them, one a line as JSON, so that another program can judge the same.
//!
//! `cargo run --release -p leaktrend-core --example series -- 3 > series.jsonl` writes three series of each
//! mechanism and sampling; `tests/reference/agreement.py` reads them.

#[expect(dead_code, reason = "the accuracy example uses the rest")]
#[path = "accuracy/generator/mod.rs"]
mod generator;
#[expect(dead_code, reason = "the accuracy example uses the rest")]
#[path = "accuracy/verdicts.rs"]
mod verdicts;

use std::io::{BufWriter, Write};

use leaktrend_core::series::Marks;

use generator::{Mechanism, Rise, SAMPLINGS, generate, observed};

fn main() -> std::io::Result<()> {
    let count: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut out = BufWriter::new(std::io::stdout());
    for mechanism in Mechanism::ALL {
        for (place, sampling) in SAMPLINGS.iter().enumerate().filter(|(_, sampling)| mechanism.fits(sampling)) {
            for index in 0..count {
                let seed = (mechanism as u64) << 40 | (place as u64) << 32 | index;
                let series = observed(&generate(mechanism, Rise::Large, sampling, 1.0, seed), seed);
                let judgement = verdicts::measure(&series).judge(None);
                let seconds: Vec<f64> = series.time_ms().iter().map(|time| *time as f64 / 1000.0).collect();
                let known = [Marks::RECREATED, Marks::COUNTER_RESET];
                let restarts: Vec<usize> = (0..series.len())
                    .filter(|&index| known.iter().any(|mark| series.marks(index).contains(*mark)))
                    .collect();
                let line = serde_json::json!({
                    "mechanism": mechanism.name(),
                    "sampling": sampling.name,
                    "index": index,
                    "seconds": seconds,
                    "bytes": series.used_bytes(),
                    "known_restarts": restarts,
                    "verdict": judgement.verdict.name(),
                    "bytes_per_second": judgement.growth.map(|growth| growth.bytes_per_second),
                });
                writeln!(out, "{line}")?;
            }
        }
    }
    out.flush()
}
