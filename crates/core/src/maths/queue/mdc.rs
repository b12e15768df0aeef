//! M/D/1 and M/D/c: constant service time D.
//!
//! Sources: Erlang 1909; Crommelin 1932; Franx, *A simple solution for the M/D/c waiting time distribution*,
//! Oper. Res. Letters 29 (2001). Erlang's series alternates in sign and loses all digits in the tail; Franx's form
//! P(Wq ≤ t) = e^(−y)·Σⱼ Q(k−1−j)·yʲ/j!, with k = ⌊t/D⌋ + 1 and y = λ(kD − t), has only positive terms. Q(i) is the
//! probability of at most i + 1 requests in the station.
//!
//! Limits: quantiles for one server only; M/D/c up to ρ = 0.9995, beyond which its series is too long.

use super::mg1::Mg1;
use super::service::ServiceMoments;
use crate::maths::error::{MathsError, at_least_one, non_negative, positive, quantile_level, stable};
use crate::maths::numeric::{integrate, root};

/// A stable M/D/1 station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Md1 {
    arrival_rate: f64,
    service_time: f64,
    general: Mg1,
}

impl Md1 {
    /// Station with `arrival_rate` [1/s, ≥ 0] and constant `service_time` \[s, > 0\].
    ///
    /// # Errors
    /// An argument outside its domain; [`MathsError::Unstable`].
    pub fn new(arrival_rate: f64, service_time: f64) -> Result<Self, MathsError> {
        let general = Mg1::new(arrival_rate, ServiceMoments::constant(service_time)?)?;
        Ok(Self { arrival_rate, service_time, general })
    }

    /// Wq = ρD/(2(1−ρ)) \[s\]: half of M/M/1.
    pub fn mean_waiting_time(&self) -> f64 {
        self.general.mean_waiting_time()
    }

    /// Cumulative queue-length probabilities Q(0..`count`).
    ///
    /// Level crossings of the chain at departures (Ramaswami 1988): p(j)·a(0) = p(0)·A(j−1) + Σ p(k)·A(j−k) over
    /// 0 < k < j, where A(i) is the probability of more than i arrivals in D. Only positive terms.
    fn cumulative(&self, count: usize) -> Vec<f64> {
        let load = self.general.utilization();
        let none = libm::exp(-load);
        let more = poisson_tails(load);
        let mut p = vec![1.0 - load];
        let (mut total, mut cumulative) = (1.0 - load, Vec::with_capacity(count));
        for j in 1..=count {
            let from_empty = p[0] * more.get(j - 1).copied().unwrap_or(0.0);
            let first = j.saturating_sub(more.len()).max(1);
            let from_busy: f64 = (first..j).map(|k| p[k] * more.get(j - k).copied().unwrap_or(0.0)).sum();
            let next = (from_empty + from_busy) / none;
            p.push(next);
            total += next;
            cumulative.push(total);
        }
        cumulative
    }

    /// P(waiting time ≤ `t`), `t` in seconds. Work grows with (t/D)², so this is for t of at most some thousand D.
    ///
    /// # Errors
    /// A negative or infinite time.
    pub fn waiting_time_cdf(&self, t: f64) -> Result<f64, MathsError> {
        non_negative("t", t)?;
        let blocks = (t / self.service_time) as usize + 1;
        Ok(self.cdf_from(&self.cumulative(blocks), t))
    }

    fn cdf_from(&self, cumulative: &[f64], t: f64) -> f64 {
        let k = ((t / self.service_time) as usize + 1).min(cumulative.len());
        let y = (self.arrival_rate * (k as f64 * self.service_time - t)).max(0.0);
        let mut term = libm::exp(-y);
        let mut sum = 0.0;
        for j in 0..k {
            sum += term * cumulative[k - 1 - j];
            term *= y / (j as f64 + 1.0);
            if term < 1e-300 {
                break;
            }
        }
        sum.min(1.0)
    }

    /// Quantile of the waiting time \[s\] at level `p`, 0 ≤ p < 1; zero up to 1 − ρ.
    ///
    /// The search ends at Kingman's exponential bound P(Wq > t) ≤ e^(−ηt), η the positive root of λ(e^(ηD) − 1) = η.
    ///
    /// # Errors
    /// A level outside its domain; [`MathsError::NoConvergence`] where it would be beyond 100 000 service times.
    pub fn waiting_time_quantile(&self, p: f64) -> Result<f64, MathsError> {
        quantile_level("p", p)?;
        let load = self.general.utilization();
        if p <= 1.0 - load {
            return Ok(0.0);
        }
        // In units of 1/D: ρ(e^x − 1) = x. The divided form has no root at zero.
        let slope = |x: f64| load * libm::expm1(x) / x - 1.0;
        let decay = root(slope, (1.0 - load).min(1e-3), 2.0 * (1.0 - libm::log(load)) + 2.0, 1e-12)?;
        let high = -libm::log1p(-p) / decay * self.service_time;
        let blocks = high / self.service_time + 2.0;
        if blocks > 100_000.0 {
            return Err(MathsError::NoConvergence { method: "M/D/1 quantile" });
        }
        let cumulative = self.cumulative(blocks as usize);
        root(|t| self.cdf_from(&cumulative, t) - p, 0.0, high * (1.0 + 1e-9), 1e-13)
    }
}

