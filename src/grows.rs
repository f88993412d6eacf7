//! What grows in a container: which of its amounts, and what that makes of its verdict.
//!
//! Takes the judgement of the head and of each part, each judged by itself; gives one answer. The head decides. A part
//! overrules it only where it proves what the head leaves open, or where it shows that growth of the head can be taken
//! back.

#[cfg(test)]
mod tests;

use crate::amounts::Amount;
use crate::verdict::{Grounds, Judgement, Verdict};

crate::named! {
    /// What grows.
    pub enum What {
        /// Nothing: the head is proven level, and no part is proven to grow.
        Nothing = "nothing",
        /// Nothing is proven.
        Open = "open",
        /// The head grows, but the other amounts do not show which kind of memory it is.
        Unknown = "unknown",
        /// Page cache, which the kernel takes back: no leak of the process.
        PageCache = "page-cache",
        /// Cache within the working set: shared memory, tmpfs or files in active use.
        SharedMemory = "shared-memory",
        /// Anonymous memory of the processes.
        Anonymous = "anonymous",
        /// Objects on the managed heap.
        Heap = "heap",
        /// Memory of the process outside that heap.
        OutsideHeap = "outside-heap",
        /// What the heap reserves and its objects do not use.
        HeapReserve = "heap-reserve",
        /// Memory of the kernel.
        Kernel = "kernel",
        /// What was moved to swap.
        Swap = "swap",
    }
}

impl What {
    /// What stands behind a finding in a table; `None` where a finding says enough.
    pub const fn finding(self) -> Option<&'static str> {
        match self {
            What::Nothing | What::Open | What::Unknown => None,
            What::PageCache => Some("page cache grows"),
            What::SharedMemory => Some("active cache grows"),
            What::Anonymous => Some("anonymous memory grows"),
            What::Heap => Some("the heap grows"),
            What::OutsideHeap => Some("memory outside the heap grows"),
            What::HeapReserve => Some("the heap's reserve grows"),
            What::Kernel => Some("kernel memory grows"),
            What::Swap => Some("swap grows"),
        }
    }
}

/// An amount that was judged by itself.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// What it counts.
    pub amount: Amount,
    /// Its verdict by itself.
    pub judgement: &'a Judgement,
    /// The growth of it that would matter, in bytes per second; NaN where nothing was measured.
    pub matters: f64,
}

/// The answer for a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// What grows.
    pub what: What,
    /// The verdict of the container.
    pub verdict: Verdict,
    /// The part whose growth that verdict rests on, as an index; `None` where it rests on the head's own.
    pub by_part: Option<usize>,
    /// What shows that.
    pub evidence: Evidence,
}

/// What shows what grows; parts by their index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// Nothing grows fast enough to matter.
    Nothing,
    /// Nothing is proven to grow.
    NothingProven,
    /// A part grows.
    Part(usize),
    /// A part grows while the head is level.
    BesideLevel(usize),
    /// Cache grows with a head that counts all of it.
    CountedCache(usize),
    /// Cache grows with the head, and memory of the processes, another part, does not.
    ActiveCache(usize, usize),
    /// Page cache grows while the head is level.
    CacheBesideLevel(usize),
    /// All usage grows, and the head by less than half of that.
    MostlyCache(usize),
    /// Memory of the kernel grows with the head.
    Kernel(usize),
    /// Memory of the processes grows: a part, or the head.
    Processes(Option<usize>),
    /// Swap grows while the head is level.
    Swap(usize),
    /// The heap grows.
    Heap(usize),
    /// The heap grows, soon after a start.
    HeapSoon(usize),
    /// The heap grows while the head is level; whether that is proven.
    HeapBesideLevel(usize, bool),
    /// The head grows, and perhaps its heap.
    PerhapsHeap,
    /// The head grows, and no part shows which kind of memory that is.
    NoKind,
    /// A part outside the heap grows with the head.
    Outside(usize),
    /// The head grows, and this heap hardly does.
    NotHeap(usize),
    /// The head grows, and neither this heap does nor what is outside it.
    ReserveByExclusion(usize),
    /// What the heap reserves grows, and what it uses, another part, by less than half of that.
    Reserve(usize, usize),
    /// This, and it is not known whether the head grows.
    HeadOpen(Box<Evidence>),
}

/// A part that carries growth has at least this share of the head's: whatever is left is less than it.
const CARRIES: f64 = 0.5;

/// Growth that is only suspected is named where it is surely this many times what matters. On 600 simulated containers of
/// a seed that `reports/parts.md` is not made of, a day's rhythm that was taken for growth stayed below that, and growth
/// that was made did not.
const CLEARLY: f64 = 3.0;

/// For so many times the time in which memory settles after a start, a start-up can look like a leak: as where a series is
/// judged by itself.
const START_UPS: f64 = 3.0;

