//! One run: from inputs and settings to a complete report.

mod parts;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::criteria::{self, Criterion, Freshness, LoadWindow};
use crate::error::Error;
use crate::events::{self, Dating, SeriesEvents};
use crate::fit::{self, ToleranceTerms};
use crate::forecast;
use crate::ingest::{self, EndFrom, Format, Ingested, Input, SeriesSamples, Source, TimeSource, Timeline};
use crate::judge::{JudgeTerms, Judgement, Measured, Regime, RegimeWhy, ShapeName, Verdict};
use crate::limits::{self, Hosts};
use crate::next_action::{self, Target};
use crate::policy::{self, Outcome};
use crate::progress::Meter;
use crate::report::facts;
use crate::report::{KnownLimit, Report, RestartReport, SeriesReport};
use crate::rules::{self, AlertRules, RuleStatus, emit::Emitted};
use crate::segment::{self, Cause, Packed, Segmentation};
use crate::selection::{self, Selection};
use crate::series::{MemorySeries, SeriesInfo};
use crate::settings::{SeriesRules, Settings};
use crate::settled;
use crate::stats::fdr;
use crate::units::Bytes;
use crate::window::{Window, WindowSpec};

use parts::{fitted_lines, notes, segments, shapes};

/// What to do: everything that the command line and the settings say.
#[derive(Debug, Clone)]
pub struct Job {
    /// What to read.
    pub sources: Vec<Source>,
    /// Counts what was read of them.
    pub meter: Meter,
    /// How to read it.
    pub ingest: ingest::Options,
    /// The output of `docker events`.
    pub events: Vec<PathBuf>,
    /// What holds for all series.
    pub settings: Settings,
    /// What holds for some.
    pub rules: SeriesRules,
    /// Alerts to replay.
    pub alert_rules: AlertRules,
    /// Keeps only matching series.
    pub selection: Selection,
    /// Limits given by the user, a name or all series; the last match counts.
    pub limits: Vec<(Option<String>, f64)>,
    /// Which part of the data is judged.
    pub window: WindowSpec,
    /// How old the newest readings are, by series; empty where nobody looks at a time of their own.
    pub freshness: HashMap<String, Freshness>,
}

/// Everything that was read and what it means.
///
/// `on_frame` is given the samples before they are judged, to be kept.
///
/// # Errors
///
/// When the load window or the window cannot be, or when `on_frame` fails. Inputs that cannot be used are part of
/// the report.
pub fn run(job: &Job, on_frame: &mut dyn FnMut(&[SeriesSamples]) -> Result<(), Error>) -> Result<Report, Error> {
    let ingested = ingest::read_metered(&job.sources, &job.ingest, &job.meter)?;
    let known: Vec<SeriesInfo> = ingested.series.iter().map(|series| series.info.clone()).collect();
    judge(job, ingested, &known, on_frame)
}

