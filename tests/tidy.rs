//! The style, as a test that reads the source.
//!
//! The rules are those of ARCHITECTURE.md. They are about the program's own code: modules of tests, files called
//! `tests.rs` and folders called `tests` are free of all but the first few.

use crate::support::{project_files, root};

/// The folders of the program and their floors; a file may use its own folder and those on the floors below.
const FLOORS: [(&str, u32); 11] = [
    ("quantity", 0),
    ("engine", 0),
    ("maths", 0),
    ("measure", 1),
    ("model", 2),
    ("spec", 3),
    ("study", 4),
    ("report", 5),
    ("experiment", 5),
    ("insight", 6),
    ("cli", 7),
];

/// The places that may end the program with a message if an invariant is broken: file, and the words of the message.
const INVARIANTS: [(&str, &str); 3] = [
    ("crates/core/src/engine/calendar.rs", "a lane in the heap has a head"),
    ("crates/core/src/model/frame.rs", "two different frames of the slab"),
    ("src/spec/load.rs", "the schema of our own types has no unknown keyword; tested"),
];

/// The folders that hold the program: the machine and what stands on it.
const PROGRAM: [&str; 2] = ["crates/core/src", "src"];

/// All folders with our code.
const CODE: [&str; 4] = ["crates/core/src", "src", "tests", "benches"];

/// The most lines of a file.
const MOST_LINES: usize = 600;

/// The most lines of a function, unless a comment above it that begins with `Long:` says why.
const MOST_LINES_OF_FUNCTION: usize = 80;

/// A source file: its path in the project and its text.
struct Source {
    path: String,
    text: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let read = |path: std::path::PathBuf| Source {
        path: path.strip_prefix(root()).expect("it is in the project").to_string_lossy().replace('\\', "/"),
        text: std::fs::read_to_string(&path).expect("source is text"),
    };
    project_files(folder, ".rs").into_iter().map(read).collect()
}

/// Files of the program itself, without those of tests.
fn program() -> Vec<Source> {
    let all: Vec<_> = PROGRAM.into_iter().flat_map(sources).collect();
    assert!(all.len() > 300, "the source was not found");
    all.into_iter().filter(|source| !source.path.contains("/tests/") && !source.path.ends_with("/tests.rs")).collect()
}

impl Source {
    /// The lines of code with their numbers: without comments and without the module of tests at the end.
    fn code(&self) -> Vec<(usize, &str)> {
        let mut code = Vec::new();
        let mut lines = self.text.lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let opens_tests = |next: &&(usize, &str)| next.1.starts_with("mod ") && next.1.ends_with('{');
            if line == "#[cfg(test)]" && lines.peek().as_ref().is_some_and(opens_tests) {
                lines.by_ref().find(|(_, line)| *line == "}");
                continue;
            }
            let line = line.trim();
            if !line.starts_with("//") {
                code.push((number + 1, line));
            }
        }
        code
    }

    /// Its folder and that folder's floor.
    fn home(&self) -> Option<(&'static str, u32)> {
        let within = PROGRAM.iter().find_map(|folder| self.path.strip_prefix(folder)?.strip_prefix('/'))?;
        let folder = within.split('/').next()?;
        FLOORS.iter().find(|(name, _)| *name == folder).copied()
    }

    fn floor(&self) -> Option<u32> {
        self.home().map(|(_, floor)| floor)
    }

    /// The lines of code that hold one of these words, as `file:line: word`.
    fn offending(&self, words: &[&str]) -> Vec<String> {
        let found = |(number, line): &(usize, &str)| {
            let word = words.iter().find(|word| holds(line, word))?;
            Some(format!("{}:{number}: {word}", self.path))
        };
        self.code().iter().filter_map(found).collect()
    }
}

/// Whether a line holds a word that is not a part of a longer one.
fn holds(line: &str, word: &str) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(of_name) && word.starts_with(of_name);
        let after = line[at + word.len()..].chars().next().is_some_and(of_name) && word.ends_with(of_name);
        !before && !after
    })
}

#[track_caller]
fn nothing(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_file_stands_on_its_floor() {
    let mut wrong = Vec::new();
    for source in program() {
        if ["lib.rs", "main.rs"].iter().any(|top| PROGRAM.iter().any(|folder| source.path == format!("{folder}/{top}")))
        {
            continue;
        }
        let Some((own, floor)) = source.home() else {
            wrong.push(format!("{}: its folder has no floor", source.path));
            continue;
        };
        for (number, line) in source.code() {
            for (other, theirs) in FLOORS.iter().filter(|(other, theirs)| *theirs >= floor && *other != own) {
                if line.contains(&format!("crate::{other}")) {
                    wrong.push(format!(
                        "{}:{number}: {own} on floor {floor} uses {other} on floor {theirs}",
                        source.path
                    ));
                }
            }
        }
    }
    nothing("files that use what stands above or beside them", wrong);
}

#[test]
fn the_floors_are_those_of_the_architecture() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it exists");
    for (folder, floor) in FLOORS {
        assert!(text.contains(&format!("| {floor} | `{folder}/` |")), "{folder} is not on floor {floor}");
    }
}

