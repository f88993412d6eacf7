//! One run: from inputs and settings to a complete report.

mod beside;
mod outside;
mod parts;
mod prepared;
mod settle;
mod together;
mod workloads;

use std::collections::HashMap;
use std::path::Path;

use crate::account::{EndFrom, Format, Input, TimeSource, Timeline};
use crate::amounts::{self, Group};
use crate::attribution::Attribution;
use crate::counts::{self, Counts};
use crate::criteria::{Freshness, LoadWindow};
use crate::error::Error;
use crate::events::{self, Dating, SeriesEvents};
use crate::fit::ToleranceTerms;
use crate::frame::SampleFrame;
use crate::limits::{self, Hosts};
use crate::open::{Given, Source};
use crate::pods::Workload;
use crate::policy::{self, Outcome};
use crate::progress::Meter;
use crate::read;
use crate::report::facts;
use crate::report::{Note, Report, SeriesReport};
use crate::rules::{self, AlertRules, Beside, Known, RuleStatus, emit::Emitted};
use crate::selection::{self, Selection};
use crate::series::{MemorySeries, SeriesInfo};
use crate::settings::{SeriesRules, Settings};
use crate::units::{Bytes, RateUnit};
use crate::verdict::{JudgeTerms, Judgement};
use crate::window::{Window, WindowSpec};

use settle::Run;
use together::Read;

/// What a row of the report is about, where a series is of a container in a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// A workload where most pods end before the readings do, else a container.
    Auto,
    /// All pods of a workload together.
    Workload,
    /// The container of one pod.
    #[default]
    Container,
}

/// What to do: everything that the command line and the settings say.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// What to read.
    pub sources: Vec<Source>,
    /// Counts what was read of them.
    pub meter: Meter,
    /// How to read it.
    pub ingest: crate::decode::Options,
    /// What reports restarts and kills: the output of `docker events`, logs.
    pub events: Vec<Given>,
    /// What to compare growth with: access logs, other numbers, changes.
    pub counts: counts::CountSources,
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
    /// What a row is about.
    pub by: By,
}

/// Everything that was read and what it means.
///
/// `on_frame` is given the samples before they are judged, to be kept.
///
/// # Errors
///
/// When the load window or the window cannot be, or when `on_frame` fails. Inputs that cannot be used are part of
/// the report.
pub fn run(job: &Job, on_frame: &mut dyn FnMut(&SampleFrame) -> Result<(), Error>) -> Result<Report, Error> {
    let readings = if job.alert_rules.alerts.is_empty() { read::readings_metered } else { read::readings_for_rules };
    let frame = SampleFrame::new(readings(&job.sources, &job.ingest, &job.meter));
    judge(job, frame, None, on_frame)
}

/// What a frame means under these settings.
///
/// # Errors
///
/// When the window that the settings ask for cannot be.
pub fn judge_frame(frame: SampleFrame, settings: &Settings) -> Result<Report, Error> {
    judge(&Job { settings: settings.clone(), ..Job::default() }, frame, None, &mut |_| Ok(()))
}

/// What was read before means: `run` without reading. `known`: all series that may be named, also those of which
/// nothing is judged now; `None` for those of the frame.
///
/// # Errors
///
/// As `run`.
pub fn judge(
    job: &Job,
    frame: SampleFrame,
    known: Option<&[SeriesInfo]>,
    on_frame: &mut dyn FnMut(&SampleFrame) -> Result<(), Error>,
) -> Result<Report, Error> {
    Ok(judge_all(job, vec![Case::new(job, frame, known, on_frame)?]).remove(0))
}

/// What several windows mean; `job`: what to compare their growth with, which is read once for all.
pub fn judge_all(job: &Job, mut cases: Vec<Case<'_>>) -> Vec<Report> {
    let counts = beside::counts(&job.counts, &mut cases);
    cases.into_iter().zip(counts).map(|(case, counts)| case.judge(counts)).collect()
}

