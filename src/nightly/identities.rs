//! Whose name is whose: the IDs of containers in the lines of a log, beside what the reader of its format makes of them.
//!
//! Takes lines, gives for each name the container that had it last. Known are the tables of `docker stats` and its like
//! and their lines of JSON, where an ID of 12 or 64 hexadecimal digits stands before the name; other lines tell nothing.
//! A name that two containers have in turn, as in the log of two machines, is nobody's.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

/// So many digits of an ID tell containers apart, as docker prints them.
const SHORT_ID: usize = 12;

/// Who had a name, in the order in which they had it first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Holders {
    ids: Vec<String>,
    /// Whether one of them came back after another.
    alternate: bool,
}

/// The containers of a log by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identities {
    names: BTreeMap<String, Holders>,
}

/// An object of `docker stats --format '{{json .}}'`, as far as it says who it is of.
#[derive(Deserialize)]
struct Object {
    /// Docker prints the short ID twice, podman and nerdctl once.
    #[serde(rename = "ID", alias = "id")]
    id: Option<String>,
    #[serde(rename = "Container", alias = "ContainerID")]
    container: Option<String>,
    #[serde(rename = "Name", alias = "name")]
    name: String,
}

impl Identities {
    /// Takes the lines of `text` into account, after those that were taken before.
    pub(super) fn read(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            if let Some((id, name)) = who(line) {
                self.see(&id[..SHORT_ID], &name);
            }
        }
    }

    fn see(&mut self, id: &str, name: &str) {
        if !self.names.contains_key(name) {
            self.names.insert(name.to_owned(), Holders::default());
        }
        let holders = self.names.get_mut(name).expect("it was inserted above");
        match holders.ids.iter().position(|known| known == id) {
            Some(place) => holders.alternate |= place + 1 < holders.ids.len(),
            None => holders.ids.push(id.to_owned()),
        }
    }

    /// The container that had the name first; `None` where the lines tell nothing of it, or of several in turn.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.holders(name)?.ids.first().map(String::as_str)
    }

    /// The container that had the name last; `None` as for `first`.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.holders(name)?.ids.last().map(String::as_str)
    }

    /// Whether the lines tell who had the name, even where they name several in turn.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    fn holders(&self, name: &str) -> Option<&Holders> {
        self.names.get(name).filter(|holders| !holders.alternate)
    }

    /// All IDs in these lines.
    pub(super) fn ids(&self) -> HashSet<&str> {
        self.names.values().flat_map(|holders| holders.ids.iter().map(String::as_str)).collect()
    }
}

/// The ID and the name on a line.
fn who(line: &str) -> Option<(String, String)> {
    if let Some(start) = line.find('{') {
        let object = line[start..].trim_end();
        let Object { id, container, name } = serde_json::from_str(object).ok()?;
        let id = [id, container].into_iter().flatten().find(|id| is_id(id))?;
        return Some((id, name));
    }
    let mut words = line.split_whitespace();
    // A stamp may stand before the row.
    let id = words.by_ref().take(4).find(|word| is_id(word))?;
    Some((id.to_owned(), words.next()?.to_owned()))
}

fn is_id(word: &str) -> bool {
    matches!(word.len(), SHORT_ID | 64)
        && word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(text: &str) -> Identities {
        let mut identities = Identities::default();
        identities.read(text.as_bytes());
        identities
    }

    #[test]
    fn rows_of_every_form_say_who_they_are_of() {
        let long = format!("9a9858661741{}", "0".repeat(52));
        for line in [
            "9a9858661741   web   0.1%   1MiB / 1GiB".to_owned(),
            "1793491200 9a9858661741 web 0.1% 1MiB / 1GiB".to_owned(),
            "2026-11-01 00:00:00 UTC 9a9858661741 web 0.1%".to_owned(),
            r#"2026-11-01T00:00:00Z {"BlockIO":"1kB / 1kB","ID":"9a9858661741","Name":"web"}"#.to_owned(),
            r#"{"Container":"9a9858661741","ID":"9a9858661741","Name":"web"}"#.to_owned(),
            format!(r#"{{"Container":"{long}","Name":"web","MemUsage":"1MiB / 1GiB"}}"#),
        ] {
            assert_eq!(identities(&line).last("web"), Some("9a9858661741"), "{line}");
        }
        for line in ["", "NAME   MEM USAGE", "web: 1MiB / 1GiB", "{\"ID\":", "9a9858661741", "1793491200,512.3MiB"] {
            assert_eq!(identities(line), Identities::default(), "{line}");
        }
    }

    #[test]
    fn a_name_that_two_have_in_turn_is_nobodys() {
        let (a, b) = ("9a9858661741 web 0.1%\n", "aaaaaaaaaaaa web 0.1%\n");
        let anew = identities(&[a, a, b, b].concat());
        assert_eq!((anew.first("web"), anew.last("web")), (Some("9a9858661741"), Some("aaaaaaaaaaaa")));
        let two = identities(&[a, b, a, b].concat());
        assert_eq!((two.first("web"), two.last("web")), (None, None));
        assert_eq!(two.ids().len(), 2);
    }
}
