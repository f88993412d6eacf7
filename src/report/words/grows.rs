//! What grows in a container, in words: the only place that has them.

use crate::grows::Evidence;
use crate::report::Breakdown;
use crate::verdict::{Growth, Judgement};

impl Breakdown {
    /// What grows, in one sentence with numbers, without a final period.
    pub fn sentence(&self) -> String {
        self.words(&self.evidence)
    }

    fn words(&self, evidence: &Evidence) -> String {
        let head = &self.name;
        let level = |at: usize| self.parts[at].judgement.verdict.proves_no_leak();
        let name = |at: usize| &self.parts[at].name;
        match *evidence {
            Evidence::Nothing => "nothing grows fast enough to matter".to_owned(),
            Evidence::NothingProven => "nothing is proven to grow".to_owned(),
            Evidence::Part(at) => self.grows(at),
            Evidence::BesideLevel(at) => format!("{} while `{head}` is level", self.grows(at)),
            Evidence::CountedCache(cache) => format!(
                "{} with `{head}`, which counts all page cache: the kernel takes page cache back when memory is short, so \
                 only the working set shows whether this is a leak (export `container_memory_working_set_bytes`)",
                self.grows(cache)
            ),
            Evidence::ActiveCache(cache, processes) => format!(
                "{} with `{head}` while {} {}: shared memory, a tmpfs or files in active use; a tmpfs (`/dev/shm`, an \
                 emptyDir in memory) counts as cache and cannot be taken back",
                self.grows(cache),
                self.parts[processes].amount.words(),
                if level(processes) { "is level" } else { "grows by less, if at all" }
            ),
            Evidence::CacheBesideLevel(cache) => format!(
                "{} while `{head}` is level: page cache, which the kernel takes back when memory is short, so this is not \
                 a leak",
                self.grows(cache)
            ),
            Evidence::MostlyCache(usage) => format!(
                "{} and `{head}` by less than half of that: most is page cache, which the kernel takes back when memory is \
                 short",
                self.grows(usage)
            ),
            Evidence::Kernel(at) => format!("{}: slabs, page tables or socket buffers", self.grows(at)),
            Evidence::Processes(at) => {
                let grows = at.map_or_else(|| self.head_grows(), |at| self.grows(at));
                format!("{grows}: memory of the processes themselves")
            }
            Evidence::Swap(at) => format!(
                "{} while `{head}` is level: memory of the processes that goes to swap as fast as it grows",
                self.grows(at)
            ),
            Evidence::Heap(at) => format!("{}: objects on the heap that stay alive", self.grows(at)),
            Evidence::HeapSoon(at) => {
                format!("{}, but this is not proven so soon after a start", self.words(&Evidence::Heap(at)))
            }
            Evidence::HeapBesideLevel(at, true) => format!(
                "{} into memory that was reserved before: objects on the heap stay alive, though `{head}` is level",
                self.grows(at)
            ),
            Evidence::HeapBesideLevel(at, false) => format!(
                "{} into memory that was reserved before, but this is not proven; `{head}` is level",
                self.grows(at)
            ),
            Evidence::PerhapsHeap => format!("{}; it is not known whether that is its heap", self.head_grows()),
            Evidence::NoKind => {
                format!("{}; its other amounts do not show which kind of memory that is", self.head_grows())
            }
            Evidence::Outside(at) => format!("{} outside the heap: {}", self.head_grows(), self.grows(at)),
            Evidence::NotHeap(used) => format!(
                "{} while `{}` {}: memory outside the heap, such as buffers, native code or fragmentation",
                self.head_grows(),
                name(used),
                if level(used) { "is level" } else { "hardly grows" }
            ),
            Evidence::ReserveByExclusion(used) => format!(
                "{} while `{}` and memory outside the heap do not: memory that the heap reserves but its objects do not \
                 use",
                self.head_grows(),
                name(used)
            ),
            Evidence::Reserve(total, used) => format!(
                "{} and `{}` by less than half of that, if at all: memory that the heap reserves but its objects do not \
                 use",
                self.grows(total),
                name(used)
            ),
            Evidence::HeadOpen(ref evidence) => {
                format!("{}; it is not known whether `{head}` grows", self.words(evidence))
            }
        }
    }

    fn grows(&self, at: usize) -> String {
        self.rate(&self.parts[at].name, &self.parts[at].judgement)
    }

    fn head_grows(&self) -> String {
        self.rate(&self.name, &self.alone)
    }

    /// That something grows, with its rate and the interval.
    fn rate(&self, name: &str, judgement: &Judgement) -> String {
        let growth = judgement.growth.map_or(String::new(), |growth| {
            let Growth { bytes_per_second, lower, upper, confidence, .. } = growth;
            let interval = self.rate_unit.interval_text(bytes_per_second, lower, upper);
            format!(" {}", interval.replace(')', &format!(" at {:.0} % confidence)", 100.0 * confidence)))
        });
        format!("`{name}` grows{growth}")
    }
}
