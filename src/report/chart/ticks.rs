//! Where ticks stand and what they say: steps of 1, 2 or 5 times a power of ten, labels without trailing noise.

/// Ticks of one axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ticks {
    /// (value, label), increasing.
    pub major: Vec<(f64, String)>,
    /// Unlabeled values between them (logarithmic axes only).
    pub minor: Vec<f64>,
    /// A power of ten taken out of the labels, to be named beside the unit: "×10⁻⁶".
    pub factor: Option<String>,
}

/// Ten to the power `exponent`, correctly rounded for small exponents (a product for positive, a quotient for negative).
pub(super) fn power_of_ten(exponent: i32) -> f64 {
    if exponent >= 0 { libm::pow(10.0, f64::from(exponent)) } else { 1.0 / libm::pow(10.0, f64::from(-exponent)) }
}

/// A step of 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    mantissa: f64,
    exponent: i32,
}

impl Step {
    /// The step that divides `span` (above zero) into about `target` parts, nearest in ratio.
    pub fn for_span(span: f64, target: usize) -> Self {
        let raw = span / target.max(1) as f64;
        let exponent = libm::floor(libm::log10(raw)) as i32;
        let ratio = raw / power_of_ten(exponent);
        // Switching at the geometric means 1-2, 2-5 and 5-10 keeps the count nearest to the target.
        let (mantissa, carry) = match ratio * ratio {
            square if square < 2.0 => (1.0, 0),
            square if square < 10.0 => (2.0, 0),
            square if square < 50.0 => (5.0, 0),
            _ => (1.0, 1),
        };
        Self { mantissa, exponent: exponent + carry }
    }

    /// The step's length.
    pub fn size(self) -> f64 {
        self.multiple(1.0)
    }

    /// `count` steps, rounded once: 3 × 0.1 is 0.3.
    pub fn multiple(self, count: f64) -> f64 {
        if self.exponent >= 0 {
            count * self.mantissa * power_of_ten(self.exponent)
        } else {
            count * self.mantissa / libm::pow(10.0, f64::from(-self.exponent))
        }
    }

    /// The range widened to whole steps.
    pub fn widen(self, lo: f64, hi: f64) -> (f64, f64) {
        let down = libm::floor(lo / self.size() + 1e-9);
        let up = libm::ceil(hi / self.size() - 1e-9);
        (self.multiple(down), self.multiple(up))
    }
}

/// Linear ticks within `lo < hi`.
pub(super) fn linear(lo: f64, hi: f64, target: usize) -> Ticks {
    let step = Step::for_span(hi - lo, target);
    let first = libm::ceil(lo / step.size() - 1e-6);
    let last = libm::floor(hi / step.size() + 1e-6);
    let count = (last - first).clamp(0.0, 64.0) as usize + 1;
    let values: Vec<f64> = (0..count).map(|index| step.multiple(first + index as f64) + 0.0).collect();
    let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let (shift, suffix, factor) = magnitude(largest, step.exponent);
    let decimals = (shift - step.exponent).max(0) as usize;
    let scaled = |v: f64| {
        if shift >= 0 { v / power_of_ten(shift) } else { v * power_of_ten(-shift) }
    };
    let group = scaled(largest) >= 10_000.0;
    let major = values
        .into_iter()
        .map(|v| {
            let zero = v == 0.0;
            let mut label = fixed(scaled(v), if zero { 0 } else { decimals }, group);
            if !zero {
                label.push_str(suffix);
            }
            (v, label)
        })
        .collect();
    Ticks { major, minor: Vec::new(), factor }
}

/// Leaves the whole numbers, without decimals.
pub(super) fn whole(ticks: &mut Ticks) {
    if ticks.factor.is_none() && ticks.major.iter().any(|(value, _)| value.fract() != 0.0) {
        ticks.major.retain(|(value, _)| value.fract() == 0.0);
        for (value, label) in &mut ticks.major {
            *label = fixed(*value, 0, false);
        }
    }
}

/// How an axis with this largest magnitude writes its numbers: (power of ten divided out, suffix, named factor).
fn magnitude(largest: f64, step_exponent: i32) -> (i32, &'static str, Option<String>) {
    if largest == 0.0 || (1e-3..1e6).contains(&largest) {
        return (0, "", None);
    }
    let thousands = (libm::floor(libm::log10(largest) / 3.0) as i32) * 3;
    let fine = thousands - step_exponent > 3;
    if largest >= 1e6 {
        let suffix = match thousands {
            6 => "M",
            9 => "G",
            12 => "T",
            _ => "",
        };
        if fine && largest < 1e15 {
            return (0, "", None);
        }
        if !suffix.is_empty() {
            return (thousands, suffix, None);
        }
    }
    (thousands, "", Some(format!("×{}", power(thousands))))
}

