//! `format`: texts, numbers and names put into a pattern.

use super::fail::Eval;
use super::interpreter::Interpreter;
use super::value::Value;

/// One directive's flags.
#[derive(Default)]
struct Directive {
    left: bool,
    zero: bool,
    plus: bool,
    blank: bool,
    width: usize,
    precision: Option<usize>,
    name: Option<String>,
}

/// Widths beyond this are refused: `'%1000000000d'`.
const MAX_WIDTH: usize = 10_000;

/// Puts arguments into a pattern.
pub(super) fn format(cx: &mut Interpreter<'_>, pattern: &str, args: &[Value]) -> Eval<String> {
    let mut out = String::new();
    let named = match args {
        [Value::Hash(hash)] => Some(*hash),
        _ => None,
    };
    let mut args = args.iter().copied();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = Directive::default();
        loop {
            match chars.peek() {
                Some('-') => directive.left = true,
                Some('0') => directive.zero = true,
                Some('+') => directive.plus = true,
                Some(' ') => directive.blank = true,
                _ => break,
            }
            chars.next();
        }
        let open = chars.peek().copied();
        if let Some(open @ ('<' | '{')) = open {
            chars.next();
            let close = if open == '<' { '>' } else { '}' };
            let name: String = chars.by_ref().take_while(|c| *c != close).collect();
            directive.name = Some(name);
        }
        directive.width = number(&mut chars);
        if chars.peek() == Some(&'.') {
            chars.next();
            directive.precision = Some(number(&mut chars));
        }
        if directive.width.max(directive.precision.unwrap_or(0)) > MAX_WIDTH {
            return cx.unsupported("`format` of this width");
        }
        let value = match &directive.name {
            None => None,
            Some(name) => {
                let Some(hash) = named else {
                    return cx.raise("ArgumentError", "one hash required");
                };
                match cx.keyword(hash, name) {
                    Some(value) => Some(value),
                    None => {
                        let message = format!("key<{name}> not found");
                        return cx.raise("KeyError", message);
                    }
                }
            }
        };
        if open == Some('{') {
            let text = cx.display(value.unwrap_or(Value::Nil))?;
            out.push_str(&padded(&directive, text));
            continue;
        }
        let Some(kind) = chars.next() else {
            return cx.raise(
                "ArgumentError",
                "incomplete format specifier; use %% (double %) instead",
            );
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match value.or_else(|| args.next()) {
            Some(value) => value,
            None => return cx.raise("ArgumentError", "too few arguments"),
        };
        let piece = directive_text(cx, &directive, kind, value)?;
        cx.charge(piece.len() as u64)?;
        out.push_str(&piece);
    }
    Ok(out)
}

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> usize {
    let mut number: usize = 0;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        number = number.saturating_mul(10).saturating_add(digit as usize);
        chars.next();
    }
    number
}

fn directive_text(
    cx: &mut Interpreter<'_>,
    directive: &Directive,
    kind: char,
    value: Value,
) -> Eval<String> {
    let text = match kind {
        's' => {
            let text = cx.display(value)?;
            match directive.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text,
            }
        }
        'p' => cx.inspect(value)?,
        'd' | 'i' | 'u' | 'x' | 'o' | 'b' => {
            let number = match value {
                Value::Int(number) => number,
                Value::Float(number) => cx.int_of(Value::Float(number.floor()))?,
                Value::Str(_) | Value::Nil => {
                    return cx.unsupported("`format` of this as a number");
                }
                _ => return cx.no_conversion(value, "Integer"),
            };
            if number < 0 && kind != 'd' && kind != 'i' && kind != 'u' {
                return cx.unsupported("`format` of a negative number in this base");
            }
            if directive.precision.is_some() {
                return cx.unsupported("`format` of an integer with a precision");
            }
            let digits = match kind {
                'x' => format!("{number:x}"),
                'o' => format!("{number:o}"),
                'b' => format!("{number:b}"),
                _ => number.unsigned_abs().to_string(),
            };
            signed(directive, number < 0, &digits)
        }
        'f' => {
            #[expect(clippy::cast_precision_loss, reason = "that is what `%f` does")]
            let number = match value {
                Value::Int(number) => number as f64,
                Value::Float(number) => number,
                _ => return cx.unsupported("`format` of this as a float"),
            };
            let digits = format!("{:.*}", directive.precision.unwrap_or(6), number.abs());
            signed(directive, number.is_sign_negative(), &digits)
        }
        'c' => match value {
            Value::Str(id) => cx.text(id)?.chars().take(1).collect(),
            _ => return cx.unsupported("`%c` of this"),
        },
        _ => return cx.unsupported(format!("`%{kind}` in `format`")),
    };
    Ok(padded(directive, text))
}

fn signed(directive: &Directive, negative: bool, digits: &str) -> String {
    let sign = match (negative, directive.plus, directive.blank) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    };
    if !directive.zero || directive.left {
        return format!("{sign}{digits}");
    }
    let missing = directive.width.saturating_sub(sign.len() + digits.len());
    format!("{sign}{}{digits}", "0".repeat(missing))
}

fn padded(directive: &Directive, text: String) -> String {
    let missing = directive.width.saturating_sub(text.chars().count());
    let blanks = " ".repeat(missing);
    match directive.left {
        true => text + &blanks,
        false => blanks + &text,
    }
}