#[test]
fn the_architecture_names_files_that_are_there() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it exists");
    let files: Vec<String> = CODE.into_iter().flat_map(sources).map(|source| format!("/{}", source.path)).collect();
    let named = text.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs") || name.ends_with('/'));
    let is_there = |name: &str| files.iter().any(|file| file.contains(&format!("/{name}")));
    let missing = named.filter(|name| !is_there(name));
    nothing("files of ARCHITECTURE.md that are not there", missing.map(str::to_owned).collect());
}

#[test]
fn maps_have_an_order() {
    let unordered = ["HashMap", "HashSet", "RandomState"];
    nothing("maps without order", program().iter().flat_map(|source| source.offending(&unordered)).collect());
}

#[test]
fn simulations_know_no_clock_no_thread_and_no_file() {
    let outside = [
        "std::time",
        "SystemTime",
        "Instant",
        "thread",
        "rayon",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::io",
        "println!",
        "eprintln!",
        "thread_rng",
        "from_os_rng",
    ];
    let below = program().into_iter().filter(|source| source.floor().is_some_and(|floor| floor < 3));
    nothing("uses of the outside world", below.flat_map(|source| source.offending(&outside)).collect());
    let clocks = ["std::time", "SystemTime", "Instant"];
    nothing("uses of the clock", program().iter().flat_map(|source| source.offending(&clocks)).collect());
}

#[test]
fn transcendental_functions_are_those_of_libm() {
    // The standard library's differ in the last bit between platforms; results would too. Charts may use them.
    let platform = [".ln()", ".exp()", ".powf(", ".sin()", ".cos()", ".log10()", ".log2()", ".exp_m1()", ".ln_1p()"];
    let exact = program().into_iter().filter(|source| source.floor().is_some_and(|floor| floor < 5));
    nothing("functions of the platform", exact.flat_map(|source| source.offending(&platform)).collect());
}

#[test]
fn nothing_is_unsafe() {
    nothing("unsafe code", program().iter().flat_map(|source| source.offending(&["unsafe"])).collect());
}

#[test]
fn nothing_panics_on_purpose() {
    let endings = ["unwrap()", "unwrap_err()", "panic!", "todo!", "unimplemented!", "unreachable!", "expect_err("];
    nothing("panics", program().iter().flat_map(|source| source.offending(&endings)).collect());
    let mut found = Vec::new();
    for source in program() {
        for (number, line) in source.code().into_iter().filter(|(_, line)| line.contains(".expect(")) {
            if !INVARIANTS.iter().any(|(path, message)| *path == source.path && line.contains(message)) {
                found.push(format!("{}:{number}: {line}", source.path));
            }
        }
    }
    nothing("`expect` that is not among the invariants listed here", found);
    for (path, message) in INVARIANTS {
        let text = std::fs::read_to_string(root().join(path)).expect("it exists");
        assert!(text.contains(message), "{path} no longer expects that {message}");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = |folder| sources(folder).into_iter().filter(|source: &Source| !source.text.starts_with("//! "));
    let all = CODE.into_iter().flat_map(silent);
    nothing("files without a first line of documentation", all.map(|source| source.path).collect());
}

#[test]
fn files_are_short() {
    let all = CODE.into_iter().flat_map(sources);
    let long = all.filter(|source| source.text.lines().count() > MOST_LINES);
    nothing("files that are too long", long.map(|source| source.path).collect());
}

/// The functions of a file: name, number of the first line, number of lines, and whether a reason for their length is given.
fn functions(text: &str) -> Vec<(String, usize, usize, bool)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let is_code = !line.trim_start().starts_with("//") && !line.ends_with(['}', ';']);
        let at = line.find("fn ").filter(|at| is_code && line[..*at].chars().all(|c| c != '"' && c != '='));
        let Some(at) = at.filter(|at| line[..*at].is_empty() || line[..*at].ends_with(' ')) else { continue };
        let name: String = line[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let Some(length) = lines[first..].iter().position(|line| *line == end) else { continue };
        let above = lines[..first].iter().rev().take_while(|line| line.trim_start().starts_with(['/', '#']));
        let is_long_for_a_reason = above.into_iter().any(|line| line.trim_start().starts_with("// Long: "));
        found.push((name, first + 1, length + 1, is_long_for_a_reason));
    }
    found
}

#[test]
fn functions_are_short_or_say_why_not() {
    let (mut all, mut found) = (0, Vec::new());
    for source in program() {
        for (name, line, length, has_reason) in functions(&source.text) {
            all += 1;
            if (length > MOST_LINES_OF_FUNCTION) != has_reason {
                let path = &source.path;
                found.push(format!("{path}:{line}: {name} has {length} lines and reason to be long: {has_reason}"));
            }
        }
    }
    assert!(all > 2000, "the functions were not found: {all}");
    nothing("functions that are too long without a reason, or short with one", found);
}

#[test]
fn nothing_is_left_to_do() {
    // Spelled in two halves, so that this file does not find itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat(), ["dbg", "!("].concat()];
    let mut found = Vec::new();
    for source in CODE.into_iter().flat_map(sources) {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{}:{}: {line}", source.path, number + 1));
            }
        }
    }
    nothing("marks of unfinished work", found);
}

#[test]
fn lines_end_plainly() {
    let mut found = Vec::new();
    for source in CODE.into_iter().flat_map(sources) {
        for (number, line) in source.text.lines().enumerate() {
            if line.ends_with([' ', '\t']) || line.contains(['\r', '\t']) {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    nothing("lines that hold tabs or end in spaces", found);
}
