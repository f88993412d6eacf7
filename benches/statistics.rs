//! How fast the statistics are, as ratios measured in the same run, so that they mean the same on every machine.
//!
//! `cargo bench --no-default-features --bench statistics`. Throughput is samples a second. After criterion's lines
//! come the ratios: the naive Theil–Sen slope against the one that is used, and ten times as many samples against
//! once as many (10 is linear, 12 is n log n at these lengths).

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use leaktrend::segment;
use leaktrend::series::{Labels, Marks, MemorySeries, Metric, Samples, Sampling, SeriesInfo};
use leaktrend::stats::robust::median_in_place;
use leaktrend::stats::{Points, theil_sen};
use leaktrend::units::{DAY, MIB};
use leaktrend::verdict::Judgement;
use leaktrend_core::Terms;

/// Samples of a day at one every 15 s.
const DAY_OF_SCRAPES: usize = 5760;

/// MiB above a level, by the share of the window.
type Shape = fn(f64) -> f64;

/// What memory does.
const MECHANISMS: [(&str, Shape); 6] = [
    ("level", |_| 0.0),
    ("line", |x| 200.0 * x),
    ("warm-up", |x| 100.0 * (1.0 - (-x / 0.08).exp())),
    ("staircase", |x| 40.0 * (x * 7.0).floor()),
    ("collections", |x| 60.0 * (x * 50.0).fract() + 100.0 * x),
    ("restarts", |x| 300.0 * (x * 6.0).fract() - 100.0),
];

/// The same numbers in every run (a linear congruential generator, Knuth's multiplier).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as f64 / (1u64 << 31) as f64
}

/// `n` readings over a month around 200 MiB, under AR(1) noise with φ 0.8, as docker prints them.
fn series(shape: Shape, n: usize) -> MemorySeries {
    let (mut state, mut noise) = (1, 0.0);
    let mut samples = Samples::default();
    for index in 0..n {
        let normal = (0..12).map(|_| uniform(&mut state)).sum::<f64>() - 6.0;
        noise = 0.8 * noise + 0.6 * normal;
        let share = index as f64 / n as f64;
        let printed = ((200.0 + shape(share) + 2.0 * noise) * 10.0).round() / 10.0;
        samples.push((share * 30.0 * DAY * 1000.0) as i64, printed * MIB, 0.1 * MIB, Marks::default());
    }
    let info = SeriesInfo {
        id: "web".to_owned(),
        container_given: false,
        labels: Labels::new(),
        limit: None,
        metric: Metric::DockerUsage,
        sampling: Sampling::Raw,
    };
    MemorySeries::new(info, samples).expect("there are readings")
}

/// The whole statistics: a series to a verdict.
fn stage(series: &MemorySeries) -> Judgement {
    leaktrend_core::measure(&segment::cut(series, None), series, &Terms::default()).judge(None)
}

/// Readings every 15 s, each as docker prints it: many slopes are equal.
fn readings(n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut state = 7;
    let seconds = (0..n).map(|index| 15.0 * index as f64).collect();
    let bytes = (0..n).map(|_| (5000.0 + 300.0 * uniform(&mut state)).floor() / 10.0 * MIB).collect();
    (seconds, bytes)
}

fn naive_theil_sen(x: &[f64], y: &[f64]) -> Option<f64> {
    let mut slopes = Vec::with_capacity(x.len() * x.len() / 2);
    for later in 1..x.len() {
        slopes.extend((0..later).map(|earlier| (y[later] - y[earlier]) / (x[later] - x[earlier])));
    }
    median_in_place(&mut slopes)
}

fn theil_sen_slopes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("theil_sen");
    group.sample_size(10);
    for n in [100, 1000, DAY_OF_SCRAPES] {
        let (x, y) = readings(n);
        let points = Points::new(&x, &y).expect("times increase");
        assert_eq!(theil_sen::slope(points), naive_theil_sen(&x, &y));
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new("fast", n), |bench| bench.iter(|| theil_sen::slope(black_box(points))));
        group.bench_function(BenchmarkId::new("naive", n), |bench| bench.iter(|| naive_theil_sen(black_box(&x), &y)));
    }
    group.finish();
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stage");
    group.sample_size(10);
    for (name, shape) in MECHANISMS {
        for n in [DAY_OF_SCRAPES, 10 * DAY_OF_SCRAPES] {
            let series = series(shape, n);
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new(name, n), |bench| bench.iter(|| stage(black_box(&series))));
        }
    }
    group.finish();
}

/// The shortest of a few runs: what else the machine does only makes a run longer.
fn shortest<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    let time = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    (0..runs).map(time).min().expect("there is a run")
}

fn ratio(long: Duration, short: Duration) -> f64 {
    long.as_secs_f64() / short.as_secs_f64()
}

fn print_ratios() {
    println!("\nTheil-Sen slope, time naive / fast");
    for n in [100, 1000, DAY_OF_SCRAPES] {
        let (x, y) = readings(n);
        let points = Points::new(&x, &y).expect("times increase");
        let fast = shortest(5, || theil_sen::slope(points));
        println!("  n = {n:5}: {:6.1}", ratio(shortest(3, || naive_theil_sen(&x, &y)), fast));
    }
    println!("Theil-Sen slope, time 10 n / n");
    for n in [10_000, 100_000] {
        let [once, tenfold] = [n, 10 * n].map(|n| {
            let (x, y) = readings(n);
            let points = Points::new(&x, &y).expect("times increase");
            shortest(3, || theil_sen::slope(points))
        });
        println!("  n = {n:6}: {:6.1}", ratio(tenfold, once));
    }
    println!(
        "Series to verdict, microseconds a sample at n, 10 n and a million, and time 10 n / n, n = {DAY_OF_SCRAPES}"
    );
    for (name, shape) in MECHANISMS {
        let [once, tenfold, million] =
            [(DAY_OF_SCRAPES, 9), (10 * DAY_OF_SCRAPES, 5), (1_000_000, 2)].map(|(n, runs)| {
                let series = series(shape, n);
                (shortest(runs, || stage(&series)), n as f64)
            });
        let each = |(time, n): (Duration, f64)| time.as_secs_f64() * 1e6 / n;
        println!(
            "  {name:12} {:.2}, {:.2}, {:.2}; {:.1}",
            each(once),
            each(tenfold),
            each(million),
            ratio(tenfold.0, once.0)
        );
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    theil_sen_slopes(&mut criterion);
    stages(&mut criterion);
    criterion.final_summary();
    // `cargo test --benches` runs each once, to see that it runs.
    if std::env::args().any(|argument| argument == "--bench") {
        print_ratios();
    }
}
