//! Small numerical tools: a bracketed root, an integral, a dense linear solve.
//!
//! Invariants: each has a limit of work and reports [`MathsError::NoConvergence`] rather than a poor answer.
//! Limits: meant for the smooth, low-dimensional problems of the closed forms; not a general library.

use super::error::MathsError;

/// Root of a continuous `f` between `low` and `high`, where its sign changes, by Brent's method
/// (Brent 1973, *Algorithms for Minimization without Derivatives*, ch. 4: bisection, secant and inverse quadratic).
///
/// `tolerance` is relative to the root, with machine precision as its floor.
///
/// # Errors
/// [`MathsError::NoConvergence`] if the signs at both ends are equal or a value is not a number.
pub fn root(f: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> Result<f64, MathsError> {
    let failed = MathsError::NoConvergence { method: "root finding" };
    let (mut a, mut b) = (low, high);
    let (mut fa, mut fb) = (f(a), f(b));
    if fa.is_nan() || fb.is_nan() || fa * fb > 0.0 {
        return Err(failed);
    }
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut previous_step = step;
    for _ in 0..500 {
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let allowed = 2.0 * f64::EPSILON * b.abs() + 0.5 * tolerance * b.abs() + f64::MIN_POSITIVE;
        let middle = 0.5 * (c - b);
        if middle.abs() <= allowed || fb == 0.0 {
            return Ok(b);
        }
        if previous_step.abs() >= allowed && fa.abs() > fb.abs() {
            let (numerator, denominator) = interpolate((a, fa), (b, fb), (c, fc));
            let bound =
                (3.0 * middle * denominator - (allowed * denominator).abs()).min((previous_step * denominator).abs());
            if 2.0 * numerator < bound {
                previous_step = step;
                step = numerator / denominator;
            } else {
                step = middle;
                previous_step = middle;
            }
        } else {
            step = middle;
            previous_step = middle;
        }
        (a, fa) = (b, fb);
        b += if step.abs() > allowed { step } else { allowed.copysign(middle) };
        fb = f(b);
        if fb.is_nan() {
            return Err(failed);
        }
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            previous_step = step;
        }
    }
    Err(failed)
}

