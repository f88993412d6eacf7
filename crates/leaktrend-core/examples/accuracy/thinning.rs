//! Whether a verdict stays what it is when only every third reading was taken: fewer readings say less, never else.

use leaktrend_core::verdict::Verdict;
use rayon::prelude::*;

use crate::corpora::Place;
use crate::verdicts::measure;

/// Of so many readings one is kept.
const THINNING: usize = 3;

/// What thinning did to verdicts, in series.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changes {
    pub(crate) series: usize,
    /// Left open, or only suspected, with all readings, and decided with fewer.
    pub(crate) surer: usize,
    /// Decided with all readings, and left open or only suspected with fewer.
    pub(crate) less_sure: usize,
    /// Passed with all readings and failed with fewer, or the other way round.
    pub(crate) turned: usize,
}

impl Changes {
    fn with(self, other: Changes) -> Changes {
        Changes {
            series: self.series + other.series,
            surer: self.surer + other.surer,
            less_sure: self.less_sure + other.less_sure,
            turned: self.turned + other.turned,
        }
    }
}

/// What thinning does to the verdicts on these series.
pub(crate) fn changes(places: Vec<Place>, seed: u64) -> Changes {
    places.into_par_iter().map(|place| change(place, seed)).reduce(Changes::default, Changes::with)
}

fn change(place: Place, seed: u64) -> Changes {
    let series = place.make(seed, 1);
    let verdict = |every: usize| measure(&series.observed((0..series.len()).step_by(every))).judge(None).verdict;
    let (all, fewer) = (verdict(1), verdict(THINNING));
    let open = |verdict: Verdict| matches!(verdict, Verdict::Inconclusive | Verdict::LeakSuspected);
    let turns = |from: Verdict, to: Verdict| from.proves_no_leak() && to.is_leak();
    Changes {
        series: 1,
        surer: usize::from(open(all) && !open(fewer)),
        less_sure: usize::from(!open(all) && open(fewer)),
        turned: usize::from(turns(all, fewer) || turns(fewer, all)),
    }
}
