//! `cargo bench --bench scale`: what grows with the size of a model, and what a timeout costs.
//!
//! Rows of one table are run in turns and the least time of each is shown: on a shared machine the least is what comes
//! nearest to the truth. Times include setting the system up.

use std::time::Instant;

use scalelab::model::distribution::NoFiles;
use scalelab::model::{Blueprint, Plan, Record, System};
use scalelab::spec::resolve::resolve;
use serde_json::{Value, json};

/// Turns; the least time counts.
const TURNS: usize = 5;

/// A row of a table: its name, its model, and how long it is simulated [s].
struct Row {
    name: String,
    model: Value,
    seconds: f64,
}

fn blueprint(model: &Value) -> Blueprint {
    let file = serde_json::from_value(model.clone()).expect("the model decodes");
    resolve(&file, &NoFiles).expect("the model makes sense").blueprint
}

fn run(blueprint: &Blueprint, seconds: f64) -> Record {
    let window = (seconds * 1e9) as u64;
    let plan = Plan { interval: window / 10, in_flight_limit: 10_000_000, ..Plan::measuring(window) };
    System::new(blueprint, plan).run(&|| false).expect("all laws hold")
}

fn table(title: &str, rows: Vec<Row>) {
    println!(
        "\n{title}\n\n| model | ns per request | ns per event | against the first | most in flight |\n|---|---|---|---|---|"
    );
    let blueprints: Vec<Blueprint> = rows.iter().map(|row| blueprint(&row.model)).collect();
    let mut least = vec![f64::INFINITY; rows.len()];
    let mut records: Vec<Option<Record>> = rows.iter().map(|_| None).collect();
    for _ in 0..TURNS {
        for (number, row) in rows.iter().enumerate() {
            let start = Instant::now();
            let record = run(&blueprints[number], row.seconds);
            least[number] = least[number].min(start.elapsed().as_nanos() as f64);
            records[number] = Some(record);
        }
    }
    let mut first = None;
    for ((row, nanos), record) in rows.iter().zip(least).zip(records.into_iter().flatten()) {
        let per_request = nanos / record.clients[0].measured as f64;
        let ratio = per_request / *first.get_or_insert(per_request);
        let per_event = nanos / record.events as f64;
        println!("| {} | {per_request:.0} | {per_event:.0} | {ratio:.2} | {} |", row.name, record.peak_in_flight);
    }
}

/// Requests that only let a second pass, so many at a time.
fn delay(in_flight: u32) -> Row {
    let model = json!({
        "clients": {"users": {"arrivals": {"poisson": format!("{in_flight}/s")}, "call": "server.serve"}},
        "services": {"server": {"operations": {"serve": [{"wait": {"exponential": "1s"}}]}}},
    });
    // At least five times the mean stay, so that the level is reached, and a million requests.
    Row { name: format!("{in_flight} in flight"), model, seconds: (1e6 / f64::from(in_flight)).max(5.0) }
}

/// The web stack with `factor` times the load, the app instances and the database's workers; a million requests.
fn web(name: &str, factor: u32, timeout: Option<&str>) -> Row {
    let mut client = json!({"arrivals": {"poisson": format!("{}/s", 1000 * factor)}, "call": "app.get"});
    if let Some(timeout) = timeout {
        client["timeout"] = json!(timeout);
    }
    let read = json!([{"choose": [{"share": "30%", "steps": [{"call": "database.read"}]}]}]);
    let model = json!({
        "clients": {"customers": client},
        "services": {
            "app": {
                "instances": 8 * factor,
                "runtime": {"workers": 4},
                "operations": {"get": [{"wait": {"exponential": "20ms"}}, read[0]]},
            },
            "database": {
                "runtime": {"workers": 16 * factor},
                "operations": {"read": [{"wait": {"exponential": "10ms"}}]},
            },
        },
    });
    Row { name: name.to_owned(), model, seconds: 1000.0 / f64::from(factor) }
}

/// So many services, each of which passes half of its calls on to one of two others further down; a million requests.
fn generated(services: u32) -> Row {
    let mut parts = serde_json::Map::new();
    for number in 0..services {
        let mut steps = vec![json!({"wait": {"exponential": "5ms"}})];
        let next = |offset: u32| json!([{"call": format!("s{}.work", number + offset)}]);
        // Chains are at most ten long, however many services there are.
        if number % 10 < 8 && number + 2 < services {
            steps.push(json!({"choose": [{"share": "25%", "steps": next(1)}, {"share": "25%", "steps": next(2)}]}));
        }
        let service = json!({"instances": 2, "runtime": {"workers": 8}, "operations": {"work": steps}});
        parts.insert(format!("s{number}"), service);
    }
    let share = 1000.0 / f64::from(services);
    let entries: Vec<Value> = (0..services)
        .step_by(10)
        .map(|number| json!({"share": format!("{share}%"), "steps": [{"call": format!("s{number}.work")}]}))
        .collect();
    parts.insert("gateway".to_owned(), json!({"operations": {"get": [{"choose": entries}]}}));
    let rate = 100 * services;
    let model = json!({
        "clients": {"customers": {"arrivals": {"poisson": format!("{rate}/s")}, "call": "gateway.get"}},
        "services": parts,
    });
    Row { name: format!("{services} services"), model, seconds: 1e6 / f64::from(rate) }
}

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let tables: [(&str, &dyn Fn() -> Vec<Row>); 4] = [
        ("Attempts in flight", &|| [10, 1000, 100_000, 1_000_000].map(delay).into()),
        ("A timeout on every request", &|| {
            vec![web("web stack", 1, None), web("web stack, timeout 10 s", 1, Some("10s"))]
        }),
        ("Instances", &|| {
            vec![
                web("8 app instances, 16 database workers", 1, None),
                web("8,000 app instances, 16,000 database workers", 1000, None),
            ]
        }),
        ("Services", &|| [10, 1000].map(generated).into()),
    ];
    for (title, rows) in tables.iter().filter(|(title, _)| title.contains(&only)) {
        table(title, rows());
    }
}