/// The readings of one window, with all that is known of them but what was counted beside.
pub struct Case<'a> {
    job: &'a Job,
    series: Vec<MemorySeries>,
    /// What the events say of each series.
    events: Vec<SeriesEvents>,
    event_inputs: Vec<Input>,
    /// Series that only alert rules can name.
    beside: Vec<Beside>,
    window: Window,
    timeline: Timeline,
    inputs: Vec<Input>,
    /// The inputs of each series, by its id.
    inputs_of: HashMap<String, Vec<usize>>,
    hosts: Hosts,
    groups: Vec<Group>,
    /// The newest reading, in milliseconds; `None` without series.
    last_ms: Option<i64>,
    ignored: Vec<String>,
    /// Whether every `[[series]]` table matches a series.
    tables_hold: bool,
    notes: Vec<Note>,
}

impl<'a> Case<'a> {
    /// Cuts a frame to its window; as `judge`.
    ///
    /// # Errors
    ///
    /// As `run`.
    pub fn new(
        job: &'a Job,
        mut frame: SampleFrame,
        known: Option<&[SeriesInfo]>,
        on_frame: &mut dyn FnMut(&SampleFrame) -> Result<(), Error>,
    ) -> Result<Case<'a>, Error> {
        let mut notes = Vec::new();
        let given = given_limits(job);
        let known: Vec<&SeriesInfo> = known
            .map_or_else(|| frame.series().iter().map(|series| &series.info).collect(), |known| known.iter().collect());
        given.check(&known)?;
        self::beside::check("--events", &job.events, &known, events::is_called)?;
        self::beside::check_counts(&job.counts, &known)?;
        let of_workloads = known.iter().filter(|_| job.by != By::Container).filter_map(|info| Workload::of(info));
        let names =
            known.iter().flat_map(|info| amounts::names(info)).chain(of_workloads.map(|workload| workload.id()));
        let unmatched = job.rules.unmatched(names);
        if !known.is_empty() {
            notes.extend(
                unmatched
                    .iter()
                    .map(|pattern| Note::NothingMatches((*pattern).to_owned(), selection::near(pattern, &known))),
            );
        }
        let tables_hold = known.is_empty() || unmatched.is_empty();
        let meant: Vec<&SeriesInfo> = known.into_iter().filter(|info| is_meant(job, info)).collect();
        let groups = amounts::groups(&meant);
        // All that was read tells what is the host's, not only what is judged.
        let host_memory = job.settings.verdict.host_memory_bytes.map(Bytes::as_f64);
        let hosts = Hosts::of(&frame, host_memory, &given, &mut notes);
        let ignored = leave_out(&mut frame, job, &mut notes);
        on_frame(&frame)?;
        let inputs_of: HashMap<String, Vec<usize>> =
            frame.series().iter().map(|series| (series.info.id.clone(), series.inputs.clone())).collect();
        let (inputs, timeline, reported) = (frame.inputs().to_vec(), frame.timeline(), frame.reported().to_vec());
        let beside = frame.take_beside();
        let series = frame.into_series();