/// What was read before means: `run` without reading. `known`: all series that may be named, also those of which
/// nothing is judged now.
///
/// # Errors
///
/// As `run`.
pub fn judge(
    job: &Job,
    mut ingested: Ingested,
    known: &[SeriesInfo],
    on_frame: &mut dyn FnMut(&[SeriesSamples]) -> Result<(), Error>,
) -> Result<Report, Error> {
    let mut notes = Vec::new();
    let given = limits::Given { limits: &job.limits, rules: &job.rules };
    given.check(known)?;
    let ids: Vec<&str> = known.iter().map(|info| info.id.as_str()).collect();
    let unmatched = job.rules.unmatched(&ids);
    if !known.is_empty() {
        notes.extend(unmatched.iter().map(|pattern| {
            let near = selection::hint(pattern, known);
            format!("the `[[series]]` table with `match = \"{pattern}\"` matches no series{near}")
        }));
    }
    let tables_hold = known.is_empty() || unmatched.is_empty();
    // All that was read tells what is the host's, not only what is judged.
    let host_memory = job.settings.verdict.host_memory_bytes.map(Bytes::as_f64);
    let hosts = Hosts::of(&ingested, host_memory, &given, &mut notes);
    let ignored = leave_out(&mut ingested, job, &mut notes);
    on_frame(&ingested.series)?;
    let inputs_of: HashMap<String, Vec<usize>> =
        ingested.series.iter().map(|series| (series.info.id.clone(), series.inputs.clone())).collect();
    let Ingested { mut inputs, series, timeline } = ingested;
    let in_order = |series: SeriesSamples| MemorySeries::new(series.info, series.samples);
    let series: Vec<MemorySeries> = series.into_iter().filter_map(in_order).collect();

    let span = series.iter().map(MemorySeries::start_ms).min().zip(series.iter().map(MemorySeries::end_ms).max());
    let window = Window::new(span, &job.window, job.settings.window.last_seconds, timeline, &mut notes)?;
    let load = window.load;
    let outside: Vec<String> = series
        .iter()
        .filter(|series| series.end_ms() < window.start_ms || window.end_ms < series.start_ms())
        .map(|series| series.info.id.clone())
        .collect();
    if !outside.is_empty() {
        let named = outside[..outside.len().min(NAMED)].join(", ");
        let more = if outside.len() > NAMED { ", ..." } else { "" };
        notes.push(format!(
            "without a sample in the window, and so not judged: {named}{more} ({} in all)",
            outside.len()
        ));
    }
    let mut series: Vec<MemorySeries> =
        series.into_iter().filter_map(|series| series.between(window.start_ms, window.end_ms)).collect();
    let mut log = ingest::read_events(&job.events);
    let origins = Origins { inputs: &inputs, of_series: &inputs_of, hosts: &hosts, given };
    let dating: Vec<Dating> = series.iter().map(|series| origins.dating(series, timeline)).collect();
    let events = events::apply(&mut series, &dating, &mut log);

    let settings_of = |id: &str| job.rules.settings_for(id, &job.settings);
    let rules::Replayed { criteria, accounts } =
        rules::replay(&job.alert_rules, &series, &settings_of, window.load_window());
    let prepared: Vec<Prepared> = series
        .into_par_iter()
        .zip(events)
        .zip(criteria)
        .map(|((series, events), own_criteria)| Prepared {
            own_criteria,
            ..Prepared::new(series, events, job, &window, &origins)
        })
        .collect();
    inputs.extend(log.inputs);
    let last_ms = series_end(&prepared);
    let mut series: Vec<SeriesReport> = {
        let q_values = q_values(&prepared);
        prepared
            .into_par_iter()
            .zip(q_values)
            .map(|(prepared, q_value)| prepared.report(q_value, &window, last_ms))
            .collect()
    };
    series.sort_by(facts::worst_first);

    let outcomes: Vec<(Outcome, bool)> = series.iter().map(|series| (series.outcome, series.counts)).collect();
    let outcome = policy::of_run(&outcomes);
    let all_used = inputs.iter().all(|input| input.unusable.is_none());
    let policy = &job.settings.policy;
    // What was asked for by name and not replayed is not done, and with --strict nor is any alert.
    let rules_hold = accounts
        .iter()
        .all(|rule| rule.status == RuleStatus::Replayed || !(policy.strict || policy.require.contains(&rule.id)));
    let strict_holds = rules_hold
        && (!policy.strict || tables_hold && inputs.iter().all(|input| input.rejected_count == 0 && !input.incomplete));
    let exit_code = policy::exit_code(outcome, policy, all_used, strict_holds);
    Ok(Report {
        outcome,
        exit_code,
        settings: job.settings.clone(),
        inputs,
        series,
        ignored,
        rules: accounts,
        timeline,
        rate_unit: window.rate_unit(),
        load,
        notes,
        stopped: Vec::new(),
        told: Vec::new(),
    })
}

/// The alerts that fire in a report, as unit tests for `promtool`; `path` is where the first file will stand.
pub fn unit_tests(job: &Job, report: &Report, path: &Path) -> Emitted {
    let series: Vec<MemorySeries> = report.series.iter().map(|series| series.samples.clone()).collect();
    let settings_of = |samples: &MemorySeries| {
        let id = &samples.info.id;
        let settings = job.rules.settings_for(id, &job.settings);
        let fallback = settings.criteria.high_memory.fallback_limit_bytes.as_f64();
        let series = report.series.iter().find(|series| series.id() == id);
        (settings, series.map(|series| series.alert_limit(fallback)))
    };
    let load = report.load.map(|(start_ms, end_ms)| LoadWindow { start_ms, end_ms });
    rules::emit::unit_tests(path, &job.alert_rules, &series, &settings_of, load)
}

