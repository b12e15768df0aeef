//! Scalability laws: Amdahl, Gustafson, and Gunther's Universal Scalability Law with its fit to measurements.
//!
//! Sources: Amdahl 1967; Gustafson 1988; Gunther, *Guerrilla Capacity Planning* (2007), where σ is `alpha` (contention)
//! and κ is `beta` (coherency): X(N) = γN/(1 + α(N−1) + βN(N−1)), γ the throughput of one worker.

use super::error::{MathsError, check, non_negative, observations, positive, probability, same_length};
use super::numeric::solve;

/// Amdahl's speedup of `workers` ≥ 1 for the given `serial` fraction: 1/(s + (1−s)/N).
///
/// # Errors
/// An argument outside its domain.
pub fn amdahl_speedup(serial: f64, workers: f64) -> Result<f64, MathsError> {
    probability("serial", serial)?;
    at_least_one_worker(workers)?;
    Ok(1.0 / (serial + (1.0 - serial) / workers))
}

/// Limit of Amdahl's speedup for endless workers, 1/s; infinite for s = 0.
///
/// # Errors
/// A fraction outside its domain.
pub fn amdahl_limit(serial: f64) -> Result<f64, MathsError> {
    Ok(1.0 / probability("serial", serial)?)
}

/// Gustafson's scaled speedup, the work growing with the workers: N − s(N−1), `serial` as measured in parallel.
///
/// # Errors
/// An argument outside its domain.
pub fn gustafson_speedup(serial: f64, workers: f64) -> Result<f64, MathsError> {
    probability("serial", serial)?;
    at_least_one_worker(workers)?;
    Ok(workers - serial * (workers - 1.0))
}

fn at_least_one_worker(workers: f64) -> Result<f64, MathsError> {
    check("workers", workers, workers.is_finite() && workers >= 1.0, "a finite number of at least 1")
}

/// Parameters of the Universal Scalability Law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usl {
    /// α: contention, ≥ 0.
    pub alpha: f64,
    /// β: coherency, ≥ 0.
    pub beta: f64,
    /// γ: throughput of one worker, > 0 (1 for a speedup).
    pub gamma: f64,
}

impl Usl {
    /// Law with the given parameters.
    ///
    /// # Errors
    /// A parameter outside its domain.
    pub fn new(alpha: f64, beta: f64, gamma: f64) -> Result<Self, MathsError> {
        non_negative("alpha", alpha)?;
        non_negative("beta", beta)?;
        positive("gamma", gamma)?;
        Ok(Self { alpha, beta, gamma })
    }

    /// X(N), in the unit of γ; `load` N ≥ 0 is the number of workers or users.
    pub fn throughput(&self, load: f64) -> f64 {
        self.gamma * load / self.slowdown(load)
    }

    fn slowdown(&self, load: f64) -> f64 {
        1.0 + self.alpha * (load - 1.0) + self.beta * load * (load - 1.0)
    }

    /// N* = √((1−α)/β), where throughput peaks. `None` if it never falls (β = 0) or falls from the start (α ≥ 1).
    pub fn peak_load(&self) -> Option<f64> {
        (self.beta > 0.0 && self.alpha < 1.0).then(|| ((1.0 - self.alpha) / self.beta).sqrt())
    }

    /// Limit of X for endless load when β = 0: γ/α. `None` otherwise.
    pub fn throughput_limit(&self) -> Option<f64> {
        (self.beta == 0.0 && self.alpha > 0.0).then(|| self.gamma / self.alpha)
    }

