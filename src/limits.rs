//! The memory limit of each series, and its origin.
//!
//! A limit that somebody set always counts: that of an export, a `--limit`, or a round number printed by docker.
//! Without a limit, `docker stats` prints the memory of the host: an uneven number, the same in all rows.

use crate::account::Format;
use crate::amounts;
use crate::error::Error;
use crate::frame::{SampleFrame, SeriesEntry};
use crate::report::{KnownLimit, KnownLimitSource, Note};
use crate::selection;
use crate::series::{LimitSource, SeriesInfo};
use crate::settings::SeriesRules;
use crate::units::{GIB, KIB, MIB, docker_text};

/// Limits set by the user; they override those of the inputs.
#[derive(Debug, Clone, Copy)]
pub struct GivenLimits<'a> {
    /// `--limit`: a name or all series; the last match counts.
    pub limits: &'a [(Option<String>, f64)],
    /// The `[[series]]` tables.
    pub rules: &'a SeriesRules,
}

impl GivenLimits<'_> {
    /// Checks that each name is that of a series; `known`: all series.
    ///
    /// # Errors
    ///
    /// If one is not, because its limit would silently have no effect.
    pub fn check(&self, known: &[&SeriesInfo]) -> Result<(), Error> {
        let is_of = |info: &SeriesInfo, name: &str| {
            name == info.container() || amounts::names(info).iter().any(|own| own == name)
        };
        let is_known = |name: &str| known.iter().any(|info| is_of(info, name));
        let mut names = self.limits.iter().filter_map(|(name, bytes)| Some((name.as_deref()?, bytes)));
        match names.find(|(name, _)| !known.is_empty() && !is_known(name)) {
            None => Ok(()),
            Some((name, bytes)) => Err(Error::Usage(format!(
                "`--limit {name}={}`: no series has this name{}",
                docker_text(*bytes),
                selection::hint(name, known)
            ))),
        }
    }

    /// The limit of a series in bytes; `None` if the user set none.
    fn of(&self, info: &SeriesInfo) -> Option<f64> {
        let container = amounts::container_id(info);
        let is_of = |name: &String| *name == info.id || name == info.container() || Some(name) == container.as_ref();
        let given = self.limits.iter().rev().find(|(name, _)| name.as_ref().is_none_or(is_of));
        given.map(|(_, bytes)| *bytes).or_else(|| self.rules.limit_for(&amounts::names(info)))
    }
}

/// For each input, from which limit on it is the memory of the host.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// In bytes, by input; `None` if its limits are those of the containers.
    of_input: Vec<Option<f64>>,
}

impl Hosts {
    /// Decides for each input whether its limits are the memory of the host, and says so in `notes`.
    ///
    /// `host_memory`: that memory in bytes, if the user set it; then nothing is inferred.
    pub fn of(frame: &SampleFrame, host_memory: Option<f64>, given: &GivenLimits<'_>, notes: &mut Vec<Note>) -> Hosts {
        let of_input = (0..frame.inputs().len())
            .map(|index| {
                let is_limited = |series: &&SeriesEntry| series.inputs.contains(&index) && series.info.limit.is_some();
                let series: Vec<&SeriesInfo> =
                    frame.series().iter().filter(is_limited).map(|series| &series.info).collect();
                let path = &frame.inputs()[index].path;
                let is_table = frame.inputs()[index].format != Some(Format::Prometheus);
                of_one(&series, host_memory, is_table, given, path, notes)
            })
            .collect();
        Hosts { of_input }
    }

    /// The limit of a series that was read from these inputs; `None` when it has none.
    pub fn limit(&self, info: &SeriesInfo, inputs: &[usize], given: &GivenLimits<'_>) -> Option<KnownLimit> {
        if let Some(bytes) = given.of(info) {
            return Some(KnownLimit { bytes, source: KnownLimitSource::Option });
        }
        let limit = info.limit?;
        let is_host = |input: &usize| self.of_input[*input].is_some_and(|host| host <= limit.bytes);
        let source = match limit.source {
            LimitSource::Option => KnownLimitSource::Option,
            LimitSource::Input if inputs.iter().any(is_host) => KnownLimitSource::Host,
            LimitSource::Input => KnownLimitSource::Input,
        };
        Some(KnownLimit { bytes: limit.bytes, source })
    }
}

