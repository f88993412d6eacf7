//! What the fuzz targets share: files in memory, and what must hold of every input whatever its bytes are.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use leaktrend::account::{Format, Input};
use leaktrend::decode::{GivenColumns, Options, SamplesOption};
use leaktrend::open::Source;
use leaktrend::resolve::Readings;

/// 2026-11-23T20:07:00Z, in milliseconds: readings without a time must not depend on the clock.
pub const END_MS: i64 = 1_795_464_420_000;

thread_local! {
    static FILES: RefCell<Vec<File>> = const { RefCell::new(Vec::new()) };
}

/// Starts no thread: an input of some bytes is read sooner than another thread is woken.
///
/// # Panics
///
/// When called twice.
pub fn on_this_thread() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("nothing has used the threads yet");
}

/// The same, for readers of tables: a panic of a decoder that they turn into a message is no finding.
///
/// # Panics
///
/// As `on_this_thread`.
pub fn on_this_thread_past_damage() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !leaktrend::decode::is_guarded() {
            abort(panic);
        }
    }));
    on_this_thread();
}

/// Puts each content into a file of its own, in memory and without a name, and gives their paths.
///
/// The files are those of the call before, written anew.
///
/// # Panics
///
/// When memory is full.
pub fn files(contents: &[&[u8]]) -> Vec<PathBuf> {
    FILES.with_borrow_mut(|files| {
        while files.len() < contents.len() {
            files.push(tempfile::tempfile_in("/dev/shm").expect("there is memory for a file"));
        }
        let fill = |(file, content): (&File, &&[u8])| -> io::Result<PathBuf> {
            file.set_len(0)?;
            file.write_all_at(content, 0)?;
            Ok(PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())))
        };
        files.iter().zip(contents).map(fill).collect::<io::Result<_>>().expect("memory is not full")
    })
}

/// How the targets read.
pub fn options(format: Option<Format>) -> Options {
    Options {
        format,
        interval: None,
        end_ms: Some(END_MS),
        samples: SamplesOption::Auto,
        unit: None,
        columns: GivenColumns::default(),
    }
}

/// Reads `data` as a file, twice, and checks what must hold.
///
/// # Panics
///
/// When the account of lines does not add up, or when the second reading differs from the first.
pub fn readings(data: &[u8], format: Option<Format>) {
    let path = files(&[data]).remove(0);
    let read = || leaktrend::read::readings(&[Source::File(path.clone())], &options(format));
    let readings = read();
    check_account(&readings.inputs[0], data);
    check_samples(&readings);
    assert_eq!(written(&readings), written(&read()), "the same bytes are read differently");
}

/// Values that are not numbers are not equal to themselves, their text is.
fn written(readings: &Readings) -> String {
    format!("{readings:?}")
}

/// Checks that every line of an input is in its account once.
///
/// # Panics
///
/// When one is missing or counted twice.
pub fn check_account(input: &Input, data: &[u8]) {
    assert!(input.rejected.len() as u64 <= input.rejected_count);
    if input.unusable.is_some() {
        assert_eq!((input.samples, input.series), (0, 0), "{input:?}");
        return;
    }
    let (Some(lines), None) = (input.lines, input.events) else { return };
    let accounted = input.samples + input.gaps + input.other_lines + input.rejected_count;
    assert_eq!(accounted, lines + input.further, "{input:?}");
    // Compressed text and UTF-16 have other bytes than the lines that are read.
    let beginnings: [&[u8]; 7] = [
        &[0x1f, 0x8b],
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0xff, 0xfe],
        &[0xfe, 0xff],
        // Tables consist of rows.
        b"PAR1",
        b"ARROW1",
        &[0xff; 4],
    ];
    if !beginnings.iter().any(|beginning| data.starts_with(beginning)) {
        assert_eq!(lines, count_lines(data), "{input:?}");
    }
}

/// Lines of a text; the last may have no ending.
pub fn count_lines(data: &[u8]) -> u64 {
    let n_endings = data.iter().filter(|byte| **byte == b'\n').count() as u64;
    n_endings + u64::from(data.last().is_some_and(|byte| *byte != b'\n'))
}

fn check_samples(readings: &Readings) {
    let mut ids: Vec<&str> = readings.series.iter().map(|series| series.info.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "two series have one id: {ids:?}");
    let n_samples: usize = readings.series.iter().map(|series| series.samples.len()).sum();
    let n_accounted: u64 = readings.inputs.iter().map(|input| input.samples).sum();
    assert_eq!(n_samples as u64, n_accounted, "{:?}", readings.inputs);
    for series in &readings.series {
        let samples = &series.samples;
        let all_there = [samples.used_bytes.len(), samples.resolution_bytes.len(), samples.marks.len()];
        assert_eq!(all_there, [samples.time_ms.len(); 3]);
        assert!(samples.used_bytes.iter().all(|bytes| 0.0 <= *bytes && bytes.is_finite()), "{series:?}");
    }
}
