//! What an object says: when, of which process, and how much memory of each part.

use super::super::fields;
use super::object::Value;
use crate::account::{ExpectedAmount, Rejection};
use crate::series::Metric;
use crate::units::{GIB, KIB, MIB};

/// The parts of `process.memoryUsage()`, as Node names them, and what each counts.
pub(crate) const PARTS: [(&str, Metric); 5] = [
    ("rss", Metric::Rss),
    ("heapTotal", Metric::Heap),
    ("heapUsed", Metric::Heap),
    ("external", Metric::Other),
    ("arrayBuffers", Metric::Other),
];

/// How many of them each say by themselves that an object is a reading: the others may be anything.
const N_TELLING: usize = 3;

/// The keys of objects that hold the parts, as `normal` writes them.
const HOLDERS: [&str; 9] = ["memory", "usage", "memoryusage", "mem", "process", "data", "payload", "heap", "stats"];

/// The keys of arrays that hold readings.
const LISTS: [&str; 9] = ["readings", "samples", "data", "results", "values", "items", "history", "records", "memory"];

/// The keys of a time, from the most telling.
const TIMES: [&str; 14] = [
    "@timestamp",
    "timestamp",
    "time",
    "datetime",
    "date",
    "ts",
    "utc",
    "epoch",
    "epochms",
    "epochseconds",
    "timems",
    "timestampms",
    "unixtime",
    "now",
];

/// The keys of a name, from the most telling.
const NAMES: [&str; 10] =
    ["container", "containername", "pod", "service", "servicename", "app", "appname", "process", "worker", "name"];

/// Up to here every whole number is exact as an `f64`.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Units behind a number or the name of a key, without case, and what they count: Node programs divide by 1024.
const UNITS: [(&str, f64, bool); 11] = [
    ("bytes", 1.0, false),
    ("b", 1.0, false),
    ("kib", KIB, false),
    ("mib", MIB, false),
    ("gib", GIB, false),
    ("kb", KIB, true),
    ("mb", MIB, true),
    ("gb", GIB, true),
    ("k", KIB, true),
    ("m", MIB, true),
    ("g", GIB, true),
];

/// An amount of memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    pub(super) bytes: f64,
    /// How finely it was written, in bytes.
    pub(super) resolution: f64,
    /// Whether nothing says what the number counts.
    pub(super) is_bare: bool,
    /// Whether its unit is one that would be a power of 1000 elsewhere.
    pub(super) is_decimal: bool,
}

/// What stands for a part: its amount, that there is none, or why it cannot be read.
pub(super) type Figure = Result<Option<Amount>, Rejection>;

/// What an object says.
#[derive(Debug, PartialEq)]
pub(super) struct Reading<'a> {
    /// The value of its time, as written.
    pub(super) time: Option<&'a str>,
    /// The name of the process; `None` where it says none.
    pub(super) name: Option<&'a str>,
    /// What stands for each of `PARTS`.
    pub(super) parts: [Option<Part<'a>>; PARTS.len()],
}

/// What stands for a part.
#[derive(Debug, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) figure: Figure,
    /// What says its unit: the value, or its key.
    pub(super) example: &'a str,
    /// Where the value stands in the text.
    pub(super) at: usize,
}

