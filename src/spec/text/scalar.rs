//! Plain scalars by the core schema of YAML 1.2.2, section 10.3.2.

use super::tree::Value;

/// The value of an unquoted scalar; `None` for the numbers that are not finite (`.inf`, `.nan`, `1e999`).
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    if is_infinity_or_nan(text) {
        return None;
    }
    let number =
        |value: f64, is_integer| value.is_finite().then(|| Value::Number { text: text.to_owned(), value, is_integer });
    if let Some(value) = radix_integer(text) {
        return number(value, true);
    }
    if !is_decimal(text) {
        return Some(Value::Text { text: text.to_owned(), quoted: false });
    }
    let is_integer = !text.contains(['.', 'e', 'E']);
    match text.parse() {
        Ok(value) => number(value, is_integer),
        Err(_) => Some(Value::Text { text: text.to_owned(), quoted: false }),
    }
}

/// The integer of a number's text, if it is one and fits.
pub(super) fn integer(text: &str) -> Option<i128> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i128::from_str_radix(digits, radix).ok();
        }
    }
    text.parse().ok()
}

fn is_infinity_or_nan(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `0x1F` and `0o17`, as in the core schema: no sign, at least one digit.
fn radix_integer(text: &str) -> Option<f64> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => (digits, 16),
        (_, Some(digits)) => (digits, 8),
        _ => return None,
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let folded = digits.chars().filter_map(|digit| digit.to_digit(radix));
    Some(folded.fold(0.0, |value, digit| value * f64::from(radix) + f64::from(digit)))
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && digits.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_follow_the_core_schema() {
        for (text, value, integer) in
            [("12", 12.0, true), ("-0", 0.0, true), ("0x1F", 31.0, true), ("0o17", 15.0, true), ("+1", 1.0, true)]
        {
            let expected = Value::Number { text: text.into(), value, is_integer: integer };
            assert_eq!(plain(text), Some(expected), "{text}");
        }
        for (text, value) in [("1.", 1.0), (".5", 0.5), ("-1e3", -1000.0), ("1.5E-1", 0.15)] {
            let expected = Value::Number { text: text.into(), value, is_integer: false };
            assert_eq!(plain(text), Some(expected), "{text}");
        }
        for text in
            ["yes", "no", "on", "off", "1_000", "12:30", "50ms", ".", "e5", "1e", "--1", "0xg", "0x", "inf", "nan"]
        {
            assert_eq!(plain(text), Some(Value::Text { text: text.into(), quoted: false }), "{text}");
        }
        for text in [".inf", "-.INF", ".nan", "1e999"] {
            assert_eq!(plain(text), None, "{text}");
        }
        assert_eq!(plain("~"), Some(Value::Null));
        assert_eq!(plain("True"), Some(Value::Bool(true)));
    }

    #[test]
    fn integers_keep_all_their_digits() {
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX.into()));
        assert_eq!(integer("0x10"), Some(16));
        assert_eq!(integer("1.0"), None);
    }
}
