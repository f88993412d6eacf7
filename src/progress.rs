//! How far a run is: a count of the bytes that were read, and the line that a terminal is shown of it.
//!
//! Who shows it says what the time is and where it is drawn; nothing here reads a clock.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::units::{duration_text, memory_text};

/// Work that takes no longer than this is shown no progress.
pub const SHOWN_AFTER: Duration = Duration::from_secs(2);

/// Counts what was read of the inputs, for who looks on from another thread.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    n_bytes: AtomicU64,
    all_read: AtomicBool,
    n_samples: AtomicU64,
    /// Requests that were answered, and those that are to be sent as far as known.
    n_answered: AtomicU64,
    n_requests: AtomicU64,
}

impl Meter {
    /// Bytes read so far, as they stand in the files: compressed ones are counted compressed.
    pub fn n_bytes(&self) -> u64 {
        self.0.n_bytes.load(Ordering::Relaxed)
    }

    /// Says that so many more requests will be sent to a server.
    pub fn fetching(&self, n_requests: u64) {
        self.0.n_requests.fetch_add(n_requests, Ordering::Relaxed);
    }

    /// Counts an answer of a server that held so many samples.
    pub fn fetched(&self, n_samples: u64) {
        self.0.n_samples.fetch_add(n_samples, Ordering::Relaxed);
        self.0.n_answered.fetch_add(1, Ordering::Relaxed);
    }

    /// What was read from servers so far: samples, answers, and requests that are to be sent as far as known.
    fn answers_of_servers(&self) -> (u64, u64, u64) {
        let [samples, answered, requests] = [&self.0.n_samples, &self.0.n_answered, &self.0.n_requests];
        (samples.load(Ordering::Relaxed), answered.load(Ordering::Relaxed), requests.load(Ordering::Relaxed))
    }

    /// Says that nothing more will be read.
    pub fn end(&self) {
        self.0.all_read.store(true, Ordering::Relaxed);
    }

    /// Counts bytes that were read.
    pub fn add(&self, n_bytes: u64) {
        self.0.n_bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    /// Whether nothing more will be read.
    pub fn is_at_end(&self) -> bool {
        self.0.all_read.load(Ordering::Relaxed)
    }

    /// A reader of which every byte is counted.
    pub fn counted<R: Read>(&self, reader: R) -> Counted<R> {
        Counted { reader, meter: self.clone() }
    }
}

/// A reader of which every byte is counted.
#[derive(Debug)]
pub struct Counted<R> {
    reader: R,
    meter: Meter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.meter.0.n_bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// A line on a terminal that says how far the work is, once it takes long.
#[derive(Debug)]
pub struct Bar {
    /// Until it is shown.
    target: Option<ProgressDrawTarget>,
    shown: Option<ProgressBar>,
    after: Duration,
    total: Option<u64>,
}

impl Bar {
    /// Draws to `target` after a time. `total`: bytes of all inputs; `None` where that cannot be known.
    pub fn new(target: ProgressDrawTarget, after: Duration, total: Option<u64>) -> Bar {
        Bar { target: Some(target), shown: None, after, total: total.filter(|total| *total > 0) }
    }

