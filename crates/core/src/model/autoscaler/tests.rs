//! Policies against hand-made readings.

use super::*;
use serde_json::json;

const SECOND: Nanos = 1_000_000_000;

/// Pods of one phase that began long ago.
fn pods(count: u32) -> Vec<Pod> {
    vec![Pod { phase: Phase::Ready, started: 0, changed: 0 }; count as usize]
}

/// A policy written as JSON.
fn policy(spec: serde_json::Value) -> Box<dyn Autoscaler> {
    let policy: Policy = serde_json::from_value(spec).expect("a policy");
    policy.check().expect("valid");
    policy.build()
}

/// What a policy wants if every metric reads the same, of the service and of each instance, at so many seconds.
fn decide(policy: &mut dyn Autoscaler, seconds: u64, wanted: u32, whole: f64, each: f64) -> u32 {
    let pods = pods(wanted);
    let now = seconds * SECOND;
    let reading = Reading { at: now, whole: Some(whole), each: vec![Some(each); pods.len()] };
    let readings = vec![reading; policy.metrics().len()];
    let view = View {
        now,
        wanted,
        bounds: [0, 100],
        pods: &pods,
        readings: &readings,
        window: 15 * SECOND,
        future: &|time| 100.0 + time as f64 / 1e9,
    };
    policy.decide(&view)
}

/// Scenario C12: a worker more if more than 10 wait per worker, one less if fewer than 2 do.
#[test]
fn a_threshold_takes_nineteen_steps_from_one_to_twenty() {
    let mut scaler = policy(json!({ "threshold": {
        "up": [{ "metric": "queue", "above": 10 }], "down": [{ "metric": "queue", "below": 2 }] } }));
    assert_eq!(scaler.every(), 10 * SECOND);
    let mut wanted = 1;
    for step in 1..=19 {
        wanted = decide(scaler.as_mut(), 10 * step, wanted, 1e6, 1e5);
    }
    assert_eq!(wanted, 20);
    assert_eq!(decide(scaler.as_mut(), 200, 20, 200.0, 10.0), 20, "10 per worker are not more than 10");
    assert_eq!(decide(scaler.as_mut(), 210, 20, 39.0, 1.95), 19);
    assert_eq!(decide(scaler.as_mut(), 220, 19, 38.0, 2.0), 19);
}

#[test]
fn a_rule_with_a_hold_time_waits_for_it_and_forgets_when_it_is_broken() {
    let mut scaler = policy(json!({ "threshold": {
        "every": "60s", "cooldown": "150s",
        "up": [{ "metric": "cpu", "above": "80%", "for": "120s" }],
        "down": [{ "metric": "cpu", "below": "20%", "for": "60s" }] } }));
    let mut at = |seconds, wanted, cpu| decide(scaler.as_mut(), seconds, wanted, cpu, cpu);
    assert_eq!(at(60, 4, 0.9), 4);
    assert_eq!(at(120, 4, 0.7), 4);
    assert_eq!(at(180, 4, 0.9), 4);
    assert_eq!(at(240, 4, 0.9), 4);
    assert_eq!(at(300, 4, 0.9), 5);
    assert_eq!(at(360, 5, 0.9), 5, "the cooldown");
    assert_eq!(at(480, 5, 0.9), 6);
    assert_eq!(at(700, 6, 0.1), 6);
    assert_eq!(at(760, 6, 0.1), 5);
}

/// Reference case J06: 10 cores of demand and a target of 50 % are 20 instances; 19 to 22 are within the tolerance.
#[test]
fn the_hpa_leaves_nineteen_to_twenty_two_instances_alone_at_ten_cores_and_a_half() {
    for (wanted, expected) in [(18, 20), (19, 19), (20, 20), (22, 22), (23, 20)] {
        let mut scaler = policy(json!({ "hpa": {
            "metrics": [{ "resource": "cpu", "utilization": "50%" }], "scale_down": { "stabilization": "0s" } } }));
        assert_eq!(decide(scaler.as_mut(), 900, wanted, 0.0, 10.0 / f64::from(wanted)), expected, "{wanted}");
    }
}

/// Scenario A36 and A37: `200m` is 0.2 of the metric's unit.
#[test]
fn a_latency_target_of_200m_is_200_ms_in_seconds_and_a_fifth_of_one_in_milliseconds() {
    let spec = |unit: &str| {
        json!({ "hpa": { "metrics": [{ "pods": "p95", "average_value": "200m", "unit": unit }],
                         "scale_up": { "policies": [{ "pods": 1000, "period": "15s" }] } } })
    };
    assert_eq!(decide(policy(spec("s")).as_mut(), 900, 3, 0.4, 0.4), 6);
    assert_eq!(decide(policy(spec("s")).as_mut(), 900, 3, 0.215, 0.215), 3);
    assert_eq!(decide(policy(spec("ms")).as_mut(), 900, 3, 0.1, 0.1), 100, "500 times the target: to the most");
}