/// From which limit on those of one input are the memory of the host. `series`: those that have a limit; `is_table`:
/// whether the input prints a limit beside each reading, as `docker stats` does.
fn of_one(
    series: &[&SeriesInfo],
    host_memory: Option<f64>,
    is_table: bool,
    given: &GivenLimits<'_>,
    path: &str,
    notes: &mut Vec<Note>,
) -> Option<f64> {
    let limit = |info: &SeriesInfo| info.limit.map_or(0.0, |limit| limit.bytes);
    let largest = series.iter().map(|info| limit(info)).max_by(f64::total_cmp)?;
    // What is printed may be rounded down.
    let host = host_memory.map(|bytes| bytes - printed_to(bytes) / 2.0);
    let n_shared = series.iter().filter(|info| limit(info) == largest).count();
    let is_uneven = is_table && 1 < n_shared && !is_round(largest);
    let n_without = |least: f64| series.iter().filter(|info| least <= limit(info) && given.of(info).is_none()).count();
    let note =
        |n, is_given| Note::HostLimit { path: path.to_owned(), bytes: largest, n, n_series: series.len(), is_given };
    match host {
        Some(host) => {
            let n = n_without(host);
            if 0 < n {
                notes.push(note(n, true));
            }
            Some(host)
        }
        // Nobody sets an uneven limit twice.
        None if is_uneven => {
            if 0 < n_without(largest) {
                notes.push(note(n_shared, false));
            }
            Some(largest)
        }
        None => None,
    }
}

/// Whether somebody could have set this limit: `100MiB`, `1.5GiB`, `768MiB`, 500 MB. The memory of a machine is uneven.
fn is_round(bytes: f64) -> bool {
    let finely = printed_to(bytes);
    let is_multiple_of = |step: f64| (bytes - (bytes / step).round() * step).abs() <= finely / 2.0;
    let first_digit = |unit: f64| unit * 10f64.powf((bytes / unit).log10().floor());
    let is_whole_mib = finely < MIB && is_multiple_of(MIB);
    let is_binary = is_multiple_of(2f64.powf(bytes.log2().floor() - 5.0));
    let is_two_digits = [MIB, GIB].into_iter().any(|unit| is_multiple_of(first_digit(unit) / 10.0));
    let is_decimal = is_multiple_of(first_digit(1.0) / 2.0);
    bytes < MIB || is_whole_mib || is_binary || is_two_digits || is_decimal
}

/// How finely four digits say an amount, in bytes: `7.653GiB` to 0.001 GiB.
fn printed_to(bytes: f64) -> f64 {
    let unit = KIB.powf((bytes.ln() / KIB.ln()).floor());
    unit * 10f64.powf((bytes / unit).log10().floor() - 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::WrittenAmount;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let amount: WrittenAmount = text.parse().unwrap();
        assert_eq!(is_round(amount.bytes), expected, "{text}");
    }

    #[test]
    fn limits_that_somebody_sets_are_round() {
        for text in [
            "64MiB", "100MiB", "192MiB", "256MiB", "300MiB", "320MiB", "350MiB", "512MiB", "640MiB", "667MiB",
            "768MiB", "1000MiB", "1GiB", "1.125GiB", "1.25GiB", "1.465GiB", "1.5GiB", "2GiB", "2.5GiB", "3GiB", "4GiB",
            "6GiB", "12GiB", "15GiB", "20GiB", "24GiB", "48GiB", "100GiB", "128GiB",
            // 500 MB, 1 GB, 2 GB, 700 MB as docker prints them, and 1 GiB as podman does.
            "476.8MiB", "953.7MiB", "1.863GiB", "667.6MiB", "1.074GB", "536.9MB", "2.147GB", "500MB", "512kB",
        ] {
            check(text, true);
        }
    }

    /// As printed on real machines.
    #[test]
    fn the_memory_of_a_machine_is_not() {
        for text in [
            "5.807GiB", "7.759GiB", "1.952GiB", "7.088GiB", "62.78GiB", "6.698GiB", "15.65GiB", "7.637GiB", "7.775GiB",
            "30.59GiB", "2.676GiB", "15.58GiB", "15.57GiB", "982.5MiB", "1.947GiB", "1.944GiB", "7.653GiB", "31.27GiB",
            "16.68GB", "125.6GiB", "251.4GiB",
        ] {
            check(text, false);
        }
    }
}
