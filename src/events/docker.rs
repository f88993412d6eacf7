//! `docker events`: what happened to containers, as text or JSON lines.
//!
//! Takes the lines of a file; gives events with their times in milliseconds, the time that the file covers, and an
//! account of every line.
//!
//! Read are the text of `docker events`, also wrapped by a terminal, behind the prefix of a logger, and as it was
//! before Docker 1.10; the lines of `--format '{{json .}}'` of every version; the text of `podman events`.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::{Action, Event, Teller};
use crate::account::{EventRejection, ExpectedTime, Input, MAX_WHY_CHARS, Rejection, cleaned, error_text, too_long};
use crate::open::{Line, Lines};

/// A record of a terminal goes on over at most so many lines.
const MAX_WRAPPED_LINES: usize = 64;

/// What `docker events` is about beside containers.
const OTHER_TYPES: [&str; 11] =
    ["builder", "config", "daemon", "image", "network", "node", "plugin", "pod", "secret", "service", "volume"];

/// What is read of one file.
pub(super) struct OfFile {
    pub(super) events: Vec<Event>,
    /// The first and the last time in it, of any event, in milliseconds.
    pub(super) span: Option<(i64, i64)>,
    /// Why reading stopped before the end.
    pub(super) failed: Option<String>,
    pub(super) n_lines: u64,
}

/// Reads the events of one file.
pub(super) fn read(lines: &mut Lines<impl Read>, index: usize, input: &mut Input) -> OfFile {
    let mut reader = Reader { index, input, events: Vec::new(), span: None, open: None, n_lines: 0 };
    let failed = loop {
        match lines.next() {
            Ok(Some(line)) => reader.read_line(line),
            Ok(None) => break None,
            Err(error) => break Some(format!("it cannot be read: {error}")),
        }
    };
    reader.close();
    let Reader { events, span, n_lines, .. } = reader;
    OfFile { events, span, failed, n_lines }
}

/// Whether a file holds what `docker events` prints, by its beginning.
pub(crate) fn looks_like_events(beginning: &str) -> bool {
    let is_of_docker = |line: &str| {
        RECORD.captures(line).is_some_and(|record| {
            let kind = &record["kind"];
            kind == "container" || kind.ends_with(':') || OTHER_TYPES.contains(&kind)
        }) || JSON.is_match(line)
    };
    beginning.lines().any(is_of_docker)
}

/// Reads one file line by line.
struct Reader<'a> {
    index: usize,
    input: &'a mut Input,
    events: Vec<Event>,
    span: Option<(i64, i64)>,
    /// A record whose list of attributes was not closed yet.
    open: Option<Wrapped>,
    n_lines: u64,
}

struct Wrapped {
    text: String,
    line: u64,
    n_lines: usize,
}

/// What a record is about.
enum Record {
    Event(Event),
    Other,
}

impl Reader<'_> {
    fn read_line(&mut self, line: Line<'_>) {
        let text = line.text();
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            self.input.other_lines += 1;
            return;
        }
        self.n_lines += 1;
        if line.cut {
            self.close();
            self.input.reject(&line, text, too_long);
            return;
        }
        let begins = RECORD.is_match(text) || json_of(text).is_some();
        if begins {
            self.close();
        } else if let Some(open) = &mut self.open {
            open.text.push_str(text);
            open.n_lines += 1;
            self.input.other_lines += 1;
            if open.text.trim_end().ends_with(')') || open.n_lines == MAX_WRAPPED_LINES {
                self.close();
            }
            return;
        }
        // An attribute list that goes on below was broken by a terminal.
        let is_text = json_of(text).is_none();
        if begins && is_text && text.contains(" (") && !text.trim_end().ends_with(')') && !OLD.is_match(text) {
            self.open = Some(Wrapped { text: text.to_owned(), line: line.number, n_lines: 1 });
            return;
        }
        match self.record(text) {
            Ok(record) => self.take(record),
            Err(why) => {
                // An object is whole or not: one behind a write that was cut is an event.
                let begins =
                    json_of(text).into_iter().flat_map(|json| json.match_indices("{\"").map(|(at, _)| &json[at..]));
                let whole = begins.skip(1).take(MAX_BEGINNINGS).find_map(|json| self.record(json).ok());
                if let Some(record) = whole {
                    self.input.further += 1;
                    self.take(record);
                }
                self.input.reject(&line, text, || why);
            }
        }
    }

    /// Takes what was waiting for its other lines.
    fn close(&mut self) {
        let Some(Wrapped { text, line, .. }) = self.open.take() else { return };
        match self.record(&text) {
            Ok(record) => self.take(record),
            Err(why) => self.input.reject_at(line, &text, || why),
        }
    }

    fn record(&mut self, text: &str) -> Result<Record, Rejection> {
        let (time_ms, record) = match json_of(text) {
            Some(json) => json_record(json, self.index)?,
            None => text_record(text, self.index)?,
        };
        self.span = Some(self.span.map_or((time_ms, time_ms), |(first, last)| (first.min(time_ms), last.max(time_ms))));
        Ok(record)
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::Event(event) => self.events.push(event),
            Record::Other => self.input.other_lines += 1,
        }
    }
}

