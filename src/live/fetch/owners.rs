//! Reads the owners of the pods whose memory was read, from the metrics of kube-state-metrics.

use std::collections::BTreeSet;

use super::{Grid, Mode, Piece, Reading, add_to};
use crate::live::answer::Held;
use crate::live::beside::{Form, Owned};
use crate::live::failure::Failure;
use crate::live::plan::LONGEST;
use crate::live::spool::Spool;

/// The most names in one request. Prometheus looks up to 256 names up in its index; it compares more with every pod it knows.
const MOST_NAMES: usize = 250;

impl Reading<'_> {
    /// Reads the owners of pods, one value a day, and the owners of those. `pods`: as `Owned::of` gives them. If that fails,
    /// the report says so: workloads are then named after their pods.
    pub(super) fn owners(
        &self,
        pods: BTreeSet<(Owned, String)>,
        mode: Mode,
        span: (i64, i64),
        spool: &mut Spool,
        held: &mut Held,
        notes: &mut Vec<String>,
    ) {
        held.owned = pods;
        for owned in Owned::ALL {
            if let Err(failure) = self.owners_of(owned, mode, span, spool, held) {
                notes.push(format!(
                    "owners (`{}`) could not be read, so workloads are named after their pods: {}",
                    owned.metric(),
                    failure.text()
                ));
                return;
            }
        }
    }

    /// Reads the owners of what `held` names, and adds those to it.
    fn owners_of(
        &self,
        owned: Owned,
        mode: Mode,
        (start, end): (i64, i64),
        spool: &mut Spool,
        held: &mut Held,
    ) -> Result<(), Failure> {
        let n_days = (end - start + LONGEST - 1) / LONGEST;
        let step = (end - start + n_days - 1) / n_days;
        // Where range selectors are refused, what lived for less than a step may be missed.
        let (form, step) = if mode == Mode::Raw { (Form::OfKube, step) } else { (Form::Newest, step.min(3600)) };
        let names = held.owned.iter().filter(|(of, _)| *of == owned);
        let names: Vec<String> = names.map(|(_, name)| name.clone()).collect();
        for names in names.chunks(MOST_NAMES) {
            let selector = owned.selector(&self.wanted.selector, names);
            let piece = Piece { selector, form: form.clone(), after: start, until: end };
            let leaves = self.read(&piece, Mode::Steps(Grid { step, at: end }), None, 0)?;
            add_to(spool, held, leaves)?;
        }
        Ok(())
    }
}
