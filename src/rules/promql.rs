//! Reads a PromQL expression, or says what in it is not replayed.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_parser::parser::token::{self, TokenType};
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Call, Expr, LabelModifier, Offset, VectorMatchCardinality, VectorSelector,
};

use super::query::{Grouping, Operation, Query};
use super::select::Select;
use super::times;
use crate::criteria::alert_rule::{Aggregate, Arithmetic, CompareOperator, Function};

const FUNCTIONS: &str = "`avg_over_time`, `min_over_time`, `max_over_time`, `sum_over_time`, `count_over_time`, \
                         `last_over_time`, `quantile_over_time`, `rate`, `increase`, `delta`, `deriv`, \
                         `predict_linear`, `clamp_min`, `clamp_max`";
const AGGREGATIONS: &str = "`sum`, `avg`, `min`, `max`, `count`";

/// Whole numbers up to here are exact as an `f64`.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// An expression, and what its selections are.
///
/// # Errors
///
/// What was found that is not PromQL, or not replayed.
pub(super) fn read(text: &str) -> Result<(Query, Vec<Select>), String> {
    times::check(text)?;
    let expression =
        promql_parser::parser::parse(text).map_err(|error| format!("`{}` is not PromQL: {error}", text.trim()))?;
    let mut reader = Reader { selects: Vec::new() };
    let query = reader.query(&expression)?;
    if reader.selects.is_empty() {
        return Err("it selects no series".to_owned());
    }
    Ok((query, reader.selects))
}

struct Reader {
    selects: Vec<Select>,
}

impl Reader {
    fn query(&mut self, expression: &Expr) -> Result<Query, String> {
        match expression {
            Expr::Paren(inner) => self.query(&inner.expr),
            Expr::NumberLiteral(number) => Ok(Query::Number(number.val)),
            Expr::VectorSelector(selector) => self.selector(selector, None),
            Expr::Unary(inner) => Ok(match self.query(&inner.expr)? {
                Query::Number(number) => Query::Number(-number),
                query => Query::Negative(Box::new(query)),
            }),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Subquery(_) => Err(format!("the subquery `{expression}` is not replayed")),
            Expr::MatrixSelector(_) => Err(format!("`{expression}` is a range vector (expected an instant vector)")),
            Expr::StringLiteral(text) => Err(format!("the text \"{}\" is not a value", text.val)),
            Expr::Extension(_) => Err(format!("`{expression}` is not replayed")),
        }
    }

    fn selector(&mut self, vector: &VectorSelector, over: Option<(Function, i64)>) -> Result<Query, String> {
        if vector.at.is_some() {
            return Err(format!("the modifier `@` in `{vector}` is not replayed"));
        }
        let offset_ms = match &vector.offset {
            None => 0,
            Some(Offset::Pos(offset)) => milliseconds(*offset)?,
            Some(Offset::Neg(offset)) if offset.is_zero() => 0,
            Some(Offset::Neg(_)) => {
                return Err(format!(
                    "the negative offset in `{vector}` is not replayed: what it finds depends on when readings arrive"
                ));
            }
        };
        let select = Select::new(vector)?;
        let select = self.selects.iter().position(|known| *known == select).unwrap_or_else(|| {
            self.selects.push(select);
            self.selects.len() - 1
        });
        Ok(Query::Select { select, offset_ms, over })
    }

    fn call(&mut self, call: &Call) -> Result<Query, String> {
        let name = call.func.name;
        let arguments: Vec<&Expr> = call.args.args.iter().map(|argument| &**argument).collect();
        let function = match name {
            "avg_over_time" => Function::Average,
            "min_over_time" => Function::Minimum,
            "max_over_time" => Function::Maximum,
            "sum_over_time" => Function::Sum,
            "count_over_time" => Function::Count,
            "last_over_time" => Function::Last,
            "quantile_over_time" => {
                let share = self.number(name, arguments.first().copied())?;
                return self.over(name, Function::Quantile { share }, arguments.get(1).copied());
            }
            "delta" => Function::Delta,
            "increase" => Function::Increase,
            "rate" => Function::Rate,
            "deriv" => Function::Slope,
            "predict_linear" => Function::Prediction { seconds: self.number(name, arguments.get(1).copied())? },
            "clamp_min" | "clamp_max" => {
                let bound = self.number(name, arguments.get(1).copied())?;
                let of = arguments.first().ok_or_else(|| format!("`{name}` has no vector"))?;
                let of = Box::new(self.query(of)?);
                return Ok(if name == "clamp_min" { Query::AtLeast(bound, of) } else { Query::AtMost(bound, of) });
            }
            _ => return Err(format!("the function `{name}` is not replayed (supported: {FUNCTIONS})")),
        };
        self.over(name, function, arguments.first().copied())
    }

