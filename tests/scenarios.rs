//! The course and its scenarios: every row of `docs/scenarios.csv` has an experiment whose expectations name it, or says what shows it
//! instead.
//!
//! `SCALELAB_BLESS=1 cargo test --test all scenarios` writes `docs/scenarios.md` from the files. With `SCALELAB_RESULTS=FOLDER` what the
//! experiments measured is taken from recorded results first, `FOLDER/THEME/NAME/summary.json` as `experiments/run_all FOLDER` writes
//! them, and kept in `docs/scenarios_measured.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use scalelab::report::json::read_summary;
use scalelab::spec::experiment_file::{ExpectationSpec, Scalar};
use scalelab::spec::load::{Disk, Loader};
use scalelab::study::Study;

use crate::support::{project_files, root};

const ROWS: &str = "docs/scenarios.csv";
const MEASURED: &str = "docs/scenarios_measured.csv";
const DOCUMENT: &str = "docs/scenarios.md";

/// A row of the list of scenarios.
struct Row {
    id: String,
    what: String,
    check: String,
    /// What shows it, or why it is no simulation matter, where no experiment names it.
    elsewhere: String,
}

/// What a full run of an experiment measured for a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Measured {
    experiment: String,
    row: String,
    expectation: String,
    place: String,
    measured: String,
    verdict: String,
    version: String,
    seed: String,
}

/// An experiment and what it says about rows.
struct Told {
    /// Its path.
    path: String,
    /// Per row: the expectations that name it, in words.
    expected: BTreeMap<String, Vec<String>>,
    /// The rows that its question, prediction or analysis names.
    mentioned: BTreeSet<String>,
}

fn records(name: &str) -> Vec<csv::StringRecord> {
    match csv::Reader::from_path(root().join(name)) {
        Ok(mut reader) => reader.records().map(|record| record.expect("it is a table")).collect(),
        Err(_) => Vec::new(),
    }
}

fn rows() -> Vec<Row> {
    let row = |record: &csv::StringRecord| {
        let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
        Row { id: cell(0), what: cell(1), check: cell(2), elsewhere: cell(3) }
    };
    records(ROWS).iter().map(row).collect()
}

/// The rows that a text names, such as `A07`.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_row = |word: &&str| {
        let mut letters = word.chars();
        word.len() == 3
            && letters.next().is_some_and(|first| ('A'..='E').contains(&first))
            && letters.all(|c| c.is_ascii_digit())
    };
    words.filter(is_row).map(str::to_owned).collect()
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

/// An expectation in words.
fn words(spec: &ExpectationSpec) -> String {
    let mut words = format!("`{}`", spec.metric);
    if let (Some(of), Some(times)) = (&spec.of, &spec.times) {
        words.push_str(&format!(" of {of} ÷ {times}"));
    }
    let bounds = [
        ("below", &spec.below),
        ("above", &spec.above),
        ("at least", &spec.at_least),
        ("at most", &spec.at_most),
        ("equals", &spec.equals),
        ("within", &spec.within),
    ];
    for (name, bound) in bounds.iter().filter_map(|(name, bound)| Some((name, bound.as_ref()?))) {
        words.push_str(&format!(" {name} {}", scalar(bound)));
    }
    words.push_str(&spec.variant.as_ref().map(|variant| format!(", {variant}")).unwrap_or_default());
    words
}

fn experiments() -> Vec<Told> {
    let mut loader = Loader::new(&Disk);
    let mut told = Vec::new();
    for file in project_files("experiments", ".yaml") {
        let path = file.strip_prefix(root()).expect("it is in the project").to_string_lossy().replace('\\', "/");
        if path.starts_with("experiments/validation/") {
            continue;
        }
        let document = loader.load(&file).unwrap_or_else(|_| panic!("{path} cannot be loaded"));
        let experiment = document.experiment;
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for spec in &experiment.expect {
            for row in named(spec.because.as_deref().unwrap_or_default()) {
                expected.entry(row).or_default().push(words(spec));
            }
        }
        let texts = [Some(&experiment.question), experiment.prediction.as_ref(), experiment.analysis.as_ref()];
        let mentioned = texts.into_iter().flatten().flat_map(|text| named(text)).collect();
        told.push(Told { path, expected, mentioned });
    }
    told
}

/// What an experiment measured for rows in a recorded run.
fn findings(told: &Told, study: &Study) -> Vec<Measured> {
    let mut all = Vec::new();
    for finding in &study.expectations {
        for row in named(finding.because.as_deref().unwrap_or_default()) {
            all.push(Measured {
                experiment: told.path.clone(),
                row,
                expectation: finding.expectation.clone(),
                place: finding.place.clone(),
                measured: finding.measured.clone(),
                verdict: finding.verdict.word().to_owned(),
                version: study.provenance.version.clone(),
                seed: study.run.seed.to_string(),
            });
        }
    }
    all
}

/// What all experiments that name a row measured, from the results in a folder; of those that have none there, what was known.
fn recorded(told: &[Told], folder: &Path) -> Vec<Measured> {
    let (mut all, known) = (Vec::new(), read_measured());
    for told in told.iter().filter(|told| !told.expected.is_empty()) {
        let place = told.path.trim_start_matches("experiments/").trim_end_matches(".yaml");
        let path = folder.join(place).join("summary.json");
        let Ok(bytes) = std::fs::read(&path) else {
            all.extend(known.iter().filter(|own| own.experiment == told.path).cloned());
            continue;
        };
        let study = read_summary(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!study.run.quick && !study.interrupted, "{} is not a whole run", path.display());
        all.extend(findings(told, &study));
    }
    all.sort();
    all
}

