//! What charts cost: a PNG of a day of samples, of a million, at twice the size, and a sheet of sixty.
//!
//! `cargo bench --no-default-features --bench charts`. `benches/charts_matplotlib.py` draws the same picture with
//! matplotlib, to be compared with.

use std::f64::consts::TAU;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use leaktrend::report::chart::{
    self, Chart, Curve, CurveKind, CurvePoint, Level, RestartMark, Scale, SpanKind, Theme, TimeSpan,
};
use leaktrend::units::MIB;

const DAY_MS: i64 = 86_400_000;
/// 2026-03-04 00:00:00 UTC, in milliseconds.
const START_MS: i64 = 1_772_582_400_000;

/// A day of `n` samples of growing memory under a daily wave and noise.
fn samples(n: i64) -> (Vec<i64>, Vec<f64>) {
    let time_ms = (0..n).map(|i| START_MS + i * DAY_MS / n).collect();
    let value = |i: i64| {
        let share = i as f64 / n as f64;
        let noise = (i as f64 * 0.618_034).fract() + (i as f64 * 0.414_214).fract() - 1.0;
        (250.0 + 180.0 * share + 20.0 * (TAU * share).sin() + 14.0 * noise) * MIB
    };
    (time_ms, (0..n).map(value).collect())
}

/// With everything that a chart can hold, as `charts_matplotlib.py` draws it.
fn full<'a>(time_ms: &'a [i64], used_bytes: &'a [f64]) -> Chart<'a> {
    let end = START_MS + DAY_MS;
    let point = |time_ms: i64, mib: f64, reach: f64| CurvePoint {
        time_ms: time_ms as f64,
        bytes: mib * MIB,
        interval: Some(((mib - reach) * MIB, (mib + reach) * MIB)),
    };
    let curve =
        |from, to, label: &str| Curve { points: vec![from, to], label: Some(label.to_owned()), kind: CurveKind::Fit };
    let span = |from: i64, to: i64, kind| TimeSpan {
        start_ms: START_MS + from * DAY_MS / 24,
        end_ms: START_MS + to * DAY_MS / 24,
        kind,
        label: String::new(),
    };
    Chart {
        subtitle: "180 MiB a day (178 to 182), 90 % confidence, limit in 10 h 55 min".to_owned(),
        verdict: "leak".to_owned(),
        fit: vec![curve(point(START_MS, 250.0, 4.0), point(end, 430.0, 4.0), "180 MiB a day")],
        forecast: Some(curve(point(end, 430.0, 4.0), point(end + DAY_MS / 2, 512.0, 20.0), "limit in 10 h 55 min")),
        limit: Some(Level { bytes: 512.0 * MIB, label: "limit 512 MiB".to_owned() }),
        thresholds: vec![Level { bytes: 460.8 * MIB, label: "high-memory above 460.8 MiB".to_owned() }],
        restarts: vec![RestartMark {
            time_ms: START_MS + DAY_MS / 4,
            guessed: false,
            out_of_memory: false,
            label: "restart".to_owned(),
        }],
        spans: vec![span(8, 12, SpanKind::Load), span(20, 21, SpanKind::Pending), span(21, 24, SpanKind::Firing)],
        ..Chart::of_samples("orders", time_ms, used_bytes)
    }
}

fn charts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("charts");
    group.sample_size(20);
    for (name, n) in [("day", 5760), ("million", 1_000_000)] {
        let (time_ms, used) = samples(n);
        let chart = full(&time_ms, &used);
        group.bench_function(format!("png/{name}"), |bench| {
            bench.iter(|| chart::png(black_box(&chart), Theme::Light, Scale::Once));
        });
        group.bench_function(format!("png-2x/{name}"), |bench| {
            bench.iter(|| chart::png(black_box(&chart), Theme::Light, Scale::Twice));
        });
        group.bench_function(format!("svg/{name}"), |bench| bench.iter(|| chart::svg(black_box(&chart), Theme::Light)));
    }
    let (time_ms, used) = samples(5760);
    let page = vec![full(&time_ms, &used); 60];
    group.bench_function("sheet-of-60", |bench| {
        bench.iter(|| chart::sheet_png("all series", black_box(&page), Theme::Light, Scale::Once));
    });
    group.finish();
}

criterion_group!(benches, charts);
criterion_main!(benches);
