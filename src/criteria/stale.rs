//! `stale-data`: readings that stopped coming, at the time at which the nightly job looks.

use super::reason::{Ended, Moment, Stale};
use super::{Context, Criterion, Freshness, Reason, Status};
use crate::series::MemorySeries;

/// Fails when the newest reading of the series' log is too old: that fails the night, once, and not the series. Of a
/// container that is gone while the log goes on it fails the series when that failed before, or ended near its limit.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.stale;
    let result = |status, gates, stale| Criterion::new("stale-data", gates, status, Reason::Stale(stale));
    let Some(freshness) = context.freshness else {
        return result(Status::NotApplicable, settings.gates, Stale::NotNightly);
    };
    if freshness.is_gone {
        let (status, ended) = gone(series, context, &freshness);
        return result(status, settings.gates, Stale::Gone(Moment::of(series, series.end_ms()), ended));
    }
    let Some(interval_seconds) = freshness.interval_seconds else {
        return result(Status::NotEvaluable, settings.gates, Stale::TooFew);
    };
    let max_seconds = settings.intervals * interval_seconds;
    let seconds = freshness.log_age_seconds;
    let (status, gates) = if seconds > max_seconds { (Status::Fail, false) } else { (Status::Pass, settings.gates) };
    let stale =
        if seconds < 0.0 { Stale::Ahead(-seconds) } else { Stale::Age { seconds, max_seconds, interval_seconds } };
    result(status, gates, stale).measured(Some(seconds), max_seconds, "seconds")
}

/// Whether a container that is gone fails, and how it ended.
fn gone(series: &MemorySeries, context: &Context<'_>, freshness: &Freshness) -> (Status, Ended) {
    let used = series.used_bytes();
    let bytes = used[used.len() - 1];
    let share = context.limit_bytes.map_or(0.0, |limit| bytes / limit);
    if share > context.settings.high_memory.limit_share.get() {
        return (Status::Fail, Ended::NearLimit { bytes, share });
    }
    match freshness.failed_as {
        Some(verdict) => (Status::Fail, Ended::Failed(verdict)),
        None => (Status::NotApplicable, Ended::Well),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::alert_rule::Lookback;
    use crate::criteria::{Drops, TrendJudgement, VerdictSummary};
    use crate::series::{Labels, Marks, Metric, Samples, Sampling, SeriesInfo};
    use crate::settings::Settings;

    const GIB: f64 = 1_073_741_824.0;

    /// One reading of 95 % of a GiB.
    fn series() -> MemorySeries {
        let mut samples = Samples::default();
        samples.push(1_793_491_200_000, 0.95 * GIB, 1.0, Marks::default());
        let info = SeriesInfo {
            id: "web".to_owned(),
            labels: Labels::new(),
            limit: None,
            metric: Metric::DockerUsage,
            container_given: true,
            sampling: Sampling::Raw,
        };
        MemorySeries::new(info, samples).unwrap()
    }

    #[track_caller]
    fn check(freshness: Option<Freshness>, limit_bytes: Option<f64>, expected: &str) {
        let settings = Settings::default();
        let context = Context {
            settings: &settings.criteria,
            evaluation: &settings.evaluation,
            lookback: Lookback::prometheus_3(300_000),
            load: None,
            limit_bytes,
            assumed_limit: None,
            verdict: VerdictSummary {
                name: "flat",
                judgement: TrendJudgement::NoLeak,
                reason: "",
                grows_after_load: None,
                onset_ms: None,
            },
            started_ms: None,
            restarts: &[],
            drops: Drops::Restarts,
            watched_share: 0.0,
            freshness,
        };
        let criterion = evaluate(&series(), &context);
        let gates = if criterion.gates { "" } else { " (does not count)" };
        assert_eq!(format!("{:?}{gates}: {}", criterion.status, criterion.reason), expected);
    }

    fn aged(log: f64, interval: Option<f64>) -> Freshness {
        Freshness {
            log_age_seconds: log,
            age_seconds: log,
            interval_seconds: interval,
            is_gone: false,
            failed_as: None,
        }
    }

    #[test]
    fn data_is_stale_after_three_intervals_without_a_reading() {
        let check = |freshness, expected: &str| check(freshness, None, expected);
        check(None, "NotApplicable: judged only by the nightly job");
        check(
            Some(aged(420.0, Some(900.0))),
            "Pass: the newest reading of the log is 7 min old, within the 45 min that is allowed: readings usually come every 15 min",
        );
        check(
            Some(aged(2700.0, Some(900.0))),
            "Pass: the newest reading of the log is 45 min old, within the 45 min that is allowed: readings usually come every 15 min",
        );
        check(
            Some(aged(2701.0, Some(900.0))),
            "Fail (does not count): the newest reading of the log is 45 min old, more than the 45 min that is allowed: readings usually come every 15 min",
        );
        check(Some(aged(-60.0, Some(900.0))), "Pass: the newest reading is 1 min ahead of this run's clock");
        check(
            Some(aged(60.0, None)),
            "NotEvaluable: there are too few readings to tell how often they come (two of one series are needed)",
        );
    }

    #[test]
    fn a_container_that_is_gone_fails_when_it_was_killed_or_failed_before() {
        let gone =
            |failed_as| Some(Freshness { age_seconds: 90_000.0, is_gone: true, failed_as, ..aged(420.0, Some(900.0)) });
        let since = "the container is gone: no reading since 2026-11-01T00:00:00Z, while its log goes on";
        check(gone(None), None, &format!("NotApplicable: {since}"));
        check(gone(None), Some(2.0 * GIB), &format!("NotApplicable: {since}"));
        check(
            gone(None),
            Some(GIB),
            &format!(
                "Fail: {since}. It ended at 972.8 MiB, 95 % of its limit: it was probably OOM-killed, and nothing restarted it"
            ),
        );
        check(gone(Some("leak")), None, &format!("Fail: {since}. It failed the night before (verdict leak)"));
    }
}
