//! A simulated container: what its processes, its heap and its files hold at each reading, and what its exporters show.
//!
//! Amounts are MiB until they are written. Nothing here knows how they are judged.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use leaktrend::decode::SeriesSamples;
use leaktrend::series::{Marks, Metric, Samples, Sampling, SeriesInfo};
use leaktrend::units::MIB;

use crate::random::Random;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    PageCache,
    Anonymous,
    Heap,
    OutsideHeap,
    HeapReserve,
    /// A tmpfs: written after the rules of the program.
    Tmpfs,
    /// A heap that grows into memory that was touched at the start: written after the rules of the program.
    Pretouched,
}

impl Kind {
    pub(crate) const FIRST: [Kind; 6] =
        [Kind::PageCache, Kind::Anonymous, Kind::Heap, Kind::OutsideHeap, Kind::HeapReserve, Kind::Nothing];
    pub(crate) const LATER: [Kind; 2] = [Kind::Tmpfs, Kind::Pretouched];

    /// Its name, and what the program should call it.
    pub(crate) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Kind::Nothing => ("nothing", "nothing"),
            Kind::PageCache => ("page cache", "page-cache"),
            Kind::Anonymous => ("anonymous memory", "anonymous"),
            Kind::Heap => ("the heap", "heap"),
            Kind::OutsideHeap => ("outside the heap", "outside-heap"),
            Kind::HeapReserve => ("the heap's reserve", "heap-reserve"),
            Kind::Tmpfs => ("a tmpfs", "shared-memory"),
            Kind::Pretouched => ("a heap in memory touched before", "heap"),
        }
    }

    fn needs_heap(self) -> bool {
        matches!(self, Kind::Heap | Kind::OutsideHeap | Kind::HeapReserve | Kind::Pretouched)
    }

    fn needs_cgroup(self) -> bool {
        matches!(self, Kind::PageCache | Kind::Tmpfs)
    }
}

/// Who exports what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Export {
    /// cAdvisor alone.
    Cgroup,
    /// cAdvisor, and the runtime with the labels of its pod.
    Both,
    /// `process.memoryUsage()`.
    Node,
    /// A process and its runtime with job and instance.
    Process,
}

impl Export {
    pub(crate) const ALL: [Export; 4] = [Export::Cgroup, Export::Both, Export::Node, Export::Process];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Export::Cgroup => "cAdvisor",
            Export::Both => "cAdvisor and runtime",
            Export::Node => "process.memoryUsage()",
            Export::Process => "process and runtime",
        }
    }

    fn fits(self, kind: Kind) -> bool {
        match self {
            Export::Cgroup => !kind.needs_heap(),
            Export::Both => kind != Kind::Anonymous,
            Export::Node | Export::Process => !kind.needs_cgroup() && kind != Kind::Anonymous,
        }
    }
}

/// What is simulated.
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) export: Export,
    pub(crate) step: f64,
    pub(crate) span: f64,
    /// What grows gains this share of the container's level over the span.
    pub(crate) gain: f64,
}

impl Plan {
    pub(crate) fn of(kind: Kind, random: &mut Random) -> Plan {
        const HOUR: f64 = 3600.0;
        let exports: Vec<Export> = Export::ALL.into_iter().filter(|export| export.fits(kind)).collect();
        let (span, steps): (f64, &[f64]) = random.one_of(&[
            (6.0 * HOUR, &[15.0, 30.0][..]),
            (12.0 * HOUR, &[15.0, 30.0, 60.0]),
            (24.0 * HOUR, &[30.0, 60.0]),
            (72.0 * HOUR, &[60.0, 300.0]),
            (168.0 * HOUR, &[300.0]),
        ]);
        // Within a day growth is told from its rhythm only where it is steep.
        let gain = if span < 48.0 * HOUR { random.uniform(0.6, 1.5) } else { random.uniform(0.25, 1.0) };
        Plan { kind, export: random.one_of(&exports), step: random.one_of(steps), span, gain }
    }
}

/// Every amount at every reading.
#[derive(Default)]
struct Amounts {
    columns: BTreeMap<&'static str, Vec<f64>>,
}

impl Amounts {
    fn push(&mut self, name: &'static str, mib: f64) {
        self.columns.entry(name).or_default().push(mib.max(0.0));
    }
}

