//! What is said of the cause of growth: one line, a paragraph, and the experiment that would test it.
//!
//! A part between backticks is a name; each format of the report escapes it in its own way.

use super::{Attribution, GrowthBegan, Suspect, Unit};
use crate::units::{duration_text, short_memory};

/// More names than this are counted.
const NAMED: usize = 5;
/// Longest name within a sentence, in characters.
const NAME_CHARS: usize = 80;
/// An experiment makes memory grow by this much, in bytes: more than noise does.
const VISIBLE: f64 = 64.0 * 1024.0 * 1024.0;
/// What is left of growth beside a named cause is distinguished from this share on.
const LEAST_REST: f64 = 0.1;
/// A margin that names a cause.
const NAMES: f64 = 6.0;

/// What is said of changes where it is not known when growth began.
const START_UNKNOWN: &str = "the start of growth was not found: memory grew from the first reading on, or growth began too gradually, so no change is named";

/// A name as code, whatever it holds.
fn code(name: &str) -> String {
    let clean: String = name.chars().filter(|c| *c != '`' && !c.is_control()).collect();
    let n = clean.chars().count();
    if n <= NAME_CHARS {
        return format!("`{clean}`");
    }
    let tail = NAME_CHARS / 2;
    let head: String = clean.chars().take(NAME_CHARS - tail - 1).collect();
    let end: String = clean.chars().skip(n - tail).collect();
    format!("`{head}…{end}`")
}

fn names(names: &[&str]) -> String {
    let mut listed: Vec<String> = names.iter().take(NAMED).map(|name| subject(name)).collect();
    if names.len() > NAMED {
        listed.push(format!("and {} more", names.len() - NAMED));
    }
    listed.join(", ")
}

/// A name of a log as code; what the program calls something as it is.
pub(super) fn subject(name: &str) -> String {
    match name {
        "time itself"
        | "all requests"
        | "all other requests"
        | "malformed requests"
        | "bytes received"
        | "responses with a 5xx status" => name.to_owned(),
        _ => code(name),
    }
}

/// What bytes are kept by, after the number: `per request`.
const fn per(unit: Unit) -> &'static str {
    match unit {
        Unit::Request => "per request",
        Unit::Error => "per failed request",
        Unit::Byte => "per byte received",
        Unit::Count => "per increment",
        Unit::Level => "per unit",
        Unit::Second => "an hour",
    }
}

/// `` `POST /upload` keeps 41 KiB per request (38 KiB to 44 KiB at 90 % confidence)``. `is_rest`: whether others are named.
fn claim(suspect: &Suspect, is_rest: bool) -> String {
    let name = subject(&suspect.name);
    let (Some(unit), Some(bytes)) = (suspect.unit, suspect.bytes_per_unit) else { return name };
    let scale = if unit == Unit::Second { 3600.0 } else { 1.0 };
    let [value, lower, upper] = [bytes.value, bytes.lower, bytes.upper].map(|bytes| small(scale * bytes));
    // An estimate must not read like its own bound.
    let range = if value == lower || value == upper {
        format!("±{}", small(scale * (bytes.value - bytes.lower).max(bytes.upper - bytes.value)))
    } else {
        format!("{lower} to {upper}")
    };
    let interval = format!("({range} at {:.0} % confidence)", 100.0 * bytes.confidence);
    match unit {
        Unit::Second => format!(
            "nothing in the logs explains {}: memory grows {value} an hour {interval}, steadily over time or with something that is not logged",
            if is_rest { "the rest" } else { "the growth" }
        ),
        Unit::Level => format!("{name} holds {value} per unit {interval}"),
        Unit::Error => format!("each response with a 5xx status keeps {value} {interval}"),
        Unit::Byte => format!("each byte received keeps {value} {interval}"),
        Unit::Request if suspect.name == "all requests" => {
            format!("every request, whatever its kind, keeps {value} {interval}")
        }
        unit => format!("{name} keeps {value} {} {interval}", per(unit)),
    }
}

/// An amount of memory, also of less than a byte.
fn small(bytes: f64) -> String {
    if bytes.abs() < 10.0 { format!("{bytes:.2} B") } else { short_memory(bytes) }
}