    /// A function of a range.
    fn over(&mut self, name: &str, function: Function, range: Option<&Expr>) -> Result<Query, String> {
        let range = range.ok_or_else(|| format!("`{name}` has no range"))?;
        let range = match unwrapped(range) {
            Expr::MatrixSelector(range) => range,
            Expr::Subquery(_) => return Err(format!("the subquery `{range}` is not replayed")),
            _ => {
                return Err(format!(
                    "`{name}` of `{range}` is not replayed (expected a selector with a range, such as `x[5m]`)"
                ));
            }
        };
        let range_ms = milliseconds(range.range)?;
        self.selector(&range.vs, Some((function, range_ms)))
    }

    fn number(&mut self, name: &str, argument: Option<&Expr>) -> Result<f64, String> {
        let argument = argument.ok_or_else(|| format!("`{name}` lacks a number"))?;
        match self.query(argument)? {
            Query::Number(number) => Ok(number),
            _ => Err(format!("`{name}` with `{argument}` is not replayed (expected a number)")),
        }
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr) -> Result<Query, String> {
        let name = aggregate.op.to_string();
        let operation = match aggregate.op.id() {
            token::T_SUM => Aggregate::Sum,
            token::T_AVG => Aggregate::Average,
            token::T_MIN => Aggregate::Minimum,
            token::T_MAX => Aggregate::Maximum,
            token::T_COUNT => Aggregate::Count,
            _ => return Err(format!("the aggregation `{name}` is not replayed (supported: {AGGREGATIONS})")),
        };
        let grouping = match &aggregate.modifier {
            None => Grouping::By(BTreeSet::new()),
            Some(modifier) => grouping(modifier)?,
        };
        let of = Box::new(self.query(&aggregate.expr)?);
        Ok(Query::Aggregate { aggregate: operation, grouping, of })
    }

    fn binary(&mut self, binary: &BinaryExpr) -> Result<Query, String> {
        let operator = binary.op;
        let matching = match &binary.modifier {
            None => Grouping::ALL,
            Some(modifier) => matching(modifier)?,
        };
        let (a, b) = (self.query(&binary.lhs)?, self.query(&binary.rhs)?);
        if let (Query::Number(a), Query::Number(b)) = (&a, &b) {
            return scalars(operator, *a, *b, binary.return_bool()).map(Query::Number);
        }
        let has_scalar = matches!(a, Query::Number(_)) || matches!(b, Query::Number(_));
        let operation = match (arithmetic(operator), comparison(operator), operator.id()) {
            (Some(arithmetic), ..) => Operation::Arithmetic(arithmetic),
            (_, Some(comparison), _) if binary.return_bool() => Operation::Truth(comparison),
            (_, Some(comparison), _) => Operation::Filter(comparison),
            (.., token::T_LAND) if !has_scalar => Operation::And,
            (.., token::T_LOR) if !has_scalar => Operation::Or,
            (.., token::T_LUNLESS) if !has_scalar => Operation::Unless,
            _ => return Err(format!("the operator `{operator}` is not replayed here")),
        };
        Ok(Query::Binary { operation, matching, sides: Box::new([a, b]) })
    }
}

/// The labels by which the sides of an operator match.
fn matching(modifier: &BinModifier) -> Result<Grouping, String> {
    match &modifier.card {
        VectorMatchCardinality::ManyToOne(_) => return Err("`group_left` is not replayed".to_owned()),
        VectorMatchCardinality::OneToMany(_) => return Err("`group_right` is not replayed".to_owned()),
        VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => {}
    }
    if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
        return Err("`fill` is not replayed".to_owned());
    }
    modifier.matching.as_ref().map_or(Ok(Grouping::ALL), grouping)
}

fn grouping(modifier: &LabelModifier) -> Result<Grouping, String> {
    let names: BTreeSet<String> = modifier.labels().labels.iter().cloned().collect();
    match modifier {
        LabelModifier::Exclude(_) => Ok(Grouping::Without(names)),
        LabelModifier::Include(_) if names.contains("__name__") => {
            Err("the name of the metric (`__name__`) as a label to group by is not replayed".to_owned())
        }
        LabelModifier::Include(_) => Ok(Grouping::By(names)),
    }
}

/// The expression inside any parentheses.
fn unwrapped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Paren(inner) => unwrapped(&inner.expr),
        expression => expression,
    }
}

