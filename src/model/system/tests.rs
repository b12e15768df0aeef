//! Small systems against what theory and arithmetic say. The full list of reference cases is run from experiment files.

use super::record::Record;
use super::*;
use crate::model::distribution::NoFiles;
use crate::spec::resolve::resolve;

const SECOND: Nanos = 1_000_000_000;

fn blueprint(model: serde_json::Value) -> Blueprint {
    let file = serde_json::from_value(model).expect("the model decodes");
    resolve(&file, &NoFiles).expect("the model makes sense").blueprint
}

fn plan(seconds: u64) -> Plan {
    Plan {
        warm_up: 0,
        window: seconds * SECOND,
        drain: seconds * SECOND,
        interval: seconds * SECOND / 10,
        seed: 1,
        replication: 0,
        in_flight_limit: 1_000_000,
        event_limit: u64::MAX,
    }
}

fn run(blueprint: &Blueprint, plan: Plan) -> Record {
    System::new(blueprint, plan).run(&|| false).expect("all laws hold")
}

fn mm1(rate: &str) -> serde_json::Value {
    serde_json::json!({
        "clients": {"users": {"arrivals": {"poisson": rate}, "call": "server.serve"}},
        "services": {"server": {"runtime": {"workers": 1}, "operations": {"serve": [{"wait": {"exponential": "10ms"}}]}}},
    })
}

#[test]
fn a_single_queue_meets_the_closed_form() {
    let record = run(&blueprint(mm1("80/s")), Plan { warm_up: 100 * SECOND, ..plan(20_000) });
    let mean = record.clients[0].latency.mean().unwrap();
    // 1.6 million customers: the standard error of the mean wait of 40 ms is 0.9 %; bound at four.
    assert!((mean - 0.050).abs() < 0.0015, "{mean}");
    assert_eq!(record.ending, Ending::Completed);
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let blueprint = blueprint(mm1("80/s"));
    let first = run(&blueprint, plan(50)).fingerprint;
    assert_eq!(first, run(&blueprint, plan(50)).fingerprint);
    assert_ne!(first, run(&blueprint, Plan { seed: 2, ..plan(50) }).fingerprint);
    assert_ne!(first, run(&blueprint, Plan { replication: 1, ..plan(50) }).fingerprint);
}

#[test]
fn a_system_without_stations_is_measured_over_its_window_alone() {
    let model = serde_json::json!({
        "clients": {"users": {"arrivals": {"constant": "10/s"}, "call": "server.serve"}},
        "services": {"server": {"operations": {"serve": [{"wait": "5s"}]}}},
    });
    let record = run(&blueprint(model), Plan { warm_up: 10 * SECOND, ..plan(20) });
    assert_eq!(record.window, [10 * SECOND, 30 * SECOND]);
    let [before, after] = record.clients[0].areas;
    assert_eq!(after - before, 50 * 20 * u128::from(SECOND));
}
