//! Reads JSON that is not one object a line: arrays, and objects over several lines.

use super::super::clock::Timestamp;
use super::Reader;
use super::escapes::Escapes;
use super::json::{CriRow, CriStats, JsonRow, Piece};
use super::notes::Notes;
use crate::account::{Input, Rejection, StatsRejection};

impl Reader {
    /// Takes a line of JSON; `false` when it is to be read as an object of its own, or as no JSON at all.
    ///
    /// Of the lines of an object one is its reading, the others hold none.
    pub(super) fn read_objects(
        &mut self,
        text: &str,
        timestamp: Option<Timestamp>,
        input: &mut Input,
        notes: &mut Notes,
        number: u64,
    ) -> Result<bool, Rejection> {
        if self.object.is_open() {
            match self.object.take(text) {
                Piece::Inner => return Ok(true),
                Piece::Last => {
                    self.read_object(timestamp, input, notes);
                    return Ok(true);
                }
                Piece::Wrapper => {
                    self.object.n_lines = 0;
                    input.other_lines += 2;
                    return Ok(true);
                }
                Piece::Foreign => self.give_up_object(input),
            }
        }
        match text {
            "{" => {
                // Objects of an array are of one call; the first of a call follows its opening bracket.
                self.object.begin(number);
                Ok(true)
            }
            "[" => {
                self.begin_frame(Escapes::default());
                input.other_lines += 1;
                Ok(true)
            }
            "]" | "]," | "}" | "}," | "[]" => {
                input.other_lines += 1;
                Ok(true)
            }
            _ if text.starts_with("[{") || text.starts_with("{\"stats\"") => {
                self.read_array(text, timestamp, input, notes, number)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reads an object over several lines that is whole.
    fn read_object(&mut self, timestamp: Option<Timestamp>, input: &mut Input, notes: &mut Notes) {
        let object = std::mem::take(&mut self.object);
        let is_cri = object.text.contains("\"attributes\"");
        let read = if is_cri {
            serde_json::from_str::<CriRow<'_>>(&object.text)
                .map_err(|error| StatsRejection::Json { error: error.to_string() }.into())
                .and_then(|row| self.read_cri_row(&row, input, notes, object.first_line))
        } else {
            serde_json::from_str::<JsonRow<'_>>(&object.text)
                .map_err(|error| StatsRejection::Json { error: error.to_string() }.into())
                .and_then(|json| self.read_json_row(&json, timestamp, input, notes, object.first_line))
        };
        match read {
            Ok(()) => input.other_lines += object.n_lines - 1,
            Err(why) => {
                input.reject_at(object.first_line, &object.text, || why);
                input.rejected_count += object.n_lines - 1;
            }
        }
    }

    /// Rejects the lines of an object that does not end.
    pub(super) fn give_up_object(&mut self, input: &mut Input) {
        let object = std::mem::take(&mut self.object);
        if object.is_open() {
            input.reject_at(object.first_line, &object.text, || StatsRejection::JsonBreaksOff);
            input.rejected_count += object.n_lines - 1;
        }
    }

    /// Reads a line that holds all containers of a call.
    fn read_array(
        &mut self,
        text: &str,
        timestamp: Option<Timestamp>,
        input: &mut Input,
        notes: &mut Notes,
        number: u64,
    ) -> Result<(), Rejection> {
        let of_json = |error: serde_json::Error| StatsRejection::Json { error: error.to_string() };
        let mut n_rows: u64 = 0;
        let mut account = |read: Result<(), Rejection>, input: &mut Input| {
            n_rows += 1;
            if let Err(why) = read {
                input.reject_at(number, text, || why);
            }
        };
        if text.starts_with('{') {
            let all = serde_json::from_str::<CriStats<'_>>(text).map_err(of_json)?;
            self.begin_frame(Escapes::default());
            for row in &all.stats {
                let read = self.read_cri_row(row, input, notes, number);
                account(read, input);
            }
        } else {
            let all = serde_json::from_str::<Vec<JsonRow<'_>>>(text).map_err(of_json)?;
            self.begin_frame(Escapes::default());
            for row in &all {
                let read = self.read_json_row(row, timestamp, input, notes, number);
                account(read, input);
            }
        }
        match n_rows {
            0 => input.other_lines += 1,
            n => input.further += n - 1,
        }
        Ok(())
    }

    fn read_json_row(
        &mut self,
        json: &JsonRow<'_>,
        timestamp: Option<Timestamp>,
        input: &mut Input,
        notes: &mut Notes,
        number: u64,
    ) -> Result<(), Rejection> {
        let row = json.row().ok_or(StatsRejection::NoMemUsage)?;
        let timestamp = self.timestamp_of(json, timestamp, notes);
        self.read_row(&row, timestamp, "", Escapes::default(), input, notes, number)
    }

    fn read_cri_row(
        &mut self,
        row: &CriRow<'_>,
        input: &mut Input,
        notes: &mut Notes,
        number: u64,
    ) -> Result<(), Rejection> {
        let timestamp = row.time_ms().map(|time_ms| Timestamp {
            time_ms: Some(time_ms),
            of_day_ms: None,
            has_zone: true,
            has_year: true,
        });
        self.read_row(&row.row()?, timestamp, "", Escapes::default(), input, notes, number)
    }
}
