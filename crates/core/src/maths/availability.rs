//! Availability of independent components: alone, in series, in parallel, k of n.
//!
//! Source: elementary renewal theory and the binomial law (Barlow & Proschan 1975).

use super::error::{MathsError, at_least_one, check, non_negative, positive, probability};

/// Steady-state availability from mean time to failure and mean time to repair (the same unit): MTTF/(MTTF + MTTR).
///
/// # Errors
/// An argument outside its domain.
pub fn availability(mean_time_to_failure: f64, mean_time_to_repair: f64) -> Result<f64, MathsError> {
    positive("mean_time_to_failure", mean_time_to_failure)?;
    non_negative("mean_time_to_repair", mean_time_to_repair)?;
    Ok(1.0 / (1.0 + mean_time_to_repair / mean_time_to_failure))
}

/// All components must be up: the product.
///
/// # Errors
/// An availability outside 0..1.
pub fn series(availabilities: &[f64]) -> Result<f64, MathsError> {
    availabilities.iter().try_fold(1.0, |product, &a| Ok(product * probability("availability", a)?))
}

/// One component up is enough: 1 − Π(1 − a). Of no component: 0.
///
/// # Errors
/// An availability outside 0..1.
pub fn parallel(availabilities: &[f64]) -> Result<f64, MathsError> {
    let down =
        availabilities.iter().try_fold(1.0, |product, &a| Ok(product * (1.0 - probability("availability", a)?)))?;
    Ok(1.0 - down)
}

/// At least `needed` of `total` equal components are up, each with probability `each`.
///
/// # Errors
/// An availability outside 0..1, no component, or more needed than there are.
pub fn k_of_n(needed: u32, total: u32, each: f64) -> Result<f64, MathsError> {
    probability("availability", each)?;
    at_least_one("total", total)?;
    check("needed", f64::from(needed), needed <= total, "at most the total")?;
    if each == 0.0 || each == 1.0 {
        return Ok(if needed == 0 { 1.0 } else { each });
    }
    let n = f64::from(total);
    let mass = |k: u32| {
        let k = f64::from(k);
        let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        libm::exp(ways + k * libm::log(each) + (n - k) * libm::log1p(-each))
    };
    Ok((needed..=total).map(mass).sum::<f64>().min(1.0))
}

/// Time down within a `period`, in the unit of `period`.
///
/// # Errors
/// An argument outside its domain.
pub fn downtime(availability: f64, period: f64) -> Result<f64, MathsError> {
    Ok((1.0 - probability("availability", availability)?) * non_negative("period", period)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_cases_are_met() {
        assert_close(availability(1000.0, 1.0).unwrap(), 0.999_000_999_000_999, REFERENCE);
        assert_close(k_of_n(2, 3, 0.99).unwrap(), 0.999_702, REFERENCE);
        assert_close(k_of_n(3, 5, 0.99).unwrap(), 0.999_990_149_4, REFERENCE);
        assert_close(k_of_n(4, 5, 0.9).unwrap(), 0.918_54, REFERENCE);
        assert_close(series(&[0.999; 10]).unwrap(), 0.990_044_880_209_748_2, REFERENCE);
        assert_close(parallel(&[0.99, 0.99]).unwrap(), 0.9999, REFERENCE);
        assert_close(downtime(0.999, 30.0 * 1440.0).unwrap(), 43.2, REFERENCE);
    }

    #[test]
    fn series_and_parallel_are_the_ends_of_k_of_n() {
        assert_close(k_of_n(4, 4, 0.9).unwrap(), series(&[0.9; 4]).unwrap(), 1e-12);
        assert_close(k_of_n(1, 4, 0.9).unwrap(), parallel(&[0.9; 4]).unwrap(), 1e-12);
        assert_close(k_of_n(0, 400, 0.9).unwrap(), 1.0, 1e-12);
        assert_eq!(k_of_n(1, 4, 0.0).unwrap(), 0.0);
        assert!(k_of_n(5, 4, 0.9).is_err());
    }
}
