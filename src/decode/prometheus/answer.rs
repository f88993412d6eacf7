//! What a Prometheus response says about itself, beside its series.

use serde::Deserialize;

use crate::account::{ExportWarning, Input, ResponseFault, Warning, cleaned};

/// What leaktrend says of what it read from a server and kept.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    /// Whether samples are scrapes or the points of a range query.
    pub(super) samples: Option<Kind>,
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

/// What samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Raw,
    Step,
}

/// What one file says beside its series.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) result_type: Option<String>,
    pub(super) error_type: Option<String>,
    pub(super) error: Option<String>,
    pub(super) is_error: bool,
    pub(super) is_partial: bool,
    pub(super) warnings: Vec<String>,
    pub(super) n_matrix_series: u64,
    pub(super) n_instant: u64,
    pub(super) n_histograms: u64,
    pub(super) has_result: bool,
    pub(super) about: Option<About>,
}

impl Answer {
    /// Says what the answer means for the input.
    pub(super) fn judge(self, input: &mut Input) {
        if self.is_error {
            let error = self.error.as_deref().unwrap_or("no message");
            let error_type = self.error_type.as_deref().unwrap_or("of no type");
            let too_many_points = error.contains("exceeded maximum resolution");
            let (kind, error) = (cleaned(error_type, 40), cleaned(error, 200));
            input.unusable = Some(ResponseFault::Error { kind, error, too_many_points }.into());
            return;
        }
        match self.result_type.as_deref() {
            Some(other @ ("vector" | "scalar" | "string")) => {
                input.unusable = Some(ResponseFault::Instant { result_type: other.to_owned() }.into());
                return;
            }
            Some("matrix") | None => {}
            Some(other) => {
                input.unusable = Some(ResponseFault::OtherType { result_type: cleaned(other, 40) }.into());
                return;
            }
        }
        if self.n_matrix_series == 0 && self.n_instant > 0 {
            input.unusable = Some(ResponseFault::SingleValues.into());
        } else if self.n_matrix_series == 0 && self.n_histograms > 0 {
            input.unusable = Some(ResponseFault::Histograms.into());
            return;
        } else if self.n_matrix_series == 0 && self.has_result {
            input.unusable = Some(ResponseFault::NoSeries.into());
        } else if !self.has_result {
            input.unusable = Some(ResponseFault::NoResult.into());
        }
        for note in self.about.into_iter().flat_map(|about| about.notes) {
            input.warn(Warning::Text(cleaned(&note, 600)));
        }
        if self.n_histograms > 0 {
            input.warn(ExportWarning::Histograms { n_series: self.n_histograms });
        }
        if self.is_partial {
            input.incomplete = true;
            input.warn(ExportWarning::Partial);
        }
        if !self.warnings.is_empty() {
            input.incomplete = true;
        }
        for warning in self.warnings {
            input.warn(ExportWarning::Server(cleaned(&warning, 300)));
        }
    }
}