/// So many names are enough to see what is meant.
const NAMED: usize = 8;

/// Removes series that nobody asked for; gives the ids that the settings ignore.
fn leave_out(ingested: &mut Ingested, job: &Job, notes: &mut Vec<String>) -> Vec<String> {
    let mut ignored = Vec::new();
    let held: Vec<String> = ingested.series.iter().take(NAMED).map(|series| series.info.id.clone()).collect();
    ingested.series.retain(|series| {
        let id = &series.info.id;
        if !job.selection.keeps(&series.info) {
            return false;
        }
        let ignore = job.rules.ignores(id);
        if ignore {
            ignored.push(id.clone());
        }
        !ignore
    });
    if ingested.series.is_empty() && !held.is_empty() {
        let wanted = job.selection.text().unwrap_or("`what the settings keep`".to_owned());
        notes.push(format!("no series matches {wanted} (the inputs hold {})", held.join(", ")));
    }
    ignored
}

/// Which inputs each series was read from, and what they are.
struct Origins<'a> {
    inputs: &'a [Input],
    of_series: &'a HashMap<String, Vec<usize>>,
    /// Which limits are the memory of the host.
    hosts: &'a Hosts,
    given: limits::Given<'a>,
}

impl Origins<'_> {
    /// The inputs of a series, as indices.
    fn of(&self, series: &MemorySeries) -> &[usize] {
        self.of_series.get(&series.info.id).map_or(&[], Vec::as_slice)
    }

    /// How far the times of a series can be trusted: as far as those of the worst of its inputs.
    fn dating(&self, series: &MemorySeries, timeline: Timeline) -> Dating {
        if timeline == Timeline::Relative {
            return Dating::Guessed;
        }
        let of_input = |index: &usize| match (self.inputs[*index].time_source, self.inputs[*index].end_from) {
            (TimeSource::Embedded, _) => Dating::Stamped,
            (TimeSource::Inferred, Some(EndFrom::Option)) => Dating::CountedBack,
            (TimeSource::Inferred, _) => Dating::Guessed,
        };
        self.of(series).iter().map(of_input).max().unwrap_or(Dating::Stamped)
    }

    /// Whether some of its times are inferred.
    fn guess_times(&self, series: &MemorySeries) -> bool {
        self.of(series).iter().any(|index| self.inputs[*index].time_source == TimeSource::Inferred)
    }

    /// Whether the series is named after its container: `epoch,512.3MiB` lines name none, and parts of a process often.
    fn name_container(&self, series: &MemorySeries) -> bool {
        let is_named = |format| match format {
            Some(Format::TrendCsv) => false,
            Some(Format::NodeMemory) => series.info.container_given,
            _ => true,
        };
        self.of(series).iter().all(|index| is_named(self.inputs[*index].format))
    }
}

/// A series that has been measured and waits for the others.
struct Prepared {
    samples: MemorySeries,
    events: SeriesEvents,
    /// Whether the input names its container.
    named: bool,
    /// Whether its times are inferred.
    times_guessed: bool,
    settings: Settings,
    limit: Option<KnownLimit>,
    segmentation: Packed,
    /// Index of the first sample that is judged: after the load.
    judged_from: usize,
    /// That of what is judged, where it is not everything.
    judged_segmentation: Option<Packed>,
    /// What is judged: `None` when nothing is left after the load.
    measured: Option<Measured>,
    /// The criteria of rule files.
    own_criteria: Vec<Criterion>,
    freshness: Option<Freshness>,
}