/// Weighs the parts of a container with its head. `outside`: what the process holds beside its heap, where that was judged
/// by itself.
pub fn weigh(head: Judged<'_>, parts: &[Judged<'_>], outside: Option<&Judgement>) -> Weighed {
    let case = Case { head, parts, outside };
    if head.judgement.verdict.is_leak() {
        return case.growing();
    }
    if head.judgement.verdict.proves_no_leak() {
        return case.level();
    }
    match case.mostly_page_cache() {
        Some(cache) => cache,
        None if head.grows_clearly() && !case.may_be_start_up() => case.growing(),
        None => case.open(),
    }
}

impl Judged<'_> {
    /// Whether it is proven to grow, or suspected to by far more than matters.
    fn grows_clearly(&self) -> bool {
        let lower = self.judgement.growth.map_or(f64::NAN, |growth| growth.lower);
        let verdict = self.judgement.verdict;
        verdict.is_leak() || verdict == Verdict::LeakSuspected && CLEARLY * self.matters <= lower
    }
}

/// Whether a part has the growth of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// It grows by most of it.
    Most,
    /// It grows by less than half of it, if at all.
    Little,
    /// That is not settled.
    Open,
}

/// How much of the growth of a whole a part has.
fn share_of(whole: &Judgement, part: &Judgement) -> Share {
    let rate = whole.growth.map_or(f64::NAN, |growth| growth.bytes_per_second);
    let Some(growth) = part.growth.filter(|_| rate > 0.0) else { return Share::Open };
    if growth.lower > 0.0 && CARRIES * rate <= growth.bytes_per_second {
        Share::Most
    } else if growth.upper < CARRIES * rate {
        Share::Little
    } else {
        Share::Open
    }
}

/// An answer that leaves the growth that the verdict rests on to the head.
fn answer(what: What, verdict: Verdict, evidence: Evidence) -> Weighed {
    Weighed { what, verdict, by_part: None, evidence }
}

/// An answer that rests on the growth of a part.
fn by_part(what: What, at: usize, verdict: Verdict, evidence: Evidence) -> Weighed {
    Weighed { what, verdict, by_part: Some(at), evidence }
}

struct Case<'a> {
    head: Judged<'a>,
    parts: &'a [Judged<'a>],
    outside: Option<&'a Judgement>,
}

