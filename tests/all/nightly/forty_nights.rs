//! Forty nights on a simulated machine: rotation of every kind, a deploy that mends a leak, a rename, a container that
//! goes, a log that stops. What the job promises of them holds.

#[expect(dead_code, reason = "the example prints more of it")]
#[path = "../../../examples/nightly/simulation/mod.rs"]
mod simulation;

use simulation::machine::Form;
use simulation::promises;

#[track_caller]
fn check(form: Form) {
    let folder = tempfile::tempdir().unwrap();
    let history = simulation::simulate(folder.path(), form, 1);
    let figures = promises::hold(&history);
    assert_eq!(figures.failures(), Vec::<String>::new());
    // It was put to the test at all.
    assert_eq!((figures.leaks, figures.quiet_failed, figures.healthy_failed), (3, 0, 0));
    assert!(figures.readings > 20_000 && figures.late_nights > 80 && figures.quiet_nights > 20);
}

#[test]
fn the_promises_hold_for_rows_without_a_time() {
    check(Form::Untimed);
}

#[test]
fn the_promises_hold_for_rows_behind_a_time() {
    check(Form::Stamped);
}

#[test]
fn the_promises_hold_for_lines_of_json() {
    check(Form::Json);
}