impl Prepared {
    fn new(samples: MemorySeries, events: SeriesEvents, job: &Job, window: &Window, origins: &Origins<'_>) -> Prepared {
        let id = &samples.info.id;
        let settings = job.rules.settings_for(id, &job.settings);
        let limit = origins.hosts.limit(&samples.info, origins.of(&samples), &origins.given);
        let named = origins.name_container(&samples);
        let times_guessed = origins.guess_times(&samples);
        let freshness = job.freshness.get(id).copied();
        let own_limit = limit.and_then(KnownLimit::own);
        let segmentation = segment::cut(&samples, own_limit);
        let terms = terms(&settings, own_limit, window);
        let judged_from = window.load.map_or(0, |(_, to)| samples.time_ms().partition_point(|time| *time <= to));
        let rest = if judged_from == 0 { None } else { samples.from(judged_from) };
        let judged_segmentation = rest.as_ref().map(|rest| segment::cut(rest, own_limit));
        let measured = if judged_from < samples.len() {
            let judged = judged_segmentation.as_ref().unwrap_or(&segmentation);
            Some(leaktrend_core::measure(judged, rest.as_ref().unwrap_or(&samples), &terms))
        } else {
            None
        };
        let (segmentation, judged_segmentation) = (segmentation.pack(), judged_segmentation.map(Segmentation::pack));
        Prepared {
            samples,
            events,
            named,
            times_guessed,
            settings,
            limit,
            segmentation,
            judged_from,
            judged_segmentation,
            measured,
            own_criteria: Vec::new(),
            freshness,
        }
    }

    #[expect(clippy::too_many_lines, reason = "the report of a series from top to bottom")]
    fn report(self, q_value: Option<f64>, window: &Window, last_ms: i64) -> SeriesReport {
        let Prepared {
            samples,
            events,
            named,
            times_guessed,
            settings,
            limit,
            segmentation,
            judged_from,
            judged_segmentation,
            measured,
            own_criteria,
            freshness,
        } = self;
        let segmentation = segmentation.unpack(samples.time_ms(), samples.used_bytes());
        let after_load = judged_segmentation
            .map(|packed| packed.unpack(&samples.time_ms()[judged_from..], &samples.used_bytes()[judged_from..]));
        let mut judgement = measured.as_ref().map_or_else(nothing_after_load, |measured| measured.judge(q_value));
        let judged_start = samples.time_ms().get(judged_from).copied().unwrap_or_else(|| samples.end_ms());
        let offset_seconds = (judged_start - samples.start_ms()) as f64 / 1000.0;
        let lines =
            measured.as_ref().map(|measured| fitted_lines(measured, &judgement, judged_start)).unwrap_or_default();
        // From here on seconds count from the first sample of the window.
        if let Some(onset) = &mut judgement.onset_seconds {
            *onset += offset_seconds;
        }
        judgement.change_points.iter_mut().for_each(|change| change.at_seconds += offset_seconds);
        judgement.regime.start_seconds += offset_seconds;
        if let Some(before) = &mut judgement.before {
            before.start_seconds += offset_seconds;
            before.end_seconds += offset_seconds;
        }

        let judged = measured.as_ref().map(|_| after_load.as_ref().unwrap_or(&segmentation));
        let settled = judged.and_then(|judged| {
            settled::level(
                judged,
                &judgement,
                fit::reading_variance(coarsest_quantum(&samples)),
                settings.verdict.confidence.get(),
            )
        });
        let own_limit = limit.and_then(KnownLimit::own);
        // What is gone grows no further, and nothing can be done to it.
        let is_gone = freshness.is_some_and(|freshness| freshness.is_gone);
        let last_seen_ms = facts::last_seen_ms(&samples, last_ms);
        let restarts = restarts(&samples, &segmentation, &events);
        let deaths = facts::deaths(&restarts);
        let ceiling = own_limit.or(deaths.map(|deaths| deaths.bytes));
        let time_to_limit = ceiling
            .filter(|_| !is_gone && last_seen_ms.is_none())
            .and_then(|limit| forecast::time_to_limit(limit, measured.as_ref()?, &judgement));
        let segments = segments(&segmentation, &samples);
        let n_spikes = segmentation.falls.spikes.len();
        // What follows does without them, and needs room of its own.
        drop((segmentation, after_load));
        let causes: Vec<criteria::Restart<'_>> = restarts
            .iter()
            .map(|restart| criteria::Restart { at_ms: restart.at_ms, cause: restart.cause.name() })
            .collect();
        let mut criteria = criteria::evaluate(
            &samples,
            &criteria::Context {
                settings: &settings.criteria,
                evaluation: &settings.evaluation,
                lookback: rules::lookback(&settings),
                load: window.load_window(),
                limit_bytes: own_limit,
                assumed_limit: facts::assumed_limit(limit, deaths),
                verdict: summary(&judgement, samples.start_ms(), window.load.is_some()),
                started_ms: events.started_ms,
                restarts: &causes,
                watched_share: events.watched_share,
                freshness,
            },
        );
        criteria.extend(own_criteria);
        let policy::SeriesOutcome { outcome, contradicted, undecided } =
            policy::of_series(judgement.verdict, &criteria, &settings.policy, window.load.is_some());

        let target = target(&samples.info, named);
        let step_seconds = samples.step_seconds();
        let span_seconds = (samples.end_ms() - samples.start_ms()) as f64 / 1000.0;
        let coverage = step_seconds.map_or(1.0, |step| (samples.len() as f64 / (span_seconds / step + 1.0)).min(1.0));
        let mut notes = notes(&samples, limit, window);
        notes.extend(events.ended.clone());
        let whole = (window.end_ms - window.start_ms) as f64;
        let ended_early = ((window.end_ms - samples.end_ms()) as f64) > settings.policy.ended_early_share.get() * whole;
        let few = samples.len() < settings.policy.min_samples as usize;
        if few || ended_early {
            let why = if few { "it has few samples" } else { "it ended early" };
            notes.push(format!("{why}: it can fail the run but not leave it inconclusive"));
        }
        let stretch = measured.as_ref().and_then(Measured::stretch);
        let tolerance = stretch
            .map_or(fit::Tolerance { bytes_per_second: f64::NAN, rule: fit::ToleranceRule::Floor }, |stretch| {
                stretch.tolerance
            });
        let mut report = SeriesReport {
            shapes: measured.as_ref().and_then(|measured| shapes(measured, &judgement)),
            segments,
            n_spikes,
            outcome,
            counts: !few && !ended_early,
            judgement,
            q_value,
            tolerance,
            coverage,
            step_seconds,
            limit,
            times_guessed,
            last_seen_ms,
            restarts,
            settled,
            time_to_limit,
            criteria,
            contradicted,
            undecided,
            next_action: None,
            notes,
            lines,
            samples,
        };
        // What is gone since another night cannot be helped tonight.
        if !is_gone {
            report.next_action = next_action::of(&target, &report.judgement, &report.facts());
        }
        report
    }
}

