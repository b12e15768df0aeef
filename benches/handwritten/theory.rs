//! Closed forms that the tests compare with, and the scatter to expect.
//!
//! The mean of `n` consecutive M/M/1 waiting times has variance `ρ(2 + 5ρ − 4ρ² + ρ³) / (μ²(1 − ρ)⁴ n)` for large `n` (Daley
//! 1968): a standard error of 0.9 % of the mean response time at ρ = 0.8 and one million customers, 2.8 % at ρ = 0.95 and
//! two million.

/// Asserts that `measured` is within `tolerance` (a fraction) of `expected`.
pub fn assert_within(name: &str, measured: f64, expected: f64, tolerance: f64) {
    let deviation = measured / expected - 1.0;
    assert!(
        deviation.abs() <= tolerance,
        "{name}: expected {expected}, measured {measured}, deviation {:+.2} %",
        deviation * 100.0
    );
}

/// Erlang's C: the probability to wait in M/M/c at `load` = λ/μ erlangs, by the recursion of Erlang's B.
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    let blocking = (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b));
    let utilization = load / f64::from(servers);
    blocking / (1.0 - utilization * (1.0 - blocking))
}

/// Mean response time of M/M/c \[s\]; for one server also of processor sharing.
pub fn mmc_mean(servers: u32, lambda: f64, mu: f64) -> f64 {
    erlang_c(servers, lambda / mu) / (f64::from(servers) * mu - lambda) + 1.0 / mu
}

/// Quantile of the response time of M/M/c FIFO \[s\], by bisection of its tail.
///
/// With probability C a customer waits an exponential time of rate θ = cμ − λ, and is then served at rate μ.
pub fn mmc_quantile(servers: u32, lambda: f64, mu: f64, probability: f64) -> f64 {
    let c = erlang_c(servers, lambda / mu);
    let theta = f64::from(servers) * mu - lambda;
    let tail = |t: f64| {
        let (served, waited) = (libm::exp(-mu * t), libm::exp(-theta * t));
        (1.0 - c) * served + c * (theta * served - mu * waited) / (theta - mu)
    };
    let (mut low, mut high) = (0.0, 1_000.0 / mu.min(theta));
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if tail(middle) > 1.0 - probability { low = middle } else { high = middle }
    }
    low
}

/// Mean response time \[s\] of Eₖ/M/c: interarrival times are sums of `phases` exponential phases, as one of `phases`
/// stations sees a Poisson stream that is dealt out in turn.
///
/// Stationary state of the Markov chain over (phases passed, customers present), by iteration of the uniformized chain,
/// cut off at 200 customers; then Little's law.
pub fn erlang_arrivals_mean(phases: usize, servers: usize, lambda: f64, mu: f64) -> f64 {
    const CUT: usize = 200;
    let phase_rate = lambda * phases as f64;
    let total_rate = phase_rate + servers as f64 * mu;
    let mut state = vec![[0.0; CUT]; phases];
    state[0][0] = 1.0;
    for _ in 0..20_000 {
        let mut next = vec![[0.0; CUT]; phases];
        for phase in 0..phases {
            for present in 0..CUT {
                let mass = state[phase][present];
                let advance = mass * phase_rate / total_rate;
                let depart = mass * servers.min(present) as f64 * mu / total_rate;
                let arrived = usize::from(phase + 1 == phases);
                next[(phase + 1) % phases][(present + arrived).min(CUT - 1)] += advance;
                next[phase][present.saturating_sub(1)] += depart;
                next[phase][present] += mass - advance - depart;
            }
        }
        state = next;
    }
    let present = |row: &[f64; CUT]| row.iter().enumerate().map(|(n, mass)| n as f64 * mass).sum::<f64>();
    state.iter().map(present).sum::<f64>() / lambda
}

#[test]
fn the_closed_forms_agree_where_they_meet() {
    assert_within("Erlang C of one server is ρ", erlang_c(1, 0.8), 0.8, 1e-12);
    assert_within("M/M/1 mean", mmc_mean(1, 0.8, 1.0), 5.0, 1e-12);
    assert_within("M/M/1 p99", mmc_quantile(1, 0.8, 1.0, 0.99), 5.0 * libm::log(100.0), 1e-9);
    // One phase is a Poisson stream, whose mean the Erlang C formula gives; 1e-6 is the rest of the iteration.
    assert_within("E1/M/4", erlang_arrivals_mean(1, 4, 2.5, 1.0), mmc_mean(4, 2.5, 1.0), 1e-6);
}