/// The cause on one line, without a final period; `None` where nothing was compared. `time`: a time for the reader.
pub fn line(attribution: &Attribution, time: &dyn Fn(i64) -> String) -> Option<String> {
    if let Some(named) = attribution.suspects.iter().find(|suspect| suspect.is_named && suspect.unit.is_some()) {
        let others = attribution.named().filter(|suspect| suspect.unit.is_some()).count() - 1;
        let more = match others {
            0 => String::new(),
            1 => "; 1 more cause is named".to_owned(),
            _ => format!("; {others} more causes are named"),
        };
        return Some(format!("{}{}{more}", claim(named, false), share(attribution, named, time)));
    }
    let changed = attribution.began.as_ref().map(|began| of_changes(attribution, began, time));
    match (open(attribution), changed) {
        (Some(open), _) => Some(undecided(open)),
        (None, Some(changed)) => Some(changed),
        (None, None) if attribution.has_counts => Some(none(attribution)),
        (None, None) if !attribution.by_traffic.is_empty() => Some(traffic(attribution)),
        (None, None) if attribution.has_changes => Some(START_UNKNOWN.to_owned()),
        (None, None) => None,
    }
}

/// What is counted, not changed.
fn of_counts(attribution: &Attribution) -> impl Iterator<Item = &Suspect> {
    attribution.suspects.iter().filter(|suspect| suspect.unit.is_some())
}

/// The first of what cannot be told apart.
fn open(attribution: &Attribution) -> Option<&Suspect> {
    of_counts(attribution).find(|suspect| !suspect.is_named && !suspect.indistinguishable.is_empty())
}

fn share(attribution: &Attribution, suspect: &Suspect, time: &dyn Fn(i64) -> String) -> String {
    let share = suspect.share_of_growth.map(|share| 100.0 * share.clamp(0.0, 1.0));
    let since = attribution.compared_from_ms.map(|ms| format!(" since {}", time(second_before(ms))));
    share.map_or(String::new(), |share| format!("; that is {share:.0} % of the growth{}", since.unwrap_or_default()))
}

/// The whole second before a time: estimates are not better known.
fn second_before(ms: i64) -> i64 {
    ms - ms.rem_euclid(1000)
}

/// What cannot be told apart.
fn undecided(suspect: &Suspect) -> String {
    let all: Vec<&str> = std::iter::once(&suspect.name).chain(&suspect.indistinguishable).map(String::as_str).collect();
    format!("growth follows one of these, which cannot be told apart: {}", names(&all))
}

fn none(attribution: &Attribution) -> String {
    match of_counts(attribution).next() {
        Some(best) => format!(
            "{} explains the growth best, but not well enough to name it (BIC margin {:.0}; {NAMES:.0} is needed)",
            subject(&best.name),
            best.margin
        ),
        None if attribution.counts_cover_too_little => {
            "the logs cover too little of its readings to say what its growth follows".to_owned()
        }
        None if !attribution.coarse.is_empty() => "the logs do not say what its growth follows".to_owned(),
        None => "nothing in the logs explains the growth".to_owned(),
    }
}

fn traffic(attribution: &Attribution) -> String {
    let shares: Vec<String> = attribution
        .by_traffic
        .iter()
        .take(NAMED)
        .map(|(name, share)| format!("{} {:.0} %", subject(name), 100.0 * share))
        .collect();
    format!("the requests have no times, so this is only a ranking by traffic, not a finding: {}", shares.join(", "))
}

/// When growth began, and what was changed then.
fn of_changes(attribution: &Attribution, began: &GrowthBegan, time: &dyn Fn(i64) -> String) -> String {
    let percent = 100.0 * began.confidence;
    let when = format!(
        "growth began between {} and {} ({percent:.0} % confidence)",
        time(second_before(began.lower_ms)),
        time(second_before(began.upper_ms + 999))
    );
    let is_named = attribution.named().any(|suspect| suspect.unit.is_none());
    match &began.inside[..] {
        [] if began.n_changes == 0 => format!("{when}; no change is listed within the readings"),
        [] if began.n_changes == 1 => format!("{when}; the only change is not in that interval"),
        [] => format!("{when}; none of the {} is in that interval", changes(began.n_changes)),
        [(at, label)] if is_named => {
            format!("{when}; {} at {} is the only change in that interval", code(label), time(*at))
        }
        [(at, label)] => format!(
            "{when}; {} at {} is the only change in that interval, which may be chance: {} during these readings",
            code(label),
            time(*at),
            changes_made(began.n_changes)
        ),
        several => {
            let labels: Vec<&str> = several.iter().map(|(_, label)| label.as_str()).collect();
            format!("{when}; it may be one of {}: {}", changes(several.len()), names(&labels))
        }
    }
}

