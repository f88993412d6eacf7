//! Reads access logs: lines of text or JSON, arrays of JSON, CSV with a time and an endpoint.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufReader, Read};
use std::path::Path;

use memchr::{memchr, memmem};
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::entry::Entry;
use super::tally::{MAX_KINDS, Tally};
use super::text::{self, Clock, Said};
use super::{note_break, open_file, route, table};
use crate::account::{CountRejection, CountWarning, CountedAs, Input, OtherForm, Rejection, Unusable, too_long};
use crate::open::{Line, Lines};

/// Endpoints of a log without times are counted by so many names at most.
const MOST: usize = 4096;

/// Requests of logs that have no times, by method and route.
#[derive(Debug, Default)]
pub(super) struct Untimed(BTreeMap<String, u64>);

impl Untimed {
    fn add(&mut self, target: &[u8]) {
        let text = String::from_utf8_lossy(target);
        let (method, path) = text.split_once(' ').unwrap_or(("", &text));
        let route = route::of(path, &route::Routes::default());
        let name = if method.is_empty() { route } else { format!("{method} {route}") };
        let is_room = self.0.len() < MOST || self.0.contains_key(&name);
        *self.0.entry(if is_room { name } else { "all other requests".to_owned() }).or_default() += 1;
    }

    /// The busiest first, at most `MAX_KINDS`.
    pub(super) fn ranked(self) -> Vec<(String, u64)> {
        let mut ranked: Vec<(String, u64)> = super::tally::without_rare_parts(self.0).into_iter().collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ranked.truncate(MAX_KINDS);
        ranked
    }
}

/// What became of one log.
struct Log<'a> {
    input: Input,
    tallies: &'a mut [Tally],
    /// How many entries each tally has counted.
    inside: Vec<u64>,
    untimed: &'a mut Untimed,
    n_timed: u64,
    n_untimed: u64,
    /// Time of the first and last request of all.
    span: Option<(i64, i64)>,
    first_refusal: Option<Rejection>,
}

/// Reads one log into all tallies; gives its account for each.
pub(super) fn read(path: &Path, tallies: &mut [Tally], untimed: &mut Untimed) -> Vec<Input> {
    let (input, opened) = open_file(path);
    let Some(mut opened) = opened else { return vec![input; tallies.len()] };
    let inside = vec![0; tallies.len()];
    let mut log = Log { input, tallies, inside, untimed, n_timed: 0, n_untimed: 0, span: None, first_refusal: None };
    let beginning = opened.lines.peek().map(<[u8]>::to_vec).unwrap_or_default();
    let form = Form::of(&beginning);
    match form {
        Form::Array => log.read_array(opened.lines.into_reader()),
        Form::Table => log.read_table(&beginning, opened.lines.into_reader()),
        Form::Lines => log.read_lines(&mut opened.lines),
    }
    note_break(&mut log.input, opened.broken.take());
    log.finish(form)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Array,
    Table,
}

impl Form {
    fn of(beginning: &[u8]) -> Form {
        let text = beginning.trim_ascii_start();
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let is_array = text.strip_prefix(b"[").is_some_and(|rest| {
            let rest = rest.trim_ascii_start();
            rest.starts_with(b"{") || rest.starts_with(b"]")
        });
        let header = table::header(text);
        match () {
            () if is_array => Form::Array,
            () if header.is_some_and(|header| table::Columns::of(&header).is_some()) => Form::Table,
            () => Form::Lines,
        }
    }
}

