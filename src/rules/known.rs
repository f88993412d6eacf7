//! The series that rules can name: those that are judged, and what else an export holds.

use std::collections::{BTreeMap, HashMap};

use super::expand::Input;
use super::select::{self, Select, Source, SourceMetric};
use crate::series::{MemorySeries, Samples, SeriesInfo};

/// A series as an export holds it, which is not judged as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// Who it is.
    info: SeriesInfo,
    /// Its values, which need not be memory; `None` where some of them cannot be read.
    series: Option<MemorySeries>,
    /// The id of the series that is judged in its place; `None` for a limit, or what else is not judged.
    of: Option<String>,
}

impl Beside {
    /// `samples`: none where some of its values cannot be read. `of`: the id of the series that is judged in its place.
    /// `part` takes the part of it that counts; where none does the result is `None`.
    pub fn new(
        info: SeriesInfo,
        samples: Samples,
        of: Option<String>,
        part: &dyn Fn(MemorySeries) -> Option<MemorySeries>,
    ) -> Option<Beside> {
        match MemorySeries::new(info.clone(), samples) {
            None => Some(Beside { info, series: None, of }),
            Some(series) => Some(Beside { info, series: Some(part(series)?), of }),
        }
    }
}

/// All of them.
#[derive(Debug)]
pub struct Known<'a> {
    judged: &'a [MemorySeries],
    beside: Vec<&'a MemorySeries>,
    /// How selectors see them, those that are judged first.
    sources: Vec<Source>,
    /// The series that each is shown with, as an index of those that are judged.
    owners: Vec<Option<usize>>,
    /// What cannot be read.
    unread: Vec<Source>,
}

impl<'a> Known<'a> {
    /// Of what is judged and what is beside it. What is judged in the place of others can be named by these only.
    pub fn new(judged: &'a [MemorySeries], beside: &'a [Beside]) -> Known<'a> {
        let by_id: HashMap<&str, usize> =
            judged.iter().enumerate().map(|(index, series)| (series.info.id.as_str(), index)).collect();
        let (read, unread): (Vec<&Beside>, Vec<&Beside>) = beside.iter().partition(|beside| beside.series.is_some());
        let unread = select::sources(unread.into_iter().map(|beside| &beside.info));
        let all = judged.iter().map(|series| &series.info).chain(read.iter().map(|beside| &beside.info));
        let mut sources = select::sources(all);
        let owner = |beside: &&Beside| beside.of.as_ref().and_then(|id| by_id.get(id.as_str()).copied());
        let of_beside: Vec<Option<usize>> = read.iter().map(owner).collect();
        for replaced in of_beside.iter().flatten() {
            sources[*replaced].metric = SourceMetric::Unnamed;
        }
        let owners = (0..judged.len()).map(Some).chain(of_beside).collect();
        let beside = read.into_iter().filter_map(|beside| beside.series.as_ref()).collect();
        Known { judged, beside, sources, owners, unread }
    }

    /// Those that are judged.
    pub(super) fn judged(&self) -> &'a [MemorySeries] {
        self.judged
    }

    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The series that a source is shown with.
    pub(super) fn owner(&self, source: usize) -> Option<usize> {
        self.owners[source]
    }

    fn get(&self, source: usize) -> &'a MemorySeries {
        self.judged.get(source).unwrap_or_else(|| self.beside[source - self.judged.len()])
    }

    /// The series of the inputs of a condition.
    pub(super) fn inputs(&self, inputs: &[Input]) -> Vec<Option<&'a MemorySeries>> {
        inputs.iter().map(|input| input.series.map(|source| self.get(source))).collect()
    }

    /// Whether some of the inputs are memory of `docker stats`, whose labels need not tell series apart.
    pub(super) fn is_docker(&self, inputs: &[Input]) -> bool {
        inputs.iter().filter_map(|input| input.series).any(|source| self.sources[source].metric == SourceMetric::Docker)
    }

    /// Why nothing can be replayed on what is selected; `None` where it can.
    pub(super) fn unread(&self, selects: &[Select]) -> Option<String> {
        let select = selects.iter().find(|select| self.unread.iter().any(|source| select.finds(source)))?;
        Some(format!("`{select}` selects a series with values that leaktrend cannot use (expected 0 to 2^53)"))
    }

    /// The metrics that a rule tells apart where `docker stats` has one amount for all of them; `None` where it does not.
    pub(super) fn mixed(&self, inputs: &[Input], selects: &[Select]) -> Option<String> {
        let mut metrics: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for input in inputs {
            if let Some(source) = input.series.filter(|source| self.sources[*source].metric == SourceMetric::Docker) {
                metrics.entry(source).or_default().push(&selects[input.select].metric);
            }
        }
        metrics.into_values().find_map(|mut names| {
            names.sort_unstable();
            names.dedup();
            (names.len() > 1).then(|| names.join(" and "))
        })
    }

    /// Why a rule was not judged: it selects nothing that is.
    pub(super) fn nothing_selected(&self, selects: &[Select]) -> String {
        let found = |select: &&Select| self.sources.iter().any(|source| select.finds(source));
        let found: Vec<String> = selects.iter().filter(found).map(|select| format!("`{select}`")).collect();
        if found.is_empty() {
            return select::nothing_selected(selects, (0..self.sources.len()).map(|source| self.get(source)));
        }
        format!("it selects {}, which this report does not judge", found.join(" and "))
    }
}
