//! Every experiment and model of the project in its short form: nothing breaks, and no expectation fails.
//!
//! A short run may leave an expectation undecided. The reference cases under `experiments/validation` have a test of
//! their own.

use scalelab::experiment::design::Options;
use scalelab::report::write::files;
use scalelab::spec::load::Disk;
use scalelab::study::finding::Verdict;

use crate::support::{answer, project_files, try_design};

#[test]
fn every_experiment_keeps_its_expectations_in_a_quick_run() {
    let options = Options { quick: true, ..Options::default() };
    let mut wrong = Vec::new();
    let mut found = 0;
    for path in project_files("experiments", ".yaml") {
        let name = path.display().to_string();
        if path.components().any(|part| part.as_os_str() == "validation") {
            continue;
        }
        found += 1;
        let (document, design) = try_design(&Disk, &name, &options).unwrap_or_else(|error| panic!("{error}"));
        let study = answer(&document, &design);
        let failed = study.expectations.iter().filter(|finding| finding.verdict == Verdict::Failed);
        wrong.extend(failed.map(|finding| {
            format!("{name}: {} ({}): measured {}", finding.expectation, finding.place, finding.measured)
        }));
        if let Err(error) = files(&study) {
            wrong.push(format!("{name}: {error}"));
        }
    }
    assert!(found >= 11, "only {found} experiments were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_model_runs() {
    let options = Options { quick: true, replications: Some(1), ..Options::default() };
    for path in project_files("models", ".yaml") {
        let name = path.display().to_string();
        let (document, design) = try_design(&Disk, &name, &options).unwrap_or_else(|error| panic!("{error}"));
        let study = answer(&document, &design);
        assert!(study.points.iter().all(|point| point.runs.iter().all(|run| run.events > 0)), "{name}");
    }
}