/// What an object says; `None` for one that is no reading. `unit`: what bare numbers count, as the user says.
pub(super) fn read<'a>(text: &'a str, values: &[Value], unit: Option<f64>) -> Option<Reading<'a>> {
    let mut reading = Reading { time: None, name: None, parts: [const { None }; PARTS.len()] };
    let (mut time_rank, mut name_rank) = ((usize::MAX, 0), (usize::MAX, 0));
    let mut depths = [usize::MAX; PARTS.len()];
    for value in values {
        let written = text.get(value.text.clone())?;
        // A key may hold those around it: `memory.rss`.
        let keys = value.path.iter().filter_map(|key| text.get(key.clone())).flat_map(|key| key.split('.'));
        let keys: Vec<&str> = keys.collect();
        let Some((last, holders)) = keys.split_last() else { continue };
        if !holders.iter().all(|key| HOLDERS.contains(&normal(key).as_str())) {
            continue;
        }
        let (key, depth) = (normal(last), holders.len());
        if let Some((place, of_key)) = part(&key) {
            if depth < depths[place] {
                depths[place] = depth;
                let figure = amount(written, value.is_quoted, of_key.or(unit.map(|unit| (unit, false))));
                let example = if of_key.is_some() { last } else { written };
                reading.parts[place] = Some(Part { figure, example, at: value.text.start });
            }
        } else if let Some(rank) = TIMES.iter().position(|time| *time == key) {
            if (depth, rank) < time_rank && !is_nothing(written) {
                (time_rank, reading.time) = ((depth, rank), Some(written));
            }
        } else if let Some(rank) = NAMES.iter().position(|name| *name == key)
            && (depth, rank) < name_rank
            && !is_nothing(written)
        {
            (name_rank, reading.name) = ((depth, rank), Some(written));
        }
    }
    reading.parts[..N_TELLING].iter().any(Option::is_some).then_some(reading)
}

/// Whether a part says by itself that an object is a reading.
pub(super) fn is_telling(place: usize) -> bool {
    place < N_TELLING
}

/// Whether an object that broke off may be the beginning of a reading, by its first key, which may be cut.
/// `first_key`: what readings before it began with.
pub(super) fn may_begin(text: &str, first_key: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "{\"'`".contains(c)).trim_end();
    let end = text.find(|c: char| !c.is_alphanumeric() && !"_-@.".contains(c)).unwrap_or(text.len());
    let (key, is_cut) = (normal(&text[..end]), end == text.len());
    let names = PARTS.iter().map(|(name, _)| *name).chain(HOLDERS).chain(TIMES).chain([first_key]);
    names.filter(|name| !name.is_empty()).map(normal).any(|name| name == key || is_cut && name.starts_with(&key))
}

/// Whether the elements of an array of this key may be readings.
pub(super) fn is_list(key: &str) -> bool {
    LISTS.contains(&normal(key).as_str())
}

/// Whether a text holds the name of a part as a key.
pub(super) fn names_part(text: &str) -> bool {
    PARTS
        .iter()
        .map(|(name, _)| *name)
        .chain(["heap_used", "heap_total", "array_buffers"])
        .any(|key| has_key(text, key))
}

/// Whether a text holds a key: the word, perhaps with a unit and within quotes, before a colon.
pub(super) fn has_key(text: &str, key: &str) -> bool {
    text.match_indices(key).any(|(at, _)| {
        let behind = text[at + key.len()..].trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '_');
        let is_begun = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let units = text.len() - at - key.len() - behind.len();
        is_begun && units <= 6 && behind.trim_start_matches(['"', '\'', '`']).trim_start().starts_with(':')
    })
}

/// The place of a part in `PARTS`, by the name of a column or a key, which may say its unit and what holds it:
/// `heapUsed`, `heap_used_mb`, `memory.rss`.
pub(crate) fn part_of(name: &str) -> Option<usize> {
    let (holders, last) = name.rsplit_once('.').unwrap_or(("", name));
    let is_held = holders.is_empty() || holders.split('.').all(|key| HOLDERS.contains(&normal(key).as_str()));
    part(&normal(last)).filter(|_| is_held).map(|(place, _)| place)
}

/// A part by its key as `normal` writes it, and what the key says of its unit.
fn part(key: &str) -> Option<(usize, Option<(f64, bool)>)> {
    PARTS.iter().enumerate().find_map(|(place, (name, _))| {
        let behind = key.strip_prefix(&name.to_ascii_lowercase())?;
        let unit = UNITS.iter().find(|(unit, ..)| 1 < unit.len() && *unit == behind);
        (behind.is_empty() || unit.is_some()).then(|| (place, unit.map(|(_, bytes, is_decimal)| (*bytes, *is_decimal))))
    })
}

