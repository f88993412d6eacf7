//! Draws made-up series of every kind into a folder, to be looked at, and says what each picture cost.
//!
//! `cargo run --release --example gallery -- FOLDER`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs};

use leaktrend::report::chart::{
    self, Chart, Curve, CurvePoint, Level, RestartMark, Scale, SpanKind, StepMark, Theme, TimeSpan, Tone,
};
use leaktrend::units::{GIB, KIB, MIB};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-03-04 09:17:23 UTC.
const START: i64 = 1_772_615_843_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("expected a folder")?);
    fs::create_dir_all(&folder)?;

    let series = all();
    let charts: Vec<(&str, Chart)> = series.iter().map(|series| (series.name, series.chart())).collect();
    for (name, chart) in &charts {
        save(&folder, &format!("{name}.png"), || chart::png(chart, Theme::Light, Scale::Once))?;
    }
    for name in ["leak", "day", "spikes", "steps"] {
        let (_, chart) = charts.iter().find(|(other, _)| *other == name).ok_or("no such chart")?;
        save(&folder, &format!("{name}-2x.png"), || chart::png(chart, Theme::Light, Scale::Twice))?;
        save(&folder, &format!("{name}-dark.png"), || chart::png(chart, Theme::Dark, Scale::Once))?;
        save(&folder, &format!("{name}.svg"), || chart::svg(chart, Theme::Light).into_bytes())?;
    }

    let timed: Vec<Chart> = charts
        .iter()
        .filter(|(name, chart)| *name != "million" && !chart.relative_time)
        .map(|(_, chart)| chart.clone())
        .collect();
    for n in [1, 2, 12, 60] {
        let page: Vec<Chart> = timed.iter().cycle().take(n).cloned().collect();
        let heading = format!("{n} series, worst first");
        save(&folder, &format!("sheet-{n}.png"), || {
            chart::sheet_png(&heading, &page, Theme::Light, Scale::Once).remove(0)
        })?;
        if n == 12 {
            save(&folder, "sheet-12-dark.png", || {
                chart::sheet_png(&heading, &page, Theme::Dark, Scale::Once).remove(0)
            })?;
        }
    }
    Ok(())
}

fn save(folder: &Path, name: &str, draw: impl Fn() -> Vec<u8>) -> Result<(), Box<dyn Error>> {
    const TIMES: u32 = 5;
    let bytes = draw();
    let start = spent();
    for _ in 0..TIMES {
        draw();
    }
    let each = spent().saturating_sub(start) / TIMES;
    println!("{name:24} {:8.1} ms {:8} bytes", each.as_secs_f64() * 1000.0, bytes.len());
    Ok(fs::write(folder.join(name), bytes)?)
}

/// The processor time of this program so far where the system says it, otherwise any time.
fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let schedule = fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = schedule.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// A made-up series and how its chart is filled in.
struct Synthetic {
    name: &'static str,
    time_ms: Vec<i64>,
    used: Vec<f64>,
    adorn: Box<dyn Fn(&mut Chart)>,
}

impl Synthetic {
    fn new(
        name: &'static str,
        n: usize,
        step_ms: i64,
        value: impl Fn(f64, f64) -> f64,
        adorn: impl Fn(&mut Chart) + 'static,
    ) -> Synthetic {
        let time_ms: Vec<i64> = (0..n as i64).map(|i| START + i * step_ms).collect();
        let mut state = 88_172_645_463_325_252_u64;
        let mut noise = || {
            // The sum of four uniform numbers is near enough to normal. Marsaglia (2003), "Xorshift RNGs".
            (0..4)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
                })
                .sum::<f64>()
        };
        let used = (0..n).map(|i| value(i as f64 / n.max(2) as f64, noise()).max(0.0)).collect();
        Synthetic { name, time_ms, used, adorn: Box::new(adorn) }
    }

    fn chart(&self) -> Chart<'_> {
        let mut chart = Chart::of_samples(self.name, &self.time_ms, &self.used);
        (self.adorn)(&mut chart);
        chart
    }
}

