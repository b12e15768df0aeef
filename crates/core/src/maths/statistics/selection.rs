//! The best of several systems, with a stated probability: they are observed replication by replication, and whoever is clearly
//! worse drops out.
//!
//! Source: Kim and Nelson, *A fully sequential procedure for indifference-zone selection in simulation*, ACM TOMACS 11(3), 2001
//! (KN with c = 1). For normal observations, common random numbers allowed: if the best is better than every other by at least
//! the indifference δ, it is selected with at least the stated probability; if not, what is selected is good within δ.

use super::moments::Moments;
use crate::maths::error::{MathsError, observations, same_length};

/// How far a selection came.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Per system: after how many observations it dropped out; `None` if it is still there.
    pub out: Vec<Option<usize>>,
    /// The system that is selected; `None` if more observations are needed.
    pub best: Option<usize>,
}

/// Selects the system with the greatest mean from observations in the same order; `first` of each are the first stage.
///
/// # Errors
/// Samples of different lengths, with less than `first` values or values that are not finite; a probability that chance alone
/// reaches; `first` below two.
pub fn select(
    samples: &[Vec<f64>],
    first: usize,
    probability: f64,
    indifference: f64,
) -> Result<Selection, MathsError> {
    let systems = samples.len();
    let mut out = vec![None; systems];
    if systems < 2 {
        return Ok(Selection { out, best: (systems == 1).then_some(0) });
    }
    for sample in samples {
        same_length(sample.len(), samples[0].len())?;
        observations(sample, first.max(2))?;
    }
    let rivals = systems as f64 - 1.0;
    let freedom = first as f64 - 1.0;
    let eta = (libm::pow(2.0 * (1.0 - probability) / rivals, -2.0 / freedom) - 1.0) / 2.0;
    let h_squared = 2.0 * eta * freedom;
    // The variance of every pair's difference in the first stage.
    let variance = |i: usize, l: usize| {
        let differences: Moments = samples[i].iter().zip(&samples[l]).take(first).map(|(x, y)| x - y).collect();
        differences.variance().unwrap_or(0.0)
    };
    let variances: Vec<Vec<f64>> = (0..systems).map(|i| (0..systems).map(|l| variance(i, l)).collect()).collect();
    let mut sums: Vec<f64> = samples.iter().map(|sample| sample.iter().take(first).sum()).collect();
    for count in first..=samples[0].len() {
        if count > first {
            sums.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += sample[count - 1]);
        }
        let there: Vec<usize> = (0..systems).filter(|system| out[*system].is_none()).collect();
        let margin = |i: usize, l: usize| {
            (indifference / 2.0 * (h_squared * variances[i][l] / (indifference * indifference) - count as f64)).max(0.0)
        };
        // All are compared before any drops out; of two that are the same the later one drops.
        let worse = |i: usize, l: usize| {
            let behind = sums[l] - sums[i];
            behind > margin(i, l) || (behind >= margin(i, l) && l < i && margin(i, l) == 0.0)
        };
        let dropped: Vec<usize> =
            there.iter().copied().filter(|i| there.iter().any(|l| l != i && worse(*i, *l))).collect();
        for system in dropped {
            out[system] = Some(count);
        }
        let left: Vec<usize> = (0..systems).filter(|system| out[*system].is_none()).collect();
        if let [best] = left[..] {
            return Ok(Selection { out, best: Some(best) });
        }
    }
    Ok(Selection { out, best: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Stream, named, unit};

    /// Normal observations whose means are 0 but for the last one.
    fn observed(trial: u64, systems: usize, count: usize, lead: f64) -> Vec<Vec<f64>> {
        let normal = |system: usize| {
            let mut stream = Stream::new(named(trial, &format!("system {system}")));
            let mean = if system + 1 == systems { lead } else { 0.0 };
            (0..count).map(|_| mean + (0..12).map(|_| unit(&mut stream)).sum::<f64>() - 6.0).collect()
        };
        (0..systems).map(normal).collect()
    }

    #[test]
    fn the_best_is_selected_as_often_as_promised() {
        // The hardest case that the promise covers: all others are exactly the indifference worse.
        let (trials, mut right, mut used) = (400, 0, 0);
        for trial in 0..trials {
            let selection = select(&observed(trial, 4, 400, 0.5), 10, 0.9, 0.5).unwrap();
            right += u32::from(selection.best == Some(3));
            used += selection.out.iter().flatten().max().copied().unwrap_or(400);
        }
        // 360 of 400 on average at least; three standard errors are 18.
        assert!(right >= 342, "{right} of {trials}");
        assert!(used / (trials as usize) < 200, "{used}");
    }

    #[test]
    fn who_is_far_behind_drops_out_in_the_first_stage_and_twins_are_decided() {
        let far = select(&observed(1, 3, 10, 100.0), 10, 0.95, 1.0).unwrap();
        assert_eq!(far, Selection { out: vec![Some(10), Some(10), None], best: Some(2) });
        let twins = vec![vec![1.0, 2.0, 1.5]; 2];
        assert_eq!(select(&twins, 3, 0.95, 0.1).unwrap().best, Some(0));
        let open = select(&observed(1, 2, 10, 0.0), 10, 0.95, 0.01).unwrap();
        assert_eq!(open, Selection { out: vec![None, None], best: None });
    }
}
