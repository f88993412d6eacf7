//! Reads the files of `--events`: what they are is seen from their beginning.

use std::io::Read;
use std::path::Path;

use super::docker::{self, OfFile};
use super::{Event, kubernetes, logs};
use crate::account::{ContentWarning, EventCounts, Input, OtherForm, Purpose, Unusable};
use crate::open::{self, Given, Lines, Source};
use crate::progress::Meter;

/// The attribute that names the series which the user says an event is of.
pub(super) const OF_SERIES: &str = "leaktrend.series";

/// All that was read from event files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventLog {
    /// One account per file, in the order of the command line.
    pub inputs: Vec<Input>,
    /// Events in the life of containers, in time order; an event that several files hold is there once.
    pub events: Vec<Event>,
    /// The first and the last time in each file, of any event, in milliseconds; `None` for a file without.
    pub spans: Vec<Option<(i64, i64)>>,
}

/// Reads event files. One that cannot be used says so in its account and does not stop the others.
///
/// `around_ms`: when readings were taken; lines that name no year are of the one that lies next.
pub fn read(files: &[Given], around_ms: Option<i64>) -> EventLog {
    let mut log = EventLog::default();
    for (index, given) in files.iter().enumerate() {
        let (input, mut events, span) = read_file(index, &given.path, around_ms);
        if let Some(series) = &given.series {
            for event in &mut events {
                event.attributes.insert(OF_SERIES.to_owned(), series.clone());
            }
        }
        log.inputs.push(input);
        log.events.extend(events);
        log.spans.push(span);
    }
    log.events.sort_by_key(|event| event.time_ms);
    log.events = once(log.events, &mut log.inputs);
    log
}

/// Each event once: files may overlap, and the text and the JSON of one event are the same event.
fn once(events: Vec<Event>, inputs: &mut [Input]) -> Vec<Event> {
    let mut kept: Vec<Event> = Vec::with_capacity(events.len());
    let mut first_of_time = 0;
    for event in events {
        if kept.get(first_of_time).is_some_and(|first| first.time_ms < event.time_ms) {
            first_of_time = kept.len();
        }
        let input = &mut inputs[event.input];
        if kept[first_of_time..].iter().any(|other| is_same(other, &event)) {
            input.other_lines += 1;
        } else {
            input.events.get_or_insert_default().read += 1;
            kept.push(event);
        }
    }
    kept
}

/// Reads what `docker events` printed, for its changes: in time order, and why reading stopped before the end.
pub(crate) fn read_docker(lines: &mut Lines<impl Read>, input: &mut Input) -> (Vec<Event>, Option<String>) {
    let OfFile { mut events, failed, .. } = docker::read(lines, 0, input);
    events.sort_by_key(|event| event.time_ms);
    (events, failed)
}

/// Whether two events are one.
fn is_same(a: &Event, b: &Event) -> bool {
    a.action == b.action && a.id == b.id && a.attributes.get(OF_SERIES) == b.attributes.get(OF_SERIES)
}

fn read_file(index: usize, path: &Path, around_ms: Option<i64>) -> (Input, Vec<Event>, Option<(i64, i64)>) {
    let source = Source::File(path.to_owned());
    let mut input = Input::new(&source);
    let mut opened = match open::open(&source, &Meter::default()) {
        Ok(opened) => opened,
        Err(why) => {
            input.unusable = Some(Unusable::Unreadable(why));
            return (input, Vec::new(), None);
        }
    };
    let beginning = opened.lines.peek().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let (form, read) = if kubernetes::looks_like_objects(&beginning) {
        (OtherForm::Kubernetes, kubernetes::read(opened.lines.into_reader(), index, &mut input))
    } else if !docker::looks_like_events(&beginning) && logs::looks_like_log(&beginning) {
        (OtherForm::Log, logs::read(&mut opened.lines, index, &stem(path), around_ms, &mut input))
    } else {
        (OtherForm::DockerEvents, docker::read(&mut opened.lines, index, &mut input))
    };
    let OfFile { events, span, failed, n_lines } = read;
    input.events = Some(EventCounts::default());
    input.events_form = Some(form);
    if form == OtherForm::Kubernetes && n_lines == 0 && failed.is_some() {
        input.unusable = failed.map(Unusable::Unreadable);
        return (input, events, span);
    }
    if let Some(why) = failed.or_else(|| opened.broken.take()) {
        input.breaks_off(why);
    }
    if n_lines == 0 {
        input.warn(ContentWarning::Empty { of: Purpose::Events });
    } else if form == OtherForm::DockerEvents && span.is_none() {
        (input.events, input.events_form) = (None, None);
        input.unusable = Some(Unusable::NoEvent);
    }
    (input, events, span)
}

/// The name of a file up to its first point.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').find(|part| !part.is_empty()).unwrap_or_default().to_owned()
}