fn verdict(chart: &mut Chart, title: &str, tone: Tone, verdict: &str, subtitle: &str) {
    title.clone_into(&mut chart.title);
    verdict.clone_into(&mut chart.verdict);
    subtitle.clone_into(&mut chart.subtitle);
    chart.tone = tone;
}

fn straight(from: (i64, f64), to: (i64, f64), half_width: f64, label: &str) -> Curve {
    let points = (0..=20)
        .map(|i| {
            let share = f64::from(i) / 20.0;
            let bytes = from.1 + share * (to.1 - from.1);
            let half = half_width * (0.5 + (share - 0.5).abs());
            CurvePoint {
                time_ms: from.0 as f64 + share * (to.0 - from.0) as f64,
                bytes,
                interval: Some((bytes - half, bytes + half)),
            }
        })
        .collect();
    Curve { points, label: (!label.is_empty()).then(|| label.to_owned()) }
}

fn widening(from: (i64, f64), to: (i64, f64), half_width: f64, label: &str) -> Curve {
    let mut curve = straight(from, to, 0.0, label);
    let n = curve.points.len() as f64;
    for (index, point) in curve.points.iter_mut().enumerate() {
        let half = half_width * index as f64 / n;
        point.interval = Some((point.bytes - half, point.bytes + half));
    }
    curve
}

fn limit(bytes: f64, label: &str) -> Level {
    Level { bytes, label: label.to_owned() }
}

