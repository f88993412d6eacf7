//! Forty nights on a simulated machine: rotation of every kind, a deploy that mends a leak, a rename, a container that
//! goes, a log that stops. What the job promises of them holds.

#[expect(dead_code, reason = "the example prints more of it")]
#[path = "../../../examples/nightly/simulation/mod.rs"]
mod simulation;

use simulation::machine::Form;
use simulation::promises;

/// One history of rows without a time; `.ci/run` holds more of them, and of every form, against the same promises.
#[test]
fn the_promises_hold_for_forty_nights() {
    let folder = tempfile::tempdir().unwrap();
    let history = simulation::simulate(folder.path(), Form::Untimed, 7);
    let figures = promises::hold(&history);
    assert_eq!(figures.failures(), Vec::<String>::new());
    // It was put to the test at all.
    assert_eq!((figures.leaks, figures.quiet_failed, figures.healthy_failed), (3, 0, 0));
    assert!(figures.readings > 20_000 && figures.late_nights > 80 && figures.quiet_nights > 20);
}
