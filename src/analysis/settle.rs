//! From containers to their reports. Only growth that is certain of a series alone waits for all others to be measured:
//! among many it may be chance. All others are reported as they are measured, and keep nothing but their report.

use rayon::prelude::*;

use super::prepared::Prepared;
use super::together::{Container, Read};
use super::{Job, Origins};
use crate::counts::Counts;
use crate::report::SeriesReport;
use crate::stats::fdr;
use crate::window::Window;

/// What the reports of one run have in common.
pub(super) struct Run<'a> {
    pub(super) job: &'a Job,
    pub(super) window: &'a Window,
    pub(super) origins: &'a Origins<'a>,
    /// The last reading of all, in milliseconds.
    pub(super) last_ms: i64,
    pub(super) counts: Option<&'a Counts>,
}

/// The p-values, or the q-values, of a container: that of its head, and those of its parts.
type Tested = (Option<f64>, Vec<Option<f64>>);

/// How far a container is.
#[expect(clippy::large_enum_variant, reason = "most are reported, and none of these moves again before all are")]
enum Stage<'a> {
    Reported(SeriesReport),
    Waits(Box<Container<Prepared<'a>>>),
}

impl<'a> Run<'a> {
    /// The report of each container.
    pub(super) fn report(&self, containers: Vec<Container<Read>>) -> Vec<SeriesReport> {
        let measure = |container: Container<Read>| {
            let container = container.map(|read| Prepared::new(read, self.job, self.window, self.origins));
            let p_values: Tested = (container.head.p_value(), container.parts.iter().map(Prepared::p_value).collect());
            let stage = if container.members().any(Prepared::depends_on_others) {
                Stage::Waits(Box::new(container))
            } else {
                let n_parts = container.parts.len();
                Stage::Reported(self.container(container, (None, vec![None; n_parts])))
            };
            (p_values, stage)
        };
        let (p_values, stages): (Vec<Tested>, Vec<Stage<'a>>) = containers.into_par_iter().map(measure).unzip();
        let settle = |(stage, q_values)| match stage {
            Stage::Reported(mut report) => {
                set(&mut report, q_values);
                report
            }
            Stage::Waits(container) => self.container(*container, q_values),
        };
        stages.into_par_iter().zip(q_values(p_values)).map(settle).collect()
    }

    fn container(&self, container: Container<Prepared<'a>>, (of_head, of_parts): Tested) -> SeriesReport {
        let Container { id, head, parts } = container;
        let parts = parts.into_par_iter().zip(&of_parts);
        let parts = parts.map(|(part, q_value)| part.part(*q_value, self.window, self.counts)).collect();
        let mut report = head.report((of_head, self.last_ms), self.window, self.counts, id, parts);
        set(&mut report, (of_head, of_parts));
        report
    }
}

/// Sets the q-values of a report.
fn set(report: &mut SeriesReport, (of_head, of_parts): Tested) {
    report.q_value = of_head;
    if let Some(breakdown) = &mut report.breakdown {
        breakdown.parts.iter_mut().zip(of_parts).for_each(|(part, q_value)| part.q_value = q_value);
        if let Some(at) = breakdown.by_part {
            report.q_value = breakdown.parts[at].q_value;
        }
    }
}

/// The q-values of all that could be tested. Heads are tested among heads: what is known of parts makes no verdict
/// harder to come by.
fn q_values(p_values: Vec<Tested>) -> Vec<Tested> {
    let of = |p_values: Vec<Option<f64>>| {
        let tested: Vec<f64> = p_values.iter().flatten().copied().collect();
        let mut q_values = fdr::q_values(&tested).into_iter();
        p_values.into_iter().map(move |p_value| p_value.and_then(|_| q_values.next()))
    };
    let n_parts: Vec<usize> = p_values.iter().map(|(_, of_parts)| of_parts.len()).collect();
    let (of_heads, of_parts): (Vec<_>, Vec<_>) = p_values.into_iter().unzip();
    let mut of_parts = of(of_parts.into_iter().flatten().collect());
    let of_parts = n_parts.into_iter().map(|n| of_parts.by_ref().take(n).collect());
    of(of_heads).zip(of_parts).collect()
}