/// Where a series runs. `named`: whether the input names its container.
fn target(info: &SeriesInfo, named: bool) -> Target {
    let label = |name: &str| info.labels.get(name).filter(|value| !value.is_empty()).cloned();
    match label("pod") {
        Some(pod) => Target::Kubernetes {
            namespace: label("namespace"),
            pod,
            container: label("container").filter(|_| info.container_given),
        },
        None if named => Target::Docker(info.docker_name().to_owned()),
        None => Target::Unnamed,
    }
}

/// Restarts that events tell of, with their own times, and those that were found in the readings.
fn restarts(samples: &MemorySeries, segmentation: &Segmentation, events: &SeriesEvents) -> Vec<RestartReport> {
    let (time_ms, used) = (samples.time_ms(), samples.used_bytes());
    let told = events.restarts.iter().map(|restart| {
        let after = time_ms.partition_point(|time| *time < restart.reading_ms);
        let cause = match restart.end {
            end if end.is_oom() => Cause::Oom,
            end if end.is_recreated() => Cause::Recreated,
            _ => Cause::Event,
        };
        RestartReport {
            at_ms: restart.time_ms,
            cause,
            told: true,
            before_bytes: used[after - 1],
            after_bytes: used[after],
            words: format!("{}, as docker events say", restart.end.words()).into(),
        }
    });
    let told_ms: HashSet<i64> = events.restarts.iter().map(|restart| restart.reading_ms).collect();
    let is_told = |at: usize| told_ms.contains(&time_ms[at]);
    let found =
        segmentation.falls.restarts.iter().filter(|restart| !is_told(restart.at)).map(|restart| RestartReport {
            at_ms: time_ms[restart.at],
            cause: restart.cause,
            told: false,
            before_bytes: restart.before_bytes,
            after_bytes: restart.after_bytes,
            words: restart.cause.words().into(),
        });
    let mut restarts: Vec<RestartReport> = told.chain(found).collect();
    restarts.sort_by_key(|restart| restart.at_ms);
    restarts
}

