//! Which series are meant: `--container`, `--namespace`, `--pod` and `--label`, and the names that match none.

use regex::Regex;

use crate::amounts;
use crate::series::SeriesInfo;

/// Selects the series that match everything given.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `--container`: of the name of a series, of its container, or of the container of which it counts a part.
    pub container: Option<Regex>,
    /// `--namespace`, `--pod` and `--label`.
    pub labels: Vec<LabelMatch>,
}

/// A condition on a label.
#[derive(Debug, Clone)]
pub struct LabelMatch {
    /// As the user wrote it, for messages.
    pub text: String,
    /// The label; one that a series does not have is empty.
    pub key: String,
    /// What it must match.
    pub regex: Regex,
    /// Whether it must not match.
    pub is_not: bool,
}

impl Selection {
    /// Whether a series is selected.
    pub fn keeps(&self, info: &SeriesInfo) -> bool {
        let is_named = |wanted: &Regex| {
            wanted.is_match(info.container()) || amounts::names(info).iter().any(|name| wanted.is_match(name))
        };
        self.container.as_ref().is_none_or(is_named) && self.labels.iter().all(|label| label.holds(info))
    }

    /// The selection as text for messages; `None` if everything is selected.
    pub fn text(&self) -> Option<String> {
        let container = self.container.iter().map(Regex::as_str);
        let parts: Vec<String> = container
            .chain(self.labels.iter().map(|label| label.text.as_str()))
            .map(|part| format!("`{part}`"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }
}

impl LabelMatch {
    /// A condition that a label match anywhere, as with `--container`.
    ///
    /// # Errors
    ///
    /// If `regex` is not a regular expression.
    pub fn containing(key: &str, regex: &str) -> Result<LabelMatch, regex::Error> {
        let text = format!("{key}=~{regex}");
        Ok(LabelMatch { text, key: key.to_owned(), regex: Regex::new(regex)?, is_not: false })
    }

    /// A matcher as PromQL writes it: `k=v`, `k!=v`, `k=~regex`, `k!~regex`, with or without quotes; a regular
    /// expression must match the whole value.
    ///
    /// # Errors
    ///
    /// What was found and what was expected.
    pub fn parse(text: &str) -> Result<LabelMatch, String> {
        let refused = || "not a label matcher (expected something like `team=web`, `team!=web`, `team=~web|api` or `team!~test.*`)";
        let at = text.find(['=', '!']).ok_or_else(refused)?;
        let (key, rest) = text.split_at(at);
        let operator =
            ["=~", "!~", "!=", "="].into_iter().find(|operator| rest.starts_with(operator)).ok_or_else(refused)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-' | '/');
        if key.is_empty() || !key.chars().all(is_name) {
            return Err(refused().to_owned());
        }
        let value = &rest[operator.len()..];
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.unwrap_or(value);
        let pattern = if operator.ends_with('~') { value.to_owned() } else { regex::escape(value) };
        let regex = Regex::new(&format!("^(?s:{pattern})$")).map_err(|error| {
            format!("not a regular expression: {}", error.to_string().lines().last().unwrap_or_default().trim())
        })?;
        Ok(LabelMatch { text: text.to_owned(), key: key.to_owned(), regex, is_not: operator.starts_with('!') })
    }

    fn holds(&self, info: &SeriesInfo) -> bool {
        let value = info.labels.get(&self.key).map_or("", String::as_str);
        self.regex.is_match(value) != self.is_not
    }
}

/// The known names that are most like one that is not known: at most three, the nearest first.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known: Vec<(usize, &str)> = known.into_iter().map(|other| (distance(name, other), other)).collect();
    known.sort_unstable();
    known.dedup();
    known.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The names of series that are nearest to one that none has.
pub fn near(name: &str, known: &[&SeriesInfo]) -> Vec<String> {
    let known: Vec<String> = known.iter().flat_map(|info| amounts::names(info)).collect();
    nearest(name, known.iter().map(String::as_str)).into_iter().map(str::to_owned).collect()
}

/// The same for the end of a sentence; empty where there are none.
pub fn hint(name: &str, known: &[&SeriesInfo]) -> String {
    let names: Vec<String> = near(name, known).iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!(" (the nearest are {})", names.join(", ")) }
}

/// How many characters must be changed to make one name of another, without regard to case; a name within the other is
/// near. Takes O(n m) time.
fn distance(name: &str, other: &str) -> usize {
    let [name, other] = [name, other].map(|text| text.to_lowercase().chars().take(200).collect::<Vec<char>>());
    if !name.is_empty() && other.windows(name.len()).any(|part| part == name) {
        return 0;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in name.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(matcher: &str, value: &str, expected: bool) {
        let matcher = LabelMatch::parse(matcher).unwrap();
        assert_eq!(matcher.key, "team");
        assert_eq!(matcher.regex.is_match(value) != matcher.is_not, expected, "{matcher:?} {value}");
    }

    #[test]
    fn matchers_are_those_of_promql() {
        check("team=web", "web", true);
        check("team=\"web\"", "web", true);
        check("team=web", "web2", false);
        check("team=w.b", "web", false);
        check("team!=web", "", true);
        check("team=~web|api", "api", true);
        check("team=~web|api", "webs", false);
        check("team!~web.*", "webs", false);
        check("team=", "", true);
        insta::assert_snapshot!(LabelMatch::parse("team").unwrap_err(), @"not a label matcher (expected something like `team=web`, `team!=web`, `team=~web|api` or `team!~test.*`)");
        insta::assert_snapshot!(LabelMatch::parse("=web").unwrap_err(), @"not a label matcher (expected something like `team=web`, `team!=web`, `team=~web|api` or `team!~test.*`)");
        insta::assert_snapshot!(LabelMatch::parse("team=~(").unwrap_err(), @"not a regular expression: error: unclosed group");
    }

    #[test]
    fn the_nearest_names_come_first() {
        let known = ["shop/api-1/api", "api-leak", "web-flat", "cache"];
        assert_eq!(nearest("api-lek", known), ["api-leak", "cache", "web-flat"]);
        assert_eq!(nearest("WEB", known)[0], "web-flat");
        assert_eq!(nearest("", []), Vec::<&str>::new());
    }
}
