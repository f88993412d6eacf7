//! A series that was measured, and what there is to say of it: as a container, or as a part of one.

use std::borrow::Cow;

use super::parts::{fitted_lines, notes, open_drops, restarts, segments, shapes, usage_seen};
use super::together::Read;
use super::{Job, Origins, beside, outside, terms, workloads};
use crate::amounts::{self, Amount};
use crate::counts::Counts;
use crate::criteria::{self, Criterion, Freshness, Normal};
use crate::events::SeriesEvents;
use crate::fit;
use crate::forecast;
use crate::grows::{self, Judged};
use crate::next_action::{self, Target};
use crate::policy;
use crate::report::{Breakdown, FittedLine, KnownLimit, PartReport, SeriesNote, SeriesReport, facts};
use crate::rules;
use crate::segment::{self, Packed, Segmentation};
use crate::series::{MemorySeries, SeriesInfo};
use crate::settings::{CriteriaSettings, Settings};
use crate::settled::{self, SettledLevel};
use crate::verdict::{Grounds, Judgement, Measured, Verdict};
use crate::window::Window;
use crate::workload::{self, Joined};

/// A series that has been measured.
pub(super) struct Prepared<'a> {
    pub(super) samples: MemorySeries,
    events: SeriesEvents,
    /// Whether the input names its container.
    named: bool,
    /// Whether its times are inferred.
    times_guessed: bool,
    /// Whether how far apart its readings are is assumed.
    step_assumed: bool,
    settings: Cow<'a, Settings>,
    limit: Option<KnownLimit>,
    segmentation: Packed,
    /// Index of the first sample that is judged: after the load.
    judged_from: usize,
    /// That of what is judged, where it is not everything.
    judged_segmentation: Option<Packed>,
    /// What is judged: `None` when nothing is left after the load.
    pub(super) measured: Option<Measured>,
    /// The criteria of rule files.
    own_criteria: Vec<Criterion>,
    freshness: Option<Freshness>,
    /// The pods that it is the typical one of.
    joined: Option<Box<Joined>>,
    /// The run of them since which it grows.
    since: Option<usize>,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(read: Read, job: &'a Job, window: &Window, origins: &Origins<'_>) -> Prepared<'a> {
        let Read { samples, events, own_criteria, joined, names } = read;
        let id = &samples.info.id;
        let names: Vec<String> = amounts::names(&samples.info).into_iter().chain(names).collect();
        let settings = job.rules.settings_for(&names, &job.settings);
        let limit = origins.hosts.limit(&samples.info, origins.of(&samples), &origins.given);
        let named = origins.name_container(&samples);
        let times_guessed = origins.guess_times(&samples);
        let step_assumed = origins.assume_step(&samples);
        let freshness = job.freshness.get(id).copied();
        let own_limit = limit.and_then(KnownLimit::own);
        let segmentation = segment::cut(&samples, own_limit);
        let terms = terms(&settings, own_limit, window.load.is_some(), window.rate_unit);
        let judged_from = window.load.map_or(0, |(_, to)| samples.time_ms().partition_point(|time| *time <= to));
        let rest = if judged_from == 0 { None } else { samples.from(judged_from) };
        let judged_segmentation = rest.as_ref().map(|rest| segment::cut(rest, own_limit));
        let measured = if judged_from < samples.len() {
            let judged = judged_segmentation.as_ref().unwrap_or(&segmentation);
            let series = rest.as_ref().unwrap_or(&samples);
            Some(match &joined {
                Some(joined) => workload::measure(joined, judged_from, judged, series, &terms),
                None => leaktrend_core::measure(judged, series, &terms),
            })
        } else {
            None
        };
        // What grows may do so since a version.
        let leaks = measured.as_ref().is_some_and(|measured| measured.judge(None).verdict.is_leak());
        let joined_whole = joined.as_ref().filter(|_| leaks && judged_from == 0);
        let since = joined_whole.and_then(|joined| workload::grows_since(joined, &terms));
        let (segmentation, judged_segmentation) = (segmentation.pack(), judged_segmentation.map(Segmentation::pack));
        Prepared {
            samples,
            events,
            named,
            times_guessed,
            step_assumed,
            settings,
            limit,
            segmentation,
            judged_from,
            judged_segmentation,
            measured,
            own_criteria,
            freshness,
            joined,
            since,
        }
    }

    /// The probability that it does not grow; `None` when nothing could be measured.
    pub(super) fn p_value(&self) -> Option<f64> {
        self.measured.as_ref().and_then(Measured::p_value)
    }

    /// Whether its verdict depends on its q-value.
    pub(super) fn depends_on_others(&self) -> bool {
        self.measured.as_ref().is_some_and(Measured::depends_on_others)
    }

    /// The verdict of this series by itself. Its seconds count from the first sample of the window.
    fn judgement(&self, q_value: Option<f64>) -> Judgement {
        let open = || Judgement::open(Grounds::NothingAfterLoad);
        let judgement = self.measured.as_ref().map_or_else(open, |measured| measured.judge(q_value));
        let offset_ms = self.judged_start_ms() - self.samples.start_ms();
        moved(judgement, offset_ms as f64 / 1000.0)
    }

    /// When what is judged begins, in milliseconds.
    fn judged_start_ms(&self) -> i64 {
        self.samples.time_ms().get(self.judged_from).copied().unwrap_or_else(|| self.samples.end_ms())
    }

    fn lines(&self, judgement: &Judgement) -> Vec<FittedLine> {
        let of = |measured| fitted_lines(measured, judgement, self.judged_start_ms());
        self.measured.as_ref().map(of).unwrap_or_default()
    }

    fn tolerance(&self) -> fit::Tolerance {
        let unknown = fit::Tolerance { bytes_per_second: f64::NAN, rule: fit::ToleranceRule::Floor };
        self.measured.as_ref().and_then(Measured::stretch).map_or(unknown, |stretch| stretch.tolerance)
    }

    /// The segmentation of everything, and of what is judged.
    fn segmentations(&self) -> (Segmentation<'_>, Option<Segmentation<'_>>) {
        let (times, values) = (self.samples.time_ms(), self.samples.used_bytes());
        let judged = self.judged_segmentation.clone();
        let from = self.judged_from;
        (self.segmentation.clone().unpack(times, values), judged.map(|one| one.unpack(&times[from..], &values[from..])))
    }

    fn settled(&self, judged: &Segmentation<'_>, judgement: &Judgement) -> Option<SettledLevel> {
        let variance = fit::reading_variance(coarsest_resolution(&self.samples));
        settled::level(judged, judgement, variance, self.settings.verdict.confidence.get())
    }

    /// What there is to say of it as a part of a container, and its criteria of rule files.
    pub(super) fn part(
        mut self,
        q_value: Option<f64>,
        window: &Window,
        counts: Option<&Counts>,
    ) -> (PartReport, Vec<Criterion>) {
        let judgement = self.judgement(q_value);
        let settled = {
            let (whole, after_load) = self.segmentations();
            let judged = self.measured.as_ref().map(|_| after_load.as_ref().unwrap_or(&whole));
            judged.and_then(|judged| self.settled(judged, &judgement))
        };
        let attribution = counts.and_then(|counts| {
            let limit = self.limit.and_then(KnownLimit::own);
            let terms = terms(&self.settings, limit, window.load.is_some(), window.rate_unit);
            beside::attribution((&self.samples, &judgement), self.times_guessed, counts, &terms, limit)
        });
        let part = PartReport {
            amount: amount(&self.samples.info),
            name: amounts::short_name(&self.samples.info),
            q_value: None,
            tolerance: self.tolerance(),
            settled,
            lines: self.lines(&judgement),
            attribution,
            judgement,
            samples: self.samples,
        };
        (part, std::mem::take(&mut self.own_criteria))
    }

    /// The judgement of a container of several amounts, and its parts.
    fn broken_down(
        &self,
        id: String,
        (alone, matters): (Judgement, f64),
        parts: Vec<PartReport>,
        window: &Window,
    ) -> (Judgement, Option<Breakdown>) {
        let head = &self.samples;
        let name = amounts::short_name(&head.info);
        let amount = amount(&head.info);
        let judged: Vec<Judged<'_>> = parts
            .iter()
            .map(|part| Judged {
                amount: part.amount,
                judgement: &part.judgement,
                matters: part.tolerance.bytes_per_second,
            })
            .collect();
        let outside = self.outside(amount, &alone, &parts, window);
        let head_judged = Judged { amount, judgement: &alone, matters };
        let weighed = grows::weigh(head_judged, &judged, outside.as_ref());
        let by_part = weighed.by_part.map(|at| &parts[at]);
        let mut judgement = by_part.map_or_else(
            || alone.clone(),
            |part| moved(part.judgement.clone(), (part.samples.start_ms() - head.start_ms()) as f64 / 1000.0),
        );
        judgement.verdict = weighed.verdict;
        let breakdown = Breakdown {
            id,
            name,
            amount,
            alone,
            parts,
            what: weighed.what,
            by_part: weighed.by_part,
            evidence: weighed.evidence,
            rate_unit: window.rate_unit,
        };
        (judgement, Some(breakdown))
    }

    /// The growth of memory outside the heap, where the head may grow and both the process and its heap were read.
    fn outside(&self, amount: Amount, alone: &Judgement, parts: &[PartReport], window: &Window) -> Option<Judgement> {
        if !alone.verdict.is_leak() && alone.verdict != Verdict::LeakSuspected {
            return None;
        }
        let part = |wanted: Amount| parts.iter().find(|part| part.amount == wanted);
        let resident = [Amount::Rss, Amount::ProcessRss].into_iter().find_map(|wanted| {
            if amount == wanted { Some(&self.samples) } else { part(wanted).map(|part| &part.samples) }
        });
        let terms = terms(&self.settings, None, window.load.is_some(), window.rate_unit);
        outside::judged(resident?, part(Amount::HeapTotal)?, &terms)
    }

    /// What there is to say of it as a container, of which `parts` count other amounts; its q-values are set later.
    /// `id`: the container's, where it has several amounts.
    #[expect(clippy::too_many_lines, reason = "the report of a series from top to bottom")]
    pub(super) fn report(
        self,
        (q_value, last_ms): (Option<f64>, i64),
        window: &Window,
        counts: Option<&Counts>,
        id: Option<String>,
        parts: Vec<(PartReport, Vec<Criterion>)>,
    ) -> SeriesReport {
        let alone = self.judgement(q_value);
        let lines = self.lines(&alone);
        let tolerance = self.tolerance();
        let (segmentation, after_load) = self.segmentations();
        let judged = self.measured.as_ref().map(|_| after_load.as_ref().unwrap_or(&segmentation));
        let settled = judged.and_then(|judged| self.settled(judged, &alone));
        let (parts, part_criteria): (Vec<PartReport>, Vec<Vec<Criterion>>) = parts.into_iter().unzip();
        let (judgement, breakdown) = match id {
            Some(id) => self.broken_down(id, (alone, tolerance.bytes_per_second), parts, window),
            None => (alone, None),
        };
        let rests_on_part = breakdown.as_ref().is_some_and(|breakdown| breakdown.by_part.is_some());
        let own_limit = self.limit.and_then(KnownLimit::own);
        // What is gone grows no further, and nothing can be done to it.
        let is_gone = self.freshness.is_some_and(|freshness| freshness.is_gone);
        let last_seen_ms = facts::last_seen_ms(&self.samples, last_ms);
        let restarts = restarts(&self.samples, &segmentation, &self.events);
        let deaths = facts::deaths(&restarts);
        let ceiling = own_limit.or(deaths.map(|deaths| deaths.bytes));
        let time_to_limit = ceiling
            .filter(|_| !is_gone && last_seen_ms.is_none() && !rests_on_part)
            .filter(|_| !facts::is_cut_below(&judgement, &restarts) && !facts::rests_on_reading(&judgement))
            .and_then(|limit| forecast::time_to_limit(limit, self.measured.as_ref()?, &judgement));
        let segments = segments(&segmentation, &self.samples);
        let n_spikes = segmentation.falls.spikes.len();
        let open_drops = open_drops(&self.samples, &segmentation, &judgement);
        // What follows does without them, and needs room of its own.
        drop((segmentation, after_load));
        let Prepared {
            samples,
            events,
            named,
            times_guessed,
            step_assumed,
            settings,
            limit,
            measured,
            own_criteria,
            freshness,
            joined,
            since,
            ..
        } = self;
        let known_restarts: Vec<criteria::KnownRestart> = restarts
            .iter()
            .map(|restart| criteria::KnownRestart {
                at_ms: restart.at_ms,
                cause: restart.cause,
                recorded: restart.reported,
            })
            .collect();
        let reason = breakdown.as_ref().map_or_else(|| judgement.reason(), |breakdown| breakdown.reason(&judgement));
        let mut criteria = criteria::evaluate(
            &samples,
            &criteria::Context {
                settings: &settings.criteria,
                evaluation: &settings.evaluation,
                lookback: rules::lookback(&settings),
                load: window.load_window(),
                limit_bytes: own_limit,
                assumed_limit: facts::assumed_limit(limit, deaths),
                verdict: summary(&judgement, &reason, samples.start_ms(), window.load.is_some()),
                started_ms: events.started_ms,
                restarts: &known_restarts,
                drops: facts::drops(&judgement, &restarts, limit),
                watched_share: events.watched_share,
                freshness,
            },
        );
        if let Some(breakdown) = &breakdown {
            criteria.extend(normal_levels(&samples, breakdown, &settings.criteria, &criteria));
        }
        criteria.extend(own_criteria);
        criteria.extend(part_criteria.into_iter().flatten());
        let killed = facts::are_kills_seen(&restarts, limit);
        let beside = policy::Beside { with_load: window.load.is_some(), killed };
        let policy::SeriesOutcome { outcome, contradicted, undecided } =
            policy::of_series(judgement.verdict, &criteria, &settings.policy, beside);

        let target = target(&samples.info, named);
        let step_seconds = samples.step_seconds();
        let span_seconds = (samples.end_ms() - samples.start_ms()) as f64 / 1000.0;
        let coverage = step_seconds.map_or(1.0, |step| (samples.len() as f64 / (span_seconds / step + 1.0)).min(1.0));
        let mut notes = notes(&samples, limit, window);
        notes.extend(open_drops);
        let alert_share = settings.criteria.high_memory.limit_share.get();
        notes.extend(breakdown.as_ref().and_then(|breakdown| usage_seen(breakdown, own_limit, alert_share)));
        notes.extend(events.ended.clone().map(SeriesNote::Ended));
        let whole = (window.end_ms - window.start_ms) as f64;
        let ended_early = ((window.end_ms - samples.end_ms()) as f64) > settings.policy.ended_early_share.get() * whole;
        let few = samples.len() < settings.policy.min_samples as usize;
        if few || ended_early {
            notes.push(if few { SeriesNote::FewSamples } else { SeriesNote::EndedEarly });
        }
        let mut report = SeriesReport {
            shapes: measured.as_ref().filter(|_| !rests_on_part).and_then(|measured| shapes(measured, &judgement)),
            segments,
            n_spikes,
            outcome,
            counts: !few && !ended_early,
            judgement,
            q_value: None,
            tolerance,
            coverage,
            step_seconds,
            limit,
            times_guessed,
            step_assumed,
            last_seen_ms,
            restarts,
            settled,
            time_to_limit,
            criteria,
            contradicted,
            undecided,
            attribution: None,
            next_action: None,
            notes,
            lines,
            breakdown: breakdown.map(Box::new),
            workload: joined.map(|joined| {
                let terms = terms(&settings, own_limit, window.load.is_some(), window.rate_unit);
                let since = since.map(|run| joined.runs[run].version);
                Box::new(workloads::described(&joined, since, tolerance.bytes_per_second, &terms.judge))
            }),
            samples,
        };
        if let Some(counts) = counts {
            let terms = terms(&settings, own_limit, window.load.is_some(), window.rate_unit);
            let judged = (&report.samples, &report.judgement);
            report.attribution = beside::attribution(judged, times_guessed, counts, &terms, own_limit);
        }
        // What is gone since another night cannot be helped tonight.
        if !is_gone {
            report.next_action = next_action::of(&target, &report.judgement, &report.facts());
            beside::add_experiment(&mut report);
        }
        report
    }
}

