//! `stale-data`: readings that stopped coming, at the time at which the nightly job looks.

use super::{Context, Criterion, Freshness, Status, moment_text, percent_text};
use crate::series::MemorySeries;
use crate::units::{duration_text, memory_text};

/// Fails when the newest reading of the series' log is too old: that fails the night, once, and not the series. Of a
/// container that is gone while the log goes on it fails the series when that failed before, or ended near its limit.
pub(super) fn evaluate(series: &MemorySeries, context: &Context<'_>) -> Criterion {
    let settings = &context.settings.stale;
    let result = |status, gates, reason| Criterion::new("stale-data", gates, status, reason);
    let Some(freshness) = context.freshness else {
        return result(Status::NotApplicable, settings.gates, "judged only by the nightly job".to_owned());
    };
    if freshness.is_gone {
        let (status, why) = gone(series, context, &freshness);
        let reason = format!(
            "the container is gone: no reading since {}, while its log goes on{why}",
            moment_text(series, series.end_ms())
        );
        return result(status, settings.gates, reason);
    }
    let Some(interval) = freshness.interval_seconds else {
        return result(
            Status::NotEvaluable,
            settings.gates,
            "there are too few readings to tell how often they come (two of one series are needed)".to_owned(),
        );
    };
    let most = settings.intervals * interval;
    let age = freshness.log_age_seconds;
    let (status, gates, compared) =
        if age > most { (Status::Fail, false, "more than") } else { (Status::Pass, settings.gates, "within") };
    let reason = if age < 0.0 {
        format!("the newest reading is {} ahead of this run's clock", duration_text(-age))
    } else {
        format!(
            "the newest reading of the log is {} old, {compared} the {} that is allowed: readings usually come every {}",
            duration_text(age),
            duration_text(most),
            duration_text(interval)
        )
    };
    result(status, gates, reason).measured(Some(age), most, "seconds")
}

/// Whether a container that is gone fails, and why; begins with punctuation.
fn gone(series: &MemorySeries, context: &Context<'_>, freshness: &Freshness) -> (Status, String) {
    let used = series.used_bytes();
    let last = used[used.len() - 1];
    let share = context.limit_bytes.map_or(0.0, |limit| last / limit);
    if share > context.settings.high_memory.limit_share.get() {
        let percent = percent_text(share);
        let ended = format!(". It ended at {}, {percent} of its limit", memory_text(last));
        return (Status::Fail, format!("{ended}: it was probably OOM-killed, and nothing restarted it"));
    }
    match freshness.failed_as {
        Some(verdict) => (Status::Fail, format!(". It failed the night before (verdict {verdict})")),
        None => (Status::NotApplicable, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::alert_rule::Lookback;
    use crate::criteria::{TrendJudgement, VerdictSummary};
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
            drops_are_collections: false,
            cut: "restart",
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
