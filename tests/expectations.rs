//! Expectations about ratios of metrics, and the selection of the best variant.

use scalelab::study::finding::Verdict;

use crate::support::{Folder, study};

const SHOP: &str = "question: q
run: { warm_up: 2s, window: 20s, replications: 4 }
model:
  clients: { users: { arrivals: { poisson: 150/s }, call: web.page } }
  services: { web: { runtime: { workers: 2 }, operations: { page: [ wait: { exponential: 10ms } ] } } }
";

#[test]
fn the_share_of_the_response_time_spent_waiting_is_a_ratio_of_two_metrics() {
    // M/M/2 with 75 %: Lq = 1.93 of L = 3.43.
    let study = study(&format!(
        "{SHOP}expect:
  - {{ metric: web.workers.queue / users.in_flight, above: 40% }}
  - {{ metric: web.workers.queue / users.in_flight, below: 0.3 }}
  - {{ metric: users.latency.p99 / users.latency.p50, above: 2 }}
"
    ));
    let verdicts: Vec<Verdict> = study.expectations.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [Verdict::Held, Verdict::Failed, Verdict::Held], "{:?}", study.expectations);
    let waiting = study.expectations[0].mean.expect("there were requests");
    assert!((waiting - 1.929 / 3.429).abs() < 0.1, "{waiting}");
}

const VARIANTS: &str = "question: Which is best?
run: { warm_up: 1s, window: 10s, replications: 5, most_replications: 80 }
model:
  clients: { users: { arrivals: { poisson: 100/s }, call: web.page } }
  services: { web: { machine: { cores: 1 }, operations: { page: [ cpu: { exponential: 7ms } ] } } }
variants:
  slow:
    services.web.operations.page[0].cpu: { exponential: 8ms }
  medium: {}
  fast:
    services.web.operations.page[0].cpu: { exponential: 6.7ms }
";

#[test]
fn the_best_variant_is_selected_with_as_many_replications_as_that_takes() {
    let study = study(&format!("{VARIANTS}select: [ {{ metric: users.latency.mean, best: lowest, within: 5% }} ]\n"));
    let selected = &study.selections[0];
    assert_eq!(selected.best.as_deref(), Some("fast"), "{}", selected.words());
    let out = |name: &str| selected.contenders.iter().find(|one| one.variant == name).and_then(|one| one.out);
    // The slowest varies most, so that it is not the first to drop out.
    let last = out("slow").max(out("medium")).expect("both dropped out");
    assert!(out("slow").is_some() && out("medium").is_some() && out("fast").is_none(), "{selected:?}");
    assert!(study.points.iter().all(|point| point.runs.len() >= last));
    assert!(selected.words().contains("with a probability of at least 95 %"), "{}", selected.words());
}

#[test]
fn what_is_wrong_with_ratios_and_selections_is_said() {
    let folder = Folder::new("expectations");
    for (text, words) in [
        (format!("{SHOP}expect: [ {{ metric: web.workers.queue / users.inflight, below: 1 }} ]\n"), "users.in_flight"),
        (format!("{SHOP}select: [ {{ metric: users.goodput, best: highest, within: 1% }} ]\n"), "less than two"),
        (format!("{VARIANTS}select: [ {{ metric: users.goodput, best: highest, within: 0% }} ]\n"), "cannot be told"),
        (
            format!("{VARIANTS}select: [ {{ metric: users.goodput, best: highest, within: 1%, probability: 20% }} ]\n"),
            "more than chance",
        ),
    ] {
        folder.write("e.yaml", &text);
        let answer = folder.scalelab(&["check", "e.yaml"]).with(2);
        let told = format!("{}{}", answer.out, answer.err);
        assert!(told.contains(words), "{text}\n{told}");
    }
}
