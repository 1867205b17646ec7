//! Integers and floats.

use super::dsl::{Dsl, Invocation};
use super::fail::Eval;
use super::interpreter::Interpreter;
use super::value::Value;

/// A float as Ruby writes it: the shortest digits that read back the same, with an exponent outside
/// of 0.0001 to 1e15.
pub(crate) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let fraction = exponent >= 15 && number.fract() != 0.0;
    if fraction || (-4..15).contains(&exponent) {
        let plain = number.to_string();
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let digits = if digits.contains('.') {
        digits.to_owned()
    } else {
        format!("{digits}.0")
    };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

impl Interpreter<'_> {
    fn int_or_big(&mut self, number: Option<i64>) -> Eval {
        match number {
            Some(number) => Ok(Value::Int(number)),
            None => self.unsupported("an integer of more than 64 bits"),
        }
    }

    pub(super) fn number_method(
        &mut self,
        dsl: &mut dyn Dsl,
        receiver: Value,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        if let [other] = call.args[..]
            && let Some(value) = self.arithmetic(receiver, &call.name, other)?
        {
            return Ok(Some(value));
        }
        match receiver {
            Value::Int(number) => self.int_method(dsl, number, call),
            Value::Float(number) => self.float_method(number, call),
            _ => Ok(None),
        }
    }

    fn arithmetic(&mut self, left: Value, name: &str, right: Value) -> Eval<Option<Value>> {
        if !matches!(
            name,
            "+" | "-"
                | "*"
                | "/"
                | "%"
                | "**"
                | "<"
                | ">"
                | "<="
                | ">="
                | "<<"
                | ">>"
                | "&"
                | "|"
                | "^"
                | "div"
                | "modulo"
                | "fdiv"
                | "pow"
        ) {
            return Ok(None);
        }
        if matches!(name, "<" | ">" | "<=" | ">=") {
            let order = self.order(left, right)?;
            return Ok(Some(Value::Bool(match name {
                "<" => order.is_lt(),
                ">" => order.is_gt(),
                "<=" => order.is_le(),
                _ => order.is_ge(),
            })));
        }
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => self.int_arithmetic(a, name, b),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                if matches!(name, "%" | "modulo") && as_float(right) == 0.0 {
                    return self.raise("ZeroDivisionError", "divided by 0");
                }
                Ok(float_arithmetic(as_float(left), name, as_float(right)).map(Value::Float))
            }
            _ => {
                let what = match right {
                    Value::Nil | Value::Bool(_) => self.inspect(right)?,
                    _ => self.class_of(right).to_owned(),
                };
                let message = format!("{what} can't be coerced into {}", self.class_of(left));
                self.raise("TypeError", message)
            }
        }
    }

    fn int_arithmetic(&mut self, a: i64, name: &str, b: i64) -> Eval<Option<Value>> {
        if b == 0 && matches!(name, "/" | "%" | "div" | "modulo") {
            return self.raise("ZeroDivisionError", "divided by 0");
        }
        let result = match name {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            // Ruby rounds down, Rust towards zero.
            "/" | "div" => a.checked_div(b).map(|quotient| {
                let uneven = a % b != 0 && (a < 0) != (b < 0);
                quotient - i64::from(uneven)
            }),
            "%" | "modulo" => a.checked_rem(b).map(|rest| {
                let uneven = rest != 0 && (rest < 0) != (b < 0);
                if uneven { rest + b } else { rest }
            }),
            "**" | "pow" if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            "**" | "pow" => return self.unsupported("a negative power of an integer"),
            "<<" => u32::try_from(b)
                .ok()
                .filter(|b| *b < 63)
                .and_then(|b| a.checked_mul(1 << b)),
            ">>" => Some(a >> b.clamp(0, 63)),
            "&" => Some(a & b),
            "|" => Some(a | b),
            "^" => Some(a ^ b),
            #[expect(clippy::cast_precision_loss, reason = "that is what `fdiv` does")]
            "fdiv" => return Ok(Some(Value::Float(a as f64 / b as f64))),
            _ => return Ok(None),
        };
        self.int_or_big(result).map(Some)
    }

    fn int_method(
        &mut self,
        dsl: &mut dyn Dsl,
        number: i64,
        call: &Invocation,
    ) -> Eval<Option<Value>> {
        #[expect(clippy::cast_precision_loss, reason = "that is what `to_f` does")]
        Ok(Some(match &*call.name {
            "times" => {
                let block = self.block(call)?;
                for round in 0..number {
                    self.call_block(dsl, block, &[Value::Int(round)])?;
                }
                Value::Int(number)
            }
            "upto" | "downto" => {
                let limit = self.one(call)?;
                let limit = self.int_of(limit)?;
                let block = self.block(call)?;
                let up = &*call.name == "upto";
                let mut at = number;
                while if up { at <= limit } else { at >= limit } {
                    self.call_block(dsl, block, &[Value::Int(at)])?;
                    match at.checked_add(if up { 1 } else { -1 }) {
                        Some(next) => at = next,
                        None => break,
                    }
                }
                Value::Int(number)
            }
            "step" => {
                self.takes(call, 1, 2)?;
                let limit = self.int_of(call.args[0])?;
                let step = call.args.get(1).map_or(Ok(1), |step| self.int_of(*step))?;
                if step == 0 {
                    return self.raise("ArgumentError", "step can't be 0");
                }
                let block = self.block(call)?;
                let mut at = Some(number);
                while let Some(now) = at {
                    if if step > 0 { now > limit } else { now < limit } {
                        break;
                    }
                    self.call_block(dsl, block, &[Value::Int(now)])?;
                    at = now.checked_add(step);
                }
                Value::Int(number)
            }
            "to_s" | "inspect" => match call.args.first() {
                None => {
                    let text = number.to_string();
                    self.string(text)?
                }
                Some(Value::Int(10)) => self.string(number.to_string())?,
                Some(Value::Int(16)) if number >= 0 => self.string(format!("{number:x}"))?,
                Some(Value::Int(8)) if number >= 0 => self.string(format!("{number:o}"))?,
                Some(Value::Int(2)) if number >= 0 => self.string(format!("{number:b}"))?,
                _ => return self.unsupported("`to_s` in this base"),
            },
            "to_i" | "to_int" | "floor" | "ceil" | "round" | "truncate" | "ord"
                if call.args.is_empty() =>
            {
                Value::Int(number)
            }
            "to_f" => Value::Float(number as f64),
            "chr" => match u8::try_from(number) {
                Ok(byte) if byte < 0x80 => self.string(char::from(byte).to_string())?,
                _ => return self.unsupported("`chr` of this"),
            },
            "abs" | "magnitude" => self.int_or_big(number.checked_abs())?,
            "-@" => self.int_or_big(number.checked_neg())?,
            "+@" => Value::Int(number),
            "~" => Value::Int(!number),
            "succ" | "next" => self.int_or_big(number.checked_add(1))?,
            "pred" => self.int_or_big(number.checked_sub(1))?,
            "zero?" => Value::Bool(number == 0),
            "positive?" => Value::Bool(number > 0),
            "negative?" => Value::Bool(number < 0),
            "even?" => Value::Bool(number % 2 == 0),
            "odd?" => Value::Bool(number % 2 != 0),
            "integer?" | "finite?" => Value::Bool(true),
            "nonzero?" => match number {
                0 => Value::Nil,
                _ => Value::Int(number),
            },
            "divmod" => {
                let other = self.one(call)?;
                let quotient = self.arithmetic(Value::Int(number), "/", other)?;
                let rest = self.arithmetic(Value::Int(number), "%", other)?;
                let pair = quotient.into_iter().chain(rest).collect();
                self.array(pair)?
            }
            "digits" if call.args.is_empty() && number >= 0 => {
                let digits: Vec<Value> = number
                    .to_string()
                    .bytes()
                    .rev()
                    .map(|digit| Value::Int(i64::from(digit - b'0')))
                    .collect();
                self.array(digits)?
            }
            _ => return Ok(None),
        }))
    }

    fn float_method(&mut self, number: f64, call: &Invocation) -> Eval<Option<Value>> {
        let whole = |this: &mut Self, number: f64| -> Eval {
            this.int_of(Value::Float(number)).map(Value::Int)
        };
        Ok(Some(match &*call.name {
            "to_f" => Value::Float(number),
            "to_i" | "to_int" | "truncate" if call.args.is_empty() => whole(self, number)?,
            "floor" if call.args.is_empty() => whole(self, number.floor())?,
            "ceil" if call.args.is_empty() => whole(self, number.ceil())?,
            "round" if call.args.is_empty() => whole(self, number.round())?,
            "abs" => Value::Float(number.abs()),
            "-@" => Value::Float(-number),
            "+@" => Value::Float(number),
            "zero?" => Value::Bool(number == 0.0),
            "positive?" => Value::Bool(number > 0.0),
            "negative?" => Value::Bool(number < 0.0),
            "nan?" => Value::Bool(number.is_nan()),
            "finite?" => Value::Bool(number.is_finite()),
            "integer?" => Value::Bool(false),
            _ => return Ok(None),
        }))
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is what Ruby does")]
fn as_float(value: Value) -> f64 {
    match value {
        Value::Int(number) => number as f64,
        Value::Float(number) => number,
        _ => f64::NAN,
    }
}

fn float_arithmetic(a: f64, name: &str, b: f64) -> Option<f64> {
    Some(match name {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" | "fdiv" => a / b,
        "%" | "modulo" => {
            let rest = a % b;
            if rest * b < 0.0 { rest + b } else { rest }
        }
        "**" => a.powf(b),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_ruby_does() {
        for (number, text) in [
            (1.0, "1.0"),
            (12.14, "12.14"),
            (1e14, "100000000000000.0"),
            (1e15, "1.0e+15"),
            (1e20, "1.0e+20"),
            (0.0001, "0.0001"),
            (0.00001, "1.0e-05"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1_234_567_890_123_456.8, "1234567890123456.8"),
            (9_999_999_999_999_998.0, "9.999999999999998e+15"),
        ] {
            assert_eq!(float_text(number), text);
        }
    }
}
