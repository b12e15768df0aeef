//! Each rule on the smallest model that breaks it, and on one that does not.

use super::lint;
use crate::spec::model_file::ModelFile;

/// The findings in a model, as `path: message`.
fn findings(model: serde_json::Value) -> Vec<String> {
    let model: ModelFile = serde_json::from_value(model).unwrap();
    lint(&model).into_iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

/// A model of a client, a service `a` whose operation `go` makes these steps, and a service `b`.
fn model(client: serde_json::Value, a: serde_json::Value, b: serde_json::Value) -> serde_json::Value {
    let mut users = serde_json::json!({ "arrivals": { "poisson": "10/s" }, "call": "a.go" });
    users.as_object_mut().unwrap().extend(client.as_object().unwrap().clone());
    serde_json::json!({ "clients": { "users": users }, "services": { "a": a, "b": b } })
}

fn steps(steps: serde_json::Value) -> serde_json::Value {
    serde_json::json!({ "operations": { "go": steps } })
}

fn plain() -> serde_json::Value {
    serde_json::json!({ "operations": { "do": [ { "wait": "1ms" } ] } })
}

#[test]
fn an_outer_timeout_that_its_calls_use_up_is_found() {
    let call = serde_json::json!([{ "call": "b.do", "timeout": "150ms", "retry": { "attempts": 2, "budget": "10%" } }]);
    let with = |timeout: &str| findings(model(serde_json::json!({ "timeout": timeout }), steps(call.clone()), plain()));
    let found = with("300ms");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("clients.users.timeout: a timeout of 300ms is no longer than what it covers"),
        "{found:?}"
    );
    assert!(found[0].contains("a.go may wait 300ms for its calls (b.do: 2 × 150ms)"), "{found:?}");
    assert_eq!(with("301ms"), Vec::<String>::new());
}

#[test]
fn branches_count_once_and_steps_add_up() {
    let call = serde_json::json!({ "call": "b.do", "timeout": "100ms" });
    let with = |steps_of: serde_json::Value, timeout: &str| {
        findings(model(serde_json::json!({ "timeout": timeout }), steps(steps_of), plain())).len()
    };
    assert_eq!(with(serde_json::json!([call, call]), "150ms"), 1);
    assert_eq!(with(serde_json::json!([{ "parallel": [call, call] }]), "150ms"), 0);
}

#[test]
fn retries_in_layers_are_multiplied() {
    let retry = serde_json::json!({ "attempts": 3 });
    let call = serde_json::json!([{ "call": "b.do", "retry": retry }]);
    let found = findings(model(serde_json::json!({ "retry": retry }), steps(call), plain()));
    assert!(found.iter().any(|text| text.contains("3 × 3 = 9 attempts at b.do")), "{found:?}");
    assert_eq!(found.iter().filter(|text| text.contains("without a budget")).count(), 2);
}

#[test]
fn pools_beyond_a_limit_are_added_up() {
    let a = |instances: u32| {
        serde_json::json!({ "instances": instances, "pools": { "db": { "size": 95 } },
            "operations": { "go": [ { "call": "b.do", "through": "db" } ] } })
    };
    let b = serde_json::json!({ "runtime": { "workers": 100 }, "queue": { "limit": 0 },
        "operations": { "do": [ { "wait": "1ms" } ] } });
    let found = findings(model(serde_json::json!({}), a(2), b.clone()));
    assert!(found[0].contains("190 connections (a: 2 instances × 95) lead to b, which takes 100"), "{found:?}");
    assert_eq!(findings(model(serde_json::json!({}), a(1), b)), Vec::<String>::new());
}

#[test]
fn a_queue_that_outlasts_its_callers_is_found() {
    let a = |limit: u32| {
        serde_json::json!({ "runtime": { "workers": 2 }, "queue": { "limit": limit },
            "operations": { "go": [ { "cpu": { "exponential": "10ms" } } ] } })
    };
    let found = findings(model(serde_json::json!({ "timeout": "1s" }), a(1000), plain()));
    assert!(found[0].contains("1000 × 10ms / 2 workers = 5s"), "{found:?}");
    assert_eq!(findings(model(serde_json::json!({ "timeout": "1s" }), a(200), plain())), Vec::<String>::new());
}

#[test]
fn breakers_need_short_timeouts_and_hedges_idempotence() {
    let breaker = serde_json::json!({ "consecutive_failures": 5 });
    let call = |timeout: Option<&str>| {
        let mut call = serde_json::json!({ "call": "b.do", "breaker": breaker });
        if let Some(timeout) = timeout {
            call["timeout"] = timeout.into();
        }
        findings(model(serde_json::json!({}), steps(serde_json::json!([call])), plain()))
    };
    assert!(call(Some("30s"))[0].contains("30000 calls wait by then"));
    assert!(call(None)[0].contains("never opens"));
    assert_eq!(call(Some("500ms")), Vec::<String>::new());
    let hedge = serde_json::json!([{ "call": "b.do", "idempotent": false, "hedge": { "after": "10ms" } }]);
    assert!(findings(model(serde_json::json!({}), steps(hedge), plain()))[0].contains("is not idempotent"));
}
