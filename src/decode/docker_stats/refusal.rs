//! Why a line could not be read, in the words of the report.

/// Why a line could not be read.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It begins like JSON but is not JSON.
    Json(String),
    /// JSON of another kind.
    JsonKeys,
    /// An object over several lines ends before it is whole.
    JsonBreaksOff,
    /// It has no memory where a row has it.
    NoRow { n_cells: usize, columns: Option<usize> },
    /// It has memory, and more than one container before it or more behind it than a row has.
    MoreThanOne,
    /// What should be memory is not an amount.
    Memory(String),
    /// The command said that it failed.
    Failed,
}

impl Refusal {
    pub(super) fn text(&self, line: &str) -> String {
        const EXPECTED_ROW: &str =
            "expected a container, `USED / LIMIT` and more, in columns at least two spaces apart";
        match self {
            Refusal::Json(error) => format!("this is not a JSON object: {error}"),
            Refusal::JsonKeys => {
                "there is no `MemUsage` in it (expected the output of `docker stats --format '{{json .}}'`)".to_owned()
            }
            Refusal::JsonBreaksOff => {
                "the JSON object that begins here has no end (expected a closing brace)".to_owned()
            }
            Refusal::NoRow { .. } if line == "json" => {
                "docker before 23.0 treats `--format json` as a template (expected the output of `--format '{{json .}}'`)"
                    .to_owned()
            }
            Refusal::NoRow { n_cells, columns: Some(columns) } if *n_cells > 2 => {
                format!("found {n_cells} columns without an amount of memory (expected {columns}, as in the header)")
            }
            Refusal::NoRow { .. } => format!("no amount of memory found ({EXPECTED_ROW})"),
            Refusal::MoreThanOne => {
                "more columns than a row has: are these two rows on one line, the first one truncated? (expected one container per line)"
                    .to_owned()
            }
            Refusal::Memory(why) => why.clone(),
            Refusal::Failed => "the command failed here: this reading is missing".to_owned(),
        }
    }
}