/// What a series counts; of a pool whose area is not whole nothing is concluded.
fn amount(info: &SeriesInfo) -> Amount {
    Amount::of(info).filter(|_| !amounts::is_pool(info)).unwrap_or(Amount::Other)
}

/// What the runbook calls normal for a Node.js process, of the amounts that are there. `criteria`: those of the head.
fn normal_levels(
    head: &MemorySeries,
    breakdown: &Breakdown,
    settings: &CriteriaSettings,
    criteria: &[Criterion],
) -> Vec<Criterion> {
    let parts = breakdown.parts.iter().map(|part| (part.amount, &part.samples));
    let all: Vec<(Amount, &MemorySeries)> = std::iter::once((breakdown.amount, head)).chain(parts).collect();
    if !all.iter().any(|(_, samples)| amounts::is_node(&samples.info)) {
        return Vec::new();
    }
    let steady = criteria.iter().find(|criterion| criterion.id == "steady-500mb").map(|criterion| criterion.status);
    let known = [
        (Amount::ProcessRss, Normal::Rss),
        (Amount::HeapTotal, Normal::HeapTotal),
        (Amount::HeapUsed, Normal::HeapUsed),
    ];
    let of = |(amount, normal): (Amount, Normal)| {
        let (_, samples) = all.iter().find(|(counts, _)| *counts == amount)?;
        let steady = steady.filter(|_| normal == Normal::Rss && breakdown.amount == amount);
        Some(criteria::normal(normal, samples, settings, steady))
    };
    known.into_iter().filter_map(of).collect()
}