    /// Least-squares fit to pairs of load and throughput, with α, β ≥ 0 and γ > 0.
    ///
    /// The linear regression of N/X on 1, N−1, N(N−1) starts Levenberg–Marquardt (Marquardt 1963); a parameter at its
    /// bound that the descent would push outwards is held there for that step. Equal weights on throughput.
    ///
    /// # Errors
    /// Fewer than three points, lists of different lengths, loads or throughputs that are not positive;
    /// [`MathsError::Singular`] if there are fewer than three distinct loads.
    pub fn fit(loads: &[f64], throughputs: &[f64]) -> Result<Self, MathsError> {
        same_length(loads.len(), throughputs.len())?;
        observations(loads, 3)?;
        observations(throughputs, 3)?;
        for (&load, &throughput) in loads.iter().zip(throughputs) {
            positive("load", load)?;
            positive("throughput", throughput)?;
        }
        let mut best = Self::linear_start(loads, throughputs)?;
        let mut error = best.squared_error(loads, throughputs);
        let mut damping = 1e-3;
        for _ in 0..500 {
            let candidate = best.step(loads, throughputs, damping)?;
            let candidate_error = candidate.squared_error(loads, throughputs);
            if candidate_error < error {
                let gain = error - candidate_error;
                (best, error) = (candidate, candidate_error);
                damping = (damping * 0.1).max(1e-15);
                if gain <= 1e-15 * error {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// Regression on the linearized law; parameters outside their domain are moved to its edge.
    fn linear_start(loads: &[f64], throughputs: &[f64]) -> Result<Self, MathsError> {
        let largest = loads.iter().copied().fold(1.0, f64::max);
        // Columns scaled to the order of one, or the normal equations would look singular.
        let rows = loads
            .iter()
            .zip(throughputs)
            .map(|(&n, &x)| ([1.0, (n - 1.0) / largest, n * (n - 1.0) / (largest * largest)], n / x));
        let (mut matrix, mut right) = (vec![vec![0.0; 3]; 3], vec![0.0; 3]);
        for (row, value) in rows {
            for i in 0..3 {
                right[i] += row[i] * value;
                for j in 0..3 {
                    matrix[i][j] += row[i] * row[j];
                }
            }
        }
        let b = solve(matrix, right)?;
        let one = if b[0] > 0.0 { b[0] } else { loads[0] / throughputs[0] };
        let (alpha, beta) = (b[1] / largest / one, b[2] / (largest * largest) / one);
        Self::new(alpha.max(0.0), beta.max(0.0), 1.0 / one)
    }

    fn squared_error(&self, loads: &[f64], throughputs: &[f64]) -> f64 {
        let residual = |(&n, &x): (&f64, &f64)| x - self.throughput(n);
        loads.iter().zip(throughputs).map(residual).map(|r| r * r).sum()
    }

    /// One damped Gauss–Newton step, projected on the domain.
    fn step(&self, loads: &[f64], throughputs: &[f64], damping: f64) -> Result<Self, MathsError> {
        let (mut normal, mut descent) = ([[0.0; 3]; 3], [0.0; 3]);
        for (&n, &x) in loads.iter().zip(throughputs) {
            let slowdown = self.slowdown(n);
            let model = self.gamma * n / slowdown;
            let slope = [-model * (n - 1.0) / slowdown, -model * n * (n - 1.0) / slowdown, model / self.gamma];
            for i in 0..3 {
                descent[i] += slope[i] * (x - model);
                for j in 0..3 {
                    normal[i][j] += slope[i] * slope[j];
                }
            }
        }
        let values = [self.alpha, self.beta, self.gamma];
        let free: Vec<usize> = (0..3).filter(|&i| i == 2 || values[i] > 0.0 || descent[i] > 0.0).collect();
        // Scaled by the diagonal, so that pivots of very different parameters compare.
        let scale: Vec<f64> = (0..3).map(|i| normal[i][i].sqrt()).collect();
        let entry = |i: usize, j: usize| normal[i][j] / (scale[i] * scale[j]) + if i == j { damping } else { 0.0 };
        let matrix = free.iter().map(|&i| free.iter().map(|&j| entry(i, j)).collect()).collect();
        let change = solve(matrix, free.iter().map(|&i| descent[i] / scale[i]).collect())?;
        let mut moved = values;
        for (&i, step) in free.iter().zip(change) {
            moved[i] += step / scale[i];
        }
        // γ may at most halve per step, which keeps it positive.
        Self::new(moved[0].max(0.0), moved[1].max(0.0), moved[2].max(0.5 * self.gamma))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_evaluations_are_met() {
        assert_close(amdahl_speedup(0.05, 16.0).unwrap(), 9.142_857_142_857_142, REFERENCE);
        assert_close(amdahl_limit(0.05).unwrap(), 20.0, REFERENCE);
        let usl = Usl::new(0.05, 0.0005, 1.0).unwrap();
        assert_close(usl.throughput(16.0), 8.556_149_732_620_32, REFERENCE);
        assert_close(usl.throughput(64.0), 10.379_500_486_539_085, REFERENCE);
        let peak = usl.peak_load().unwrap();
        assert_close(peak, 43.588_989_435_406_73, REFERENCE);
        assert_close(usl.throughput(peak), 10.742_409_022_432_103, REFERENCE);
    }

    #[test]
    fn without_coherency_the_law_is_amdahls() {
        let usl = Usl::new(0.05, 0.0, 1.0).unwrap();
        assert_close(usl.throughput(16.0), amdahl_speedup(0.05, 16.0).unwrap(), 1e-12);
        assert_eq!(usl.peak_load(), None);
        assert_close(usl.throughput_limit().unwrap(), 20.0, 1e-12);
        assert_close(gustafson_speedup(0.05, 16.0).unwrap(), 15.25, 1e-12);
    }

    /// The published fits come from optimizers that stop at about six digits.
    const PUBLISHED: f64 = 1e-4;

    #[test]
    fn the_fit_to_the_spec_sdm91_measurements_is_the_published_one() {
        let loads = [1.0, 18.0, 36.0, 72.0, 108.0, 144.0, 216.0];
        let throughputs = [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2];
        let usl = Usl::fit(&loads, &throughputs).unwrap();
        assert_close(usl.alpha, 0.027_728_388_011_787_623, PUBLISHED);
        assert_close(usl.beta, 0.000_104_365_462_652_961_29, PUBLISHED);
        assert_close(usl.gamma, 89.995_080_654_424_48, PUBLISHED);
        assert_close(usl.peak_load().unwrap(), 96.519_575_114_092_79, PUBLISHED);
    }

    #[test]
    fn the_fit_to_the_ray_tracer_measurements_has_no_coherency() {
        let loads = [1.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 48.0, 64.0];
        let throughputs = [20.0, 78.0, 130.0, 170.0, 190.0, 200.0, 210.0, 230.0, 260.0, 280.0, 310.0];
        let usl = Usl::fit(&loads, &throughputs).unwrap();
        assert_close(usl.alpha, 0.057_770_766_663_394_355, PUBLISHED);
        assert_eq!(usl.beta, 0.0);
        assert_close(usl.gamma, 21.848_839_584_834_515, PUBLISHED);
    }

    #[test]
    fn exact_data_is_recovered() {
        let truth = Usl::new(0.02, 0.02, 1.0).unwrap();
        let loads: Vec<f64> = (1..=10).map(f64::from).collect();
        let throughputs: Vec<f64> = loads.iter().map(|&n| truth.throughput(n)).collect();
        assert_close(throughputs[3], 3.0769, 1e-4);
        let usl = Usl::fit(&loads, &throughputs).unwrap();
        assert_close(usl.alpha, 0.02, 1e-7);
        assert_close(usl.beta, 0.02, 1e-7);
        assert_close(usl.gamma, 1.0, 1e-7);
    }

    #[test]
    fn too_few_or_repeated_loads_are_refused() {
        assert!(Usl::fit(&[1.0, 2.0], &[1.0, 2.0]).is_err());
        assert_eq!(Usl::fit(&[2.0, 2.0, 2.0], &[1.0, 1.1, 1.2]), Err(MathsError::Singular));
        assert!(Usl::fit(&[1.0, 2.0, 0.0], &[1.0, 2.0, 3.0]).is_err());
    }
}