/// More objects in a line are no events that were cut.
const MAX_BEGINNINGS: usize = 64;

const STAMP: &str = r"(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ?(?P<zone>Z|[+-]\d{2}:?\d{2})(?: [A-Z]{3,5})?";

/// The beginning of a record: at the start of a line, or behind what a logger puts there.
static RECORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?:^\s*|\s){STAMP}\s+(?P<kind>[a-z]+|[0-9a-f]{{12,64}}:)\s")));

/// An event as JSON, wherever it stands in a line.
static JSON: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#""(?:Action|status)": ?"[a-z_]+[:"].*"(?:id|ID)": ?"[0-9a-f]{12,64}""#));

/// An event of a container.
static CONTAINER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?P<action>\S.*?) (?P<id>[0-9a-f]{12,64})(?: \((?P<attributes>.*?)\)?)?\s*$"));

/// An event before Docker 1.10: `ID: (from IMAGE) ACTION`.
static OLD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?P<id>[0-9a-f]{12,64}): (?:\(from .*\) )?(?P<action>[a-z_]+(?:: .*)?)\s*$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a regular expression")
}

fn text_record(text: &str, input: usize) -> Result<(i64, Record), Rejection> {
    let Some(begin) = RECORD.captures(text) else {
        return Err(EventRejection::NoBeginning.into());
    };
    let timestamp = format!("{}T{}{}", &begin["date"], &begin["time"], zone(&begin["zone"]));
    let time_ms = rfc3339(&timestamp)?;
    let kind = begin.name("kind").expect("it is part of the pattern");
    let rest = &text[kind.end()..].trim_start();
    if kind.as_str().ends_with(':') {
        let old = OLD.captures(text).ok_or(EventRejection::NoAction)?;
        return Ok((time_ms, record(input, time_ms, &old["action"], &old["id"], BTreeMap::new())));
    }
    match kind.as_str() {
        "container" => {
            let parts = CONTAINER.captures(rest).ok_or(EventRejection::NoContainer)?;
            let attributes = parts.name("attributes").map_or_else(BTreeMap::new, |list| attributes(list.as_str()));
            Ok((time_ms, record(input, time_ms, &parts["action"], &parts["id"], attributes)))
        }
        other if OTHER_TYPES.contains(&other) => Ok((time_ms, Record::Other)),
        other => {
            let known = OTHER_TYPES.iter().map(|kind| (*kind).to_owned()).collect();
            Err(EventRejection::UnknownType { found: cleaned(other, MAX_WHY_CHARS), known }.into())
        }
    }
}

/// `+0200` and `+02:00` are one zone.
fn zone(text: &str) -> String {
    if text.len() == 5 { format!("{}:{}", &text[..3], &text[3..]) } else { text.to_owned() }
}

fn rfc3339(text: &str) -> Result<i64, Rejection> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|time| time.timestamp_millis())
        .map_err(|error| Rejection::not_a_time(text, ExpectedTime::Parsed(error_text(error))))
}

fn record(input: usize, time_ms: i64, action: &str, id: &str, attributes: BTreeMap<String, String>) -> Record {
    // `exec_start: curl -f http://localhost` and `health_status: healthy` say more after a colon.
    let name = action.split(':').next().unwrap_or(action).trim();
    match Action::of(name) {
        Some(action) => {
            Record::Event(Event { input, time_ms, action, id: id.to_owned(), attributes, teller: Teller::Docker })
        }
        None => Record::Other,
    }
}

/// `key=value, key=value`, as text: neither keys nor values are escaped.
///
/// A value that holds `, ` and `=` looks like a further attribute. The real one is not overwritten: attributes are
/// sorted, and of two with one key neither can be trusted, so both are left out.
fn attributes(list: &str) -> BTreeMap<String, String> {
    let mut attributes: BTreeMap<String, Option<String>> = BTreeMap::new();
    for part in list.split(", ") {
        let Some((key, value)) = part.split_once('=') else { continue };
        attributes
            .entry(key.trim().to_owned())
            .and_modify(|known| {
                if known.as_deref() != Some(value) {
                    *known = None;
                }
            })
            .or_insert_with(|| Some(value.to_owned()));
    }
    attributes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// The JSON object of a line, which a logger may have put something before.
fn json_of(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.starts_with('{') {
        return Some(text);
    }
    let start = text.find("{\"")?;
    // A label of the text form may hold JSON: there a record begins before it.
    (text.ends_with('}') && !RECORD.is_match(&text[..start])).then(|| &text[start..])
}

/// An event as JSON: `Type`, `Action` and `Actor` since Docker 1.10, `status`, `id` and `from` until 28.
#[derive(Deserialize)]
struct JsonEvent {
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(rename = "Action")]
    action: Option<String>,
    #[serde(rename = "Actor")]
    actor: Option<JsonActor>,
    status: Option<String>,
    id: Option<String>,
    time: Option<i64>,
    #[serde(rename = "timeNano")]
    time_nano: Option<i64>,
}

