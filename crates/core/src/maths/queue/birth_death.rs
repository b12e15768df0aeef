//! Stationary distribution of a finite birth–death chain, the base of M/M/c/K, M/M/c+M and the repairman model.
//!
//! Formula: `p(n+1) = p(n) · birth(n) / death(n+1)` (Kleinrock, *Queueing Systems I*, 1975, ch. 3).
//! The products are taken outwards from the most likely state, so nothing overflows and only negligible states
//! underflow to zero: safe for tens of thousands of servers.

/// Stationary probabilities of the states `0..=last`.
#[derive(Debug, Clone, PartialEq)]
pub struct BirthDeath {
    probabilities: Vec<f64>,
}

impl BirthDeath {
    /// Chain with the given `ratios`: entry `n` is `birth(n) / death(n+1)`, finite and not negative (unchecked:
    /// each caller has checked its rates). The chain has one state more than there are ratios.
    pub(crate) fn from_ratios(ratios: &[f64]) -> Self {
        let (mut mode, mut best, mut height) = (0, 0.0, 0.0);
        for (n, &ratio) in ratios.iter().enumerate() {
            height += libm::log(ratio);
            if height > best {
                (mode, best) = (n + 1, height);
            }
        }
        let mut probabilities = vec![0.0; ratios.len() + 1];
        probabilities[mode] = 1.0;
        for n in mode..ratios.len() {
            probabilities[n + 1] = probabilities[n] * ratios[n];
        }
        for n in (0..mode).rev() {
            probabilities[n] = probabilities[n + 1] / ratios[n];
        }
        let total: f64 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|p| *p /= total);
        Self { probabilities }
    }

    /// Probability of each state, from 0 on.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Mean of `weight(n)` over the states.
    pub fn mean_of(&self, weight: impl Fn(f64) -> f64) -> f64 {
        self.probabilities.iter().enumerate().map(|(n, p)| p * weight(n as f64)).sum()
    }

    /// Probability of the states `from..=last`.
    pub fn tail(&self, from: usize) -> f64 {
        self.probabilities.iter().skip(from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn detailed_balance_holds_between_neighbors() {
        let ratios = [3.0, 0.5, 2.0, 0.1];
        let chain = BirthDeath::from_ratios(&ratios);
        for (n, ratio) in ratios.iter().enumerate() {
            assert_close(chain.probabilities()[n] * ratio, chain.probabilities()[n + 1], 1e-14);
        }
        assert_close(chain.tail(0), 1.0, 1e-14);
    }

    #[test]
    fn ten_thousand_busy_servers_neither_overflow_nor_underflow() {
        let ratios: Vec<f64> = (1..=20_000).map(|n| 10_000.0 / f64::from(n)).collect();
        let chain = BirthDeath::from_ratios(&ratios);
        // A Poisson law of mean 10 000: its cut at 20 000 is beyond any double.
        assert_close(chain.mean_of(|n| n), 10_000.0, 1e-10);
    }

    #[test]
    fn an_arrival_rate_of_zero_leaves_the_chain_empty() {
        assert_eq!(BirthDeath::from_ratios(&[0.0, 0.0]).probabilities(), &[1.0, 0.0, 0.0]);
    }
}