/// Logarithmic ticks within `0 < lo < hi`: decades, with 2 and 5 (or finer) where few decades are shown.
pub(super) fn log(lo: f64, hi: f64, target: usize) -> Ticks {
    let (from, to) = (libm::log10(lo), libm::log10(hi));
    let decades = to - from;
    let inside = |v: &f64| *v >= lo * (1.0 - 1e-9) && *v <= hi * (1.0 + 1e-9);
    let at = |mantissas: &[f64], every: i32| -> Vec<f64> {
        let (first, last) = (libm::floor(from) as i32 - 1, libm::ceil(to) as i32);
        (first..=last)
            .filter(|exponent| exponent.rem_euclid(every) == 0)
            .flat_map(|exponent| mantissas.iter().map(move |&mantissa| Step { mantissa, exponent }.multiple(1.0)))
            .filter(inside)
            .collect()
    };
    let candidates = at(&[1.0, 2.0, 5.0], 1);
    if candidates.len() < 3 {
        return linear(lo, hi, target);
    }
    let every = (1..400).find(|every| decades / f64::from(*every) <= target.max(2) as f64).unwrap_or(400);
    let major = if candidates.len() <= target + 2 {
        candidates
    } else if decades < 2.0 && at(&[1.0], 1).len() < 2 {
        at(&[1.0, 3.0], 1)
    } else {
        at(&[1.0], every)
    };
    let plain = major.iter().all(|v| *v >= 0.999e-3 && *v < 1.001e6);
    let group = hi >= 10_000.0;
    let label = |v: f64| {
        if plain {
            let decimals = (-libm::floor(libm::log10(v) + 1e-9)).max(0.0) as usize;
            fixed(v, decimals, group)
        } else {
            scientific(v)
        }
    };
    let minor = if every == 1 && decades <= 9.0 {
        let tenths = at(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 1);
        tenths.into_iter().filter(|v| !major.contains(v)).collect()
    } else {
        at(&[1.0], 1).into_iter().filter(|v| !major.contains(v)).take(80).collect()
    };
    Ticks { major: major.into_iter().map(|v| (v, label(v))).collect(), minor, factor: None }
}

/// `value` with a fixed number of decimals, a true minus and, if `group`, commas between thousands.
fn fixed(value: f64, decimals: usize, group: bool) -> String {
    let digits = format!("{:.*}", decimals.min(17), value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut out = String::new();
    if value < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if group && index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Ten to the power `exponent` as text: "10⁻³".
fn power(exponent: i32) -> String {
    let digits = exponent.to_string();
    let raised = digits.chars().map(|c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    });
    std::iter::once('1').chain(std::iter::once('0')).chain(raised).collect()
}

fn scientific(value: f64) -> String {
    let exponent = libm::floor(libm::log10(value) + 1e-9) as i32;
    let mantissa = format!("{:.0}", value / power_of_ten(exponent));
    if exponent == 0 {
        mantissa
    } else if mantissa == "1" {
        power(exponent)
    } else {
        format!("{mantissa}×{}", power(exponent))
    }
}

/// A value for running text, at about three significant digits: "1,240", "0.35", "2.1×10⁻⁷".
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() {
        return if size == 0.0 { "0".into() } else { "not finite".into() };
    }
    let exponent = libm::floor(libm::log10(size)) as i32;
    if !(-4..15).contains(&exponent) {
        let sign = if value < 0.0 { "−" } else { "" };
        let mantissa = trimmed(fixed(size / power_of_ten(exponent), 1, false));
        return format!("{sign}{mantissa}×{}", power(exponent));
    }
    trimmed(fixed(value, (2 - exponent).max(0) as usize, size >= 10_000.0))
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<&str> {
        ticks.major.iter().map(|t| t.1.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_carry_equal_decimals() {
        assert_eq!(labels(&linear(0.0, 0.3, 3)), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&linear(-1.0, 1.0, 4)), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&linear(0.0, 10_000.0, 2)), ["0", "5,000", "10,000"]);
        assert_eq!(labels(&linear(0.0, 4e6, 2)), ["0", "2M", "4M"]);
    }

    #[test]
    fn very_small_ranges_move_their_power_of_ten_to_the_axis() {
        let ticks = linear(0.0, 4e-6, 4);
        assert_eq!(labels(&ticks), ["0", "1", "2", "3", "4"]);
        assert_eq!(ticks.factor.as_deref(), Some("×10⁻⁶"));
    }

    #[test]
    fn whole_ticks_have_no_decimals_and_others_are_left_alone() {
        let mut halves = linear(1.0, 4.0, 6);
        whole(&mut halves);
        assert_eq!(labels(&halves), ["1", "2", "3", "4"]);
        let mut tens = linear(0.0, 40.0, 4);
        let before = tens.clone();
        whole(&mut tens);
        assert_eq!(tens, before);
    }

    #[test]
    fn every_linear_range_gets_two_to_a_dozen_increasing_ticks_inside() {
        for exponent in [-290, -12, -3, 0, 2, 7, 40, 290] {
            for (lo, hi) in [(0.0, 1.0), (0.3, 0.9), (-7.0, 13.0), (9.97, 10.03)] {
                let scale = power_of_ten(exponent);
                let ticks = linear(lo * scale, hi * scale, 5);
                assert!((2..=12).contains(&ticks.major.len()), "{ticks:?}");
                assert!(ticks.major.windows(2).all(|w| w[0].0 < w[1].0));
                let slack = (hi - lo) * scale * 1e-5;
                assert!(ticks.major.iter().all(|t| t.0 >= lo * scale - slack && t.0 <= hi * scale + slack));
            }
        }
    }

    #[test]
    fn log_ticks_are_decades_or_one_two_five() {
        assert_eq!(labels(&log(1.0, 1000.0, 4)), ["1", "10", "100", "1000"]);
        assert_eq!(labels(&log(1.0, 10.0, 5)), ["1", "2", "5", "10"]);
        assert_eq!(labels(&log(1e-6, 1.0, 7)), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]);
    }

    #[test]
    fn log_ticks_over_three_hundred_decades_are_thinned() {
        let ticks = log(1e-150, 1e150, 6);
        assert!((3..=9).contains(&ticks.major.len()), "{ticks:?}");
    }

    #[test]
    fn a_narrow_log_range_still_gets_ticks() {
        assert!(log(101.0, 109.0, 5).major.len() >= 3);
    }

    #[test]
    fn values_in_running_text_carry_three_digits() {
        let texts = [1240.4, 0.0, 0.35, -0.000_000_21, 12_345.0].map(short);
        assert_eq!(texts, ["1240", "0", "0.35", "−2.1×10⁻⁷", "12,345"]);
    }
}