    /// Says what was read in the time since the work began.
    pub fn update(&mut self, elapsed: Duration, meter: &Meter) {
        if elapsed < self.after {
            return;
        }
        let bar = self.begun();
        let n_bytes = meter.n_bytes();
        bar.set_message(match self.total {
            _ if n_bytes == 0 && 0 < meter.answers_of_servers().2 => of_servers(elapsed, meter.answers_of_servers()),
            _ if meter.is_at_end() => format!("{} read, now judging", memory_text(n_bytes as f64)),
            Some(total) if n_bytes <= total => of_total(elapsed, n_bytes, total),
            _ => format!("{} read, {}", memory_text(n_bytes as f64), rate(elapsed, n_bytes)),
        });
        if self.total.is_some() {
            bar.set_position(n_bytes);
        }
        bar.tick();
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    fn begun(&mut self) -> ProgressBar {
        let (target, total) = (&mut self.target, self.total);
        let begin = || {
            let target = target.take().unwrap_or_else(ProgressDrawTarget::hidden);
            let template = if total.is_some() { "[{bar:30}] {msg}" } else { "{spinner} {msg}" };
            let style = ProgressStyle::with_template(template).expect("the template is well-formed");
            // Plain characters, for every terminal.
            let style = style.progress_chars("=> ").tick_chars(r"|/-\ ");
            ProgressBar::with_draw_target(total, target).with_style(style)
        };
        self.shown.get_or_insert_with(begin).clone()
    }
}

fn of_total(elapsed: Duration, n_bytes: u64, total: u64) -> String {
    let amounts = format!("{} of {}", memory_text(n_bytes as f64), memory_text(total as f64));
    if n_bytes == 0 {
        return amounts;
    }
    // As long as each byte took so far.
    let left = elapsed.as_secs_f64() * total.saturating_sub(n_bytes) as f64 / n_bytes as f64;
    format!("{amounts}, {}, {} left", rate(elapsed, n_bytes), duration_text(left.ceil()))
}

fn of_servers(elapsed: Duration, (n_samples, n_answered, n_requests): (u64, u64, u64)) -> String {
    let a_second = n_samples as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{:.1} million samples in {n_answered} of {} answers, {:.0} thousand/s",
        n_samples as f64 / 1e6,
        // One that was too large is asked in parts.
        n_requests.max(n_answered),
        a_second / 1e3
    )
}

fn rate(elapsed: Duration, n_bytes: u64) -> String {
    format!("{}/s", memory_text(n_bytes as f64 / elapsed.as_secs_f64().max(0.001)))
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    const MIB: usize = 1 << 20;

    /// What a terminal shows after so many bytes in so many seconds.
    fn shown(total: Option<u64>, seconds: f64, n_bytes: usize, at_end: bool) -> String {
        let terminal = InMemoryTerm::new(4, 100);
        let mut bar = Bar::new(ProgressDrawTarget::term_like(Box::new(terminal.clone())), SHOWN_AFTER, total);
        let meter = Meter::default();
        io::copy(&mut meter.counted(vec![0; n_bytes].as_slice()), &mut io::sink()).unwrap();
        if at_end {
            meter.end();
        }
        bar.update(Duration::from_secs_f64(seconds), &meter);
        let contents = terminal.contents();
        bar.clear();
        assert_eq!(terminal.contents(), "", "it is taken away");
        contents
    }

    #[test]
    fn short_work_is_shown_no_progress() {
        assert_eq!(shown(Some(40 << 20), 1.9, 10 * MIB, false), "");
        assert_eq!(shown(None, 1.9, 10 * MIB, true), "");
    }

    #[test]
    fn files_have_a_bar_with_rate_and_time_left() {
        insta::assert_snapshot!(shown(Some(40 << 20), 2.0, 10 * MIB, false), @"[=======>                      ] 10 MiB of 40 MiB, 5 MiB/s, 6 s left");
        insta::assert_snapshot!(shown(Some(40 << 20), 2.0, 0, false), @"[                              ] 0 B of 40 MiB");
        insta::assert_snapshot!(shown(Some(40 << 20), 9.0, 40 * MIB, true), @"[==============================] 40 MiB read, now judging");
        // A file that grew while it was read.
        insta::assert_snapshot!(shown(Some(5 << 20), 4.0, 10 * MIB, false), @"[==============================] 10 MiB read, 2.5 MiB/s");
    }

    #[test]
    fn servers_have_samples_and_answers() {
        let terminal = InMemoryTerm::new(4, 100);
        let mut bar = Bar::new(ProgressDrawTarget::term_like(Box::new(terminal.clone())), SHOWN_AFTER, None);
        let meter = Meter::default();
        meter.fetching(9);
        meter.fetched(1_200_000);
        meter.fetched(800_000);
        bar.update(Duration::from_secs(4), &meter);
        insta::assert_snapshot!(terminal.contents(), @"/ 2.0 million samples in 2 of 9 answers, 500 thousand/s");
    }

    #[test]
    fn pipes_have_a_count_and_a_rate() {
        insta::assert_snapshot!(shown(None, 4.0, 10 * MIB, false), @"/ 10 MiB read, 2.5 MiB/s");
        insta::assert_snapshot!(shown(None, 9.0, 40 * MIB, true), @"/ 40 MiB read, now judging");
    }
}
