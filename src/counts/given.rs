//! Counts of a caller that has them in memory: the same grid, without files and their accounts.

use super::bins::Bins;
use super::covariates::Column;
use super::tally::{MAX_KINDS, OTHERS};
use super::{Change, CountGroup, CountKind, Counts, Kind};

/// Numbers of one kind over time.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenNumbers {
    /// Its name: method and route, or what a column would be called.
    pub name: String,
    /// When, in milliseconds since 1970, in any order.
    pub time_ms: Vec<i64>,
    /// As many numbers: of requests how many came at that time, of a covariate its value then. Finite.
    pub values: Vec<f64>,
}

/// Counts for memory that was read from `span.0` to `span.1`, in milliseconds since 1970, of all its series.
///
/// The busiest `MAX_KINDS` kinds of request are told apart, the others together. Which covariates are counters and which
/// are levels is decided as for the columns of a file. `changes`: `None` where none were asked for.
pub fn given(
    span: (i64, i64),
    requests: &[GivenNumbers],
    covariates: &[GivenNumbers],
    changes: Option<Vec<Change>>,
) -> Counts {
    let bins = Bins::of_readings(span.0, span.1);
    let mut kinds = of_requests(bins, requests);
    kinds.extend(covariates.iter().filter_map(|numbers| of_covariate(bins, numbers)));
    let changes_given = changes.is_some();
    let mut changes = changes.unwrap_or_default();
    changes.sort_by_key(|change| change.time_ms);
    changes.dedup();
    let groups = vec![CountGroup { series: None, kinds, untimed: Vec::new() }];
    Counts { bins, groups, changes, changes_given, inputs: Vec::new() }
}

fn of_requests(bins: Bins, requests: &[GivenNumbers]) -> Vec<Kind> {
    let times = || requests.iter().flat_map(|numbers| numbers.time_ms.iter().copied());
    let Some(span) = times().min().zip(times().max()) else { return Vec::new() };
    let kind = |name: String, values| Kind { name, what: CountKind::Requests, values, span, step_ms: 0 };
    let mut kinds: Vec<Kind> = requests
        .iter()
        .map(|numbers| {
            let mut values = vec![0.0; bins.count];
            for (time_ms, count) in numbers.time_ms.iter().zip(&numbers.values) {
                if let Some(bin) = bins.of(*time_ms) {
                    values[bin] += count;
                }
            }
            kind(numbers.name.clone(), values)
        })
        .collect();
    let total = |kind: &Kind| kind.values.iter().sum::<f64>();
    kinds.sort_by(|a, b| total(b).total_cmp(&total(a)).then_with(|| a.name.cmp(&b.name)));
    let rest = kinds.split_off(kinds.len().min(MAX_KINDS));
    if !rest.is_empty() {
        let mut values = vec![0.0; bins.count];
        rest.iter().for_each(|kind| values.iter_mut().zip(&kind.values).for_each(|(sum, value)| *sum += value));
        kinds.push(kind(OTHERS.to_owned(), values));
    }
    kinds
}

fn of_covariate(bins: Bins, numbers: &GivenNumbers) -> Option<Kind> {
    let mut rows: Vec<(i64, f64)> = numbers.time_ms.iter().copied().zip(numbers.values.iter().copied()).collect();
    rows.sort_by_key(|row| row.0);
    let mut column = Column::new(numbers.name.clone(), &[bins]);
    rows.into_iter().for_each(|(time_ms, value)| column.push(time_ms, value));
    column.into_kinds().next()?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23T20:00:00Z.
    const START: i64 = 1_795_464_000_000;

    fn numbers(name: &str, rows: impl Iterator<Item = (i64, f64)>) -> GivenNumbers {
        let (time_ms, values) = rows.unzip();
        GivenNumbers { name: name.to_owned(), time_ms, values }
    }

    /// A table of requests, a table of numbers and a list of changes say the same from memory as from files.
    #[test]
    fn what_is_given_counts_as_what_is_read() {
        let at = |minute: i64| START + 60_000 * minute + 7000;
        let mut log = "time,method,path,count\n".to_owned();
        let mut table = "time,jobs_total,connections\n".to_owned();
        for minute in 0..60 {
            let time = crate::units::time_text(at(minute)).unwrap();
            log.push_str(&format!("{time},GET,/a,{}\n{time},POST,/b,{}\n", 10 + minute % 7, 5 + minute % 3));
            table.push_str(&format!("{time},{},{}\n", 7 * minute % 200, minute % 5));
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let wanted = super::super::CountSources {
            requests: vec![super::super::Given { series: None, path: write("requests.csv", &log) }],
            covariates: vec![super::super::Given { series: None, path: write("numbers.csv", &table) }],
            changes: vec![write("changes.txt", "2026-11-23T20:10:00Z deploy a\n")],
            routes: super::super::Routes::default(),
        };
        let span = (START, START + 3_600_000);
        let read = super::super::read(&wanted, &[span]).remove(0);
        let of = |count: fn(i64) -> i64| (0..60).map(move |minute| (at(minute), count(minute) as f64));
        // Newest first: the order does not matter.
        let requests =
            [numbers("GET /a", of(|minute| 10 + minute % 7).rev()), numbers("POST /b", of(|minute| 5 + minute % 3))];
        let covariates = [
            numbers("jobs_total", of(|minute| 7 * minute % 200).rev()),
            numbers("connections", of(|minute| minute % 5)),
        ];
        let changes = vec![Change { time_ms: START + 600_000, label: "deploy a".to_owned() }];
        let given = given(span, &requests, &covariates, Some(changes));
        assert_eq!(Counts { inputs: Vec::new(), ..read }, given);
    }

    #[test]
    fn kinds_beyond_the_busiest_are_counted_together() {
        let one = |index: usize| numbers(&format!("GET /{index}"), std::iter::once((START + 1, (index + 1) as f64)));
        let requests: Vec<GivenNumbers> = (0..MAX_KINDS + 3).map(one).collect();
        let counts = given((START, START + 1000), &requests, &[], None);
        let kinds = &counts.groups[0].kinds;
        assert_eq!(kinds.len(), MAX_KINDS + 1);
        assert_eq!((kinds[0].name.as_str(), kinds[MAX_KINDS].name.as_str()), ("GET /202", OTHERS));
        assert_eq!(kinds[MAX_KINDS].values.iter().sum::<f64>(), 1.0 + 2.0 + 3.0);
        assert!(!counts.changes_given);
    }
}
