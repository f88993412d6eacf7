//! What is asked for: a metric and label matchers, written as PromQL.

use std::fmt::{self, Write};

/// What is read unless something else is asked for.
pub const DEFAULT_METRIC: &str = "container_memory_working_set_bytes";

/// A metric with the labels that its series must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSelector {
    /// The name.
    pub metric: String,
    /// All of them must hold.
    pub matchers: Vec<Matcher>,
}

/// What a label must be: `namespace="shop"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    label: String,
    operator: &'static str,
    value: String,
}

impl fmt::Display for ServerSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if self.matchers.is_empty() {
            return Ok(());
        }
        let matchers: Vec<String> = self.matchers.iter().map(Matcher::to_string).collect();
        write!(f, "{{{}}}", matchers.join(","))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}\"", self.label, self.operator)?;
        for character in self.value.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

impl ServerSelector {
    /// What `--metric` and `--match` ask for.
    ///
    /// Of the metrics of cAdvisor only containers: pods, their `POD` and cgroups above hold the same memory again.
    ///
    /// # Errors
    ///
    /// What was found and what was expected, as the end of a sentence that names the option.
    pub fn new(metric: Option<&str>, matches: &[String]) -> Result<ServerSelector, String> {
        let metric = metric.unwrap_or(DEFAULT_METRIC);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        if metric.is_empty() || !metric.chars().all(is_name) || metric.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "`--metric {metric}`: it is not the name of a metric (expected something like `container_memory_rss`; labels go into `--match`)"
            ));
        }
        let mut matchers = Vec::new();
        if metric.starts_with("container_") {
            matchers.push(Matcher::new("container", "!=", ""));
            matchers.push(Matcher::new("container", "!=", "POD"));
        }
        for text in matches {
            matchers.extend(matchers_of(text).map_err(|why| format!("`--match {text}`: {why}"))?);
        }
        Ok(ServerSelector { metric: metric.to_owned(), matchers })
    }

    /// The same of another metric; with `keep`, only the matchers of these labels.
    pub(super) fn of(&self, metric: &str, keep: Option<&[&str]>) -> ServerSelector {
        let is_kept = |matcher: &&Matcher| keep.is_none_or(|keep| keep.contains(&matcher.label.as_str()));
        ServerSelector { metric: metric.to_owned(), matchers: self.matchers.iter().filter(is_kept).cloned().collect() }
    }

    /// The same of what kube-state-metrics exports, where the scrape sets labels of its own: `pod` is `exported_pod` there.
    pub(super) fn exported(&self) -> ServerSelector {
        let mut selector = self.clone();
        for matcher in &mut selector.matchers {
            if ["namespace", "pod"].contains(&matcher.label.as_str()) {
                matcher.label.insert_str(0, "exported_");
            }
        }
        selector
    }

    /// The same with one more matcher.
    pub(super) fn with(&self, matcher: Matcher) -> ServerSelector {
        let mut selector = self.clone();
        selector.matchers.push(matcher);
        selector
    }
}

impl Matcher {
    /// A matcher with one of the four operators of PromQL.
    pub(super) fn new(label: &str, operator: &'static str, value: &str) -> Matcher {
        Matcher { label: label.to_owned(), operator, value: value.to_owned() }
    }

    /// A label that is one of these.
    pub(super) fn one_of(label: &str, values: &[String]) -> Matcher {
        match values {
            [value] => Matcher::new(label, "=", value),
            values => {
                // A hyphen means nothing outside of a class, and names have many.
                let escaped: Vec<String> =
                    values.iter().map(|value| regex::escape(value).replace("\\-", "-")).collect();
                Matcher::new(label, "=~", &escaped.join("|"))
            }
        }
    }
}

