//! Moments and percentiles of every family against their definitions, on 400 000 keyed draws.

use super::*;
use crate::engine::random::{Draw, key};

const DRAWS: u64 = 400_000;

fn family(yaml: serde_json::Value) -> Distribution {
    let random: Random<Duration> = serde_json::from_value(yaml).expect("the parameters decode");
    random.build(&NoFiles).expect("the parameters are valid")
}

fn draws(distribution: &Distribution) -> Vec<f64> {
    (0..DRAWS).map(|number| distribution.sample(&mut Draw::new(key(1, number), 77, 0)) / 1e6).collect()
}

fn mean_and_cv(sample: &[f64]) -> (f64, f64) {
    let mean = sample.iter().sum::<f64>() / sample.len() as f64;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sample.len() as f64;
    (mean, variance.sqrt() / mean)
}

/// Asserts the mean within five standard errors, and the coefficient of variation within 3 %.
fn assert_moments(yaml: serde_json::Value, mean: f64, cv: f64) {
    let (measured, measured_cv) = mean_and_cv(&draws(&family(yaml.clone())));
    let bound = 5.0 * cv * mean / (DRAWS as f64).sqrt() + 1e-9;
    assert!((measured - mean).abs() <= bound, "{yaml}: mean {measured} ms for {mean} ms");
    assert!((measured_cv - cv).abs() <= 0.03 * cv + 1e-9, "{yaml}: cv {measured_cv} for {cv}");
}

#[test]
fn every_family_has_the_moments_of_its_definition() {
    use serde_json::json;
    assert_moments(json!("10ms"), 10.0, 0.0);
    assert_moments(json!({"constant": "10ms"}), 10.0, 0.0);
    assert_moments(json!({"exponential": "10ms"}), 10.0, 1.0);
    assert_moments(json!({"uniform": {"from": "5ms", "to": "15ms"}}), 10.0, 1.0 / 12f64.sqrt());
    assert_moments(json!({"erlang": {"mean": "10ms", "stages": 4}}), 10.0, 0.5);
    assert_moments(json!({"gamma": {"mean": "10ms", "cv": 0.5}}), 10.0, 0.5);
    assert_moments(json!({"gamma": {"mean": "10ms", "cv": 2.0}}), 10.0, 2.0);
    assert_moments(json!({"hyperexponential": {"mean": "10ms", "cv": 2.0}}), 10.0, 2.0);
    assert_moments(json!({"lognormal": {"mean": "10ms", "cv": 1.0}}), 10.0, 1.0);
    assert_moments(json!({"weibull": {"mean": "10ms", "shape": 2.0}}), 10.0, 0.522_723);
    // Pareto with shape 5 (its fourth moment exists): mean 5/4, cv 1/√(5·3).
    assert_moments(json!({"pareto": {"least": "10ms", "shape": 5.0}}), 12.5, 1.0 / 15f64.sqrt());
    assert_moments(json!({"normal": {"mean": "10ms", "deviation": "1ms"}}), 10.0, 0.1);
    // Half 5 ms, half exponential 15 ms: mean 10, second moment 12.5 + 225.
    let parts = json!([{"weight": 2, "of": "5ms"}, {"weight": 2, "of": {"exponential": "15ms"}}]);
    assert_moments(json!({"mixture": parts}), 10.0, 137.5f64.sqrt() / 10.0);
}

#[test]
fn the_bounded_pareto_has_the_published_mean_and_stays_within_its_ends() {
    // Shape 1.1 on [1, 1000] ms: mean 5.48969 ms, squared coefficient of variation 19.2957.
    let sample = draws(&family(serde_json::json!({"bounded_pareto": {"least": "1ms", "most": "1s", "shape": 1.1}})));
    let (mean, cv) = mean_and_cv(&sample);
    let error = 5.0 * 19.2957f64.sqrt() * 5.48969 / (DRAWS as f64).sqrt();
    assert!((mean - 5.48969).abs() < error, "{mean}");
    assert!((cv / 19.2957f64.sqrt() - 1.0).abs() < 0.05, "{cv}");
    assert!(sample.iter().all(|value| (1.0..=1000.0).contains(value)));
}

#[test]
fn percentiles_pass_through_their_points() {
    for yaml in [
        serde_json::json!({"lognormal": {"p50": "80ms", "p99": "400ms"}}),
        serde_json::json!({"percentiles": {"p50": "80ms", "p99": "400ms"}}),
        serde_json::json!({"percentiles": {"p50": "80ms", "p90": "100ms", "p99": "400ms", "p99.9": "3s"}}),
    ] {
        let mut sample = draws(&family(yaml.clone()));
        sample.sort_by(f64::total_cmp);
        let at = |p: f64| sample[(p * DRAWS as f64) as usize];
        assert!((at(0.5) / 80.0 - 1.0).abs() < 0.02, "{yaml}: {}", at(0.5));
        assert!((at(0.99) / 400.0 - 1.0).abs() < 0.06, "{yaml}: {}", at(0.99));
        if yaml.to_string().contains("p90") {
            assert!((at(0.9) / 100.0 - 1.0).abs() < 0.02 && (at(0.999) / 3000.0 - 1.0).abs() < 0.3, "{yaml}");
        }
    }
}

#[test]
fn samples_come_from_the_file_with_their_unit() {
    struct Three;
    impl Values for Three {
        fn column(&self, _file: &str, column: &str) -> Result<Vec<f64>, String> {
            if column == "ms" { Ok(vec![1.0, 2.0, 6.0]) } else { Ok(vec![1.0, -1.0]) }
        }
    }
    let random = |column: &str| -> Random<Duration> {
        serde_json::from_value(serde_json::json!({"samples": {"csv": "f.csv", "column": column, "unit": "1ms"}}))
            .unwrap()
    };
    let (mean, _) = mean_and_cv(&draws(&random("ms").build(&Three).unwrap()));
    assert!((mean - 3.0).abs() < 0.02, "{mean}");
    assert!(random("bad").build(&Three).unwrap_err().contains("-1"));
}

#[test]
fn impossible_parameters_are_refused_with_the_reason() {
    use serde_json::json;
    for (yaml, word) in [
        (json!({"exponential": "0s"}), "above 0"),
        (json!({"uniform": {"from": "5ms", "to": "1ms"}}), "from"),
        (json!({"hyperexponential": {"mean": "1ms", "cv": 0.5}}), "above 1"),
        (json!({"lognormal": {"p50": "5ms", "p99": "1ms"}}), "p99"),
        (json!({"pareto": {"least": "1ms", "shape": 0.9}}), "bounded_pareto"),
        (json!({"percentiles": {"p50": "5ms"}}), "two"),
        (json!({"percentiles": {"p50": "5ms", "median": "6ms"}}), "median"),
        (json!({"percentiles": {"p50": "5ms", "p99": "1ms"}}), "smaller"),
        (json!({"mixture": []}), "weights"),
    ] {
        let random: Random<Duration> = serde_json::from_value(yaml.clone()).expect("the parameters decode");
        let message = random.build(&NoFiles).unwrap_err();
        assert!(message.contains(word), "{yaml}: {message}");
    }
}