/// The verdict as far as criteria depend on it.
fn summary(judgement: &Judgement, start_ms: i64, after_load: bool) -> criteria::VerdictSummary<'_> {
    let verdict = judgement.verdict;
    let grows = match verdict {
        Verdict::Inconclusive | Verdict::LeakSuspected => None,
        verdict => Some(verdict.is_leak()),
    };
    criteria::VerdictSummary {
        name: verdict.name(),
        judgement: match verdict {
            verdict if verdict.is_leak() => criteria::Judgement::Leak,
            Verdict::Inconclusive => criteria::Judgement::Inconclusive,
            _ => criteria::Judgement::NoLeak,
        },
        reason: &judgement.reason,
        grows_after_load: grows.filter(|_| after_load),
        onset_ms: judgement.onset_seconds.map(|seconds| start_ms + (seconds * 1000.0) as i64),
    }
}

fn nothing_after_load() -> Judgement {
    Judgement {
        verdict: Verdict::Inconclusive,
        shape: ShapeName::Unknown,
        reason: "there is no sample after the load's end; go on measuring after the load".to_owned(),
        would_change: "samples after the load".to_owned(),
        growth: None,
        onset_seconds: None,
        change_points: Vec::new(),
        detectable: None,
        regime: Regime { start_seconds: 0.0, why: RegimeWhy::Whole },
        before: None,
    }
}

/// The terms that settings set, of a series with this limit.
fn terms(settings: &Settings, limit_bytes: Option<f64>, window: &Window) -> leaktrend_core::Terms {
    let verdict = &settings.verdict;
    leaktrend_core::Terms {
        tolerance: ToleranceTerms {
            level_share: verdict.tolerance_share.get(),
            floor_bytes: verdict.tolerance_floor_bytes.as_f64(),
            horizon_seconds: verdict.limit_horizon_seconds.get(),
            doubling_seconds: verdict.doubling_seconds.get(),
            limit_bytes,
        },
        judge: JudgeTerms {
            significance: verdict.significance.get(),
            confidence: verdict.confidence.get(),
            false_discovery_rate: verdict.false_discovery_rate.get(),
            step_floor_bytes: verdict.step_floor_bytes.as_f64(),
            step_share: verdict.step_share.get(),
            // A load that was made does not follow the day.
            daily_swing: if window.load.is_some() { 0.0 } else { verdict.daily_swing.get() },
            keep_seconds: verdict.keep_seconds.get(),
            settle_seconds: settings.criteria.settle_seconds.get(),
            rate_unit: window.rate_unit(),
        },
        hours_ahead: verdict.hours_ahead,
    }
}

/// The last reading of all, in milliseconds.
fn series_end(prepared: &[Prepared]) -> i64 {
    prepared.iter().map(|prepared| prepared.samples.end_ms()).max().unwrap_or(i64::MIN)
}

/// The q-value of each series among all that could be tested.
fn q_values(prepared: &[Prepared]) -> Vec<Option<f64>> {
    let p_values: Vec<Option<f64>> =
        prepared.iter().map(|prepared| prepared.measured.as_ref().and_then(Measured::p_value)).collect();
    let tested: Vec<f64> = p_values.iter().flatten().copied().collect();
    let mut q_values = fdr::q_values(&tested).into_iter();
    p_values.into_iter().map(|p_value| p_value.and_then(|_| q_values.next())).collect()
}

/// The coarsest step in which at least half of the values could be printed, in bytes.
fn coarsest_quantum(samples: &MemorySeries) -> f64 {
    samples.quantum_bytes().median().expect("a series is never empty")
}