/// A judgement whose seconds count from so many seconds earlier.
pub(super) fn moved(mut judgement: Judgement, seconds: f64) -> Judgement {
    if let Some(onset) = &mut judgement.onset_seconds {
        *onset += seconds;
    }
    judgement.change_points.iter_mut().for_each(|change| change.at_seconds += seconds);
    judgement.regime.start_seconds += seconds;
    if let Some(before) = &mut judgement.before {
        before.start_seconds += seconds;
        before.end_seconds += seconds;
    }
    judgement
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
        // A metric with its labels is the name of a series, and of no container.
        None if named && !info.docker_name().contains('{') => Target::Docker(info.docker_name().to_owned()),
        None => Target::Unnamed,
    }
}

/// The verdict as far as criteria depend on it.
fn summary<'a>(
    judgement: &Judgement,
    reason: &'a str,
    start_ms: i64,
    after_load: bool,
) -> criteria::VerdictSummary<'a> {
    let verdict = judgement.verdict;
    let grows = match verdict {
        Verdict::Inconclusive | Verdict::LeakSuspected => None,
        verdict => Some(verdict.is_leak()),
    };
    criteria::VerdictSummary {
        name: verdict.name(),
        judgement: match verdict {
            verdict if verdict.is_leak() => criteria::TrendJudgement::Leak,
            Verdict::Inconclusive => criteria::TrendJudgement::Inconclusive,
            Verdict::LeakSuspected => criteria::TrendJudgement::Suspected,
            _ => criteria::TrendJudgement::NoLeak,
        },
        reason,
        grows_after_load: grows.filter(|_| after_load),
        onset_ms: judgement.onset_seconds.map(|seconds| start_ms + (seconds * 1000.0) as i64),
    }
}

/// The coarsest step in which at least half of the values could be printed, in bytes.
fn coarsest_resolution(samples: &MemorySeries) -> f64 {
    samples.resolution_bytes().median().expect("a series is never empty")
}
