//! What a reader must know about a run or a series, in words: the only place that has them.

use std::fmt::{self, Display, Formatter};

use super::time_of;
use crate::account::{Timeline, counted};
use crate::report::escape::printable;
use crate::report::note::{Note, OpenDrop, Overruled, SeriesNote};
use crate::units::{RateUnit, docker_text, memory_text, time_text};

impl Display for Note {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Note::NothingMatches(pattern, near) => {
                let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "the `[[series]]` table with `match = \"{pattern}\"` matches no series")?;
                if near.is_empty() { Ok(()) } else { write!(f, " (the nearest are {})", near.join(", ")) }
            }
            Note::NothingSelected(wanted, held) => {
                write!(f, "no series matches {wanted} (the inputs hold {})", held.join(", "))
            }
            Note::Window { judged_ms, samples_ms, timeline } => {
                let zone = if *timeline == Timeline::Absolute { "UTC, " } else { "" };
                write!(
                    f,
                    "the samples from {} were judged ({zone}both ends included); the data reaches from {} (`--since all` \
                     takes everything)",
                    from_to(*judged_ms, *timeline),
                    from_to(*samples_ms, *timeline)
                )
            }
            Note::Load(from_ms, to_ms, timeline) => write!(
                f,
                "the load from {} is reported, not judged: verdicts cover the readings after it, and growth during it does \
                 not fail growth-100mb-5m, confirmed-100mb-60s or rapid-50mb-per-min",
                from_to((*from_ms, *to_ms), *timeline)
            ),
            Note::NotInWindow(n, named) => {
                let [have, were] = if *n == 1 { ["series has", "was"] } else { ["series have", "were"] };
                let more = if *n > named.len() { ", ..." } else { "" };
                let named = named.join(", ");
                write!(f, "{n} {have} no sample in the window and {were} not judged: {named}{more}")
            }
            Note::HostLimit { path, bytes, n, n_series, is_given: true } => write!(
                f,
                "`{path}`: the limit in {n} of {n_series} series is {}, the memory of the host, and is not used \
                 (`--host-memory`)",
                docker_text(*bytes)
            ),
            Note::HostLimit { path, bytes, n, n_series, is_given: false } => {
                let whose = if n == n_series { format!("all {n}") } else { format!("{n} of {n_series}") };
                let text = docker_text(*bytes);
                write!(
                    f,
                    "`{path}`: {whose} series show a limit of {text}, which looks like the memory of the host and is not \
                     used (`--host-memory {text}` confirms that, `--limit {text}` makes it the limit of each)"
                )
            }
            Note::NoPods => f.write_str(
                "`--by workload`: no series has the labels `pod` and `container`, so each is judged by itself (expected an \
                 export from Kubernetes)",
            ),
            Note::ByWorkload { n_ended, n_pods, n_workloads } => write!(
                f,
                "judged by workload, because {n_ended} of {n_pods} pods ended before the last reading: {} of {} \
                 (`--by container` judges each pod by itself)",
                counted(*n_pods as u64, "pod"),
                counted(*n_workloads as u64, "workload")
            ),
            Note::NothingCounted => f.write_str(
                "requests and changes were not read: the memory readings have no timestamps to compare with (give the time \
                 of the last one with `--end`)",
            ),
            Note::GrewUntil(id, bytes_per_second, Overruled { shorter, longer }) => write!(
                f,
                "`{}` grew {} within the last {longer}; the verdict uses the last {shorter}, which proves that this \
                 growth has ended",
                printable(id),
                RateUnit::Day.text(*bytes_per_second)
            ),
        }
    }
}

impl Display for SeriesNote {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SeriesNote::JudgedBy(Overruled { shorter, longer }) => {
                write!(f, "judged by the last {shorter}, which proves more than the last {longer}")
            }
            SeriesNote::LeaksIn { longer } => {
                write!(f, "the last {longer} shows that it leaks, and decides: read the report of that window")
            }
            SeriesNote::OpenDrops(drops) => {
                let one = |drop: &OpenDrop| {
                    let [before, after] = [drop.before_bytes, drop.after_bytes].map(memory_text);
                    format!("{} from {before} to {after}", drop.at)
                };
                let drops: Vec<String> = drops.iter().map(one).collect();
                let what = if drops.len() == 1 { "this drop" } else { "these drops, the largest" };
                write!(f, "it depends on {what}: {}", drops.join(", "))
            }
            SeriesNote::ShownLimit(bytes) => write!(
                f,
                "the limit that its readings show, {}, looks like the memory of the host and is not used",
                memory_text(*bytes)
            ),
            SeriesNote::CountsCache => f.write_str(
                "container_memory_usage_bytes counts all page cache and may grow without a leak; compare it with \
                 the working set (container_memory_working_set_bytes)",
            ),
            SeriesNote::RangeQuery => f.write_str(
                "its points come from a range query with a fixed step, and each may be as old as Prometheus's \
                 lookback: short gaps and restarts may be hidden",
            ),
            SeriesNote::AfterLoad => f.write_str("only the readings after the load are judged"),
            SeriesNote::ReplayedOn { amount, highest_bytes, limit_bytes, alert_share } => {
                write!(
                    f,
                    "growth-100mb-5m and high-memory were replayed on `{amount}`. The runbook's rules use \
                     `container_memory_usage_bytes`, which also counts page cache: it was up to {}",
                    memory_text(*highest_bytes)
                )?;
                let Some(limit) = limit_bytes else { return Ok(()) };
                let [share, alert] = [highest_bytes / limit, *alert_share].map(|share| 100.0 * share);
                if share <= alert {
                    return write!(f, " ({share:.0} % of its limit)");
                }
                write!(
                    f,
                    " ({share:.0} % of its limit: the runbook's high-memory, which alerts above {alert:.0} %, may fire for \
                     cache that the kernel takes back when it is needed)"
                )
            }
            SeriesNote::Ended(ending) => {
                let at = ending.down_for_good_ms().and_then(time_text).unwrap_or_default();
                let further = if ending.is_for_good() { "; it was not started again" } else { "" };
                write!(f, "{}: it exited at {at}, after its last reading: {ending}{further}", ending.teller.name())
            }
            SeriesNote::FewSamples => {
                f.write_str("it has few samples: it can fail the run, but not make the run inconclusive")
            }
            SeriesNote::EndedEarly => {
                f.write_str("it ended early: it can fail the run, but not make the run inconclusive")
            }
            SeriesNote::Workload { n_pods, n_versions, n_running } => {
                let versions = match n_versions {
                    0 => String::new(),
                    n => format!(" of {}", counted(*n as u64, "version")),
                };
                write!(
                    f,
                    "this is a workload: {}{versions}, {n_running} running at the last reading; the memory shown is that of \
                     a typical pod",
                    counted(*n_pods as u64, "pod")
                )
            }
            SeriesNote::Differs { pod, faster: (rate, lower, upper), last_ms } => {
                let faster = RateUnit::Hour.interval_text(*rate, *lower, *upper);
                write!(f, "pod {pod} differs from its siblings: it grows {faster} faster")?;
                last_ms.and_then(time_text).map_or(Ok(()), |at| write!(f, " (last seen {at})"))
            }
        }
    }
}

/// Two times: `A to B`.
fn from_to((from_ms, to_ms): (i64, i64), timeline: Timeline) -> String {
    format!("{} to {}", time_of(timeline, from_ms), time_of(timeline, to_ms))
}