fn write_measured(measured: &[Measured]) {
    let mut writer = csv::Writer::from_path(root().join(MEASURED)).expect("it can be written");
    writer
        .write_record(["experiment", "row", "expectation", "place", "measured", "verdict", "version", "seed"])
        .expect("it can be written");
    for own in measured {
        let Measured { experiment, row, expectation, place, measured, verdict, version, seed } = own;
        let record = [experiment, row, expectation, place, measured, verdict, version, seed];
        writer.write_record(record).expect("it can be written");
    }
    writer.flush().expect("it can be written");
}

fn read_measured() -> Vec<Measured> {
    let read = |record: &csv::StringRecord| {
        let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
        Measured {
            experiment: cell(0),
            row: cell(1),
            expectation: cell(2),
            place: cell(3),
            measured: cell(4),
            verdict: cell(5),
            version: cell(6),
            seed: cell(7),
        }
    };
    records(MEASURED).iter().map(read).collect()
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// What became of a row in an experiment: the expectations, each with what a full run measured.
fn told_of(told: &Told, row: &str, measured: &[Measured]) -> String {
    let link =
        format!("[{}](../{})", Path::new(&told.path).file_stem().unwrap_or_default().to_string_lossy(), told.path);
    let Some(expected) = told.expected.get(row) else { return format!("{link}: told in its text") };
    let own: Vec<&Measured> = measured.iter().filter(|own| own.experiment == told.path && own.row == row).collect();
    let of = |own: &&Measured| {
        let place = if own.place.is_empty() { String::new() } else { format!(" ({})", own.place) };
        format!("{}{place}: {}, **{}**", own.expectation, own.measured, own.verdict)
    };
    let lines: Vec<String> = if own.is_empty() { expected.clone() } else { own.iter().map(of).collect() };
    format!("{link}: {}", lines.join("; "))
}

fn document(rows: &[Row], told: &[Told], measured: &[Measured]) -> String {
    let mut text = "# Scenarios\n\nEvery claim, number and exercise of the documents that this project was made from, and the experiment that shows \
                    it: the expectations whose `because` names the row, with what a full run measured where there is one. `⚠` marks a claim that \
                    is wrong or inconsistent. All are run by `experiments/run_all FOLDER`; the table is written by `SCALELAB_RESULTS=FOLDER \
                    SCALELAB_BLESS=1 cargo test --test all scenarios`.\n\n"
        .to_owned();
    let of = |part: fn(&Measured) -> &str| measured.iter().map(part).collect::<BTreeSet<_>>();
    let listed = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let (versions, seeds) = (listed(of(|own| &own.version)), listed(of(|own| &own.seed)));
    text.push_str(&format!("Measured with version {versions}, seed {seeds}: {} values, of which ", measured.len()));
    let held = measured.iter().filter(|own| own.verdict == "held").count();
    text.push_str(&format!("{held} held.\n\n"));
    text.push_str("| row | what | check | shown by |\n|---|---|---|---|\n");
    for row in rows {
        let by: Vec<String> = told
            .iter()
            .filter(|told| told.expected.contains_key(&row.id) || told.mentioned.contains(&row.id))
            .map(|told| told_of(told, &row.id, measured))
            .collect();
        let elsewhere = Some(row.elsewhere.clone()).filter(|words| !words.is_empty());
        let shown = by.into_iter().chain(elsewhere).collect::<Vec<_>>().join("<br>");
        text.push_str(&format!("| {} | {} | {} | {} |\n", row.id, cell(&row.what), cell(&row.check), cell(&shown)));
    }
    text
}

#[test]
fn every_scenario_has_an_experiment_or_says_what_shows_it() {
    let (rows, told) = (rows(), experiments());
    assert_eq!(rows.len(), 176);
    let names: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let shown = |row: &Row| told.iter().any(|told| told.expected.contains_key(&row.id));
    let open: Vec<&str> =
        rows.iter().filter(|row| row.elsewhere.is_empty() && !shown(row)).map(|row| row.id.as_str()).collect();
    assert!(
        open.is_empty(),
        "no expectation's `because` names these rows, and {ROWS} does not say what shows them: {open:?}"
    );
    let invented = told.iter().flat_map(|told| told.expected.keys()).filter(|row| !names.contains(row.as_str()));
    let invented: Vec<&String> = invented.collect();
    assert!(invented.is_empty(), "rows that do not exist: {invented:?}");

    if let Some(folder) = std::env::var_os("SCALELAB_RESULTS") {
        write_measured(&recorded(&told, Path::new(&folder)));
    }
    let fresh = document(&rows, &told, &read_measured());
    if std::env::var_os("SCALELAB_BLESS").is_some() {
        std::fs::write(root().join(DOCUMENT), &fresh).expect("it can be written");
    }
    let written = std::fs::read_to_string(root().join(DOCUMENT)).unwrap_or_default();
    assert!(written == fresh, "{DOCUMENT} is out of date; run SCALELAB_BLESS=1 cargo test --test all scenarios");
}