#[derive(Deserialize)]
struct JsonActor {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "Attributes")]
    attributes: Option<BTreeMap<String, String>>,
}

fn no_key(one: &str, other: &str) -> EventRejection {
    EventRejection::NoKey { keys: (one.to_owned(), other.to_owned()) }
}

fn json_record(json: &str, input: usize) -> Result<(i64, Record), Rejection> {
    let event: JsonEvent =
        serde_json::from_str(json).map_err(|error| EventRejection::Json { error: error_text(error) })?;
    let time_ms = event
        .time_nano
        .map(|nanoseconds| nanoseconds.div_euclid(1_000_000))
        .or_else(|| event.time.map(|seconds| seconds.saturating_mul(1000)))
        .ok_or_else(|| no_key("timeNano", "time"))?;
    let action = event.action.or(event.status).ok_or_else(|| no_key("Action", "status"))?;
    if event.kind.as_deref().is_some_and(|kind| kind != "container") {
        return Ok((time_ms, Record::Other));
    }
    let (actor_id, attributes) = event.actor.map_or((None, None), |actor| (actor.id, actor.attributes));
    let id = actor_id.or(event.id).ok_or_else(|| no_key("Actor.ID", "id"))?;
    Ok((time_ms, record(input, time_ms, &action, &id, attributes.unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;
    use crate::events::read_events;
    use crate::open::Given;

    fn read(paths: &[PathBuf]) -> crate::events::EventLog {
        let given: Vec<Given> = paths.iter().map(|path| Given { series: None, path: path.clone() }).collect();
        read_events(&given, None)
    }

    const ID: &str = "3f2a9c0d1e4b5a6978870615243342516f7e8d9c0b1a29384756647382910abc";

    /// Reads one file; gives each event as a line, then the account.
    fn read_text(text: &str) -> (String, Input) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut log = read(&[file.path().to_owned()]);
        let events: Vec<String> = log
            .events
            .iter()
            .map(|event| {
                let code = event.number("exitCode").map_or(String::new(), |code| format!(" {code}"));
                format!("{} {:?} {}{code}", event.time_ms, event.action, event.container())
            })
            .collect();
        (events.join("\n"), log.inputs.remove(0))
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (events, input) = read_text(text);
        assert_eq!(events, expected, "{input:?}");
        assert_eq!(input.rejected, [], "{text}");
    }

    #[test]
    fn every_form_of_an_event_is_read() {
        let text = |timestamp: &str, rest: &str| format!("{timestamp} container {rest}\n");
        let attributes = "(exitCode=137, image=app:1, name=web)";
        for timestamp in [
            "2026-11-23T20:13:08.563132400Z",
            "2026-11-23T21:13:08.563132400+01:00",
            "2026-11-23 21:13:08.563132400 +0100 CET",
            "Nov 23 20:13:08 host events[7]: 2026-11-23T20:13:08.563132400Z",
        ] {
            check(&text(timestamp, &format!("die {ID} {attributes}")), "1795464788563 Die web 137");
        }
        check(
            &text("2026-11-23 20:13:08.5631324 +0000 UTC", &format!("died {ID} {attributes}")),
            "1795464788563 Die web 137",
        );
        check(&format!("2026-11-23T20:13:08.563132400Z {ID}: (from app:1) oom\n"), &format!("1795464788563 Oom {ID}"));
        let json = |keys: &str| format!("{{{keys}\"time\":1795464788,\"timeNano\":1795464788563132400}}\n");
        let actor = format!(
            "\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{{\"ID\":\"{ID}\",\"Attributes\":{{\"exitCode\":\"137\",\"name\":\"web\"}}}},\"scope\":\"local\","
        );
        let old = format!("\"status\":\"die\",\"id\":\"{ID}\",\"from\":\"app:1\",");
        check(&json(&actor), "1795464788563 Die web 137");
        check(&json(&format!("{old}{actor}")), "1795464788563 Die web 137");
        check(&json(&old), &format!("1795464788563 Die {ID}"));
        check(&json(&actor).replace("\":", "\": ").replace(",\"", ", \""), "1795464788563 Die web 137");
        check(&format!("collector: {}", json(&actor)), "1795464788563 Die web 137");
        check(&json(&actor).replace(",\"timeNano\":1795464788563132400", ""), "1795464788000 Die web 137");
    }

    #[test]
    fn a_record_that_a_terminal_broke_is_put_together() {
        let record = format!(
            "2018-09-20T10:19:53.559821500+08:00 container die {ID} (exitCode=137, image=centos, name=web, org.label-schema.name=CentOS Base Image, org.label-schema.vendor=CentOS)"
        );
        let wrapped: Vec<String> =
            record.as_bytes().chunks(120).map(|part| format!("{:120}", String::from_utf8_lossy(part))).collect();
        let text = format!("{0}\n{0}\n", wrapped.join("\n")).replacen(":53.559", ":54.559", 1);
        check(&text, "1537409993559 Die web 137\n1537409994559 Die web 137");
    }

    #[test]
    fn what_a_label_holds_is_not_taken_for_an_attribute() {
        let line = |attributes: &str| format!("2026-11-23T20:13:08.000000000Z container oom {ID} ({attributes})\n");
        check(&line(r#"io.k8s.ports=[{"name":"http","port":80}], name=web"#), "1795464788000 Oom web");
        check(&line("maintainer=A (b), c, name=web"), "1795464788000 Oom web");
        // Two names: neither is believed.
        check(&line("a.label=x, name=db, name=web"), &format!("1795464788000 Oom {ID}"));
    }

    #[test]
    fn every_line_is_counted() {
        let text = format!(
            "\n2026-11-23T20:13:08Z container health_status: healthy {ID} (name=web)\n\
             2026-11-23T20:13:08Z container exec_start: /bin/sh -c curl {ID} (name=web)\n\
             2026-11-23T20:13:09Z network disconnect 0123456789abcdef (container={ID}, name=bridge)\n\
             2026-11-23T20:13:09Z container die {ID} (exitCode=1, name=web)\n\
             2026-11-23T20:13:09Z container die {ID} (exitCode=1, name=web)\n\
             2026-13-45T20:13:09Z container die {ID} (name=web)\n\
             2026-11-23T20:13:09Z gadget spin {ID} (name=web)\n\
             2026-11-23T20:13:09Z container (name=web)\n\
             {{\"status\":\"die\",\"id\":\"{ID}\"}}\n\
             {{\"a\":1}}\n{{broken\n\
             unexpected EOF\n"
        );
        let (events, input) = read_text(&text);
        assert_eq!(events, "1795464789000 Die web 1");
        assert_eq!(input.events.unwrap().read, 1);
        assert_eq!(1 + input.other_lines + input.rejected_count, text.lines().count() as u64);
        let account: Vec<String> =
            input.rejected.iter().map(|rejected| format!("line {}: {}", rejected.line, rejected.why)).collect();
        insta::assert_snapshot!(account.join("\n"));
    }

    #[test]
    fn a_whole_event_behind_a_cut_one_is_kept() {
        let event = |action: &str, time: i64| {
            format!(
                "{{\"status\":\"{action}\",\"id\":\"{ID}\",\"Actor\":{{\"ID\":\"{ID}\",\"Attributes\":{{\"name\":\"web\"}}}},\"time\":{time}}}"
            )
        };
        let (first, second) = (event("die", 1_795_464_788), event("start", 1_795_464_790));
        for cut in 3..first.len() {
            let (events, input) = read_text(&format!("{}{second}\n", &first[..cut]));
            assert_eq!(events, "1795464790000 Start web", "{cut}");
            assert_eq!((input.rejected_count, input.further), (1, 1), "{cut}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_says_why() {
        let (_, input) = read_text("NAME  MEM USAGE\nweb  5MiB / 1GiB\n");
        insta::assert_snapshot!(input.unusable.unwrap(), @"no event was recognised in it (expected the output of `docker events`, as text or as JSON lines, of `kubectl get events -o json` or `kubectl get pods -o json`, or the log of a kernel or an application)");
        let missing = read(&[PathBuf::from("no/such/events.log")]);
        assert!(missing.inputs[0].unusable.as_ref().unwrap().to_string().starts_with("it cannot be opened"));
        let (_, input) = read_text("");
        assert_eq!((input.unusable, input.warnings.len()), (None, 1));
    }

    #[test]
    fn the_text_and_the_json_of_one_event_are_one_event() {
        let folder = tempfile::tempdir().unwrap();
        let (text, json) = (folder.path().join("a.log"), folder.path().join("a.jsonl"));
        std::fs::write(&text, format!("2026-11-23T20:13:08.563132400Z container die {ID} (name=web)\n")).unwrap();
        std::fs::write(
            &json,
            format!("{{\"status\":\"die\",\"id\":\"{ID}\",\"time\":1795464788,\"timeNano\":1795464788563132400}}\n"),
        )
        .unwrap();
        let log = read(&[text, json]);
        assert_eq!(log.events.len(), 1);
        assert_eq!(log.inputs[1].other_lines, 1);
    }
}