fn span(start_ms: i64, end_ms: i64, kind: SpanKind, label: &str) -> TimeSpan {
    TimeSpan { start_ms: START + start_ms, end_ms: START + end_ms, kind, label: label.to_owned() }
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn all() -> Vec<Synthetic> {
    let wave = |share: f64, n: f64| (share * n * std::f64::consts::TAU).sin();
    vec![
        Synthetic::new("leak", 360, MINUTE, |t, e| (200.0 + 110.0 * t + 9.0 * e) * MIB, |chart| {
            verdict(chart, "checkout-api", Tone::Fail, "leak", "18.3 MiB an hour (95 % interval 17.9 to 18.8) over 6 h · 360 samples every minute · reaches its limit in 10 h");
            let end = START + 360 * MINUTE;
            chart.fit = vec![straight((START, 200.0 * MIB), (end, 310.0 * MIB), 5.0 * MIB, "18.3 MiB an hour")];
            chart.forecast = Some(widening((end, 310.0 * MIB), (end + 11 * HOUR, 512.0 * MIB), 60.0 * MIB, "limit in 10 h"));
            chart.limit = Some(limit(512.0 * MIB, "limit 512 MiB"));
        }),
        Synthetic::new("reaches", 5760, 15_000, |t, e| (250.0 + 180.0 * t + 9.0 * e) * MIB, |chart| {
            verdict(chart, "orders", Tone::Fail, "leak", "180 MiB a day (95 % interval 178 to 182) over 24 h · reaches its limit in 10 h 55 min (10 h 40 min to 11 h 10 min)");
            let end = START + DAY;
            chart.fit = vec![straight((START, 250.0 * MIB), (end, 430.0 * MIB), 2.0 * MIB, "180 MiB a day")];
            chart.forecast = Some(widening((end, 430.0 * MIB), (end + 11 * HOUR, 512.0 * MIB), 12.0 * MIB, "limit in 10 h 55 min"));
            chart.limit = Some(limit(512.0 * MIB, "limit 512 MiB"));
            chart.thresholds = vec![limit(0.9 * 512.0 * MIB, "high memory: 90 % of the limit")];
        }),
        Synthetic::new("flat", 5760, 15_000, |_, e| (131.0 + 0.8 * e) * MIB, |chart| {
            verdict(chart, "nginx", Tone::Pass, "flat", "growth between −0.4 and 0.6 MiB a day, below the relevant 6.6 MiB a day · 24 h, 5,760 samples every 15 s");
            chart.fit = vec![straight((START, 131.0 * MIB), (START + DAY, 131.1 * MIB), 0.3 * MIB, "")];
            chart.limit = Some(limit(256.0 * MIB, "limit 256 MiB"));
        }),
        Synthetic::new("day", 5760, 15_000, move |t, e| (300.0 + 150.0 * t + 24.0 * wave(t, 3.0) + 18.0 * e) * MIB, |chart| {
            verdict(chart, "search-indexer", Tone::Fail, "leak", "150 MiB a day (95 % interval 138 to 161) over 24 h · 5,760 samples every 15 s");
            chart.fit = vec![straight((START, 300.0 * MIB), (START + DAY, 450.0 * MIB), 16.0 * MIB, "150 MiB a day")];
            chart.limit = Some(limit(2.0 * GIB, "limit 2 GiB"));
            chart.thresholds = vec![limit(500e6, "500 MB"), limit(300e6, "300 MB")];
        }),
        Synthetic::new("sawtooth", 4320, 60_000, |t, e| (120.0 + 390.0 * (t * 7.3).fract() + 5.0 * e) * MIB, |chart| {
            verdict(chart, "image-resizer", Tone::Fail, "leak masked by restarts", "each of 8 lives grows by 39.6 MiB an hour (95 % interval 39.1 to 40.0) and ends in an OOM kill · 3 days, 4,320 samples every minute");
            let life = (3.0 * DAY as f64 / 7.3) as i64;
            chart.fit = (0..7).map(|i| straight((START + i * life, 120.0 * MIB), (START + (i + 1) * life - MINUTE, 510.0 * MIB), 4.0 * MIB, if i == 6 { "39.6 MiB an hour" } else { "" })).collect();
            chart.restarts = (1..=7).map(|i| RestartMark { time_ms: START + i * life, out_of_memory: true, label: "OOM kill".to_owned() }).collect();
            chart.limit = Some(limit(512.0 * MIB, "limit 512 MiB"));
        }),
        Synthetic::new("steps", 2880, 30_000, |t, e| (150.0 + 30.0 * ((t * 4.0).floor() + if t > 0.8 { 1.5 } else { 0.0 }) + 2.0 * e) * MIB, |chart| {
            verdict(chart, "session-cache", Tone::Fail, "stepping growth", "four upward steps of 30 to 45 MiB, none back · 24 h");
            chart.steps = [(0.25, 150.0, 180.0), (0.5, 180.0, 210.0), (0.75, 210.0, 240.0), (0.8, 240.0, 285.0)]
                .map(|(at, before, after)| StepMark { time_ms: START + (at * DAY as f64) as i64, before_bytes: before * MIB, after_bytes: after * MIB })
                .to_vec();
            chart.restarts = vec![RestartMark { time_ms: START + 3 * HOUR, out_of_memory: false, label: "recreated".to_owned() }];
        }),
        Synthetic::new("warm-up", 900, 4 * MINUTE, |t, e| (90.0 + 320.0 * (1.0 - (-t * 9.0).exp()) + 6.0 * e) * MIB, |chart| {
            verdict(chart, "jvm-billing", Tone::Pass, "warmed up", "rose to 410 MiB within 18 h, then flat: growth below 3 MiB a day · 2.5 days");
            let end = START + 900 * 4 * MINUTE;
            chart.fit = vec![straight((START + 24 * HOUR, 407.0 * MIB), (end, 410.0 * MIB), 2.0 * MIB, "flat since 5 Mar 09:17")];
            chart.thresholds = vec![limit(500e6, "steady: 500 MB")];
        }),
        Synthetic::new("spikes", 2880, 30_000, |t, e| { let phase = (t * 9.0).fract(); (180.0 + if phase < 0.07 { 420.0 } else { 0.0 } + 6.0 * e) * MIB }, |chart| {
            verdict(chart, "upload-worker", Tone::Warn, "flat, alert fired", "no lasting growth (−2 to 3 MiB a day), but nine upload bursts of 420 MiB");
            let each = DAY / 9;
            for i in 0..9 {
                chart.spans.push(span(i * each, i * each + 5 * MINUTE, SpanKind::Pending, "pending"));
                chart.spans.push(span(i * each + 5 * MINUTE, i * each + 11 * MINUTE, SpanKind::Firing, "firing"));
            }
            chart.spans.push(span(5 * each + 40 * MINUTE, 5 * each + 60 * MINUTE, SpanKind::Pending, "pending"));
            chart.spans.push(span(5 * each + 60 * MINUTE, 6 * each + 60 * MINUTE, SpanKind::Firing, "growth-100mb-5m firing"));
            chart.limit = Some(limit(768.0 * MIB, "limit 768 MiB"));
            chart.fit = vec![straight((START, 180.0 * MIB), (START + DAY, 181.0 * MIB), 3.0 * MIB, "")];
        }),
        Synthetic::new("load", 720, 30_000, |t, e| (100.0 + if (0.2..0.55).contains(&t) { 260.0 * ((t - 0.2) / 0.06).min(1.0) } else if t >= 0.55 { 45.0 + 215.0 * (-(t - 0.55) * 30.0).exp() } else { 0.0 } + 7.0 * e) * MIB, |chart| {
            verdict(chart, "gateway", Tone::Fail, "not flat after load", "45 MiB above the level before the load, 35 MiB more than allowed · load 11:00 to 13:00");
            chart.spans = vec![span((0.2 * 6.0 * HOUR as f64) as i64, (0.55 * 6.0 * HOUR as f64) as i64, SpanKind::Load, "load, 250 users")];
            chart.fit = vec![
                straight((START, 100.0 * MIB), (START + 72 * MINUTE, 100.0 * MIB), 1.0 * MIB, "before: 100 MiB"),
                straight((START + 250 * MINUTE, 145.0 * MIB), (START + 360 * MINUTE, 145.0 * MIB), 1.0 * MIB, "after: 145 MiB"),
            ];
            chart.thresholds = vec![limit(110.0 * MIB, "allowed 110 MiB")];
        }),
        Synthetic::new("one", 1, MINUTE, |_, _| 42.5 * MIB, |chart| {
            verdict(chart, "one-shot", Tone::Inconclusive, "inconclusive", "one sample: 8 are needed");
            chart.limit = Some(limit(64.0 * MIB, "limit 64 MiB"));
        }),
        Synthetic::new("two", 2, MINUTE, |t, _| (42.5 + t) * MIB, |chart| {
            verdict(chart, "two-samples", Tone::Inconclusive, "inconclusive", "two samples: 8 are needed");
        }),
        Synthetic::new("zero", 50, MINUTE, |_, _| 0.0, |chart| {
            verdict(chart, "exited", Tone::Inconclusive, "inconclusive", "all readings are 0");
        }),
        Synthetic::new("huge", 300, HOUR, |t, e| (3.0 + 4.0 * t + 0.2 * e) * 1024.0 * GIB, |chart| {
            verdict(chart, "warehouse", Tone::Fail, "leak", "330 GiB a day · 12.5 days, 300 samples every hour");
            let end = START + 300 * HOUR;
            chart.fit = vec![straight((START, 3.0 * 1024.0 * GIB), (end, 7.0 * 1024.0 * GIB), 0.1 * 1024.0 * GIB, "330 GiB a day")];
            chart.limit = Some(limit(8.0 * 1024.0 * GIB, "limit 8 TiB"));
        }),
        Synthetic::new("tiny", 120, 1000, |t, e| (5.0 + 3.0 * t + e) * KIB, |chart| {
            verdict(chart, "pause", Tone::Warn, "leak suspected", "90 KiB an hour (95 % interval 10 to 170 KiB) over 2 min");
        }),
        Synthetic::new("long-name", 200, MINUTE, |t, e| (80.0 + 30.0 * t + 2.0 * e) * MIB, |chart| {
            let title = "k8s_payments-reconciliation-worker_payments-reconciliation-worker-7d9f8b6c5d-x2x4k_production-eu-central-1_0a1b2c3d|a<script>&\"";
            verdict(chart, title, Tone::Fail, "leak masked by restarts", &"a subtitle that goes on for much longer than there is room for it in one line of text, ".repeat(4));
            chart.thresholds = vec![limit(105.0 * MIB, "a threshold with a label that says much more than anyone wants to read about a line in a picture of this size")];
            chart.restarts = (0..20).map(|i| RestartMark { time_ms: START + i * 9 * MINUTE, out_of_memory: i % 3 == 0, label: if i % 3 == 0 { "OOM kill".to_owned() } else { "restart".to_owned() } }).collect();
            chart.fit = vec![straight((START, 80.0 * MIB), (START + 200 * MINUTE, 110.0 * MIB), 1.0 * MIB, "9 MiB an hour, and a label that is so long that it hardly fits")];
        }),
        Synthetic::new("restarts", 5760, 30_000, |t, e| (60.0 + 80.0 * (t * 1000.0).fract() + 8.0 * e) * MIB, |chart| {
            verdict(chart, "crash-loop", Tone::Fail, "restart loop", "1,000 restarts in 2 days, 334 of them OOM kills");
            chart.restarts = (0..1000).map(|i| RestartMark { time_ms: START + i * 2 * DAY / 1000, out_of_memory: i % 3 == 0, label: if i % 3 == 0 { "OOM kill".to_owned() } else { "restart".to_owned() } }).collect();
            chart.fit = (0..1000)
                    .map(|i| {
                        let start = START + i * 2 * DAY / 1000;
                        let end = START + (i + 1) * 2 * DAY / 1000;
                        straight((start, 60.0 * MIB), (end, 140.0 * MIB), 5.0 * MIB, "28 MiB a minute")
                    })
                    .collect();
                chart.limit = Some(limit(160.0 * MIB, "limit 160 MiB"));
        }),
        Synthetic::new("gaps", 340, MINUTE, |t, e| (150.0 + 20.0 * t + 4.0 * e) * MIB, |chart| {
            verdict(chart, "laptop-db", Tone::Inconclusive, "inconclusive", "31 % of the window has samples: growth below 36 MiB a day cannot be excluded, measure 14 h more");
        }),
        Synthetic::new("relative", 400, 20_000, |t, e| (64.0 + 18.0 * t + 3.0 * e) * MIB, |chart| {
            verdict(chart, "untimed", Tone::Warn, "leak suspected", "8 MiB an hour (95 % interval 3 to 13) over 2 h 13 min");
            chart.relative_time = true;
        }),
        Synthetic::new("million", 1_000_000, 2592, move |t, e| (900.0 + 400.0 * t + 120.0 * wave(t, 30.0) + 60.0 * e) * MIB, |chart| {
            verdict(chart, "million", Tone::Fail, "leak", "13.3 MiB a day over 30 days · 1,000,000 samples");
            chart.fit = vec![straight((START, 900.0 * MIB), (START + 30 * DAY, 1300.0 * MIB), 4.0 * MIB, "13.3 MiB a day")];
            chart.limit = Some(limit(2.0 * GIB, "limit 2 GiB"));
        }),
    ]
    .into_iter()
    .map(|mut series| {
        let n = series.time_ms.len();
        if series.name == "relative" {
            let last = START + (n as i64 - 1) * 20_000;
            series.time_ms.iter_mut().for_each(|time_ms| *time_ms -= last);
        }
        if series.name == "gaps" {
            for (index, time_ms) in series.time_ms.iter_mut().enumerate() {
                *time_ms += [0, 5, 5, 11, 12][index * 5 / n] * HOUR;
            }
        }
        series
    })
    .collect()
}