/// Brent's trial step as numerator and denominator, signed so that the numerator is not negative.
fn interpolate((a, fa): (f64, f64), (b, fb): (f64, f64), (c, fc): (f64, f64)) -> (f64, f64) {
    let middle = 0.5 * (c - b);
    let s = fb / fa;
    let (p, q) = if a == c {
        (2.0 * middle * s, 1.0 - s)
    } else {
        let (q, r) = (fa / fc, fb / fc);
        (s * (2.0 * middle * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
    };
    if p > 0.0 { (p, -q) } else { (-p, q) }
}

/// Integral of a smooth `f` from `low` to `high` by adaptive Simpson's rule with Richardson's correction
/// (Lyness 1969). `tolerance` is relative to the integral of `|f|` as seen by a first coarse pass.
///
/// # Errors
/// [`MathsError::NoConvergence`] if the integral is not finite or the budget of two million evaluations is spent.
pub fn integrate(f: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> Result<f64, MathsError> {
    const PANELS: u32 = 64;
    const BUDGET: u32 = 2_000_000;
    let failed = MathsError::NoConvergence { method: "integration" };
    let width = (high - low) / f64::from(PANELS);
    let mut pending = Vec::new();
    let mut scale = 0.0;
    for panel in 0..PANELS {
        let left = low + width * f64::from(panel);
        let (fl, fm, fr) = (f(left), f(left + 0.5 * width), f(left + width));
        let whole = width / 6.0 * (fl + 4.0 * fm + fr);
        scale += width.abs() / 6.0 * (fl.abs() + 4.0 * fm.abs() + fr.abs());
        pending.push((left, width, fl, fm, fr, whole));
    }
    let allowed_density = tolerance * scale / (high - low).abs();
    let (mut total, mut evaluations) = (0.0, 0_u32);
    while let Some((left, width, fl, fm, fr, whole)) = pending.pop() {
        let (fq, fs) = (f(left + 0.25 * width), f(left + 0.75 * width));
        evaluations += 2;
        let first = width / 12.0 * (fl + 4.0 * fq + fm);
        let second = width / 12.0 * (fm + 4.0 * fs + fr);
        let difference = first + second - whole;
        if difference.abs() <= 15.0 * allowed_density * width.abs() {
            total += first + second + difference / 15.0;
        } else if evaluations > BUDGET || difference.is_nan() {
            return Err(failed);
        } else {
            let half = 0.5 * width;
            pending.push((left, half, fl, fq, fm, first));
            pending.push((left + half, half, fm, fs, fr, second));
        }
    }
    if total.is_finite() { Ok(total) } else { Err(failed) }
}

/// Solves `matrix · x = right` by Gaussian elimination with partial pivoting; among equal pivots the first row wins.
///
/// # Errors
/// [`MathsError::LengthMismatch`] for a matrix that is not square or does not fit `right`;
/// [`MathsError::Singular`] if no pivot exceeds 10⁻¹³ of the largest entry.
pub fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Result<Vec<f64>, MathsError> {
    let n = right.len();
    super::error::same_length(n, matrix.len())?;
    for row in &matrix {
        super::error::same_length(n, row.len())?;
    }
    let largest = matrix.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
    for column in 0..n {
        let mut pivot = column;
        for row in column + 1..n {
            if matrix[row][column].abs() > matrix[pivot][column].abs() {
                pivot = row;
            }
        }
        let size = matrix[pivot][column].abs();
        if size.is_nan() || size <= 1e-13 * largest {
            return Err(MathsError::Singular);
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let (upper, lower) = matrix.split_at_mut(column + 1);
        let pivot_row = &upper[column];
        for (offset, row) in lower.iter_mut().enumerate() {
            let factor = row[column] / pivot_row[column];
            for (entry, above) in row.iter_mut().zip(pivot_row).skip(column) {
                *entry -= factor * above;
            }
            right[column + 1 + offset] -= factor * right[column];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Ok(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn the_root_of_a_cubic_is_found_to_machine_precision() {
        let r = root(|x| x * x * x - 2.0, 0.0, 5.0, 0.0).unwrap();
        assert_close(r, libm::cbrt(2.0), 1e-15);
    }

    #[test]
    fn the_root_of_a_very_flat_then_steep_function_is_found() {
        let r = root(|x| libm::exp(x) - 1e-200, -1000.0, 10.0, 0.0).unwrap();
        assert_close(r, libm::log(1e-200), 1e-12);
    }

    #[test]
    fn equal_signs_at_both_ends_are_an_error() {
        assert!(root(|x| x * x + 1.0, -1.0, 1.0, 0.0).is_err());
    }

    #[test]
    fn the_integral_of_a_bell_curve_is_the_square_root_of_pi() {
        let area = integrate(|x| libm::exp(-x * x), -9.0, 9.0, 1e-12).unwrap();
        assert_close(area, std::f64::consts::PI.sqrt(), 1e-11);
    }

    #[test]
    fn a_divergent_integral_is_an_error() {
        assert!(integrate(|x| 1.0 / x, 0.0, 1.0, 1e-9).is_err());
    }

    #[test]
    fn a_system_with_a_zero_on_the_diagonal_is_solved_by_pivoting() {
        let x = solve(vec![vec![0.0, 2.0], vec![4.0, 1.0]], vec![6.0, 7.0]).unwrap();
        assert_eq!(x, vec![1.0, 3.0]);
    }

    #[test]
    fn a_system_without_unique_solution_is_singular() {
        assert_eq!(solve(vec![vec![1.0, 2.0], vec![2.0, 4.0]], vec![1.0, 2.0]), Err(MathsError::Singular));
    }
}
