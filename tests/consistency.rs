//! The matrix of strong against eventual consistency in `docs/consistency.md` is the one that the runs give;
//! `SCALELAB_BLESS=1 cargo test --test all consistency` writes it anew.

use scalelab::experiment::design::Options;
use scalelab::spec::load::Disk;
use scalelab::study::Study;
use scalelab::study::finding::Verdict;

use crate::support::{answer, try_design};

const EXPERIMENT: &str = "experiments/databases_and_consistency/strong_or_eventual.yaml";
const DOCUMENT: &str = "docs/consistency.md";
const BEGIN: &str = "<!-- generated from here -->\n";
const END: &str = "<!-- to here -->\n";

/// The signs of the matrix, from the best.
const SIGNS: [&str; 3] = ["✅", "⚠️", "❌"];

/// Strong, then eventual: what was measured, as text, and the place of its sign.
type Cells = [(String, usize); 2];

fn study() -> Study {
    let (document, design) =
        try_design(&Disk, EXPERIMENT, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    answer(&document, &design)
}

/// The mean of a metric in both kinds of consistency, under the same circumstances.
fn both(study: &Study, circumstances: &str, metric: &str) -> [f64; 2] {
    ["strong", "eventual"].map(|kind| {
        let variant = format!("{kind}{circumstances}");
        let point = study.points.iter().find(|point| point.variant == variant).expect("there is such a variant");
        let index = study.metric(metric).expect("there is such a metric");
        point.estimates[index].expect("it was measured").mean
    })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The rows of the matrix: the requirement, how its sign is found, and the cells.
fn rows(study: &Study) -> Vec<(&'static str, &'static str, Cells)> {
    let stale = both(study, "", "catalog.stale")
        .map(|share| (format!("{} of the reads are stale", percent(share)), if share == 0.0 { 0 } else { 2 }));
    let usual = both(study, "", "users.latency.p95");
    let thrice = both(study, ", three times the load", "users.latency.p95");
    let fast = [0, 1].map(|kind| {
        let text = format!("p95 {:.0} ms; with three times the load {:.0} ms", usual[kind] * 1e3, thrice[kind] * 1e3);
        (text, if usual[kind] >= 0.2 { 2 } else { usize::from(thrice[kind] >= 0.2) })
    });
    let survives = both(study, ", partition", "users.failures")
        .map(|share| (format!("{} of the requests fail", percent(share)), if share < 0.001 { 0 } else { 2 }));
    let simple = both(study, "", "catalog.own_stale")
        .map(|share| (format!("{} of the reads miss what the user wrote", percent(share)), usize::from(share > 0.0)));
    let grows = both(study, ", three times the load", "users.goodput")
        .map(|rate| (format!("{rate:.0}/s of 4500/s"), usize::from(rate < 0.98 * 4500.0)));
    vec![
        ("Must never show stale data", "✅ without a stale read, otherwise ❌", stale),
        (
            "Reads below 200 ms from everywhere, at scale",
            "✅ below 200 ms with three times the load too, ⚠️ only without",
            fast,
        ),
        ("Survives partitions", "✅ if fewer than 0.1 % of the requests fail, otherwise ❌", survives),
        ("Simple for clients", "✅ if users always see what they wrote, otherwise ⚠️", simple),
        ("Read throughput on the same nodes", "✅ if three times the load is carried, otherwise ⚠️", grows),
    ]
}

fn table(study: &Study) -> String {
    let mut text = "| Requirement | Strong | Eventual | Rule |\n|---|---|---|---|\n".to_owned();
    for (requirement, rule, cells) in rows(study) {
        let [strong, eventual] = cells.map(|(measured, sign)| format!("{} {measured}", SIGNS[sign]));
        text += &format!("| {requirement} | {strong} | {eventual} | {rule} |\n");
    }
    text + "| For | banks, tickets | catalogs, feeds | not measured |\n"
}

#[test]
fn the_consistency_matrix_is_the_one_that_the_runs_give_and_has_the_expected_signs() {
    let study = study();
    assert!(study.expectations.iter().all(|finding| finding.verdict == Verdict::Held));
    let signs: Vec<[usize; 2]> = rows(&study).into_iter().map(|(_, _, cells)| cells.map(|cell| cell.1)).collect();
    assert_eq!(signs, [[0, 2], [1, 0], [2, 0], [0, 1], [1, 0]]);
    let generated = table(&study);
    let document = std::fs::read_to_string(DOCUMENT).expect("the document can be read");
    let (head, rest) = document.split_once(BEGIN).expect("the document has the place where the table begins");
    let (written, tail) = rest.split_once(END).expect("the document has the place where the table ends");
    if std::env::var_os("SCALELAB_BLESS").is_some() {
        std::fs::write(DOCUMENT, format!("{head}{BEGIN}{generated}{END}{tail}")).expect("the document can be written");
    } else {
        assert_eq!(
            written, generated,
            "{DOCUMENT} is out of date; `SCALELAB_BLESS=1 cargo test consistency` writes it"
        );
    }
}