        let span = span(&series);
        let window = Window::new(span, &job.window, job.settings.window.last_seconds, timeline, &mut notes)?;
        notes.extend(nothing_in(&window, &series));
        let in_window = |series: MemorySeries| series.between(window.start_ms, window.end_ms);
        let mut series: Vec<MemorySeries> = series.into_iter().filter_map(in_window).collect();
        let beside =
            beside.into_iter().map(|one| Beside::new(one.samples.info, one.samples.samples, one.of, &in_window));
        let beside: Vec<Beside> = beside.flatten().collect();
        let last_ms = series.iter().map(MemorySeries::end_ms).max();
        let mut log = crate::events::read_events(&job.events, last_ms);
        let origins = Origins { inputs: &inputs, of_series: &inputs_of, hosts: &hosts, given };
        let dating: Vec<Dating> = series.iter().map(|series| origins.dating(series, timeline)).collect();
        let events = events::apply(&mut series, &dating, &reported, &mut log);
        Ok(Case {
            job,
            series,
            events,
            event_inputs: log.inputs,
            beside,
            window,
            timeline,
            inputs,
            inputs_of,
            hosts,
            groups,
            last_ms,
            ignored,
            tables_hold,
            notes,
        })
    }

    /// What it means beside what was counted.
    fn judge(self, counts: Option<Counts>) -> Report {
        let Case { job, series, beside, window, timeline, mut inputs, mut inputs_of, hosts, mut notes, .. } = self;
        let settings_of = |info: &SeriesInfo| job.rules.settings_for(&amounts::names(info), &job.settings);
        let rules::Replayed { criteria, accounts } =
            rules::replay(&job.alert_rules, &Known::new(&series, &beside), &settings_of, window.load_window());
        let read = series.into_iter().zip(self.events).zip(criteria);
        let read = read.map(|((samples, events), own_criteria)| Read::new(samples, events, own_criteria)).collect();
        let containers = together::containers(read, &self.groups);
        let settle_seconds = job.settings.criteria.settle_seconds.get();
        let rows = workloads::rows(containers, job.by, settle_seconds, &mut notes);
        inputs_of.extend(rows.inputs(&inputs_of));
        let origins = Origins { inputs: &inputs, of_series: &inputs_of, hosts: &hosts, given: given_limits(job) };
        let last_ms = self.last_ms.unwrap_or(window.end_ms);
        let run = Run { job, window: &window, origins: &origins, last_ms, counts: counts.as_ref() };
        let n_pods: Vec<usize> = rows.pods.iter().map(Vec::len).collect();
        // Pods are tested among pods: what is known of them makes no verdict on a workload harder to come by.
        let mut pods = run.report(rows.pods.into_iter().flatten().collect()).into_iter();
        let with_load = window.load.is_some();
        let with_pods = |(series, n_pods): (SeriesReport, usize)| {
            workloads::with_pods(series, pods.by_ref().take(n_pods).collect(), &job.settings, last_ms, with_load)
        };
        let mut series: Vec<SeriesReport> = run.report(rows.rows).into_iter().zip(n_pods).map(with_pods).collect();
        inputs.extend(self.event_inputs);
        inputs.extend(counts.into_iter().flat_map(|counts| counts.inputs));
        series.sort_by(facts::worst_first);

        let outcomes: Vec<(Outcome, bool)> = series.iter().map(|series| (series.outcome, series.counts)).collect();
        let outcome = policy::of_run(&outcomes);
        let all_used = inputs.iter().all(|input| input.unusable.is_none());
        let policy = &job.settings.policy;
        // What was asked for by name and not replayed is not done, and with --strict nor is any alert.
        let rules_hold = accounts
            .iter()
            .all(|rule| rule.status == RuleStatus::Replayed || !(policy.strict || policy.require.contains(&rule.id)));
        let all_read = || inputs.iter().all(|input| input.rejected_count == 0 && !input.incomplete);
        let strict_holds = rules_hold && (!policy.strict || self.tables_hold && all_read());
        let exit_code = policy::exit_code(outcome, policy, all_used, strict_holds);
        Report {
            outcome,
            exit_code,
            settings: job.settings.clone(),
            inputs,
            series,
            ignored: self.ignored,
            rules: accounts,
            timeline,
            rate_unit: window.rate_unit,
            load: window.load,
            notes,
            stopped: Vec::new(),
            reported: Vec::new(),
            beside,
        }
    }
}

/// The limits that the user gave.
fn given_limits(job: &Job) -> limits::GivenLimits<'_> {
    limits::GivenLimits { limits: &job.limits, rules: &job.rules }
}

/// The first and the last reading, in milliseconds; `None` without series.
fn span(series: &[MemorySeries]) -> Option<(i64, i64)> {
    series.iter().map(MemorySeries::start_ms).min().zip(series.iter().map(MemorySeries::end_ms).max())
}

/// Says which series have no sample in the window.
fn nothing_in(window: &Window, series: &[MemorySeries]) -> Option<Note> {
    let is_outside = |series: &&MemorySeries| series.end_ms() < window.start_ms || window.end_ms < series.start_ms();
    let outside: Vec<String> = series.iter().filter(is_outside).map(|series| series.info.id.clone()).collect();
    let n = outside.len();
    (0 < n).then(|| Note::NotInWindow(n, outside.into_iter().take(NAMED).collect()))
}