/// A value as a form holds it.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The matchers of `namespace="shop",pod=~"web-.*"`, also within braces. Quotes may be missing: a shell takes them away.
fn matchers_of(text: &str) -> Result<Vec<Matcher>, String> {
    const EXPECTED: &str = "expected something like `namespace=\"shop\"` or `namespace=\"shop\",pod=~\"web-.*\"`";
    let mut rest = text.trim();
    if let Some((name, _)) = rest.split_once('{') {
        if !name.trim().is_empty() {
            return Err(format!("it names a metric (pass `{}` to `--metric`, and only labels here)", name.trim()));
        }
        rest = rest[1..].strip_suffix('}').ok_or_else(|| format!("a `}}` is missing ({EXPECTED})"))?;
    }
    let mut matchers = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let is_label = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_label(c)).unwrap_or(rest.len());
        let (label, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| behind.starts_with(operator));
        let (Some(operator), false) = (operator, label.is_empty()) else {
            return Err(format!("`{rest}` is not a label matcher ({EXPECTED})"));
        };
        let (value, behind) = value_of(behind[operator.len()..].trim_start())
            .ok_or_else(|| format!("a quote is missing ({EXPECTED})"))?;
        matchers.push(Matcher { label: label.to_owned(), operator, value });
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(rest) => rest,
            None if behind.is_empty() => behind,
            None => return Err(format!("`{behind}` follows a value ({EXPECTED})")),
        };
    }
    if matchers.is_empty() { Err(format!("it is empty ({EXPECTED})")) } else { Ok(matchers) }
}

/// The value at the beginning of a text and what stands behind it; `None` where a quote is not closed.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quote) = text.chars().next().filter(|c| ['"', '\'', '`'].contains(c)) else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            c if c == quote => return Some((value, &text[at + 1..])),
            '\\' if quote != '`' => match characters.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                c if c == quote || c == '\\' => value.push(c),
                // As in a regular expression, where PromQL wants it doubled.
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(metric: Option<&str>, matches: &str) -> Result<String, String> {
        let matches: Vec<String> = if matches.is_empty() { Vec::new() } else { vec![matches.to_owned()] };
        ServerSelector::new(metric, &matches).map(|selector| selector.to_string())
    }

    #[test]
    fn a_selector_is_written_as_promql() {
        #[track_caller]
        fn check(metric: Option<&str>, matches: &str, expected: &str) {
            assert_eq!(selector(metric, matches).unwrap(), expected);
        }
        check(None, "", r#"container_memory_working_set_bytes{container!="",container!="POD"}"#);
        check(Some("up"), "", "up");
        check(Some("up"), r#"namespace="shop""#, r#"up{namespace="shop"}"#);
        check(Some("up"), r#"{namespace="shop", pod=~"web-.*",}"#, r#"up{namespace="shop",pod=~"web-.*"}"#);
        check(Some("up"), "namespace=shop,pod!~web-.*", r#"up{namespace="shop",pod!~"web-.*"}"#);
        check(Some("up"), r#"a!="x\"y",b='z',c=`\d`"#, r#"up{a!="x\"y",b="z",c="\\d"}"#);
        assert_eq!(Matcher::one_of("pod", &["a.b".to_owned(), "c".to_owned()]).to_string(), r#"pod=~"a\\.b|c""#);
        assert_eq!(Matcher::one_of("pod", &["a.b".to_owned()]).to_string(), r#"pod="a.b""#);
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        let refusal = |metric, matches| selector(metric, matches).unwrap_err();
        insta::assert_snapshot!(refusal(Some("up{a=\"b\"}"), ""), @r#"`--metric up{a="b"}`: it is not the name of a metric (expected something like `container_memory_rss`; labels go into `--match`)"#);
        insta::assert_snapshot!(refusal(None, "up{job=\"x\"}"), @r#"`--match up{job="x"}`: it names a metric (pass `up` to `--metric`, and only labels here)"#);
        insta::assert_snapshot!(refusal(None, "shop"), @r#"`--match shop`: `shop` is not a label matcher (expected something like `namespace="shop"` or `namespace="shop",pod=~"web-.*"`)"#);
        insta::assert_snapshot!(refusal(None, "a=\"b"), @r#"`--match a="b`: a quote is missing (expected something like `namespace="shop"` or `namespace="shop",pod=~"web-.*"`)"#);
        insta::assert_snapshot!(refusal(None, "a=\"b\" c=\"d\""), @r#"`--match a="b" c="d"`: `c="d"` follows a value (expected something like `namespace="shop"` or `namespace="shop",pod=~"web-.*"`)"#);
        insta::assert_snapshot!(refusal(None, "{a=\"b\""), @r#"`--match {a="b"`: a `}` is missing (expected something like `namespace="shop"` or `namespace="shop",pod=~"web-.*"`)"#);
        insta::assert_snapshot!(refusal(None, "{}"), @r#"`--match {}`: it is empty (expected something like `namespace="shop"` or `namespace="shop",pod=~"web-.*"`)"#);
    }
}
