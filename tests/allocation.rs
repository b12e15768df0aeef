//! How much memory a simulation takes, and when.
//!
//! A binary of its own beside the one integration crate: counting needs a global allocator (that of the crate
//! `allocation-counter`), and a binary has only one.

use allocation_counter::{AllocationInfo, measure};
use scalelab::model::distribution::NoFiles;
use scalelab::model::{Blueprint, Plan, System};
use scalelab::spec::resolve::resolve;
use serde_json::{Value, json};

fn blueprint(model: Value) -> Blueprint {
    let file = serde_json::from_value(model).expect("the model decodes");
    resolve(&file, &NoFiles).expect("the model makes sense").blueprint
}

/// What a run of so many seconds allocates, set-up included.
fn allocations(blueprint: &Blueprint, seconds: f64) -> AllocationInfo {
    let window = (seconds * 1e9) as u64;
    let plan = Plan { interval: window / 10, in_flight_limit: 10_000_000, ..Plan::measuring(window) };
    measure(|| {
        System::new(blueprint, plan).run(&|| false).expect("all laws hold");
    })
}

/// A web stack with `factor` times the load and capacity, with a timeout, shared CPUs, branches and loops on the way.
fn web(factor: u32) -> Value {
    json!({
        "clients": {
            "customers": {"arrivals": {"poisson": format!("{}/s", 1000 * factor)}, "call": "app.get", "timeout": "10s"},
        },
        "services": {
            "app": {
                "instances": 8 * factor,
                "machine": {"cores": 4},
                "runtime": {"workers": 8},
                "operations": {"get": [
                    {"cpu": {"exponential": "10ms"}},
                    {"choose": [{"share": "30%", "steps": [{"call": "database.read", "timeout": "1s"}]}]},
                    {"repeat": {"times": 2, "steps": [{"wait": "1ms"}]}},
                ]},
            },
            "database": {
                "runtime": {"workers": 16 * factor},
                "operations": {"read": [{"parallel": [{"wait": {"exponential": "5ms"}}, {"wait": "5ms"}]}]},
            },
        },
    })
}

#[test]
fn events_allocate_nothing_once_a_system_is_warm() {
    let blueprint = blueprint(web(1));
    // As many requests again take as many rows of the time series, and now and then a histogram or a slab grows: some
    // dozens of allocations for 100,000 requests and more than half a million events.
    let (short, long) = (allocations(&blueprint, 100.0), allocations(&blueprint, 200.0));
    let more = long.count_total.saturating_sub(short.count_total);
    assert!(more <= 100, "{more} allocations more: {} and {}", short.count_total, long.count_total);
}

#[test]
fn a_thousand_times_the_system_fits_into_100_mb() {
    let taken = allocations(&blueprint(web(1000)), 0.2).bytes_max;
    assert!(taken <= 100_000_000, "{taken} bytes");
}

#[test]
fn an_attempt_in_flight_takes_at_most_450_bytes_even_while_the_slabs_grow() {
    // Some 200,000 requests of one attempt each are in flight: a frame, ledger entries, and an event in the calendar.
    // The slab grows by doubling, so up to half of it may be vacant and its old half is alive while it is copied.
    let model = json!({
        "clients": {"users": {"arrivals": {"poisson": "200000/s"}, "call": "server.serve"}},
        "services": {"server": {"operations": {"serve": [{"wait": {"exponential": "1s"}}]}}},
    });
    let taken = allocations(&blueprint(model), 4.0).bytes_max as f64 / 200_000.0;
    assert!(taken <= 450.0, "{taken} bytes per attempt");
}
