//! The course: every experiment stands in the README of its folder with the command that runs it, and every command of the course can be
//! run: its files exist and its changes fit.

use std::collections::BTreeSet;
use std::path::Path;

use scalelab::experiment::design::{Options, design};
use scalelab::spec::load::{Disk, Loader};
use scalelab::spec::text::diagnostic::render;

use crate::support::{project_files, root};

/// The options of the commands that take a value.
const VALUED: &[&str] = &["--set", "--variant", "--at", "--trace", "--trace-slowest", "--out", "--metric", "--format"];

/// The words of a command line, with single quotes and comments as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            '#' if !quoted && word.is_empty() => break,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            letter => word.push(letter),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// The commands of a page: lines that begin with the program's name, in blocks of code and between backquotes.
fn commands(text: &str) -> Vec<Vec<String>> {
    let pieces = text.lines().flat_map(|line| line.split('`'));
    let ours = pieces.map(str::trim).filter(|piece| piece.starts_with("scalelab ") && piece.contains(".yaml"));
    ours.map(words).collect()
}

/// What is wrong with a command.
fn complaints(command: &[String]) -> Vec<String> {
    let (mut files, mut options, mut variants) = (Vec::new(), Options::default(), Vec::new());
    let mut loader = Loader::new(&Disk);
    let mut rest = command.iter().skip(2);
    while let Some(word) = rest.next() {
        let value = VALUED.contains(&word.as_str()).then(|| rest.next()).flatten();
        match (word.as_str(), value) {
            ("--set", Some(change)) => match loader.override_of(change) {
                Ok(change) => options.set.push(change),
                Err(found) => return vec![render(&found, &loader.sources, false)],
            },
            ("--variant", Some(variant)) => variants.push(variant.clone()),
            (file, None) if file.ends_with(".yaml") => files.push(file.to_owned()),
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !file.contains('*') && file.contains('/')) {
        let designed = loader.load(&root().join(file)).and_then(|document| design(&loader, &document, &options));
        match designed {
            Err(found) => wrong.push(render(&found, &loader.sources, false)),
            Ok(design) => {
                let known: BTreeSet<&str> = design.points.iter().map(|point| point.variant.as_str()).collect();
                let unknown = variants.iter().filter(|variant| !known.contains(variant.as_str()));
                wrong.extend(unknown.map(|variant| format!("{file} has no variant {variant}")));
            }
        }
    }
    wrong
}

#[test]
fn every_command_of_the_course_can_be_run() {
    let (mut wrong, mut found) = (Vec::new(), 0);
    for page in project_files("experiments", ".md") {
        let text = std::fs::read_to_string(&page).expect("it can be read");
        for command in commands(&text) {
            found += 1;
            let of = |complaint: String| format!("{}: {}: {complaint}", page.display(), command.join(" "));
            wrong.extend(complaints(&command).into_iter().map(of));
        }
    }
    assert!(found > 150, "only {found} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_experiment_stands_in_the_readme_of_its_folder_with_its_command() {
    let mut missing = Vec::new();
    for file in project_files("experiments", ".yaml") {
        let path = file.strip_prefix(root()).expect("it is in the project").to_string_lossy().replace('\\', "/");
        if path.starts_with("experiments/validation/") {
            continue;
        }
        let readme = file.parent().unwrap_or(Path::new("")).join("README.md");
        let text = std::fs::read_to_string(&readme).unwrap_or_default();
        if !text.contains(&format!("scalelab run {path}")) {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "no README says how to run these: {missing:?}");
}
