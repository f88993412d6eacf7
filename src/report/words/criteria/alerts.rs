//! What the replay of an alert found, in words.

use std::fmt::{self, Display, Formatter};

use super::{amount_text, percent_text};
use crate::criteria::AlertGroup;
use crate::criteria::alert_rule::CompareOperator;
use crate::criteria::reason::{Alert, Firing, LimitOrigin, Replayed};
use crate::series::{Metric, Sampling};
use crate::units::{duration_text, memory_text};

impl Display for Replayed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.firing {
            Firing::Fired { first, counted, offsets_share, times, seconds, .. } => {
                write!(f, "would have fired at {first}")?;
                match offsets_share {
                    None => {}
                    Some(1.0) => f.write_str(", at every evaluation offset")?,
                    Some(share) => write!(f, ", at {} of the evaluation offsets", percent_text(*share))?,
                }
                if let Some(from) = counted {
                    write!(f, " (not counted before {from}: a start-up or a load)")?;
                }
                write!(f, ": {}", self.reached())?;
                match &self.alert {
                    Alert::Own { .. } => f.write_str(&self.held())?,
                    alert => {
                        write!(f, "; it fires when above {}, and would have fired ", self.for_long(alert))?;
                        // How long it lasts tells a peak from a state.
                        match (times, duration_text(*seconds)) {
                            (0 | 1, lasted) => write!(f, "for {lasted}")?,
                            (n, lasted) => write!(f, "{n} times, for {lasted} in all")?,
                        }
                    }
                }
            }
            Firing::AtStart(start, or_load) => {
                let or_load = if *or_load { "under the load or " } else { "" };
                write!(f, "would have fired only {or_load}for a rise that began {start}: {}", self.reached())?;
            }
            Firing::UnderLoad => {
                write!(f, "would have fired only under the load, which is not counted: {}", self.reached())?;
            }
            Firing::No => write!(f, "would not have fired: {}", self.not_fired())?,
            Firing::TooShort { span_seconds, needed_seconds } => write!(
                f,
                "{} of readings is too short for a rule that needs {} to fire; measure {} longer",
                duration_text(*span_seconds),
                duration_text(*needed_seconds),
                duration_text((needed_seconds - span_seconds).max(0.0))
            )?,
            Firing::TooSparse { share, needed_share, step_seconds, lookback_seconds } => {
                let operands = match self.alert {
                    Alert::Growth(..) => "both values",
                    Alert::HighMemory { .. } => "a value",
                    Alert::Own { .. } => "all values",
                };
                let (share, needed) = (percent_text(*share), percent_text(*needed_share));
                let evaluations = format!("only {share} of evaluations had {operands} ({needed} is needed)");
                let is_own = matches!(self.alert, Alert::Own { .. });
                f.write_str(&self.sparse(*step_seconds, *lookback_seconds, is_own, &evaluations))?;
            }
            Firing::NoValues => f.write_str("no evaluation had all values")?,
        }
        self.remarks(f)
    }
}

impl Replayed {
    /// The compared value that went furthest.
    fn reached(&self) -> String {
        let Alert::Own { threshold, .. } = &self.alert else {
            return format!("{} reached {}", what(&self.alert), self.largest());
        };
        let (Some(threshold), Some(value)) = (threshold, self.furthest) else {
            return format!("its condition {}", if self.held_seconds > 0.0 { "held" } else { "never held" });
        };
        let (reach, relation) = match threshold.comparison {
            CompareOperator::Greater => ("up to", "above"),
            CompareOperator::GreaterOrEqual => ("up to", "at least"),
            CompareOperator::Less => ("down to", "below"),
            CompareOperator::LessOrEqual => ("down to", "at most"),
            CompareOperator::Equal => ("up to", "exactly"),
            CompareOperator::NotEqual => ("up to", "other than"),
        };
        let (value, number) = (number_text(value), number_text(threshold.number));
        format!("its value was {reach} {value} (it alerts when {relation} {number})")
    }

    fn not_fired(&self) -> String {
        let threshold = match self.alert {
            Alert::Own { .. } if self.held_seconds == 0.0 => return self.reached(),
            Alert::Own { .. } => return self.reached() + &self.held(),
            Alert::Growth(_, threshold) | Alert::HighMemory { threshold, .. } => threshold,
        };
        if self.furthest.is_some_and(|value| value > threshold) {
            return format!("{}, but did not stay above {}", self.reached(), self.for_long(&self.alert));
        }
        let (what, limit) = (what(&self.alert), threshold_text(&self.alert));
        format!("{what} was at most {}; {limit} is allowed", self.largest())
    }

    fn largest(&self) -> String {
        match (self.furthest, &self.alert) {
            (None, _) => "unknown".to_owned(),
            (Some(share), Alert::HighMemory { limit_bytes, .. }) => {
                format!("{} of {}", percent_text(share), amount_text(*limit_bytes))
            }
            (Some(bytes), _) => memory_text(bytes),
        }
    }

    /// `100 MB for 5 min`.
    fn for_long(&self, alert: &Alert) -> String {
        format!("{} for {}", threshold_text(alert), duration_text(self.for_seconds))
    }