fn changes(n: usize) -> String {
    if n == 1 { "1 change".to_owned() } else { format!("{n} changes") }
}

fn changes_made(n: usize) -> String {
    if n == 1 { "1 change was made".to_owned() } else { format!("{n} changes were made") }
}

/// All that is said of the cause, sentences without final periods; empty where nothing was compared.
pub fn sentences(attribution: &Attribution, time: &dyn Fn(i64) -> String) -> Vec<String> {
    let mut sentences = Vec::new();
    let of_counts: Vec<&Suspect> = of_counts(attribution).collect();
    for suspect in of_counts.iter().filter(|suspect| suspect.is_named) {
        let is_only = of_counts.len() == 1 && suspect.unit != Some(Unit::Second);
        let alone = if is_only { "; nothing else in the logs explains it" } else { "" };
        let (claim, share) = (claim(suspect, !sentences.is_empty()), share(attribution, suspect, time));
        sentences.push(format!("{}{share}{alone} (BIC margin {:.0})", capital(&claim), suspect.margin));
        let a_day = suspect.units_a_day.zip(suspect.bytes_per_unit).map(|(n, bytes)| n * bytes.value);
        if let Some(bytes) = a_day {
            sentences.push(format!("At the traffic of these readings that is {} a day", short_memory(bytes)));
        }
    }
    let has_named = !sentences.is_empty();
    for suspect in of_counts.iter().filter(|suspect| !suspect.is_named && !suspect.indistinguishable.is_empty()) {
        match suspect.share_of_growth {
            _ if !has_named => sentences.push(capital(&undecided(suspect))),
            Some(share) if LEAST_REST <= share => {
                sentences.push(format!("Another {:.0} % of the {}", 100.0 * share.min(1.0), undecided(suspect)));
            }
            // Noise has causes that fit it.
            _ => {}
        }
    }
    if attribution.has_counts && sentences.is_empty() {
        sentences.push(capital(&none(attribution)));
        if of_counts.is_empty() && attribution.notes.is_empty() {
            let kinds = if attribution.n_kinds == 1 {
                "1 kind was".to_owned()
            } else {
                format!("{} kinds were", attribution.n_kinds)
            };
            sentences.push(format!("{kinds} compared; a cause outside the logs cannot be named"));
        }
    }
    if !attribution.by_traffic.is_empty() && !attribution.has_counts {
        sentences.push(capital(&traffic(attribution)));
    }
    match &attribution.began {
        Some(began) => sentences.push(capital(&of_changes(attribution, began, time))),
        None if attribution.has_changes => sentences.push(capital(START_UNKNOWN)),
        None => {}
    }
    if let Some(pattern) = attribution.pattern {
        sentences.push(format!("The cause fits the runbook's pattern {}: {}", pattern.name(), pattern.words()));
    }
    sentences.extend(attribution.notes.iter().cloned());
    if attribution.named().next().is_some() {
        sentences.push("The cause is a correlation; the next steps say how to test it".to_owned());
    }
    sentences
}

