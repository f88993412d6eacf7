//! The series of a table, and which column or which names in a row are of which.

use std::collections::HashMap;

use super::columns::{Columns, Layout};
use super::{SeriesSamples, node_memory, prometheus};
use crate::series::{Labels, Metric, Samples, Sampling, SeriesInfo};

/// The series of a table, in the order of first appearance.
#[derive(Debug)]
pub(super) struct Places {
    /// What memory that is nobody's in particular is named after: the file's stem.
    stem: String,
    pub(super) series: Vec<SeriesSamples>,
    /// The place of each series, by its column's name or the names in its rows.
    by_name: HashMap<String, usize>,
}

impl Places {
    pub(super) fn new(stem: String) -> Places {
        Places { stem, series: Vec::new(), by_name: HashMap::new() }
    }

    /// The series of each column of a table that has one for each container; `None` for columns that hold something
    /// else. Empty for a table with a container in each row.
    pub(super) fn of_columns(&mut self, layout: &Layout) -> Vec<Option<usize>> {
        let Columns::Wide(names) = &layout.columns else { return Vec::new() };
        let anonymous = layout.anonymous();
        let stem = self.stem.clone();
        let place = |column: usize| {
            if let Some(part) = layout.parts[column] {
                return names[column].as_ref().map(|_| self.of_part(part));
            }
            let name = if Some(column) == anonymous { Some(&stem) } else { names[column].as_ref() }?;
            // It may be written as in PromQL.
            Some(self.place(name, layout.is_heap(column), || match prometheus::labels_of_name(name) {
                Some(labels) => (labels, true),
                None => (Labels::from_iter([("container".to_owned(), name.clone())]), false),
            }))
        };
        (0..names.len()).map(place).collect()
    }

    /// The series that a row names by these labels, outermost first; the one of the file where it names none.
    pub(super) fn of_labels(&mut self, labels: &[(&str, &str)], is_heap: bool) -> usize {
        let stem = self.stem.clone();
        let labels = if labels.is_empty() { &[("container", stem.as_str())] } else { labels };
        let id = labels.iter().map(|(_, name)| *name).collect::<Vec<_>>().join("/");
        let (_, last) = labels[labels.len() - 1];
        self.place(&id, is_heap, || {
            let labels = labels.iter().map(|(label, name)| ((*label).to_owned(), (*name).to_owned()));
            (labels.chain([("container".to_owned(), last.to_owned())]).collect(), false)
        })
    }

    /// The series of this name, with its labels where it is new, and whether these are those of a query. `is_heap`: whether
    /// its column is what a runtime's collector manages.
    fn place(&mut self, name: &str, is_heap: bool, labels: impl FnOnce() -> (Labels, bool)) -> usize {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let (labels, is_query) = labels();
        let metric = match (is_query, is_heap) {
            (true, _) => prometheus::metric_of(&labels),
            (false, true) => Metric::Heap,
            (false, false) => Metric::DockerUsage,
        };
        let info = SeriesInfo {
            id: name.to_owned(),
            labels,
            limit: None,
            metric,
            container_given: true,
            // A dashboard asks for one value at each step, and repeats the last where there is none.
            sampling: if is_query { Sampling::Step { inferred: true } } else { Sampling::Raw },
        };
        self.series.push(SeriesSamples { info, samples: Samples::default(), inputs: Vec::new() });
        self.by_name.insert(name.to_owned(), self.series.len() - 1);
        self.series.len() - 1
    }

    /// The series of a part of `process.memoryUsage()`, of the process that the file is named after.
    fn of_part(&mut self, part: usize) -> usize {
        let (name, metric) = node_memory::PARTS[part];
        let (id, stem) = (format!("{}/{name}", self.stem), self.stem.clone());
        let place = self.place(&id, false, || {
            (Labels::from_iter([("container".to_owned(), stem), ("part".to_owned(), name.to_owned())]), false)
        });
        let info = &mut self.series[place].info;
        (info.metric, info.container_given) = (metric, false);
        place
    }

    /// The series that have samples. Those whose columns are written as in PromQL are named as a Prometheus export names
    /// its series.
    pub(super) fn finish(mut self) -> Vec<SeriesSamples> {
        let queries: Vec<usize> = (0..self.series.len())
            .filter(|place| matches!(self.series[*place].info.sampling, Sampling::Step { .. }))
            .collect();
        let labels: Vec<_> = queries.iter().map(|place| &self.series[*place].info.labels).collect();
        let ids = prometheus::ids(&labels);
        for (place, id) in queries.into_iter().zip(ids) {
            let info = &mut self.series[place].info;
            info.labels.entry("container".to_owned()).or_insert_with(|| id.clone());
            info.id = id;
        }
        self.series.retain(|series| !series.samples.is_empty());
        self.series
    }
}
