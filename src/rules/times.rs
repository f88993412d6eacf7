//! Finds the offsets and ranges of an expression that the PromQL parser cannot be given: where a plain number of seconds
//! is no time it panics, and a part of a time that is beyond its numbers it leaves out without a word.

use std::sync::LazyLock;

use regex::Regex;

/// The longest offset or range that is replayed, in seconds: 100 years.
pub(super) const LONGEST_SECONDS: u64 = 100 * 365 * 86_400;

/// Texts, comments and names are stepped over; what follows `offset`, `[` or `:` is a time.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
          "(?: [^"\\] | \\. )*" | '(?: [^'\\] | \\. )*' | `[^`]*` | \#[^\n]*
        | (?: \boffset\b (?: \s | \#[^\n]* )* [+-]? | [\[:] ) (?: \s | \#[^\n]* )*
          (?<time> (?: nan | inf ) \b | [0-9.]+ (?: e [+-]? [0-9]+ )? [0-9a-z_.]* )
        | [a-z_] [a-z0-9_:]*
        "#,
    )
    .expect("the pattern is well-formed")
});

/// Checks every offset and range of an expression.
///
/// # Errors
///
/// The first that is no time, or too long a one.
pub(super) fn check(expression: &str) -> Result<(), String> {
    for time in TOKEN.captures_iter(expression).filter_map(|token| token.name("time")) {
        let time = time.as_str();
        // Stated as what must hold, so that NaN is refused with what is too long.
        let holds = match time.parse::<f64>() {
            Ok(seconds) => seconds <= LONGEST_SECONDS as f64,
            Err(_) => time.split(|c: char| !c.is_ascii_digit()).all(|digits| digits.len() < 10),
        };
        if !holds {
            return Err(format!(
                "`{time}` is not a time that is replayed (expected something like `5m`, at most 100 years)"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_the_parser_cannot_read_are_refused() {
        for (expression, time) in [
            ("x offset NaN > 1", "NaN"),
            ("x OFFSET -inf > 1", "inf"),
            ("x offset # how long\n 1e30 > 1", "1e30"),
            ("x offset 1e30-1 > 1", "1e30"),
            ("avg_over_time(x[ 1e+30 ]) > 1", "1e+30"),
            ("avg_over_time(x[5m:nan]) > 1", "nan"),
            ("avg_over_time(x[1d4294967296s]) > 1", "1d4294967296s"),
        ] {
            let refusal =
                format!("`{time}` is not a time that is replayed (expected something like `5m`, at most 100 years)");
            assert_eq!(check(expression), Err(refusal), "{expression}");
        }
    }

    #[test]
    fn names_texts_and_comments_hold_anything() {
        for expression in [
            "job:inf:nan offset 5m > 1e30",
            "x{a=\"[nan\", b='offset \\' inf', c=`:1e30`} # offset NaN\n > NaN",
            "my_offset - inf > [",
            "avg_over_time(x[1h30m:1m] offset 90.5) > 99999999999",
        ] {
            assert_eq!(check(expression), Ok(()), "{expression}");
        }
    }
}