/// The alerts that fire in a report, as unit tests for `promtool`; `path` is where the first file will stand.
pub fn unit_tests(job: &Job, report: &Report, path: &Path) -> Emitted {
    let series: Vec<MemorySeries> = report
        .series
        .iter()
        .flat_map(|series| series.amounts().into_iter().cloned().collect::<Vec<MemorySeries>>())
        .collect();
    let settings_of = |samples: &MemorySeries| {
        let settings = job.rules.settings_for(&amounts::names(&samples.info), &job.settings);
        let fallback = settings.criteria.high_memory.fallback_limit_bytes.as_f64();
        let series = report.series.iter().find(|series| series.is_called(&samples.info.id));
        (settings.into_owned(), series.map(|series| series.alert_limit(fallback)))
    };
    let load = report.load.map(|(start_ms, end_ms)| LoadWindow { start_ms, end_ms });
    let known = Known::new(&series, &report.beside);
    rules::emit::unit_tests(path, &job.alert_rules, &known, &settings_of, load)
}

/// So many names are enough to see what is meant.
const NAMED: usize = 8;

/// Whether a series is to be judged: it is selected and not ignored.
fn is_meant(job: &Job, info: &SeriesInfo) -> bool {
    job.selection.keeps(info) && !job.rules.ignores(&amounts::names(info))
}

/// Removes series that nobody asked for; gives the ids that the settings ignore.
fn leave_out(frame: &mut SampleFrame, job: &Job, notes: &mut Vec<Note>) -> Vec<String> {
    let mut ignored = Vec::new();
    let held: Vec<String> = frame.series().iter().take(NAMED).map(|series| series.info.id.clone()).collect();
    let dropped = frame.retain(|info| {
        if job.selection.keeps(info) && job.rules.ignores(&amounts::names(info)) {
            ignored.push(info.id.clone());
        }
        is_meant(job, info)
    });
    if !job.alert_rules.alerts.is_empty() {
        frame.set_beside(dropped);
    }
    if frame.series().is_empty() && !held.is_empty() {
        let wanted = job.selection.text().unwrap_or("the settings".to_owned());
        notes.push(Note::NothingSelected(wanted, held));
    }
    ignored
}

/// Which inputs each series was read from, and what they are.
struct Origins<'a> {
    inputs: &'a [Input],
    of_series: &'a HashMap<String, Vec<usize>>,
    /// Which limits are the memory of the host.
    hosts: &'a Hosts,
    given: limits::GivenLimits<'a>,
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

    /// Whether how far apart its readings are is assumed.
    fn assume_step(&self, series: &MemorySeries) -> bool {
        self.of(series).iter().any(|index| self.inputs[*index].assumed_step_seconds.is_some())
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

/// What the growth of one judged series follows, of counts that its caller has; `None` where it does not grow. `terms` are
/// those by which it was judged.
pub fn attribution(
    series: &MemorySeries,
    judgement: &Judgement,
    counts: &Counts,
    terms: &leaktrend_core::Terms,
) -> Option<Attribution> {
    beside::attribution((series, judgement), false, counts, terms, terms.tolerance.limit_bytes)
}

/// The terms that settings set, of a series with this limit. `after_load`: whether what is judged follows a load;
/// `rate_unit`: the unit of time of the rates in sentences.
pub fn terms(
    settings: &Settings,
    limit_bytes: Option<f64>,
    after_load: bool,
    rate_unit: RateUnit,
) -> leaktrend_core::Terms {
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
            significance: verdict.max_p_value.get(),
            confidence: verdict.confidence.get(),
            false_discovery_rate: verdict.false_discovery_rate.get(),
            step_floor_bytes: verdict.step_floor_bytes.as_f64(),
            step_share: verdict.step_share.get(),
            // A load that was made does not follow the day.
            daily_swing: if after_load { 0.0 } else { verdict.daily_swing.get() },
            keep_seconds: verdict.keep_seconds.get(),
            settle_seconds: settings.criteria.settle_seconds.get(),
            rate_unit,
        },
        hours_ahead: verdict.hours_ahead,
    }
}