/// An operation on two numbers.
fn scalars(operator: TokenType, a: f64, b: f64, returns_bool: bool) -> Result<f64, String> {
    if let Some(arithmetic) = arithmetic(operator) {
        return Ok(arithmetic.of(a, b));
    }
    match comparison(operator) {
        Some(comparison) if returns_bool => Ok(f64::from(u8::from(comparison.holds(a, b)))),
        // Implementations of powers differ in their last bits: only exact ones are the same everywhere.
        None if operator.id() == token::T_POW => exact_power(a, b)
            .ok_or_else(|| format!("`{a} ^ {b}` is not replayed (expected whole numbers with a result up to 2^53)")),
        _ => Err(format!("`{a} {operator} {b}` is not replayed")),
    }
}

fn exact_power(base: f64, exponent: f64) -> Option<f64> {
    let whole = base.fract() == 0.0 && base.abs() <= LARGEST_EXACT && exponent.fract() == 0.0;
    if !whole || !(0.0..=64.0).contains(&exponent) {
        return None;
    }
    let power = (0..exponent as u32).try_fold(1.0_f64, |power, _| {
        let power = power * base;
        (power.abs() <= LARGEST_EXACT).then_some(power)
    })?;
    Some(power)
}

fn arithmetic(operator: TokenType) -> Option<Arithmetic> {
    Some(match operator.id() {
        token::T_ADD => Arithmetic::Add,
        token::T_SUB => Arithmetic::Subtract,
        token::T_MUL => Arithmetic::Multiply,
        token::T_DIV => Arithmetic::Divide,
        token::T_MOD => Arithmetic::Modulo,
        _ => return None,
    })
}

fn comparison(operator: TokenType) -> Option<CompareOperator> {
    Some(match operator.id() {
        token::T_EQLC => CompareOperator::Equal,
        token::T_NEQ => CompareOperator::NotEqual,
        token::T_GTR => CompareOperator::Greater,
        token::T_GTE => CompareOperator::GreaterOrEqual,
        token::T_LSS => CompareOperator::Less,
        token::T_LTE => CompareOperator::LessOrEqual,
        _ => return None,
    })
}

/// Longer ones are not of a measurement, and would overflow sums of times.
const LONGEST: Duration = Duration::from_secs(times::LONGEST_SECONDS);

fn milliseconds(duration: Duration) -> Result<i64, String> {
    if duration > LONGEST || !duration.subsec_nanos().is_multiple_of(1_000_000) {
        return Err(format!("the time {duration:?} is not replayed (expected whole milliseconds, at most 100 years)"));
    }
    Ok(duration.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(text: &str) -> String {
        match read(text) {
            Ok((query, selects)) => {
                let metrics: Vec<String> = selects.iter().map(ToString::to_string).collect();
                format!("{query:?}\n{}", metrics.join(", "))
            }
            Err(why) => why,
        }
    }

    #[test]
    fn expressions_are_read() {
        insta::assert_snapshot!(describe("(x{container=\"api\"} - x{container=\"api\"} offset 5m) > 100000000"));
        insta::assert_snapshot!(describe("predict_linear(x[1h], 4 * 3600) / 2 ^ 30 >= bool 1.5e0 unless -y == 0x10"));
        insta::assert_snapshot!(describe("0.9 < avg_over_time((x[90s] offset 1m)) % 7 and x or y"));
        insta::assert_snapshot!(describe(
            "sum by (pod) (rate(x[5m])) / on (pod) clamp_max(max without (id) (y), 7) > .8"
        ));
    }

    #[test]
    fn what_is_not_replayed_is_named() {
        let refused = [
            "irate(x[5m]) > 1",
            "topk(3, x) > 1",
            "quantile by (pod) (.9, x) > 1",
            "x / ignoring(pod) group_left y > 1",
            "x / on(pod) group_right y > 1",
            "sum by (__name__) (x) > 1",
            "sum(sum_over_time(x[1h:1m])) > 1",
            "clamp_min(x, sum(y)) > 1",
            "absent(x)",
            "max_over_time(x[1h:1m]) > 1",
            "deriv(x[1h:1m]) > 1",
            "x offset -5m > 1",
            "x @ 1700000000 > 1",
            "{container=\"api\"} > 1",
            "{__name__=~\"container_memory.*\"} > 1",
            "x ^ 2 > 1",
            "x > 1.5 ^ 2",
            "x atan2 y > 1",
            "x[5m]",
            "1 > bool 0",
            "predict_linear(x[1h], y) > 1",
            "x > > 1",
            "x offset NaN > 1",
            "x{a=\"1\" or a=\"2\"} > 1",
            "",
        ];
        let reported: Vec<String> = refused.iter().map(|text| format!("{text} => {}", describe(text))).collect();
        insta::assert_snapshot!(reported.join("\n"));
    }
}
