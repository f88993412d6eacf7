//! Makes a condition of a PromQL expression, or says what in it is not replayed.

use std::time::Duration;

use promql_parser::parser::token::{self, TokenType};
use promql_parser::parser::{BinaryExpr, Call, Expr, Offset, VectorMatchCardinality, VectorSelector};

use super::select::Select;
use super::times;
use crate::criteria::alert_rule::{Arithmetic, Comparison, Condition, Function, Node, Selector};

const FUNCTIONS: &str = "`avg_over_time`, `min_over_time`, `max_over_time`, `delta`, `deriv`, `predict_linear`";

/// Whole numbers up to here are exact as an `f64`.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The condition of an expression, and what its inputs select.
///
/// # Errors
///
/// What was found that is not PromQL, or not replayed.
pub(super) fn compile(text: &str) -> Result<(Condition, Vec<Select>), String> {
    times::check(text)?;
    let expression =
        promql_parser::parser::parse(text).map_err(|error| format!("`{}` is not PromQL: {error}", text.trim()))?;
    let mut compiler = Compiler { selectors: Vec::new(), selects: Vec::new() };
    let root = compiler.node(&expression)?;
    if compiler.selectors.is_empty() {
        return Err("it selects no series".to_owned());
    }
    Ok((Condition { selectors: compiler.selectors, root }, compiler.selects))
}

struct Compiler {
    selectors: Vec<Selector>,
    selects: Vec<Select>,
}

impl Compiler {
    fn node(&mut self, expression: &Expr) -> Result<Node, String> {
        match expression {
            Expr::Paren(inner) => self.node(&inner.expr),
            Expr::NumberLiteral(number) => Ok(Node::Number(number.val)),
            Expr::VectorSelector(selector) => self.selector(selector, None),
            Expr::Unary(inner) => Ok(match self.node(&inner.expr)? {
                Node::Number(number) => Node::Number(-number),
                node => Node::Negative(Box::new(node)),
            }),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Aggregate(aggregate) => Err(format!("the aggregation `{}` is not replayed", aggregate.op)),
            Expr::Subquery(_) => Err(format!("the subquery `{expression}` is not replayed")),
            Expr::MatrixSelector(_) => Err(format!("`{expression}` is a range, not a value at one time")),
            Expr::StringLiteral(text) => Err(format!("the text \"{}\" is not a value", text.val)),
            Expr::Extension(_) => Err(format!("`{expression}` is not replayed")),
        }
    }

    fn selector(&mut self, vector: &VectorSelector, over: Option<(Function, i64)>) -> Result<Node, String> {
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
        let input = self.selects.iter().position(|known| *known == select).unwrap_or_else(|| {
            self.selects.push(select);
            self.selects.len() - 1
        });
        self.selectors.push(Selector { input, offset_ms, over });
        Ok(Node::Selector(self.selectors.len() - 1))
    }

    fn call(&mut self, call: &Call) -> Result<Node, String> {
        let name = call.func.name;
        let function = match name {
            "avg_over_time" => Function::Average,
            "min_over_time" => Function::Minimum,
            "max_over_time" => Function::Maximum,
            "delta" => Function::Delta,
            "deriv" => Function::Slope,
            "predict_linear" => Function::Prediction { seconds: f64::NAN },
            _ => return Err(format!("the function `{name}` is not replayed (those that are: {FUNCTIONS})")),
        };
        let mut arguments = call.args.args.iter();
        let range = arguments.next().ok_or_else(|| format!("`{name}` has no range"))?;
        let Expr::MatrixSelector(range) = unwrapped(range) else {
            return Err(format!(
                "`{name}` of `{range}` is not replayed (expected a selector with a range, as `x[5m]`)"
            ));
        };
        let function = match (function, arguments.next()) {
            (Function::Prediction { .. }, Some(seconds)) => match self.node(seconds)? {
                Node::Number(seconds) => Function::Prediction { seconds },
                _ => return Err(format!("`predict_linear` over `{seconds}` is not replayed (expected a number)")),
            },
            (function, _) => function,
        };
        let range_ms = milliseconds(range.range)?;
        self.selector(&range.vs, Some((function, range_ms)))
    }

    fn binary(&mut self, binary: &BinaryExpr) -> Result<Node, String> {
        let operator = binary.op;
        if let Some(modifier) = &binary.modifier {
            let grouping = match &modifier.card {
                VectorMatchCardinality::ManyToOne(_) => Some("group_left"),
                VectorMatchCardinality::OneToMany(_) => Some("group_right"),
                VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => None,
            };
            if let Some(grouping) = grouping {
                return Err(format!("`{grouping}` is not replayed"));
            }
            if let Some(matching) = &modifier.matching {
                let name = if matching.is_include() { "on" } else { "ignoring" };
                return Err(format!("`{name}` is not replayed: both sides of `{operator}` match by all their labels"));
            }
            if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
                return Err("`fill` is not replayed".to_owned());
            }
        }
        let (a, b) = (self.node(&binary.lhs)?, self.node(&binary.rhs)?);
        if let (Node::Number(a), Node::Number(b)) = (&a, &b) {
            return scalars(operator, *a, *b, binary.return_bool()).map(Node::Number);
        }
        let (a, b) = (Box::new(a), Box::new(b));
        if let Some(arithmetic) = arithmetic(operator) {
            return Ok(Node::Arithmetic(arithmetic, a, b));
        }
        if let Some(comparison) = comparison(operator) {
            let node = if binary.return_bool() { Node::Truth } else { Node::Filter };
            return Ok(node(comparison, a, b));
        }
        let has_scalar = matches!(*a, Node::Number(_)) || matches!(*b, Node::Number(_));
        match operator.id() {
            token::T_LAND if !has_scalar => Ok(Node::And(a, b)),
            token::T_LOR if !has_scalar => Ok(Node::Or(a, b)),
            token::T_LUNLESS if !has_scalar => Ok(Node::Unless(a, b)),
            _ => Err(format!("the operator `{operator}` is not replayed here")),
        }
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

fn comparison(operator: TokenType) -> Option<Comparison> {
    Some(match operator.id() {
        token::T_EQLC => Comparison::Equal,
        token::T_NEQ => Comparison::NotEqual,
        token::T_GTR => Comparison::Greater,
        token::T_GTE => Comparison::GreaterOrEqual,
        token::T_LSS => Comparison::Less,
        token::T_LTE => Comparison::LessOrEqual,
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
        match compile(text) {
            Ok((condition, selects)) => {
                let metrics: Vec<String> = selects.iter().map(ToString::to_string).collect();
                format!("{:?}\n{:?}\n{}", condition.root, condition.selectors, metrics.join(", "))
            }
            Err(why) => why,
        }
    }

    #[test]
    fn expressions_become_conditions() {
        insta::assert_snapshot!(describe("(x{container=\"api\"} - x{container=\"api\"} offset 5m) > 100000000"));
        insta::assert_snapshot!(describe("predict_linear(x[1h], 4 * 3600) / 2 ^ 30 >= bool 1.5e0 unless -y == 0x10"));
        insta::assert_snapshot!(describe("0.9 < avg_over_time((x[90s] offset 1m)) % 7 and x or y"));
    }

    #[test]
    fn what_is_not_replayed_is_named() {
        let refused = [
            "rate(x[5m]) > 1",
            "sum(x) by (pod) > 1",
            "x / on(pod) y > 1",
            "x / ignoring(pod) group_left y > 1",
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
        let told: Vec<String> = refused.iter().map(|text| format!("{text} => {}", describe(text))).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
