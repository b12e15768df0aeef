//! The same question gets the same answer: on any number of threads, from any folder; and variants meet the same chance.

use std::collections::BTreeMap;

use crate::support::{Folder, SECOND, plan, ran, same};
use scalelab::model::Plan;

const EXPERIMENT: &str = "
question: Are the answers the same?
model: model.yaml
run: { warm_up: 1s, window: 5s, replications: 3 }
variants: { small: {}, large: { services.shop.instances: 4 } }
sweep: { clients.users.arrivals.poisson: [50/s, 100/s] }
expect: [ { metric: users.latency.mean, below: 1s } ]
";

const MODEL: &str = "
clients:
  users: { arrivals: { poisson: 80/s }, call: shop.browse, timeout: 1s }
  others: { arrivals: { users: 5, think: { exponential: 100ms } }, mix: { shop.browse: 50%, db.read: 50% } }
services:
  shop:
    instances: 2
    machine: { cores: 1 }
    runtime: { workers: 4 }
    balancer: least_in_flight
    operations:
      browse: [ cpu: { lognormal: { mean: 8ms, cv: 2 } }, parallel: [ call: db.read, wait: { gamma: { mean: 4ms, cv: 2 } } ] ]
  db: { runtime: { workers: 3 }, balancer: random, operations: { read: [ wait: { exponential: 10ms }, fail: 1% ] } }
";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("question.yaml", EXPERIMENT);
    folder.write("model.yaml", MODEL);
    folder
}

fn results(folder: &Folder, arguments: &[&str]) -> BTreeMap<String, Vec<u8>> {
    folder.scalelab(&[&["run", "question.yaml", "--quiet"], arguments].concat()).with(0);
    let files = folder.files("output");
    assert!(files.len() >= 6, "{:?}", files.keys());
    files
}

/// Like an equality of maps, without printing charts.
#[track_caller]
fn equal(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let different: Vec<_> =
        one.iter().filter(|(name, content)| other[*name] != **content).map(|(name, _)| name).collect();
    assert!(different.is_empty(), "these files differ: {different:?}");
}

#[test]
fn results_are_the_same_bytes_on_any_number_of_threads_again_and_elsewhere() {
    let (here, there) = (folder("here"), folder("there"));
    let first = results(&here, &["--jobs", "1"]);
    equal(&first, &results(&here, &["--jobs", "2"]));
    equal(&first, &results(&here, &["--jobs", "7"]));
    equal(&first, &results(&there, &["--jobs", "2"]));
}

#[test]
fn another_seed_gives_other_results() {
    let folder = folder("seed");
    let [one, again, other] = ["1", "1", "2"].map(|seed| results(&folder, &["--seed", seed]));
    equal(&one, &again);
    for file in ["question/runs.csv", "question/points.csv", "question/series.csv"] {
        assert_ne!(one[file], other[file], "{file}");
    }
}

#[test]
fn replications_and_seeds_are_different_runs() {
    let fingerprint = |seed, replication| ran(MODEL, Plan { seed, replication, ..plan(3) }).record.fingerprint;
    let all = [fingerprint(1, 0), fingerprint(1, 1), fingerprint(2, 0), fingerprint(2, 1)];
    for (number, one) in all.iter().enumerate() {
        assert!(!all[..number].contains(one), "{all:x?}");
    }
    assert_eq!(fingerprint(1, 0), all[0]);
}

/// All values of a part, to the last bit.
fn bits(model: &str, part: &str) -> Vec<(String, Option<u64>)> {
    let ran = ran(model, Plan { warm_up: SECOND, ..plan(20) });
    let of =
        ran.of(part).into_iter().map(|(name, value)| (name.to_owned(), value.map(f64::to_bits))).collect::<Vec<_>>();
    // The amplification is per request of all clients, so it is a matter of all.
    let of: Vec<_> = of.into_iter().filter(|(name, _)| !name.ends_with(".per_request")).collect();
    assert!(!of.is_empty());
    of
}

#[test]
fn an_unrelated_part_changes_nothing_for_the_others() {
    let more = MODEL
        .replace("clients:\n", "clients:\n  strangers: { arrivals: { poisson: 300/s }, call: island.visit }\n")
        .replace(
            "services:\n",
            "services:\n  island: { instances: 3, balancer: random, machine: { cores: 1 },
    operations: { visit: [ cpu: { exponential: 5ms }, fail: 10% ] } }\n",
        );
    for part in ["users.", "others.", "shop.", "db."] {
        assert_eq!(bits(MODEL, part), bits(&more, part));
    }
    // The other way round too: changing the users does nothing to the strangers.
    let fewer = more.replace("poisson: 80/s", "poisson: 20/s");
    assert_ne!(bits(&more, "users."), bits(&fewer, "users."));
    for part in ["strangers.", "island."] {
        assert_eq!(bits(&more, part), bits(&fewer, part));
    }
}

#[test]
fn requests_bring_the_same_demands_to_a_system_with_more_capacity() {
    // Without queues both ways, so the response time is the demand alone.
    let one = MODEL.replace("runtime: { workers: 4 }", "runtime: { workers: 1000 }").replace("cores: 1", "cores: 900");
    let other = one.replace("instances: 2", "instances: 7").replace("workers: 1000", "workers: 2000");
    let one = one.replace("runtime: { workers: 3 }", "runtime: { workers: 500 }");
    let other =
        other.replace("runtime: { workers: 3 }", "runtime: { workers: 600 }").replace("least_in_flight", "random");
    assert_eq!(bits(&one, "users."), bits(&other, "users."));
}

/// The total waits of an operation's last step, whose distribution stays while the first's changes.
fn last_step(first: &str) -> f64 {
    let model = format!(
        "
clients: {{ users: {{ arrivals: {{ constant: 100/s }}, call: s.o }} }}
services:
  s: {{ operations: {{ o: [ {first}, call: t.p ] }} }}
  t: {{ operations: {{ p: [ wait: {{ exponential: 10ms }} ] }} }}
"
    );
    // Requests within the window are the same hundreds; all are drained.
    ran(&model, plan(20)).split(0)["t.wait service"]
}

#[test]
fn a_change_of_one_step_leaves_the_draws_of_the_others_as_they_are() {
    let plain = last_step("wait: 1ms");
    for first in [
        "wait: { exponential: 1ms }",
        "wait: { lognormal: { mean: 30ms, cv: 4 } }",
        "cpu: { gamma: { mean: 5ms, cv: 2 } }",
        "choose: [ { share: 50%, steps: [ wait: { exponential: 3ms } ] } ]",
        "repeat: { times: { uniform: { from: 0, to: 5 } }, steps: [ wait: { exponential: 3ms } ] }",
    ] {
        same(last_step(first), plain);
    }
}

#[test]
fn faster_arrivals_are_the_same_arrivals_closer_together() {
    let model = |rate: u32| {
        format!(
            "
clients: {{ users: {{ arrivals: {{ poisson: {rate}/s }}, call: s.o }} }}
services: {{ s: {{ operations: {{ o: [ wait: {{ exponential: 1ms }} ] }} }} }}
"
        )
    };
    let slow = ran(&model(100), plan(20));
    let fast = ran(&model(200), plan(10));
    same(slow.value("users.requests"), fast.value("users.requests"));
    same(slow.value("users.latency.mean"), fast.value("users.latency.mean"));
}