/// The experiment that would test the cause, without a final period; `None` where nothing was compared.
pub fn experiment(attribution: &Attribution) -> Option<String> {
    if let Some(suspect) = of_counts(attribution).find(|suspect| suspect.is_named) {
        let name = subject(&suspect.name);
        let bytes = suspect.bytes_per_unit?.value.max(f64::MIN_POSITIVE);
        let times = rounded(VISIBLE / bytes);
        let grown = short_memory(times * bytes);
        let n = thousands(times);
        return Some(match suspect.unit? {
            Unit::Request if suspect.name == "all requests" => format!(
                "send {n} requests of one kind to an instance without other traffic, then of another: if every request leaks, memory grows by about {grown} each time"
            ),
            Unit::Request => format!(
                "to test the cause, {} and nothing else to an instance without other traffic: memory grows by about \
                 {grown} if that is the cause, and stays level if the two only coincided",
                sending(&suspect.name, &n)
            ),
            Unit::Error => "to test the cause, send requests that fail with a 5xx status, and nothing else, to an \
                            instance without other traffic, and watch its memory"
                .to_owned(),
            Unit::Byte => format!(
                "to test the cause, upload {} to an instance without other traffic: memory grows by about {grown} if \
                 received bytes are kept",
                short_memory(times)
            ),
            Unit::Count => format!(
                "to test the cause, raise {name} by {n} on an instance that does nothing else: memory grows by about \
                 {grown} if that is the cause"
            ),
            Unit::Level => format!(
                "to test the cause, bring {name} down (close what is open, empty what is full): the memory it holds is \
                 given back, {} for each",
                small(bytes)
            ),
            Unit::Second => format!(
                "to test the cause, leave an instance without requests for {}: memory grows by about {grown} if \
                 timers or jobs leak; then look at these",
                duration_text(times)
            ),
        });
    }
    if open(attribution).is_some() {
        return Some(
            "send only one of the suspects at a time to an instance without other traffic: the one that makes memory grow is the cause"
                .to_owned(),
        );
    }
    if attribution.named().any(|suspect| suspect.unit.is_none()) {
        return Some("undo that change on one instance, and compare its memory with that of the others".to_owned());
    }
    if let Some(suspect) = attribution.suspects.iter().find(|suspect| suspect.unit.is_none()) {
        return Some(format!(
            "undo one of these changes on one instance, {} first, and compare its memory with that of the others: if its \
             memory still grows, undo the next",
            code(&suspect.name)
        ));
    }
    (attribution.has_counts && attribution.suspects.is_empty()).then(|| {
        "log what else the service does (jobs, messages, connections, cache entries) and give it with `--covariate`"
            .to_owned()
    })
}

/// What to send so many times, as an instruction.
fn sending(name: &str, n: &str) -> String {
    match name {
        "all other requests" => format!("send {n} of the other requests"),
        "malformed requests" => format!("send {n} malformed requests"),
        _ => format!("send {} {n} times", code(name)),
    }
}

/// One, two or five times a power of ten, and not less.
fn rounded(number: f64) -> f64 {
    let power = 10_f64.powf(number.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|round| number <= *round).unwrap_or(number)
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With a capital letter, unless it begins with a name.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{BytesPer, CauseKind};
    use super::*;

    const MIB: f64 = 1024.0 * 1024.0;

    fn suspect(name: &str, unit: Unit, value: f64, half: f64) -> Suspect {
        let kind = if unit == Unit::Second { CauseKind::Clock } else { CauseKind::Covariate };
        let bytes = BytesPer { value, lower: value - half, upper: value + half, confidence: 0.9 };
        Suspect {
            kind,
            name: name.to_owned(),
            unit: Some(unit),
            bytes_per_unit: Some(bytes),
            share_of_growth: Some(0.5),
            margin: 20.0,
            is_named: true,
            indistinguishable: Vec::new(),
            units_a_day: None,
            at_ms: None,
        }
    }

    #[test]
    fn an_estimate_does_not_read_like_its_bound_and_what_is_left_is_the_rest() {
        let level = suspect("pg_connections", Unit::Level, 1.43 * MIB, 0.002 * MIB);
        let clock = suspect("time itself", Unit::Second, MIB / 3600.0, 0.1 * MIB / 3600.0);
        let mut attribution =
            Attribution { suspects: vec![level, clock.clone()], has_counts: true, ..Attribution::default() };
        let said = |attribution: &Attribution| sentences(attribution, &|ms| format!("{ms} ms")).join("\n");
        insta::assert_snapshot!(said(&attribution), @r"
        `pg_connections` holds 1.43 MiB per unit (±2.05 KiB at 90 % confidence); that is 50 % of the growth (BIC margin 20)
        Nothing in the logs explains the rest: memory grows 1 MiB an hour (922 KiB to 1.1 MiB at 90 % confidence), steadily over time or with something that is not logged; that is 50 % of the growth (BIC margin 20)
        The cause is a correlation; the next steps say how to test it
        ");
        // The share is that of what was compared.
        attribution.suspects = vec![clock];
        attribution.compared_from_ms = Some(12_345);
        let alone = said(&attribution);
        assert!(alone.starts_with("Nothing in the logs explains the growth: "), "{alone}");
        assert!(alone.contains("; that is 50 % of the growth since 12000 ms (BIC margin 20)"), "{alone}");
        let line = line(&attribution, &|ms| format!("{ms} ms")).unwrap();
        assert!(line.ends_with("; that is 50 % of the growth since 12000 ms"), "{line}");
    }
}