/// A metric, what it is, and the amount that it shows.
type Column = (&'static str, Metric, &'static str);

/// A container named `app-NUMBER`.
pub(crate) fn simulate(plan: &Plan, number: usize, random: &mut Random) -> Vec<SeriesSamples> {
    let amounts = held(plan, random);
    let n = (plan.span / plan.step) as usize;
    // 2026-11-20 00:00:00 UTC.
    let start_ms = 1_795_132_800_000 + (random.uniform(0.0, 86_400.0) * 1000.0) as i64;
    let times: Vec<i64> = (0..n).map(|at| start_ms + (at as f64 * plan.step * 1000.0) as i64).collect();
    // A scrape that failed.
    let kept: Vec<bool> = (0..n).map(|_| !random.chance(0.003)).collect();
    let pod = [("namespace", "shop".to_owned()), ("pod", format!("app-{number}")), ("container", "app".to_owned())];
    let target = [("job", "app".to_owned()), ("instance", format!("10.0.{}.{}:3000", number / 250, number % 250))];
    let runtime: &[Column] = match number % 3 {
        0 => &[
            ("nodejs_heap_size_used_bytes", Metric::Heap, "used"),
            ("nodejs_heap_size_total_bytes", Metric::Heap, "total"),
            ("nodejs_external_memory_bytes", Metric::Other, "external"),
        ],
        1 => &[("jvm_memory_used_bytes", Metric::Heap, "used"), ("jvm_memory_committed_bytes", Metric::Heap, "total")],
        _ => &[
            ("go_memstats_heap_inuse_bytes", Metric::Heap, "used"),
            ("go_memstats_heap_sys_bytes", Metric::Heap, "total"),
        ],
    };
    let cgroup: &[Column] = &[
        ("container_memory_usage_bytes", Metric::UsageBytes, "usage"),
        ("container_memory_working_set_bytes", Metric::WorkingSet, "working set"),
        ("container_memory_rss", Metric::Rss, "anonymous"),
        ("container_memory_cache", Metric::Other, "cache"),
        ("container_memory_mapped_file", Metric::Other, "mapped"),
        ("container_memory_swap", Metric::Other, "swap"),
    ];
    let node: &[Column] = &[
        ("rss", Metric::Rss, "resident"),
        ("heapTotal", Metric::Heap, "total"),
        ("heapUsed", Metric::Heap, "used"),
        ("external", Metric::Other, "external"),
        ("arrayBuffers", Metric::Other, "buffers"),
    ];
    let process: &[Column] = &[("process_resident_memory_bytes", Metric::Other, "resident")];
    let (shown, labels): (Vec<&Column>, &[(&str, String)]) = match plan.export {
        Export::Cgroup => (cgroup.iter().collect(), &pod),
        Export::Both => (cgroup.iter().chain(process).chain(runtime).collect(), &pod),
        Export::Node => (node.iter().collect(), &[]),
        Export::Process => (process.iter().chain(runtime).collect(), &target),
    };
    let series = |(name, metric, column): &Column| {
        let mut samples = Samples::default();
        for (at, mib) in amounts.columns[column].iter().enumerate().filter(|(at, _)| kept[*at]) {
            samples.push(times[at], (mib * MIB / 4096.0).round() * 4096.0, 1.0, Marks::default());
        }
        SeriesSamples { info: info(plan.export, name, *metric, labels, number), samples, inputs: Vec::new() }
    };
    shown.into_iter().map(series).collect()
}

/// Who a series is, as the readers of these exports say it.
fn info(export: Export, name: &str, metric: Metric, labels: &[(&str, String)], number: usize) -> SeriesInfo {
    let mut all: leaktrend::series::Labels =
        labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let id = match export {
        Export::Node => {
            all.insert("container".to_owned(), format!("app-{number}"));
            all.insert("part".to_owned(), name.to_owned());
            format!("app-{number}/{name}")
        }
        Export::Process => format!("{name}{{instance=\"{}\", job=\"app\"}}", labels[1].1),
        Export::Cgroup | Export::Both => format!("shop/app-{number}/app {name}"),
    };
    if export != Export::Node {
        all.insert("__name__".to_owned(), name.to_owned());
    }
    if name.starts_with("jvm_memory_") {
        all.insert("area".to_owned(), "heap".to_owned());
    }
    let container_given = all.contains_key("container");
    all.entry("container".to_owned()).or_insert_with(|| id.clone());
    SeriesInfo { id, labels: all, container_given, limit: None, metric, sampling: Sampling::Raw }
}