    /// For how long it holds, and would have to; begins with a comma.
    fn held(&self) -> String {
        let needed = match self.for_seconds {
            0.0 => String::new(),
            seconds => format!(" ({} is needed)", duration_text(seconds)),
        };
        format!(", for up to {}{needed}", duration_text(self.held_seconds))
    }

    /// Why too few evaluations had values.
    fn sparse(&self, step_seconds: Option<f64>, lookback_seconds: f64, is_own: bool, evaluations: &str) -> String {
        let (step, lookback) = (step_seconds.map_or(String::new(), duration_text), duration_text(lookback_seconds));
        if let Sampling::Step { .. } = self.sampling {
            return format!("points {step} apart do not fall on the times that the rule compares: {evaluations}");
        }
        if is_own {
            return format!(
                "readings {step} apart, or with gaps, are too sparse for a rule that looks back {lookback}: {evaluations}"
            );
        }
        if step_seconds.is_none_or(|step_seconds| step_seconds < lookback_seconds) {
            return format!("the readings have gaps longer than {lookback}: {evaluations}");
        }
        format!(
            "readings {step} apart are too sparse for a rule that looks back {lookback}: {evaluations}; measure at least \
             every {}",
            duration_text(safe_step_seconds(lookback_seconds))
        )
    }

    /// What a reader must know beside it; each begins with punctuation.
    fn remarks(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.alert {
            Alert::Growth(..) => {}
            Alert::HighMemory { limit_bytes, limit, .. } => {
                let amount = amount_text(*limit_bytes);
                match limit {
                    LimitOrigin::Own => {}
                    LimitOrigin::Killed => {
                        write!(
                            f,
                            " (no limit is known; {amount}, the highest reading before a kill, is used instead)"
                        )?;
                    }
                    LimitOrigin::Host => write!(f, " (it has no limit of its own; the host has {amount})")?,
                    LimitOrigin::BelowHost => write!(f, " (it has no limit of its own; {amount} is assumed)")?,
                    LimitOrigin::Settings => write!(f, " (no limit is known; {amount} is assumed)")?,
                }
            }
            Alert::Own { missing, group, .. } => {
                if let Some(group) = group {
                    group_text(group, f)?;
                }
                if !missing.is_empty() {
                    let whose = if group.is_some() { "group" } else { "container" };
                    write!(f, "; the inputs hold no {} for this {whose}", missing.join(", "))?;
                }
            }
        }
        if let Firing::TooShort { .. } | Firing::TooSparse { .. } | Firing::NoValues = self.firing {
            return Ok(());
        }
        let replayed_on = match self.metric {
            Metric::DockerUsage => Some("usage without inactive file cache (docker stats)"),
            // An export is asked for the metric that a rule names.
            _ if matches!(self.alert, Alert::Own { .. }) => None,
            Metric::WorkingSet => Some("the working set"),
            Metric::Rss => Some("the resident set"),
            Metric::Heap => Some("a runtime's heap"),
            Metric::UsageBytes | Metric::Other => None,
        };
        if let Some(metric) = replayed_on {
            write!(f, "; replayed on {metric}, not on container_memory_usage_bytes")?;
        }
        match self.sampling {
            Sampling::Raw => Ok(()),
            Sampling::Step { .. } => {
                f.write_str("; this is approximate, because the points come from a range query, not from scrapes")
            }
        }
    }
}

/// What an alert of the runbook is about.
fn what(alert: &Alert) -> String {
    match alert {
        Alert::Growth(offset, _) => format!("growth over {offset}"),
        Alert::HighMemory { .. } | Alert::Own { .. } => "memory".to_owned(),
    }
}

fn threshold_text(alert: &Alert) -> String {
    match alert {
        Alert::Growth(_, bytes) => amount_text(*bytes),
        Alert::HighMemory { threshold, .. } => percent_text(*threshold),
        Alert::Own { threshold, .. } => threshold.map_or(String::new(), |threshold| number_text(threshold.number)),
    }
}

/// Whose alert it is; begins with a semicolon.
fn group_text(group: &AlertGroup, f: &mut Formatter<'_>) -> fmt::Result {
    let labels: Vec<String> = group.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let n = group.n_series;
    if labels.is_empty() {
        return write!(f, "; one alert covers all series ({n} here)");
    }
    write!(f, "; one alert covers the group {{{}}} ({n} series here)", labels.join(","))
}

/// A spacing of readings that stays below the lookback with room for jitter: whole minutes, or four fifths of it.
fn safe_step_seconds(lookback_seconds: f64) -> f64 {
    let whole_minutes = ((lookback_seconds - 1.0) / 60.0).floor() * 60.0;
    if whole_minutes >= 60.0 { whole_minutes } else { lookback_seconds * 0.8 }
}

/// A number of a rule, whose unit is not known: whole, or with four significant digits.
fn number_text(number: f64) -> String {
    if number.fract() == 0.0 || number.abs() >= 10_000.0 {
        return format!("{number:.0}");
    }
    let digits = (3 - number.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{number:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let text = [100_000_000.0, 0.9, 0.123_456, 1234.567, 12_345.678, -0.001_234_56, 0.0].map(number_text);
        assert_eq!(text, ["100000000", "0.9", "0.1235", "1235", "12346", "-0.001235", "0"]);
    }
}