/// P(Poisson(`mean`) > i) for i = 0, 1, … until it vanishes; summed from the far end, so that small tails keep digits.
fn poisson_tails(mean: f64) -> Vec<f64> {
    let mut masses = vec![libm::exp(-mean)];
    while masses.last().is_some_and(|&m| m > 1e-30) {
        let n = masses.len() as f64;
        masses.push(masses[masses.len() - 1] * mean / n);
    }
    let mut tail = 0.0;
    let mut tails: Vec<f64> = masses
        .iter()
        .rev()
        .map(|mass| {
            let beyond = tail;
            tail += mass;
            beyond
        })
        .collect();
    tails.reverse();
    tails
}

/// Highest utilization for which the M/D/c series is summed.
const CLOSEST_TO_SATURATION: f64 = 0.9995;

/// Mean wait and probability of a wait in M/D/c.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MdcWait {
    /// Wq \[s\].
    pub mean_waiting_time: f64,
    /// Probability that an arrival waits.
    pub probability_of_waiting: f64,
}

/// M/D/c: `arrival_rate` [1/s, ≥ 0], constant `service_time` D \[s, > 0\], `servers` ≥ 1 (Crommelin 1932).
///
/// Each server is handed every c-th request, so waits equal those of E_c/D/1. With S(i) = iD − (time of i·c arrivals),
/// Spitzer's identity gives Wq = Σ E\[S(i)⁺\]/i and P(no wait) = exp(−Σ P(S(i) > 0)/i).
///
/// # Errors
/// An argument outside its domain; [`MathsError::Unstable`]; [`MathsError::NoConvergence`] too close to saturation.
pub fn mdc(arrival_rate: f64, service_time: f64, servers: u32) -> Result<MdcWait, MathsError> {
    non_negative("arrival_rate", arrival_rate)?;
    positive("service_time", service_time)?;
    let c = f64::from(at_least_one("servers", servers)?);
    let rho = stable(arrival_rate * service_time / c)?;
    if rho == 0.0 {
        return Ok(MdcWait { mean_waiting_time: 0.0, probability_of_waiting: 0.0 });
    }
    if rho > CLOSEST_TO_SATURATION {
        return Err(MathsError::NoConvergence { method: "M/D/c series" });
    }
    // iD·P(N ≥ ic) − (ic/λ)·P(N ≥ ic + 1) over i, regrouped.
    let wait = |i: f64| {
        let (mass, above) = poisson_mass_and_tail(i * rho * c, i * c);
        service_time * (mass + above - above / rho)
    };
    let positive_walk = |i: f64| {
        let (mass, above) = poisson_mass_and_tail(i * rho * c, i * c);
        (mass + above) / i
    };
    // Chernoff's bound: terms fall at least as fast as e^(−decay·i).
    let decay = c * (rho - 1.0 - libm::log(rho));
    Ok(MdcWait {
        mean_waiting_time: smooth_series(wait, decay)?,
        probability_of_waiting: -libm::expm1(-smooth_series(positive_walk, decay)?),
    })
}

/// Sum of the smooth terms f(1), f(2), …, which fall like e^(−`decay`·i): the first thousand one by one, the rest by
/// the Euler–Maclaurin formula, whose neglected term is of order f(1000)·10⁻¹¹.
fn smooth_series(f: impl Fn(f64) -> f64, decay: f64) -> Result<f64, MathsError> {
    const SINGLE: f64 = 1000.0;
    // e^(−42) is below 10⁻¹⁸.
    let last = (42.0 / decay).ceil() + 1.0;
    let singly = last.min(SINGLE);
    let mut sum = 0.0;
    let mut i = 1.0;
    while i < singly {
        sum += f(i);
        i += 1.0;
    }
    if last <= SINGLE {
        return Ok(sum + f(singly));
    }
    let slope = 0.5 * (f(SINGLE + 1.0) - f(SINGLE - 1.0));
    let rest = integrate(|u| libm::exp(u) * f(libm::exp(u)), libm::log(SINGLE), libm::log(last), 1e-11)?;
    Ok(sum + rest + 0.5 * f(SINGLE) - slope / 12.0)
}

/// P(N = n) and P(N > n) for N Poisson with `mean` < n.
fn poisson_mass_and_tail(mean: f64, n: f64) -> (f64, f64) {
    let mass = libm::exp(log_poisson_mass(mean, n));
    let (mut factor, mut sum, mut k) = (1.0, 0.0, n);
    loop {
        k += 1.0;
        factor *= mean / k;
        sum += factor;
        if factor <= 1e-17 * sum {
            return (mass, mass * sum);
        }
    }
}

