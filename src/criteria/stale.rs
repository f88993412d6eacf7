//! `stale-data`: readings that stopped coming, at the time at which the nightly job looks.

use super::{Context, Criterion, Status};
use crate::units::duration_text;

/// Fails when the newest reading of the series' log is too old. A container that is gone while the log goes on is not
/// stale: it is reported as vanished.
pub(super) fn evaluate(context: &Context<'_>) -> Criterion {
    let settings = &context.settings.stale;
    let result = |status, reason| Criterion::new("stale-data", settings.gates, status, reason);
    let Some(freshness) = context.freshness else {
        return result(Status::NotApplicable, "only judged by the nightly job".to_owned());
    };
    let Some(interval) = freshness.interval_seconds else {
        return result(
            Status::NotEvaluable,
            "there are too few readings to tell how often they come (needs two of one series)".to_owned(),
        );
    };
    let most = settings.intervals * interval;
    let age = freshness.log_age_seconds;
    if age <= most && freshness.age_seconds > most {
        let reason = format!(
            "its last reading is {} old, while its log goes on: the container is gone",
            duration_text(freshness.age_seconds)
        );
        return result(Status::NotApplicable, reason);
    }
    let (status, compared) = if age > most { (Status::Fail, "above") } else { (Status::Pass, "within") };
    let reason = if age < 0.0 {
        format!("the newest reading lies {} ahead of this run's clock", duration_text(-age))
    } else {
        format!(
            "the newest reading is {} old, {compared} {}: they usually come every {}",
            duration_text(age),
            duration_text(most),
            duration_text(interval)
        )
    };
    result(status, reason).measured(Some(age), most, "seconds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::alert_rule::Lookback;
    use crate::criteria::{Freshness, Judgement, VerdictSummary};
    use crate::settings::Settings;

    #[track_caller]
    fn check(freshness: Option<Freshness>, expected: &str) {
        let settings = Settings::default();
        let context = Context {
            settings: &settings.criteria,
            evaluation: &settings.evaluation,
            lookback: Lookback::prometheus_3(300_000),
            load: None,
            limit_bytes: None,
            verdict: VerdictSummary {
                name: "flat",
                judgement: Judgement::NoLeak,
                reason: "",
                grows_after_load: None,
                onset_ms: None,
            },
            started_ms: None,
            restarts: &[],
            watched_share: 0.0,
            freshness,
        };
        let criterion = evaluate(&context);
        assert_eq!(format!("{:?}: {}", criterion.status, criterion.reason), expected);
    }

    #[test]
    fn data_is_stale_after_three_intervals_without_a_reading() {
        let aged = |log: f64, own: f64, interval| {
            Some(Freshness { log_age_seconds: log, age_seconds: own, interval_seconds: interval })
        };
        check(None, "NotApplicable: only judged by the nightly job");
        check(
            aged(420.0, 420.0, Some(900.0)),
            "Pass: the newest reading is 7 min old, within 45 min: they usually come every 15 min",
        );
        check(
            aged(2700.0, 2700.0, Some(900.0)),
            "Pass: the newest reading is 45 min old, within 45 min: they usually come every 15 min",
        );
        check(
            aged(2701.0, 2701.0, Some(900.0)),
            "Fail: the newest reading is 45 min old, above 45 min: they usually come every 15 min",
        );
        check(
            aged(420.0, 90_000.0, Some(900.0)),
            "NotApplicable: its last reading is 1 d 1 h old, while its log goes on: the container is gone",
        );
        check(aged(-60.0, -60.0, Some(900.0)), "Pass: the newest reading lies 1 min ahead of this run's clock");
        check(
            aged(60.0, 60.0, None),
            "NotEvaluable: there are too few readings to tell how often they come (needs two of one series)",
        );
    }
}
