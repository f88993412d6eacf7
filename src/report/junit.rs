//! A report as JUnit XML: a suite for each series, in it a case for the verdict and one for each criterion that
//! gates, so that a CI server shows which of them failed and since when.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::escape::printable;
use super::{Report, SeriesReport, causes, parts};
use crate::criteria::{Criterion, Status};
use crate::policy::{self, Outcome};
use crate::settings::{InconclusiveExit, PolicySettings, WarnExit};
use crate::verdict::Verdict;

/// The report as JUnit XML, with a line feed at its end.
///
/// What the policy fails is a failure. What could not be decided is skipped, with its reason, unless the policy fails
/// that too; an input that could not be used is an error. Without a time: nothing here took any.
pub fn render(report: &Report) -> String {
    let mut junit = Junit::new("leaktrend");
    let mut inputs = TestSuite::new("inputs");
    for input in &report.inputs {
        let complaint = match (&input.unusable, report.settings.policy.strict) {
            (Some(why), _) => Some(why.to_string()),
            (None, true) if input.rejected_count > 0 => Some(format!("rejected lines: {}", input.rejected_count)),
            (None, true) if input.incomplete => Some("it is marked as incomplete".to_owned()),
            _ => None,
        };
        let status = complaint.map_or_else(TestCaseStatus::success, |why| not_ok(NonSuccessKind::Error, "input", &why));
        let mut case = TestCase::new(printable(&input.path), status);
        case.set_classname("inputs");
        inputs.add_test_case(case);
    }
    junit.add_test_suite(inputs);
    for series in &report.series {
        junit.add_test_suite(suite(report, series));
    }
    let mut text = junit.to_string().expect("a report in memory can be written");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn suite(report: &Report, series: &SeriesReport) -> TestSuite {
    let policy = &report.settings.policy;
    let id = printable(series.id());
    let mut suite = TestSuite::new(id.clone());
    let gating = series.criteria.iter().filter(|criterion| criterion.gates);
    let cases = std::iter::once(("verdict".to_owned(), of_verdict(report, series)))
        .chain(gating.map(|criterion| (printable(&criterion.id), of_criterion(series, criterion, policy))));
    for (name, (status, remark)) in cases {
        let mut case = TestCase::new(name, status);
        case.set_classname(id.clone());
        if let Some(remark) = remark {
            case.set_system_out(printable(&remark));
        }
        suite.add_test_case(case);
    }
    suite
}

/// A status, and what a passed case has to say all the same.
type Case = (TestCaseStatus, Option<String>);

fn of_verdict(report: &Report, series: &SeriesReport) -> Case {
    let policy = &report.settings.policy;
    let verdict = series.verdict();
    let cause = causes::line(report, series).map_or(String::new(), |cause| format!("; cause: {cause}"));
    let reason = format!("{}: {}{cause}", verdict.name(), parts::reason(series));
    match policy::of_verdict(verdict) {
        Outcome::Fail | Outcome::Error => failed(verdict.name(), &reason),
        Outcome::Inconclusive => undecided(series, policy, Verdict::Inconclusive.name(), &reason),
        Outcome::Warn if policy.warn == WarnExit::Fail => failed(verdict.name(), &reason),
        Outcome::Warn => (TestCaseStatus::success(), Some(format!("warning: {reason}"))),
        Outcome::Pass => (TestCaseStatus::success(), Some(reason)),
    }
}

fn of_criterion(series: &SeriesReport, criterion: &Criterion, policy: &PolicySettings) -> Case {
    let reason = &criterion.reason.to_string();
    match criterion.status {
        Status::Pass => (TestCaseStatus::success(), Some(reason.to_owned())),
        Status::Fail if series.contradicted.contains(&criterion.id) && policy.warn == WarnExit::Pass => {
            let verdict = series.verdict().name();
            let remark = format!("warning: {reason}; under the verdict {verdict} this is a false alarm");
            (TestCaseStatus::success(), Some(remark))
        }
        Status::Fail => failed(&criterion.id, reason),
        Status::NotEvaluable if series.undecided.contains(&criterion.id) => {
            undecided(series, policy, "not-evaluable", reason)
        }
        Status::NotEvaluable => skipped("not-evaluable", reason),
        Status::NotApplicable => skipped("not-applicable", reason),
    }
}

/// What had to be decided and could not.
fn undecided(series: &SeriesReport, policy: &PolicySettings, kind: &str, reason: &str) -> Case {
    if policy.inconclusive == InconclusiveExit::Fail && series.counts {
        failed(kind, reason)
    } else {
        skipped(kind, reason)
    }
}

fn failed(kind: &str, reason: &str) -> Case {
    (not_ok(NonSuccessKind::Failure, kind, reason), None)
}

/// The reason stands in the message and in the text: servers show one or the other.
fn not_ok(status: NonSuccessKind, kind: &str, reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(status);
    status.set_type(kind).set_message(printable(reason)).set_description(printable(reason));
    status
}

fn skipped(kind: &str, reason: &str) -> Case {
    let mut status = TestCaseStatus::skipped();
    status.set_type(kind).set_message(printable(reason));
    (status, None)
}