/// ln P(N = n) for N Poisson with `mean`, n ≥ 1, by Stirling's series for large n, where `lgamma` would cancel.
fn log_poisson_mass(mean: f64, n: f64) -> f64 {
    if n < 20.0 {
        return n * libm::log(mean) - mean - libm::lgamma(n + 1.0);
    }
    let inverse = 1.0 / n;
    let square = inverse * inverse;
    let stirling = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    let gap = mean / n - 1.0;
    n * (libm::log1p(gap) - gap) - 0.5 * libm::log(2.0 * std::f64::consts::PI * n) - stirling
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::queue::mmc::Mmc;
    use crate::maths::test_support::{REFERENCE, assert_close};

    #[test]
    fn the_reference_quantiles_are_met_out_to_the_999th_of_a_thousand() {
        let q = Md1::new(80.0, 0.01).unwrap();
        assert_close(q.mean_waiting_time(), 0.02, REFERENCE);
        assert_close(q.waiting_time_quantile(0.5).unwrap(), 0.012_759_398_733_762_357, REFERENCE);
        assert_close(q.waiting_time_quantile(0.9).unwrap(), 0.050_115_114_984_460_476, REFERENCE);
        assert_close(q.waiting_time_quantile(0.99).unwrap(), 0.103_558_867_919_949_55, REFERENCE);
        assert_close(q.waiting_time_quantile(0.999).unwrap(), 0.157_002_681_940_664_36, REFERENCE);
        let q = Md1::new(90.0, 0.01).unwrap();
        assert_close(q.waiting_time_quantile(0.95).unwrap(), 0.141_286_738_302_021_3, REFERENCE);
        assert_close(q.waiting_time_quantile(0.999).unwrap(), 0.330_139_697_431_193_04, REFERENCE);
    }

    #[test]
    fn the_distribution_equals_erlangs_alternating_series_where_that_is_exact() {
        let q = Md1::new(80.0, 0.01).unwrap();
        let t = 0.033;
        let series: f64 = (0..=3)
            .map(|i| {
                let x = 80.0 * (f64::from(i) * 0.01 - t);
                libm::pow(x, f64::from(i)) / libm::tgamma(f64::from(i) + 1.0) * libm::exp(-x)
            })
            .sum();
        assert_close(q.waiting_time_cdf(t).unwrap(), 0.2 * series, 1e-12);
    }

    #[test]
    fn the_reference_case_with_two_servers_is_met() {
        let wait = mdc(160.0, 0.01, 2).unwrap();
        assert_close(wait.mean_waiting_time, 0.009_032_838_794_108_628, REFERENCE);
        assert_close(wait.probability_of_waiting, 0.701_898_317_173_311_9, REFERENCE);
    }

    #[test]
    fn one_server_of_the_series_is_pollaczek_khinchine() {
        for rate in [1.0, 50.0, 90.0, 99.0, 99.9] {
            let wait = mdc(rate, 0.01, 1).unwrap();
            assert_close(wait.mean_waiting_time, Md1::new(rate, 0.01).unwrap().mean_waiting_time(), 1e-9);
            assert_close(wait.probability_of_waiting, rate * 0.01, 1e-9);
        }
    }

    #[test]
    fn many_servers_wait_about_half_as_long_as_mmc_and_saturation_is_refused() {
        // Cosmetatos (1975) corrects half the wait of M/M/c by 1 + (1−ρ)(c−1)(√(4+5c)−2)/(16ρc), good to about 2 %.
        for (servers, rho) in [(4_u32, 0.9), (20, 0.95), (100, 0.99)] {
            let c = f64::from(servers);
            let half = 0.5 * Mmc::new(rho * c, 1.0, servers).unwrap().mean_waiting_time();
            let correction = 1.0 + (1.0 - rho) * (c - 1.0) * ((4.0 + 5.0 * c).sqrt() - 2.0) / (16.0 * rho * c);
            assert_close(mdc(rho * c, 1.0, servers).unwrap().mean_waiting_time, half * correction, 0.02);
        }
        assert!(matches!(mdc(99.99, 0.01, 1), Err(MathsError::NoConvergence { .. })));
        assert!(matches!(mdc(100.0, 0.01, 1), Err(MathsError::Unstable { .. })));
    }

    #[test]
    fn quantiles_near_saturation_follow_the_exponential_tail() {
        // Heavy traffic: Wq is close to exponential with mean ρD/(2(1−ρ)); 1 % of its scale is the order of 1 − ρ.
        let q = Md1::new(99.0, 0.01).unwrap();
        let ratio = q.waiting_time_quantile(0.999).unwrap() / q.mean_waiting_time();
        assert_close(ratio, -libm::log(0.001), 0.02);
    }

    #[test]
    fn low_load_quantiles_are_zero_or_within_one_service_time() {
        let q = Md1::new(1.0, 0.01).unwrap();
        assert_eq!(q.waiting_time_quantile(0.98).unwrap(), 0.0);
        let t = q.waiting_time_quantile(0.995).unwrap();
        assert!(t > 0.0 && t < 0.01);
        assert_close(q.waiting_time_cdf(t).unwrap(), 0.995, 1e-12);
    }
}