/// What a container holds at each reading.
fn held(plan: &Plan, random: &mut Random) -> Amounts {
    const DAY: f64 = 86_400.0;
    let n = (plan.span / plan.step) as usize;
    let live = random.uniform(40.0, 400.0);
    let outside = random.uniform(40.0, 200.0);
    let swing = random.uniform(0.02, 0.12);
    let phase = random.uniform(0.0, TAU);
    let garbage = live * random.uniform(0.1, 0.4);
    let cycle = random.uniform(20.0, 200.0);
    let (active, mut inactive) = (random.uniform(5.0, 60.0), random.uniform(20.0, 300.0));
    let usual = inactive;
    let kernel = random.uniform(4.0, 20.0);
    let touched = plan.kind != Kind::HeapReserve || random.chance(0.5);
    let wander = random.uniform(0.002, 0.01);
    let gained = plan.gain * (live + outside);
    let reserved_before = live + garbage + if plan.kind == Kind::Pretouched { gained } else { 0.0 };
    let (mut total, mut noise, mut other_noise) = (1.1 * reserved_before, 0.0, 0.0);
    let mut since_collection = random.uniform(0.0, cycle);
    let mut amounts = Amounts::default();
    for at in 0..n {
        let seconds = at as f64 * plan.step;
        let x = seconds / plan.span;
        // Levels wander by AR(1) noise with a memory of some minutes.
        let keep = (-plan.step / 600.0).exp();
        let fresh = (1.0 - keep * keep).sqrt();
        noise = keep * noise + fresh * random.normal();
        other_noise = keep * other_noise + fresh * random.normal();
        let load = 1.0 + swing * (TAU * seconds / DAY + phase).sin() + 0.5 * swing * noise;
        let grown = |kind: Kind| if plan.kind == kind { gained * x } else { 0.0 };

        let heap_live = live * load + grown(Kind::Heap) + grown(Kind::Pretouched);
        since_collection = (since_collection + plan.step * random.uniform(0.7, 1.3) * load) % cycle;
        let used = heap_live + garbage * since_collection / cycle;
        // The heap is taken in chunks, and given back late.
        let wanted = 1.1 * (heap_live + garbage);
        total = if wanted > total { (wanted / 4.0).ceil() * 4.0 } else { total.max(reserved_before * 1.1) };
        if plan.kind != Kind::Pretouched && random.chance(plan.step / 7200.0) {
            total = total.min(1.05 * wanted);
        }
        let reserve = (grown(Kind::HeapReserve) / 4.0).floor() * 4.0;
        let resident_heap = total + if touched { reserve } else { 0.0 };

        let buffers = 4.0 * load + random.uniform(0.0, 2.0);
        let own = outside * (1.0 + wander * other_noise) + grown(Kind::OutsideHeap) + grown(Kind::Anonymous);
        let anonymous = resident_heap + own + buffers;
        let tmpfs = grown(Kind::Tmpfs);
        // Files are written now and then; the kernel drops some of what is not read again.
        if random.chance(plan.step / 900.0) {
            inactive += random.uniform(-2.0, 2.0) - 0.05 * (inactive - usual).clamp(-20.0, 20.0);
        }
        let files = active * (1.0 + 0.02 * noise) + inactive.max(0.0) + grown(Kind::PageCache);
        let slab = kernel * (1.0 + 0.02 * other_noise);

        amounts.push("used", used);
        amounts.push("total", total + reserve);
        amounts.push("external", buffers + 1.5);
        amounts.push("buffers", buffers);
        amounts.push("anonymous", anonymous);
        amounts.push("resident", anonymous + 0.4 * active + tmpfs * 0.2);
        amounts.push("cache", files + tmpfs);
        amounts.push("mapped", 0.3 * active + tmpfs * 0.5);
        amounts.push("swap", 0.0);
        amounts.push("usage", anonymous + files + tmpfs + slab);
        amounts.push("working set", anonymous + active * (1.0 + 0.02 * noise) + tmpfs + slab);
    }
    amounts
}
