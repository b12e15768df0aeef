//! Many comparisons at once: p-values corrected for their number, and how sure one is of the best of several.
//!
//! Sources: Student's paired t test; Holm 1979 (step-down correction, valid whatever the dependence); multiple comparisons
//! with the best (Hsu 1984) in its Bonferroni form.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::moments::Moments;
use crate::maths::error::{MathsError, observations, same_length};

/// The t statistic of the mean of `a − b` and its degrees of freedom; infinite if the differences do not vary.
fn statistic(a: &[f64], b: &[f64]) -> Result<(f64, f64), MathsError> {
    same_length(a.len(), b.len())?;
    observations(a, 2)?;
    observations(b, 2)?;
    let differences: Moments = a.iter().zip(b).map(|(x, y)| x - y).collect();
    let (mean, sd) = (differences.mean().unwrap_or(0.0), differences.sd().unwrap_or(0.0));
    let n = a.len() as f64;
    let t = if mean == 0.0 { 0.0 } else { mean / (sd / n.sqrt()) };
    Ok((t, n - 1.0))
}

fn beyond(t: f64, freedom: f64) -> Result<f64, MathsError> {
    if t == f64::INFINITY {
        return Ok(0.0);
    }
    if t == f64::NEG_INFINITY {
        return Ok(1.0);
    }
    let law = StudentsT::new(0.0, 1.0, freedom);
    let law = law.map_err(|_| MathsError::NoConvergence { method: "Student distribution" })?;
    Ok(law.sf(t))
}

/// The probability of a mean difference as far from zero by chance, if there were none (two-sided paired t test).
///
/// # Errors
/// Samples of different lengths, fewer than two, or values that are not finite.
pub fn paired_p(a: &[f64], b: &[f64]) -> Result<f64, MathsError> {
    let (t, freedom) = statistic(a, b)?;
    Ok((2.0 * beyond(t.abs(), freedom)?).min(1.0))
}

/// The same for independent samples of unequal variance (Welch 1947, with Satterthwaite's degrees of freedom).
///
/// # Errors
/// Samples with fewer than two values, or values that are not finite.
pub fn welch_p(a: &[f64], b: &[f64]) -> Result<f64, MathsError> {
    observations(a, 2)?;
    observations(b, 2)?;
    let of = |sample: &[f64]| {
        let moments: Moments = sample.iter().copied().collect();
        (moments.mean().unwrap_or(0.0), moments.variance().unwrap_or(0.0) / sample.len() as f64)
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (of(a), of(b));
    let error = error_a + error_b;
    if mean_a == mean_b {
        return Ok(1.0);
    }
    if error == 0.0 {
        return Ok(0.0);
    }
    let part = |error: f64, n: usize| error * error / (n as f64 - 1.0);
    let freedom = error * error / (part(error_a, a.len()) + part(error_b, b.len()));
    Ok((2.0 * beyond((mean_a - mean_b).abs() / error.sqrt(), freedom)?).min(1.0))
}

/// Holm's correction: the p-values as they would have to be if each were the only one. Order is kept.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut corrected = vec![1.0; p.len()];
    let mut least = 0.0f64;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max((p[index] * (p.len() - rank) as f64).min(1.0));
        corrected[index] = least;
    }
    corrected
}

/// The probability, at least, that the sample with the greatest mean really has the greatest: 1 less the chances that each
/// of the others is as good (one-sided paired t tests, Bonferroni). Returns its index too; `None` without samples. All samples
/// come from the same replications.
///
/// # Errors
/// Samples of different lengths, fewer than two values each, or values that are not finite.
pub fn best(samples: &[Vec<f64>]) -> Result<Option<(usize, f64)>, MathsError> {
    let mean = |sample: &Vec<f64>| sample.iter().sum::<f64>() / sample.len() as f64;
    // Of equal means the first wins.
    let first = samples.iter().enumerate().rev().max_by(|one, other| mean(one.1).total_cmp(&mean(other.1)));
    let Some((first, _)) = first else { return Ok(None) };
    let mut doubt = 0.0;
    for (_, other) in samples.iter().enumerate().filter(|(index, _)| *index != first) {
        let (t, freedom) = statistic(&samples[first], other)?;
        doubt += beyond(t, freedom)?;
    }
    Ok(Some((first, (1.0 - doubt).max(0.0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::test_support::assert_close;

    #[test]
    fn the_paired_test_is_the_textbook_one() {
        // Differences 1, ½, 1½, 1½, ½: t = 1/(½/√5) = 4.4721 with 4 degrees of freedom.
        let p = paired_p(&[10.0, 12.0, 9.0, 14.0, 11.0], &[9.0, 11.5, 7.5, 12.5, 10.5]).unwrap();
        assert_close(p, 0.011_056, 1e-3);
        assert_eq!(paired_p(&[1.0, 2.0], &[1.0, 2.0]).unwrap(), 1.0);
        assert_eq!(paired_p(&[2.0, 3.0], &[1.0, 2.0]).unwrap(), 0.0);
        assert!(paired_p(&[1.0], &[2.0]).is_err());
    }

    #[test]
    fn welchs_test_is_the_textbook_one() {
        // Means 2 and 5, both with standard error √(1/3): t = 3/√(2/3) = 3.674 with 4 degrees of freedom.
        assert_close(welch_p(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap(), 0.021_311, 1e-3);
        assert_eq!(welch_p(&[1.0, 1.0], &[1.0, 1.0]).unwrap(), 1.0);
        assert_eq!(welch_p(&[1.0, 1.0], &[2.0, 2.0]).unwrap(), 0.0);
    }

    #[test]
    fn holm_steps_down_and_keeps_the_order() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.6, 0.5]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn the_best_is_known_as_well_as_its_rivals_are_far() {
        let far = vec![vec![1.0, 1.1, 0.9, 1.0], vec![5.0, 5.1, 4.8, 5.2], vec![2.0, 2.1, 2.2, 1.9]];
        let (index, confidence) = best(&far).unwrap().unwrap();
        assert!(index == 1 && confidence > 0.99);
        let near = vec![vec![1.0, 1.1, 0.9, 1.0], vec![1.1, 0.9, 1.0, 1.1]];
        let (index, confidence) = best(&near).unwrap().unwrap();
        assert!(index == 1 && confidence < 0.8);
        // Of two that are the same nothing is known.
        assert_eq!(best(&[vec![1.0, 2.0], vec![1.0, 2.0]]).unwrap(), Some((0, 0.5)));
        assert_eq!(best(&[vec![1.0, 2.0]]).unwrap(), Some((0, 1.0)));
        assert_eq!(best(&[]).unwrap(), None);
    }
}
