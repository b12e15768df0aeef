//! Fork–join and fan-out: a request is done when the slowest of its parts is.
//!
//! Sources: Flatto & Hahn 1984 and Nelson & Tantawi 1988 (two M/M/1 queues exactly, more by scaling approximation);
//! Rényi 1953 (maximum of exponentials); Dean & Barroso, CACM 56(2), 2013 (probability of meeting a slow part).

use super::mm1::Mm1;
use crate::maths::error::{MathsError, at_least_one, check, positive, probability, quantile_level};

/// Harmonic number Hₙ = Σ 1/k, smallest terms first.
pub fn harmonic(n: u32) -> f64 {
    (1..=n).rev().map(|k| 1.0 / f64::from(k)).sum()
}

/// Mean response time \[s\] of a two-queue fork–join of M/M/1 queues fed by the same Poisson arrivals; exact:
/// (12 − ρ)/8 times that of one queue.
///
/// # Errors
/// As [`Mm1::new`].
pub fn fork_join_two(arrival_rate: f64, service_time: f64) -> Result<f64, MathsError> {
    let queue = Mm1::new(arrival_rate, service_time)?;
    Ok((12.0 - queue.utilization()) / 8.0 * queue.mean_response_time())
}

/// Nelson–Tantawi mean response time \[s\] of an n-queue fork–join: [Hₙ/H₂ + (4/11)(1 − Hₙ/H₂)ρ] times that of two.
/// Exact for one and two queues; the authors report errors below 5 % for up to 32.
///
/// # Errors
/// No queue, or as [`Mm1::new`].
pub fn fork_join_nelson_tantawi(arrival_rate: f64, service_time: f64, queues: u32) -> Result<f64, MathsError> {
    at_least_one("queues", queues)?;
    let queue = Mm1::new(arrival_rate, service_time)?;
    if queues == 1 {
        return Ok(queue.mean_response_time());
    }
    let ratio = harmonic(queues) / 1.5;
    let scale = ratio + 4.0 / 11.0 * (1.0 - ratio) * queue.utilization();
    Ok(scale * fork_join_two(arrival_rate, service_time)?)
}

/// Upper bound of the same mean \[s\]: the maximum of n *independent* M/M/1 response times, Hₙ times that of one.
///
/// # Errors
/// No queue, or as [`Mm1::new`].
pub fn fork_join_independent_bound(arrival_rate: f64, service_time: f64, queues: u32) -> Result<f64, MathsError> {
    at_least_one("queues", queues)?;
    Ok(harmonic(queues) * Mm1::new(arrival_rate, service_time)?.mean_response_time())
}

/// Mean \[s\] of the maximum of n independent exponential times of the given `mean` \[s\]: Hₙ·mean.
///
/// # Errors
/// A mean that is not positive, or n = 0.
pub fn max_exponentials_mean(n: u32, mean: f64) -> Result<f64, MathsError> {
    at_least_one("n", n)?;
    Ok(harmonic(n) * positive("mean", mean)?)
}

/// Quantile \[s\] of the same maximum at level `p`, 0 ≤ p < 1: −mean·ln(1 − p^(1/n)).
///
/// # Errors
/// An argument outside its domain.
pub fn max_exponentials_quantile(n: u32, mean: f64, p: f64) -> Result<f64, MathsError> {
    at_least_one("n", n)?;
    quantile_level("p", p)?;
    Ok(-positive("mean", mean)? * libm::log(-libm::expm1(libm::log(p) / f64::from(n))))
}

/// Probability that at least one of n independent parts is slow, each with probability `slow`: 1 − (1−q)ⁿ.
///
/// # Errors
/// A probability outside its domain.
pub fn any_slow_probability(n: u32, slow: f64) -> Result<f64, MathsError> {
    probability("slow", slow)?;
    Ok(if n == 0 { 0.0 } else { -libm::expm1(f64::from(n) * libm::log1p(-slow)) })
}

/// The quantile level of one part that shows at level `p` of the maximum of n independent parts: p^(1/n).
///
/// # Errors
/// An argument outside its domain.
pub fn part_quantile_level(n: u32, p: f64) -> Result<f64, MathsError> {
    at_least_one("n", n)?;
    check("p", p, (0.0..=1.0).contains(&p), "a level from 0 to 1")?;
    Ok(libm::pow(p, 1.0 / f64::from(n)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_two_queue_reference_cases_are_met() {
        let cases = [(30.0, 0.020_892_857_142_857_146), (50.0, 0.02875), (80.0, 0.07), (90.0, 0.13875)];
        for (rate, expected) in cases {
            assert_close(fork_join_two(rate, 0.01).unwrap(), expected, REFERENCE);
            assert_close(fork_join_nelson_tantawi(rate, 0.01, 2).unwrap(), expected, REFERENCE);
        }
        assert_close(fork_join_independent_bound(30.0, 0.01, 2).unwrap(), 0.021_428_571_428_571_43, REFERENCE);
    }

    #[test]
    fn without_load_the_approximation_is_the_maximum_of_exponentials() {
        for n in [1, 2, 8, 32] {
            let idle = fork_join_nelson_tantawi(0.0, 0.01, n).unwrap();
            assert_close(idle, max_exponentials_mean(n, 0.01).unwrap(), 1e-12);
            let loaded = fork_join_nelson_tantawi(80.0, 0.01, n).unwrap();
            assert!(loaded <= fork_join_independent_bound(80.0, 0.01, n).unwrap() * (1.0 + 1e-12));
        }
    }

    #[test]
    fn the_maximum_of_exponentials_meets_its_references() {
        let cases = [
            (10, 0.029_289_682_539_682_54, 0.027_035_551_918_624_044, 0.069_032_367_944_760_99),
            (100, 0.051_873_775_176_396_21, 0.049_751_468_405_858_02, 0.092_053_696_640_231_58),
            (1000, 0.074_854_708_605_503_43, 0.072_746_147_531_351_82, 0.115_079_095_309_208_3),
        ];
        for (n, mean, median, p99) in cases {
            assert_close(max_exponentials_mean(n, 0.01).unwrap(), mean, REFERENCE);
            assert_close(max_exponentials_quantile(n, 0.01, 0.5).unwrap(), median, REFERENCE);
            assert_close(max_exponentials_quantile(n, 0.01, 0.99).unwrap(), p99, REFERENCE);
        }
        assert_eq!(max_exponentials_quantile(10, 0.01, 0.0).unwrap(), 0.0);
    }

    #[test]
    fn the_slow_part_references_are_met() {
        assert_close(any_slow_probability(100, 0.01).unwrap(), 0.633_967_658_726_770_9, REFERENCE);
        assert_close(any_slow_probability(2000, 1e-4).unwrap(), 0.181_277_434_734_450_46, REFERENCE);
        assert_close(any_slow_probability(100, 1e-3).unwrap(), 0.095_207_852_886_291_08, REFERENCE);
        assert_close(part_quantile_level(100, 0.5).unwrap(), 0.993_092_495_437_035_9, REFERENCE);
        assert_eq!(any_slow_probability(3, 1.0).unwrap(), 1.0);
        assert_eq!(any_slow_probability(0, 1.0).unwrap(), 0.0);
    }
}