/// A key without what only its writer's taste decides.
fn normal(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

fn is_nothing(text: &str) -> bool {
    ["", "null", "undefined", "NaN"].contains(&text.trim())
}

/// The amount that a value says: a number, or a text with its unit. `of_key`: what its key says of a bare number, and
/// whether that unit would be a power of 1000 elsewhere.
fn amount(written: &str, is_quoted: bool, of_key: Option<(f64, bool)>) -> Figure {
    let text = written.trim();
    if is_nothing(text) {
        return Ok(None);
    }
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    // `1.5e+9` is a number, and `1_500` is how Node prints one if it is asked to.
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (digits, unit) = if plain.parse::<f64>().is_ok() { (plain.as_str(), "") } else { (digits.trim(), unit.trim()) };
    let known = UNITS.iter().find(|(name, ..)| unit.eq_ignore_ascii_case(name));
    let (scale, is_decimal, is_bare) = match (unit, known) {
        ("", _) => of_key.map_or((1.0, false, true), |(bytes, is_decimal)| (bytes, is_decimal, false)),
        (_, Some((_, bytes, is_decimal))) => (*bytes, *is_decimal, false),
        (_, None) => (1.0, false, false),
    };
    let number: Option<f64> = digits.parse().ok().filter(|_| unit.is_empty() || known.is_some());
    let Some(number) = number.filter(|number: &f64| number.is_finite()) else {
        let expected = if is_quoted { ExpectedAmount::BytesOrUnitInText } else { ExpectedAmount::BytesOrUnit };
        return Err(Rejection::NotAnAmount { found: text.chars().take(40).collect(), expected });
    };
    let bytes = number * scale;
    if bytes < 0.0 {
        return Err(Rejection::negative(text));
    }
    if LARGEST_EXACT < bytes {
        return Err(Rejection::out_of_range(text));
    }
    Ok(Some(Amount { bytes, resolution: fields::resolution(digits, scale), is_bare, is_decimal }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_numbers_of_bytes_or_texts_with_a_unit() {
        let describe = |text: &str, of_key| match amount(text, true, of_key) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(amount)) => format!("{} ±{}", amount.bytes, amount.resolution),
            Err(why) => why.to_string(),
        };
        for (text, expected) in [
            ("44720128", "44720128 ±1"),
            ("44_720_128", "44720128 ±1"),
            ("1.5e+9", "1500000000 ±100000000"),
            ("145MB", "152043520 ±1048576"),
            ("0.5 MiB", "524288 ±104857.6"),
            ("2 kb", "2048 ±1024"),
            ("0", "0 ±1"),
            ("null", "nothing"),
            ("", "nothing"),
            ("-1", "`-1` is negative (expected an amount of memory)"),
            ("1e300", "`1e300` is out of range (expected 0 to 2^53 bytes)"),
            (
                "5 apples",
                "the text `5 apples` is not an amount of memory (expected a number of bytes, or something like `145MB`)",
            ),
            (
                "NaNMB",
                "the text `NaNMB` is not an amount of memory (expected a number of bytes, or something like `145MB`)",
            ),
        ] {
            assert_eq!(describe(text, None), expected, "{text}");
        }
        assert_eq!(describe("1.5", Some((MIB, true))), "1572864 ±104857.6");
    }

    #[test]
    fn parts_are_known_by_their_keys() {
        for (name, place) in [
            ("rss", Some(0)),
            ("heap_total", Some(1)),
            ("heapUsedMB", Some(2)),
            ("memory.rss", Some(0)),
            ("external", Some(3)),
            ("array-buffers", Some(4)),
            ("rssm", None),
            ("web.rss", None),
            ("heap", None),
        ] {
            assert_eq!(part_of(name), place, "{name}");
        }
        for (text, is_key) in [
            ("{\"heapUsed\":1", true),
            ("heapUsed : 1", true),
            ("rssMB: 1", true),
            ("time,heapUsed", false),
            ("xrss: 1", false),
            ("heapUsed grew", false),
        ] {
            assert_eq!(names_part(text), is_key, "{text}");
        }
    }
}
