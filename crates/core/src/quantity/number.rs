//! Exact decimal numbers as users write them: `50`, `0.25`, `.5`, `1_000`, `1.5e-3`.
//!
//! A number is kept as mantissa × 10^exponent, so that units which are powers of ten (`k`, `ms`, `%`) only move the
//! exponent and lose nothing. Limit: [`MAX_DIGITS`] significant digits, more than any `u64` or `f64` needs.

/// Significant digits a number may have; mantissa × the largest unit then still fits `u128`.
const MAX_DIGITS: usize = 24;
/// Exponents are clamped here: far outside every quantity, far inside `i32`.
const EXPONENT_LIMIT: i32 = 100_000;
/// Longest plain decimal that is printed before scientific notation is used [characters].
const PLAIN_LIMIT: usize = 21;

/// What one unit means in the base unit of its quantity: 10^shift × times ÷ over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub shift: i32,
    pub times: u64,
    pub over: u32,
}

/// An exact decimal number: ± mantissa × 10^exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub negative: bool,
    mantissa: u128,
    exponent: i32,
}

/// Why a text does not begin with a usable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanError {
    NoNumber,
    NotFinite,
    TooManyDigits,
}

impl Decimal {
    /// Reads the number at the start of `text`; gives what follows it.
    pub fn scan(text: &str) -> Result<(Self, &str), ScanError> {
        let body = text.strip_prefix(['-', '+']).unwrap_or(text);
        if is_not_finite(body) {
            return Err(ScanError::NotFinite);
        }
        let (whole, mut rest) = digit_run(body);
        let mut fraction = "";
        if let Some((digits, after)) = rest.strip_prefix('.').map(digit_run)
            && !digits.is_empty()
        {
            (fraction, rest) = (digits, after);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(ScanError::NoNumber);
        }
        let (exponent, rest) = scan_exponent(rest);
        let digits: String = [whole, fraction].concat().replace('_', "");
        let places = fraction.bytes().filter(u8::is_ascii_digit).count();
        let kept = digits.trim_end_matches('0');
        let dropped = digits.len() - kept.len();
        let kept = kept.trim_start_matches('0');
        if kept.len() > MAX_DIGITS {
            return Err(ScanError::TooManyDigits);
        }
        let moved = clamp(dropped).saturating_sub(clamp(places));
        let number = Self {
            negative: text.starts_with('-') && !kept.is_empty(),
            mantissa: kept.bytes().fold(0, |m, b| m * 10 + u128::from(b - b'0')),
            exponent: exponent + moved,
        };
        Ok((number, rest))
    }

    /// Is it zero (with either sign)?
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The magnitude in whole base units, to nearest (ties up), and whether it was whole before; `None` past
    /// `u64::MAX`. Only for scales with `over` = 1.
    pub fn to_u64(self, scale: Scale) -> Option<(u64, bool)> {
        let product = self.mantissa.checked_mul(u128::from(scale.times))?;
        let exponent = self.exponent + scale.shift;
        if product == 0 {
            return Some((0, true));
        }
        let power = 10u128.checked_pow(exponent.unsigned_abs());
        if exponent >= 0 {
            let whole = product.checked_mul(power?)?;
            return Some((u64::try_from(whole).ok()?, true));
        }
        // A power past u128 exceeds twice any product (24 digits × the largest unit), so it rounds to zero.
        let Some(power) = power else {
            return Some((0, false));
        };
        let (quotient, remainder) = (product / power, product % power);
        let up = u128::from(remainder != 0 && remainder >= power - remainder);
        Some((u64::try_from(quotient + up).ok()?, remainder == 0))
    }

    /// The magnitude in base units as `f64`: the decimal is rounded once (to nearest), then multiplied and divided, so
    /// that units which are powers of ten or of two are exact to the last bit. May be infinite or underflow to 0.
    pub fn to_f64(self, scale: Scale) -> f64 {
        let text = format!("{}e{}", self.mantissa, self.exponent + scale.shift);
        let decimal: f64 = text.parse().unwrap_or(f64::NAN);
        decimal * scale.times as f64 / f64::from(scale.over)
    }
}

fn clamp(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(EXPONENT_LIMIT).min(EXPONENT_LIMIT)
}

/// `nan`, `inf` and `infinity` in any case, also in YAML's form with a point.
fn is_not_finite(body: &str) -> bool {
    let word = body.strip_prefix('.').unwrap_or(body);
    let end = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
    ["nan", "inf", "infinity"].iter().any(|name| word[..end].eq_ignore_ascii_case(name))
}