impl Log<'_> {
    fn read_lines(&mut self, lines: &mut Lines<impl Read>) {
        let mut clock = Clock::default();
        let (mut number, mut spare) = (0, Vec::new());
        // A reader that fails has said so, and has ended.
        while let Ok(Some(block)) = lines.next_block(spare) {
            if block.is_cut() {
                number += 1;
                self.refuse(block.line(0..block.bytes().len(), number), too_long);
                spare = block.into_spare();
                continue;
            }
            let text = block.bytes();
            let mut at = 0;
            while at < text.len() {
                let end = memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length + 1);
                number += 1;
                self.read_line(block.line(at..end, number), &mut clock);
                at = end;
            }
            spare = block.into_spare();
        }
        self.input.lines = Some(number);
    }

    fn read_line(&mut self, line: Line<'_>, clock: &mut Clock) {
        let bytes = line.bytes;
        if line.cut {
            return self.refuse(line, too_long);
        }
        if bytes.first() != Some(&b'{') {
            match text::read(bytes, clock) {
                Ok(said) => return self.count(&said, 1),
                Err(refused) => {
                    if bytes.trim_ascii().is_empty() {
                        self.input.other_lines += 1;
                        return;
                    }
                    if memmem::find(bytes, b"{\"").is_none() {
                        return self.refuse(line, || refused.into());
                    }
                }
            }
        }
        // An object, or one behind what a logger puts there.
        let begin = memchr(b'{', bytes).unwrap_or(0);
        match serde_json::from_slice::<Entry>(&bytes[begin..]) {
            Ok(mut entry) => {
                let first = bytes[..begin].split(u8::is_ascii_whitespace).next().unwrap_or_default();
                entry.time_ms = entry.time_ms.or_else(|| super::entry::time(std::str::from_utf8(first).ok()?));
                self.count_entry(&entry);
            }
            Err(error) => self.refuse(line, || CountRejection::Json { error: super::entry::problem(&error) }.into()),
        }
    }

    fn count(&mut self, said: &Said<'_>, times: u32) {
        let time_ms = said.time_ms;
        self.span = Some(self.span.map_or((time_ms, time_ms), |(first, last)| (first.min(time_ms), last.max(time_ms))));
        self.n_timed += 1;
        for (tally, inside) in self.tallies.iter_mut().zip(&mut self.inside) {
            let is_inside = tally.add(time_ms, said.target.as_deref(), said.status, said.received, times);
            *inside += u64::from(is_inside);
        }
    }

    fn count_entry(&mut self, entry: &Entry) {
        match (entry.target(), entry.time_ms) {
            // Something else that the service logs.
            (None, _) => self.input.other_lines += 1,
            (Some(target), None) => {
                self.n_untimed += 1;
                self.untimed.add(&target);
            }
            (Some(target), Some(time_ms)) => {
                let target = Some(target.into());
                self.count(&Said { time_ms, target, status: entry.status, received: entry.received }, 1);
            }
        }
    }

    /// The text of the line is masked once all routes are known, see `counts::read`.
    fn refuse(&mut self, line: Line<'_>, why: impl FnOnce() -> Rejection) {
        let why = why();
        self.first_refusal.get_or_insert_with(|| why.clone());
        self.input.reject(&line, &line.text(), || why);
    }

    fn read_array(&mut self, reader: impl Read) {
        struct Each<'l, 'a>(&'l mut Log<'a>);

        impl<'de> Visitor<'de> for Each<'_, '_> {
            type Value = ();

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
                while let Some(entry) = list.next_element::<Entry>()? {
                    self.0.count_entry(&entry);
                }
                Ok(())
            }
        }

        let mut json = serde_json::Deserializer::from_reader(BufReader::new(reader));
        if let Err(error) = json.deserialize_seq(Each(self)) {
            let why = Rejection::from(CountRejection::Array { error: super::entry::problem(&error) });
            note_break(&mut self.input, Some(why.to_string()));
            self.first_refusal = Some(why);
        }
    }

    fn read_table(&mut self, beginning: &[u8], reader: impl Read) {
        let mut rows = table::Rows::new(reader, table::delimiter(beginning));
        let header = rows.next().and_then(|(_, row)| row.ok()).unwrap_or_default();
        let columns = table::Columns::of(&header).expect("the form was recognised by its header");
        self.input.other_lines += 1;
        while let Some((line, row)) = rows.next() {
            let said = row.and_then(|fields| Ok((columns.request(&fields)?, fields)));
            match said {
                Ok((row, _)) => {
                    let said = Said {
                        time_ms: row.time_ms,
                        target: Some(row.target.into()),
                        status: row.status,
                        received: row.received,
                    };
                    self.count(&said, row.count);
                }
                Err(why) => {
                    self.first_refusal.get_or_insert_with(|| why.clone());
                    self.input.reject_at(line, "", || why);
                }
            }
        }
    }

    fn finish(mut self, form: Form) -> Vec<Input> {
        let input = &mut self.input;
        let form = match form {
            Form::Lines | Form::Array => OtherForm::AccessLog,
            Form::Table => OtherForm::AccessCsv,
        };
        match (self.n_timed, self.n_untimed) {
            (0, 0) => {
                input.unusable = Some(Unusable::NoRequest { why: self.first_refusal });
                return vec![self.input; self.inside.len()];
            }
            (_, 0) => {}
            (0, n_untimed) => {
                input.samples += n_untimed;
                input.warn(CountWarning::NoTimes);
            }
            (_, n_untimed) => {
                input.rejected_count += n_untimed;
                input.warn(CountWarning::SomeUntimed { n: n_untimed });
            }
        }
        let (from_ms, to_ms) = self.span.unwrap_or_default();
        let of_tally = |inside: &u64| {
            let outside = self.n_timed - inside;
            let mut input = self.input.clone();
            input.samples += inside;
            input.other_lines += outside;
            input.counted = Some(CountedAs { form, outside });
            if outside > 0 && *inside == 0 {
                input.warn(CountWarning::Outside { n: outside, from_ms, to_ms });
            }
            input
        };
        self.inside.iter().map(of_tally).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CountSources, Counts, Given, read};

    /// 2026-11-23T20:00:00Z.
    const START: i64 = 1_795_464_000_000;

    /// What is counted of a file, for memory that was read from 20:00 to 21:00.
    fn of(name: &str, content: &[u8]) -> Counts {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let wanted = CountSources { requests: vec![Given { series: None, path }], ..CountSources::default() };
        read(&wanted, &[(START, START + 3_600_000)]).remove(0)
    }

    /// The totals of each kind, then the account.
    fn said(content: &str) -> String {
        let counts = of("a.log", content.as_bytes());
        let [group] = &counts.groups[..] else { panic!("{counts:?}") };
        let mut lines: Vec<String> =
            group.kinds.iter().map(|kind| format!("{} {}", kind.name, kind.values.iter().sum::<f64>())).collect();
        lines.extend(group.untimed.iter().map(|(name, n)| format!("untimed {name} {n}")));
        let input = &counts.inputs[0];
        lines.push(format!(
            "{:?}: {} counted, {} other, {} rejected of {:?}",
            input.format_name(),
            input.samples,
            input.other_lines,
            input.rejected_count,
            input.lines
        ));
        lines.extend(input.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.extend(input.rejected.iter().map(|line| format!("line {}: `{}`: {}", line.line, line.text, line.why)));
        lines.extend(input.unusable.iter().map(|why| format!("unusable: {why}")));
        lines.join("\n")
    }

    #[test]
    fn every_line_of_a_log_is_accounted_for() {
        let mut log = "1.2.3.4 - - [23/Nov/2026:20:10:07 +0000] \"GET /shop/1 HTTP/1.1\" 200 12\n".repeat(30);
        log.push_str("1.2.3.4 - - [23/Nov/2026:20:10:07 +0000] \"GET /shop/secret HTTP/1.1\" 500 12\r\n");
        log.push_str("1.2.3.4 - - [23/Nov/2026:22:10:07 +0000] \"GET /late HTTP/1.1\" 200 12\n\n");
        log.push_str("listening, token 9f1c6bd07b534a7e9a3b\n{\"time\":1,\n");
        log.push_str("{\"level\":30,\"time\":1795465000000,\"msg\":\"listening\"}\n");
        log.push_str(
            "2026-11-23T20:20:00Z {\"req\":{\"method\":\"GET\",\"url\":\"/shop/2\"},\"res\":{\"statusCode\":200}}\n",
        );
        log.push_str("{\"req\":{\"method\":\"GET\",\"url\":\"/shop/2\"}}");
        insta::assert_snapshot!(said(&log));
    }

    /// Reports land in comments of pull requests.
    #[test]
    fn what_is_rejected_is_shown_without_what_may_be_secret() {
        let mut log = "1.2.3.4 - - [23/Nov/2026:20:10:07 +0000] \"GET /reset/1 HTTP/1.1\" 200 12\n".repeat(30);
        log.push_str("Authorization: Bearer abc.def.ghi\npassword=hunter2 user=bob\nGET /reset/hunter2 200 5 - 3 ms\n");
        log.push_str("{\"time\":\"hunter2\",\"url\":hunter2}\n{\"url\":\"/\",\"method\":[\"hunter2\"]}\n");
        let text = said(&log);
        assert!(!["hunter", "Bearer", "bob", "abc"].iter().any(|secret| text.contains(secret)), "{text}");
        assert!(text.contains("line 33: `GET /reset/:x :id :id - :id :x`"), "{text}");
        let table = said("time,path,count\nhunter2,/a,1\n2026-11-23T20:10:00Z,/a,hunter2\n2026-11-23T20:10:00Z,/a,1\n");
        assert!(table.contains("`:x` is not a time") && !table.contains("hunter"), "{table}");
    }

    #[test]
    fn arrays_and_tables_are_read_and_what_has_no_times_is_ranked() {
        insta::assert_snapshot!(
            "ranked",
            said(r#"[{"endpoint":"/api/a"},{"endpoint":"/api/a"},{"endpoint":"/api/b?x"},{"other":1}]"#)
        );
        insta::assert_snapshot!(
            "array",
            said(
                r#" [ {"endpoint":"/a/1","timestamp":"2026-11-23T20:10:00Z"},{"endpoint":"/a/2","time":1795464660}, {"endpoint":"#
            )
        );
        insta::assert_snapshot!(
            "table",
            said(
                "Time,Method,Path,Status,Count\n2026-11-23 20:10:00,get,/a/1?b,200,25\n2026-11-23T20:11:00Z,GET,/a/2,502,\nsoon,GET,/a,200,1\n2026-11-23 20:10:00,GET\n"
            )
        );
    }

    #[test]
    fn what_holds_no_request_says_so() {
        insta::assert_snapshot!("tiny", said("GET /a 200 12 - 1.5 ms\nGET /b 200 12 - 1.5 ms\n"));
        insta::assert_snapshot!(said("").lines().last().unwrap(), @"unusable: no request was recognised in it (it is empty)");
        insta::assert_snapshot!(said("web 5MiB / 1GiB\n").lines().last().unwrap(), @"unusable: no request was recognised in it (first line: it has no time (expected something like `[23/Nov/2026:20:07:00 +0000]`, or a time at its beginning))");
        insta::assert_snapshot!(
            "outside",
            said("1.2.3.4 - - [23/Nov/2025:20:10:07 +0000] \"GET / HTTP/1.1\" 200 12\n")
        );
        let missing = CountSources {
            requests: vec![Given { series: None, path: "/does/not/exist".into() }],
            ..CountSources::default()
        };
        let counts = read(&missing, &[(START, START + 1)]).remove(0);
        assert!(
            counts.inputs[0].unusable.as_ref().unwrap().to_string().starts_with("it cannot be opened"),
            "{counts:?}"
        );
    }

    #[test]
    fn a_log_that_is_given_twice_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "1.2.3.4 - - [23/Nov/2026:20:10:07 +0000] \"GET /shop HTTP/1.1\" 200 12\n").unwrap();
        let given = |series: Option<&str>| Given { series: series.map(str::to_owned), path: path.clone() };
        let wanted =
            CountSources { requests: vec![given(None), given(None), given(Some("web"))], ..CountSources::default() };
        let counts = read(&wanted, &[(START, START + 3_600_000)]).remove(0);
        let totals: Vec<f64> = counts.groups.iter().map(|group| group.kinds[0].values.iter().sum()).collect();
        assert_eq!(totals, [1.0, 1.0]);
        insta::assert_snapshot!(counts.inputs[1].warnings[0], @"it is given more than once: it was read once");
    }

    #[test]
    fn a_compressed_log_is_read_and_one_that_breaks_off_as_far_as_it_goes() {
        use std::io::Write;
        let line = "1.2.3.4 - - [23/Nov/2026:20:10:07 +0000] \"GET /shop HTTP/1.1\" 200 12\n";
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..5000).for_each(|n| writeln!(encoder, "{}", line.replace("/shop", &format!("/shop/{n}")).trim()).unwrap());
        let whole = encoder.finish().unwrap();
        let counts = of("a.log.gz", &whole);
        assert_eq!((counts.inputs[0].samples, counts.inputs[0].lines), (5000, Some(5000)));
        assert_eq!(counts.groups[0].kinds[0].name, "GET /shop/:id");
        let counts = of("a.log.gz", &whole[..whole.len() / 2]);
        let input = &counts.inputs[0];
        assert!(0 < input.samples && input.samples < 5000 && input.incomplete, "{input:?}");
    }
}
