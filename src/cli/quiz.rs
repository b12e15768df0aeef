//! `scalelab quiz`: predict, then run.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::{Status, complain, print, show};
use crate::experiment::conduct;
use crate::experiment::design::{Design, Options, design};
use crate::experiment::quiz::{Answer, Question};
use crate::experiment::runner::Unobserved;
use crate::spec::load::{Disk, Document, Loader};

/// How often an answer that cannot be read is asked for.
const TRIES: usize = 3;

/// Answer an experiment's questions, then see what it says
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An experiment with `questions`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The answers in order, instead of asking: choices by number or words, numbers with their unit
    #[arg(long, value_name = "ANSWER", num_args = 1..)]
    answers: Option<Vec<String>>,
    /// A tenth of the time: for a first look
    #[arg(long)]
    quick: bool,
}

/// Asks, runs, grades.
pub fn run(arguments: &Arguments) -> Status {
    let mut loader = Loader::new(&Disk);
    let options = Options { quick: arguments.quick, ..Options::default() };
    let designed = loader.load(&arguments.file).and_then(|document| {
        let design = design(&loader, &document, &options)?;
        Ok((document, design))
    });
    let (document, design) = match designed {
        Ok(designed) => designed,
        Err(diagnostics) => {
            show(&diagnostics, &loader.sources);
            return Status::Input;
        }
    };
    if design.questions.is_empty() {
        complain(&format!(
            "`{}` has no `questions` to ask you (docs/report.md says how to write them); `scalelab run` answers the one that it asks",
            arguments.file.display()
        ));
        return Status::Input;
    }
    print(&format!("{}\n\n", document.experiment.question.trim()));
    match answers(arguments, &design.questions) {
        Ok(answers) => grade(arguments, &document, &design, &answers),
        Err(status) => status,
    }
}

/// The answers, given or asked for.
fn answers(arguments: &Arguments, questions: &[Question]) -> Result<Vec<Option<Answer>>, Status> {
    let Some(given) = &arguments.answers else {
        return Ok(questions.iter().enumerate().map(|(number, question)| ask(number, question)).collect());
    };
    if given.len() != questions.len() {
        complain(&format!("{} answers for {} questions", given.len(), questions.len()));
        return Err(Status::Input);
    }
    let mut answers = Vec::new();
    for (number, (question, text)) in questions.iter().zip(given).enumerate() {
        match question.read(text) {
            Ok(answer) => answers.push(Some(answer)),
            Err(message) => {
                complain(&format!("answer {}: {message}", number + 1));
                return Err(Status::Input);
            }
        }
    }
    Ok(answers)
}

/// Asks one question; `None` if no answer comes that can be read.
fn ask(number: usize, question: &Question) -> Option<Answer> {
    let mut text = format!("{}. {}\n", number + 1, question.ask.trim());
    for (place, choice) in question.choices.iter().enumerate() {
        text.push_str(&format!("   {}) {choice}\n", place + 1));
    }
    print(&text);
    for _ in 0..TRIES {
        print("   > ");
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if !std::io::stdin().is_terminal() {
            print("\n");
        }
        if !read.is_ok_and(|bytes| bytes > 0) || line.trim().is_empty() {
            return None;
        }
        match question.read(&line) {
            Ok(answer) => return Some(answer),
            Err(message) => print(&format!("   {message}\n")),
        }
    }
    None
}

/// Runs the experiment and says what was right.
fn grade(arguments: &Arguments, document: &Document, design: &Design, answers: &[Option<Answer>]) -> Status {
    let command = format!("scalelab quiz {}", arguments.file.display());
    let study = match conduct(document, design, &command, 0, &Unobserved, &AtomicBool::new(false)) {
        Ok(study) => study,
        Err(error) => {
            complain(&format!("{}: {error}", document.name));
            return Status::Broken;
        }
    };
    let mut right = 0;
    let mut text = String::from("\n");
    for (number, (question, answer)) in design.questions.iter().zip(answers).enumerate() {
        let grade = question.grade(answer.as_ref(), &study);
        let given = match answer {
            None => "no answer".to_owned(),
            Some(Answer::Choice(choice)) => question.choices[*choice].clone(),
            Some(Answer::Number(value)) => question.words(*value),
        };
        let mark = match grade.right {
            Some(true) => "\u{1b}[32m✓ right\u{1b}[0m",
            Some(false) => "\u{1b}[31m✗ wrong\u{1b}[0m",
            None => "\u{1b}[33m? the run cannot tell\u{1b}[0m",
        };
        right += usize::from(grade.right == Some(true));
        text.push_str(&format!("{}. {}\n   {mark}: {given}", number + 1, question.ask.trim()));
        if grade.right != Some(true) {
            text.push_str(&format!("; it is {}", grade.truth));
        }
        text.push('\n');
        for line in &grade.measured {
            text.push_str(&format!("   {line}\n"));
        }
        if let Some(because) = &question.because {
            text.push_str(&format!("   {}\n", because.trim()));
        }
        text.push('\n');
    }
    text.push_str(&format!("{right} of {} right\n", answers.len()));
    if let Some(analysis) = &study.analysis {
        text.push_str(&format!("\n{analysis}\n"));
    }
    print(&text);
    if right == answers.len() { Status::Good } else { Status::Expectation }
}