/// Splits off the longest prefix of digits, with single `_` allowed between two of them.
fn digit_run(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (end > 0 && bytes.get(end) == Some(&b'_') && digit(end + 1)) {
        end += 1;
    }
    text.split_at(end)
}

/// Splits off `e12`, `E-3`; an `e` that no digit follows belongs to the unit.
fn scan_exponent(text: &str) -> (i32, &str) {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return (0, text);
    };
    let (digits, rest) = digit_run(after.strip_prefix(['-', '+']).unwrap_or(after));
    if digits.is_empty() {
        return (0, text);
    }
    let size = digits.replace('_', "").parse().unwrap_or(EXPONENT_LIMIT).min(EXPONENT_LIMIT);
    (if after.starts_with('-') { -size } else { size }, rest)
}

/// `value ÷ factor` as an exact decimal of at most `limit` characters, or `None` if it has none.
pub(super) fn exact_quotient(value: u64, factor: u64, limit: usize) -> Option<String> {
    let mut text = (value / factor).to_string();
    let mut remainder = u128::from(value % factor);
    if remainder > 0 {
        text.push('.');
    }
    while remainder > 0 && text.len() < limit {
        remainder *= 10;
        text.push_str(&(remainder / u128::from(factor)).to_string());
        remainder %= u128::from(factor);
    }
    (remainder == 0 && text.len() <= limit).then_some(text)
}

/// The shortest decimal that reads back as `value` (finite, not negative), moved by `shift` powers of ten.
pub(super) fn shortest(value: f64, shift: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let exponent = exponent.parse::<i32>().unwrap_or(0) + shift;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    // Exponents past ±PLAIN_LIMIT never print plainly; asking first keeps the strings small.
    let plain = if exponent.unsigned_abs() as usize >= PLAIN_LIMIT {
        None
    } else if exponent < 0 {
        Some(format!("0.{}{digits}", zeros(-exponent - 1)))
    } else {
        let point = exponent as usize + 1;
        Some(if point >= digits.len() {
            format!("{digits}{}", zeros((point - digits.len()) as i32))
        } else {
            format!("{}.{}", &digits[..point], &digits[point..])
        })
    };
    plain.filter(|text| text.len() <= PLAIN_LIMIT).unwrap_or_else(|| format!("{mantissa}e{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Scale = Scale { shift: 0, times: 1, over: 1 };

    fn whole(text: &str) -> Option<(u64, bool)> {
        Decimal::scan(text).ok().and_then(|(n, _)| n.to_u64(ONE))
    }

    #[test]
    fn separators_fractions_and_exponents_are_read_exactly() {
        assert_eq!(whole("1_000"), Some((1000, true)));
        assert_eq!(whole("1.5e3"), Some((1500, true)));
        assert_eq!(whole(".5e1"), Some((5, true)));
        assert_eq!(whole("18446744073709551615"), Some((u64::MAX, true)));
        assert_eq!(whole("18446744073709551616"), None);
        assert_eq!(whole("1e-99999999999"), Some((0, false)));
        assert_eq!(whole("1e99999999999"), None);
        assert_eq!(whole("0e99999999999"), Some((0, true)));
    }

    #[test]
    fn rounding_is_to_nearest_with_ties_up() {
        assert_eq!(whole("0.4"), Some((0, false)));
        assert_eq!(whole("0.5"), Some((1, false)));
        assert_eq!(whole("1.4999"), Some((1, false)));
    }

    #[test]
    fn an_e_without_digits_and_a_stray_separator_belong_to_the_unit() {
        assert_eq!(Decimal::scan("1EB").map(|(_, rest)| rest), Ok("EB"));
        assert_eq!(Decimal::scan("1__0").map(|(_, rest)| rest), Ok("__0"));
        assert_eq!(Decimal::scan("x"), Err(ScanError::NoNumber));
        assert_eq!(Decimal::scan("-.inf"), Err(ScanError::NotFinite));
        assert_eq!(Decimal::scan(&"7".repeat(25)), Err(ScanError::TooManyDigits));
    }

    #[test]
    fn quotients_are_exact_or_absent() {
        assert_eq!(exact_quotient(1536, 1024, 20).as_deref(), Some("1.5"));
        assert_eq!(exact_quotient(1, 60, 20), None);
    }

    #[test]
    fn very_large_and_very_small_values_print_scientifically() {
        assert_eq!(shortest(0.002, 2), "0.2");
        assert_eq!(shortest(1.25e7, -6), "12.5");
        assert_eq!(shortest(1e300, 0), "1e300");
        assert_eq!(shortest(5e-324, 0), "5e-324");
    }
}
