//! What holds for all closed forms together: no argument makes one panic, hang or answer with not-a-number.

use super::MathsError;
use super::queue::closed::{ClosedStation, closed_network};
use super::queue::service::{Hyperexponential, ServiceMoments};
use super::queue::{client_timeout, erlang_a, fork_join, ggc, gim1, mdc, mg1, mm1, mmc, mmck};
use super::queue::{queue_timeout, repairman, setup, size_based};
use super::statistics::{interval, paired, quantile};
use super::{availability, balancing, cache, retries, scalability};
use proptest::prelude::*;

/// Ordinary values, the edges of every domain, and what is outside of all.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -2.0..200.0_f64,
        0.0..1.0_f64,
        Just(0.0),
        Just(1.0),
        Just(1.0 - 1e-16),
        Just(1e-12),
        Just(1e12),
        Just(f64::NAN),
        Just(f64::INFINITY),
    ]
}

/// An error is an answer; so is infinity where documented; not-a-number is not.
fn is_answer(result: Result<f64, MathsError>) -> bool {
    !result.is_ok_and(f64::is_nan)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn open_queues_always_answer(a in number(), b in number(), t in number(), p in number(), c in 0_u32..40, k in 0_u32..60) {
        let mm1 = mm1::Mm1::new(a, b);
        prop_assert!(is_answer(mm1.and_then(|q| q.waiting_time_quantile(p))));
        let mmc = mmc::Mmc::new(a, b, c);
        prop_assert!(is_answer(mmc.and_then(|q| q.waiting_time_quantile(p))));
        prop_assert!(is_answer(mmc.and_then(|q| q.response_time_quantile(p))));
        prop_assert!(is_answer(mmck::Mmck::new(a, b, c, k).map(|q| q.mean_response_time())));
        prop_assert!(is_answer(client_timeout::ClientTimeout::new(a, b, t).map(|q| q.goodput())));
        prop_assert!(is_answer(queue_timeout::QueueTimeout::new(a, b, c, t).map(|q| q.mean_waiting_time())));
        prop_assert!(is_answer(mdc::Md1::new(a, b).and_then(|q| q.waiting_time_quantile(p))));
        prop_assert!(is_answer(mdc::mdc(a, b, c).map(|wait| wait.mean_waiting_time)));
        prop_assert!(is_answer(gim1::GiM1::erlang(a, b, c).and_then(|q| q.waiting_time_quantile(p))));
        prop_assert!(is_answer(gim1::GiM1::constant(a, b).and_then(|q| q.response_time_quantile(p))));
        prop_assert!(is_answer(ggc::Ggc::new(a, b, c, t, p).map(|q| q.sakasegawa())));
        prop_assert!(is_answer(size_based::srpt_mean_response_time(a, b)));
        // Larger values are legal, but only make the state space of the chain large.
        if a < 1e4 && t < 1e3 {
            prop_assert!(is_answer(erlang_a::ErlangA::new(a, b.max(1e-6), c, t).map(|q| q.abandonment_probability())));
        }
    }

    #[test]
    fn general_service_always_answers(a in number(), b in number(), t in number(), p in number()) {
        let mixture = Hyperexponential::balanced(b, t).and_then(|h| mg1::Mh21::new(a, h));
        prop_assert!(is_answer(mixture.and_then(|q| q.waiting_time_quantile(p))));
        let lognormal = ServiceMoments::lognormal(b, t);
        prop_assert!(is_answer(lognormal.and_then(|s| mg1::Mg1::new(a, s)).map(|q| q.waiting_time_sd())));
        let setup = lognormal.and_then(|s| setup::Mg1Setup::new(a, s, p, p * p));
        prop_assert!(is_answer(setup.map(|q| q.mean_response_time())));
    }

    #[test]
    fn closed_systems_and_laws_always_answer(a in number(), b in number(), t in number(), p in number(), c in 0_u32..40, k in 0_u32..60) {
        prop_assert!(is_answer(repairman::Repairman::new(k, a, b, c).map(|q| q.mean_response_time())));
        let stations = [ClosedStation { demand: b, servers: c }, ClosedStation { demand: t, servers: 1 }];
        prop_assert!(is_answer(closed_network(k, a, &stations).map(|means| means.response_time)));
        prop_assert!(is_answer(fork_join::max_exponentials_quantile(c, a, p)));
        prop_assert!(is_answer(fork_join::fork_join_nelson_tantawi(a, b, c)));
        prop_assert!(is_answer(scalability::amdahl_speedup(p, a)));
        prop_assert!(is_answer(scalability::Usl::fit(&[a, b, t, p], &[b, t, p, a]).map(|usl| usl.alpha)));
        prop_assert!(is_answer(balancing::supermarket_mean_response_time(c, p, a)));
        prop_assert!(is_answer(availability::k_of_n(c, k, p)));
        prop_assert!(is_answer(retries::mean_attempts(p, c)));
        prop_assert!(is_answer(retries::budget_success(p, a)));
        prop_assert!(is_answer(cache::Popularity::zipf(k, a).and_then(|items| items.lru_hit_ratio(c))));
    }

    #[test]
    fn statistics_always_answer(mut sample in proptest::collection::vec(number(), 0..30), p in number()) {
        prop_assert!(is_answer(interval::Interval::of_mean(&sample, p).map(|i| i.half_width)));
        let reversed: Vec<f64> = sample.iter().rev().copied().collect();
        let ratio = paired::ratio_of_means(&sample, &reversed, 0.95);
        prop_assert!(is_answer(ratio.map(|r| r.map_or(0.0, |r| r.low + r.high))));
        sample.sort_by(f64::total_cmp);
        prop_assert!(is_answer(quantile::sample_quantile(&sample, p, quantile::Definition::MedianUnbiased)));
        prop_assert!(is_answer(quantile::quantile_limits(&sample, p, 0.9).map(|l| l.map_or(0.0, |l| l.0 + l.1))));
    }
}