impl Case<'_> {
    /// The first part that counts an amount.
    fn part(&self, amount: Amount) -> Option<usize> {
        self.parts.iter().position(|part| part.amount == amount)
    }

    /// The first of several amounts that is proven to grow.
    fn leaking(&self, amounts: &[Amount]) -> Option<usize> {
        let leaks = |at: &usize| self.parts[*at].judgement.verdict.is_leak();
        amounts.iter().filter_map(|amount| self.part(*amount)).find(leaks)
    }

    fn is_proven_level(&self, amount: Amount) -> bool {
        self.part(amount).is_some_and(|at| self.parts[at].judgement.verdict.proves_no_leak())
    }

    fn share(&self, at: usize) -> Share {
        share_of(self.head.judgement, self.parts[at].judgement)
    }

    /// The part of an amount that has most of the growth.
    fn carrying(&self, amount: Amount) -> Option<usize> {
        self.part(amount).filter(|at| self.share(*at) == Share::Most)
    }

    fn has_little(&self, amount: Amount) -> bool {
        self.part(amount).is_some_and(|at| self.share(at) == Share::Little)
    }

    /// The head grows: which part does so with it?
    fn growing(&self) -> Weighed {
        let head = self.head;
        let verdict = head.judgement.verdict;
        let counts_cache = matches!(head.amount, Amount::WorkingSet | Amount::Usage);
        if let Some(cache) = self.carrying(Amount::Cache).filter(|_| counts_cache) {
            if head.amount == Amount::Usage {
                return answer(What::PageCache, Verdict::LeakSuspected, Evidence::CountedCache(cache));
            }
            if let Some((anonymous, evidence)) = self.cache_instead_of_processes(cache) {
                // Where the processes are proven to leak as well, that stands.
                let leaks = self.leaking(&[anonymous]).is_some();
                let verdict = if leaks { verdict } else { Verdict::LeakSuspected };
                return answer(What::SharedMemory, verdict, evidence);
            }
        }
        if let Some(found) = self.heap_of_growth() {
            return found;
        }
        if let Some(kernel) = self.carrying(Amount::Kernel) {
            return answer(What::Kernel, verdict, Evidence::Kernel(kernel));
        }
        let is_anonymous = matches!(head.amount, Amount::Rss | Amount::ProcessRss);
        let anonymous = self.carrying(Amount::Rss).or_else(|| self.carrying(Amount::ProcessRss));
        match anonymous {
            _ if self.part(Amount::HeapUsed).is_some() => answer(What::Unknown, verdict, Evidence::PerhapsHeap),
            None if !is_anonymous => answer(What::Unknown, verdict, Evidence::NoKind),
            at => answer(What::Anonymous, verdict, Evidence::Processes(at)),
        }
    }

    /// That cache grows with the head where memory of the processes does not, and which amount says so; `None` where that
    /// grows as well, or is not there.
    fn cache_instead_of_processes(&self, cache: usize) -> Option<(Amount, Evidence)> {
        let has_less = |at: &usize| self.share(*at) != Share::Most;
        let less = |amount: Amount| Some((amount, self.part(amount).filter(has_less)?));
        let (anonymous, at) = [Amount::Rss, Amount::ProcessRss].into_iter().find_map(less)?;
        Some((anonymous, Evidence::ActiveCache(cache, at)))
    }

    /// What the container gained and its working set did not, where that is most and the working set is not proven to grow.
    fn mostly_page_cache(&self) -> Option<Weighed> {
        let at = self.part(Amount::Usage).filter(|_| self.head.amount == Amount::WorkingSet)?;
        let usage = self.parts[at];
        let (all, own) = (usage.judgement.growth?, self.head.judgement.growth?);
        let is_most = usage.grows_clearly() && own.upper < CARRIES * all.bytes_per_second;
        is_most.then(|| answer(What::PageCache, self.head.judgement.verdict, Evidence::MostlyCache(at)))
    }

    /// Where the amounts of a runtime tell it: whether the heap grows, its reserve, or what is outside it.
    fn heap_of_growth(&self) -> Option<Weighed> {
        let (head, verdict) = (self.head, self.head.judgement.verdict);
        let proven = self.leaking(&[Amount::HeapUsed]);
        if let Some(heap) = self.carrying(Amount::HeapUsed).or(proven.filter(|_| verdict == Verdict::LeakSuspected)) {
            return Some(match proven {
                Some(_) if verdict == Verdict::LeakSuspected => {
                    by_part(What::Heap, heap, self.parts[heap].judgement.verdict, Evidence::Heap(heap))
                }
                None if verdict.is_leak() && self.may_be_start_up() => {
                    answer(What::Heap, Verdict::LeakSuspected, Evidence::HeapSoon(heap))
                }
                _ => answer(What::Heap, verdict, Evidence::Heap(heap)),
            });
        }
        let outside = [Amount::Buffers, Amount::External, Amount::NonHeap];
        let carried = outside.into_iter().find_map(|amount| self.carrying(amount));
        if let Some(at) = carried {
            return Some(answer(What::OutsideHeap, verdict, Evidence::Outside(at)));
        }
        let outside = self.outside.map_or(Share::Open, |outside| share_of(head.judgement, outside));
        if outside != Share::Most && self.carrying(Amount::HeapTotal).is_some() {
            return self.reserve().map(|(_, found)| found);
        }
        if !self.has_little(Amount::HeapUsed) {
            return None;
        }
        let used = self.part(Amount::HeapUsed)?;
        // A reserve that may grow leaves open whether it is outside, unless that was judged by itself.
        let may_be_reserve = self.part(Amount::HeapTotal).is_some() && !self.has_little(Amount::HeapTotal);
        match outside {
            Share::Little if may_be_reserve => {
                Some(answer(What::HeapReserve, verdict, Evidence::ReserveByExclusion(used)))
            }
            Share::Open if may_be_reserve => None,
            _ => Some(answer(What::OutsideHeap, verdict, Evidence::NotHeap(used))),
        }
    }

    /// A heap that seems to grow beneath a head that is proven level: said, and no more.
    fn heap_beneath_level(&self) -> Option<(usize, Weighed)> {
        let heap = self.part(Amount::HeapUsed).filter(|at| self.parts[*at].grows_clearly())?;
        Some((heap, answer(What::Heap, self.head.judgement.verdict, Evidence::HeapBesideLevel(heap, false))))
    }

    /// Whether all that was read lies in the time in which a start-up can look like a leak: a heap that fills makes the
    /// process grow, and its objects, without their garbage, are the better witness.
    fn may_be_start_up(&self) -> bool {
        match &self.head.judgement.grounds {
            Grounds::Measured(evidence) => evidence.span_seconds < START_UPS * evidence.terms.settle_seconds,
            _ => false,
        }
    }

    /// The head is proven level: what grows beneath it?
    fn level(&self) -> Weighed {
        let verdict = self.head.judgement.verdict;
        if let Some(heap) = self.leaking(&[Amount::HeapUsed]) {
            return by_part(What::Heap, heap, Verdict::LeakSuspected, Evidence::HeapBesideLevel(heap, true));
        }
        if let Some(swap) = self.leaking(&[Amount::Swap]).filter(|at| !self.gave_to(*at)) {
            return by_part(What::Swap, swap, Verdict::LeakSuspected, Evidence::Swap(swap));
        }
        // Of what does not matter to the head, the most is named.
        let found = [self.cache_beside_level(), self.reserve(), self.heap_beneath_level()];
        let rate = |found: &(usize, Weighed)| self.rate_of(found.0);
        if let Some((_, found)) = found.into_iter().flatten().max_by(|a, b| rate(a).total_cmp(&rate(b))) {
            return found;
        }
        let others = [
            (Amount::Rss, What::Anonymous),
            (Amount::ProcessRss, What::Anonymous),
            (Amount::Kernel, What::Kernel),
            // What was resident before.
            (Amount::Swap, What::Swap),
            (Amount::Buffers, What::OutsideHeap),
            (Amount::External, What::OutsideHeap),
        ];
        let found = others.into_iter().find_map(|(amount, what)| Some((self.leaking(&[amount])?, what)));
        match found {
            Some((at, what)) => answer(what, verdict, Evidence::BesideLevel(at)),
            None => answer(What::Nothing, verdict, Evidence::Nothing),
        }
    }

    /// Whether the head may have lost most of what a part gained: pages that lie idle go to swap, and no more is held.
    fn gave_to(&self, at: usize) -> bool {
        let lowest = self.head.judgement.growth.map_or(f64::NEG_INFINITY, |growth| growth.lower);
        lowest <= -CARRIES * self.rate_of(at)
    }

    /// Page cache that grows beside a head that is proven level.
    fn cache_beside_level(&self) -> Option<(usize, Weighed)> {
        let head = self.head;
        let is_cgroup = matches!(head.amount, Amount::WorkingSet | Amount::Rss);
        let mut amounts = [Amount::Cache, Amount::Usage].into_iter().filter(|_| is_cgroup);
        let at = amounts.find_map(|amount| self.part(amount).filter(|at| self.parts[*at].grows_clearly()))?;
        Some((at, answer(What::PageCache, head.judgement.verdict, Evidence::CacheBesideLevel(at))))
    }

    /// The head is open: which part proves growth?
    fn open(&self) -> Weighed {
        let (head, verdict) = (self.head, self.head.judgement.verdict);
        if let Some(heap) = self.leaking(&[Amount::HeapUsed]) {
            return by_part(What::Heap, heap, self.parts[heap].judgement.verdict, Evidence::Heap(heap));
        }
        if let Some(at) = self.leaking(&[Amount::Rss, Amount::ProcessRss]) {
            let verdict = self.parts[at].judgement.verdict;
            return by_part(What::Anonymous, at, verdict, Evidence::Processes(Some(at)));
        }
        let head_open = |what: What, evidence: Evidence| answer(what, verdict, Evidence::HeadOpen(Box::new(evidence)));
        // Not settled of the whole, but known of its parts: what fills it is no memory of the processes.
        let cache = self.carrying(Amount::Cache).filter(|_| head.amount == Amount::WorkingSet);
        let is_less = |amount: Amount| self.is_proven_level(amount) || self.has_little(amount);
        if let Some((anonymous, evidence)) = cache.and_then(|cache| self.cache_instead_of_processes(cache))
            && is_less(anonymous)
        {
            return head_open(What::SharedMemory, evidence);
        }
        let usage_grows = || {
            self.part(Amount::Usage)
                .is_none_or(|at| self.parts[at].grows_clearly() || self.head.amount == Amount::Usage)
        };
        if let Some(at) = self.leaking(&[Amount::Cache]).filter(|_| usage_grows()) {
            return head_open(What::PageCache, Evidence::Part(at));
        }
        if let Some((_, Weighed { evidence, .. })) = self.reserve() {
            return head_open(What::HeapReserve, evidence);
        }
        let what = if verdict == Verdict::LeakSuspected { What::Unknown } else { What::Open };
        head_open(what, Evidence::NothingProven)
    }

    /// Growth of what the heap reserves that its objects have no part in.
    fn reserve(&self) -> Option<(usize, Weighed)> {
        let total = self.part(Amount::HeapTotal).filter(|at| self.parts[*at].grows_clearly())?;
        let used = self
            .part(Amount::HeapUsed)
            .filter(|at| share_of(self.parts[total].judgement, self.parts[*at].judgement) == Share::Little)?;
        let evidence = Evidence::Reserve(total, used);
        Some((total, answer(What::HeapReserve, self.head.judgement.verdict, evidence)))
    }

    fn rate_of(&self, at: usize) -> f64 {
        self.parts[at].judgement.growth.map_or(0.0, |growth| growth.bytes_per_second)
    }
}