#[test]
fn the_hpa_takes_the_greatest_proposal_and_does_not_scale_down_half_blind() {
    let pods = pods(4);
    let ask = |cpu: f64, in_flight: Option<f64>| {
        let mut scaler = policy(json!({ "hpa": { "scale_down": { "stabilization": "0s" }, "metrics": [
            { "resource": "cpu", "utilization": "50%" }, { "object": "in_flight", "value": "10" } ] } }));
        let readings = [
            Reading { at: 900 * SECOND, whole: None, each: vec![Some(cpu); 4] },
            Reading { at: 900 * SECOND, whole: in_flight, each: vec![] },
        ];
        let view = View {
            now: 900 * SECOND,
            wanted: 4,
            bounds: [1, 100],
            pods: &pods,
            readings: &readings,
            window: 15 * SECOND,
            future: &|_| 0.0,
        };
        scaler.decide(&view)
    };
    assert_eq!(ask(0.25, Some(15.0)), 6, "2 by CPU, 6 by calls in flight");
    assert_eq!(ask(0.25, None), 4, "one metric is missing, the other would scale down");
    assert_eq!(ask(1.0, None), 8, "one metric is missing, the other scales up");
}

#[test]
fn kubernetes_quantities_are_read_in_milli_units() {
    let milli = |text: &str| hpa::Quantity::Text(text.to_owned()).milli();
    for (text, expected) in
        [("200m", 200), ("0.2", 200), ("1", 1000), ("1k", 1_000_000), ("1Ki", 1_024_000), ("1.5m", 2)]
    {
        assert_eq!(milli(text), Ok(expected), "{text}");
    }
    assert!(milli("200 ms").is_err() && milli("200ms").is_err() && milli("").is_err());
}

#[test]
fn target_tracking_scales_out_after_three_periods_and_in_after_fifteen() {
    let mut scaler = policy(json!({ "target_tracking": { "metric": "cpu", "target": "50%" } }));
    let mut at = |minute: u64, wanted, cpu| decide(scaler.as_mut(), 60 * minute, wanted, cpu, cpu);
    assert_eq!([at(1, 4, 0.9), at(2, 4, 0.9), at(3, 4, 0.9)], [4, 4, 8], "4 × 0.9 / 0.5 = 7.2");
    assert_eq!(at(4, 8, 0.5), 8);
    // Between 90 % of the target and the target nothing happens; below it takes 15 periods.
    assert!((5..19).all(|minute| at(minute, 8, 0.2) == 8));
    assert_eq!(at(19, 8, 0.2), 4, "8 × 0.2 / 0.5 = 3.2");
    assert_eq!(at(20, 4, 0.2), 4, "the cooldown");
}

#[test]
fn a_step_is_chosen_by_how_far_the_metric_is_beyond_its_mark() {
    let spec = json!({ "step": { "metric": "cpu", "cooldown": "300s",
        "up": [{ "from": "60%", "add": 1 }, { "from": "80%", "percent": 50 }], "down": [{ "below": "30%", "remove": 1 }] } });
    let mut scaler = policy(spec);
    let mut at = |seconds, wanted, cpu| decide(scaler.as_mut(), seconds, wanted, cpu, cpu);
    assert_eq!(at(60, 4, 0.65), 5);
    assert_eq!(at(120, 5, 0.65), 5, "the cooldown");
    assert_eq!(at(180, 5, 0.9), 6, "half of 5 is 2, of which 1 was added before");
    assert_eq!(at(240, 6, 0.1), 6, "scaling in waits");
    assert_eq!(at(500, 6, 0.1), 5);
}

#[test]
fn keda_goes_to_zero_after_its_cooldown_and_comes_back_above_its_activation() {
    let mut scaler =
        policy(json!({ "keda": { "trigger": "queue", "target": 5, "activation": 2, "cooldown": "120s" } }));
    let mut at = |seconds, wanted, waiting: f64| decide(scaler.as_mut(), seconds, wanted, waiting, waiting);
    assert_eq!(at(30, 1, 0.0), 1);
    assert_eq!(at(150, 1, 0.0), 0);
    assert_eq!(at(180, 0, 2.0), 0, "2 is not more than 2");
    assert_eq!(at(210, 0, 3.0), 1);
    assert_eq!(at(225, 1, 20.0), 4, "20 / 5");
}

#[test]
fn a_schedule_goes_by_the_clock_round_after_round() {
    let mut scaler = policy(json!({ "schedule": {
        "every": "100s", "times": [{ "from": "10s", "instances": 5 }, { "from": "60s", "instances": 2 }] } }));
    let seen = [0, 10, 59, 60, 99, 100, 110].map(|seconds| decide(scaler.as_mut(), seconds, 3, 0.0, 0.0));
    assert_eq!(seen, [3, 5, 5, 2, 2, 2, 5]);
}

#[test]
fn a_prediction_is_what_was_asked_for_a_period_ago_a_little_ahead() {
    let mut scaler = policy(json!({ "predictive": {
        "period": "600s", "per_instance": "10/s", "ahead": "120s", "headroom": "0%" } }));
    for (minute, rate) in [(1, 20.0), (2, 20.0), (3, 80.0), (4, 80.0), (5, 20.0)] {
        assert_eq!(decide(scaler.as_mut(), 60 * minute, 1, rate, rate), (rate / 10.0) as u32);
    }
    assert_eq!(decide(scaler.as_mut(), 660, 2, 20.0, 20.0), 8, "two minutes later it was 80/s, a period ago");
    assert_eq!(decide(scaler.as_mut(), 720, 8, 120.0, 120.0), 12, "today is busier");
}

#[test]
fn perfect_foresight_has_what_will_be_needed() {
    let mut scaler = policy(json!({ "perfect": { "per_instance": "10/s", "ahead": "50s", "every": "50s" } }));
    // The rate is 100/s + 1/s per second; at 200 s it looks as far as 300 s.
    assert_eq!(decide(scaler.as_mut(), 200, 1, 0.0, 0.0), 40);
}
