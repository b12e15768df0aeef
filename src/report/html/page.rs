//! The page itself: sections with anchors, escaping, and the sections that are only text.

use std::fmt::Write as _;

use super::insight;
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::chart::{dark_twins, escape};
use crate::report::diagram;
use crate::report::names::{clean, counted};
use crate::study::Study;
use crate::study::finding::Verdict;

/// The document's beginning: it forbids itself to fetch anything.
const HEAD: &str = include_str!("head.html");
/// The look, without the colors of charts.
const STYLE: &str = include_str!("style.css");
/// Values where a reader points, and the choice of the point that the diagram shows.
const SCRIPT: &str = include_str!("script.js");

/// Most assumptions and warnings that are shown.
const NOTE_LIMIT: usize = 60;

/// What limits every simulation of this kind, in the order of importance.
const FIDELITY: [&str; 6] = [
    "Costs (computing times, delays, sizes, rates of failure) are numbers of the model file. The results are as good as they are.",
    "A request is a list of steps. What the model does not name costs nothing: protocols, packets, kernels, garbage collectors, \
     neighbors on the same hardware.",
    "Instances of a service are alike, except for what the model makes different.",
    "Response times are those of successful requests that began within the measured window. Failed and unfinished ones are \
     counted beside them.",
    "Intervals cover the chance in the runs, not errors of the model.",
    "The clock is simulated: results do not depend on the machine that made them.",
];

/// A page on its way.
#[derive(Default)]
pub(super) struct Page {
    body: String,
    /// Anchors and titles of the sections so far.
    sections: Vec<(String, String)>,
}

/// Text for use between tags: one line, without what could become markup or hide other text.
pub(super) fn text(text: &str) -> String {
    escape(&clean(text))
}

/// Text for use in an attribute's quotes.
pub(super) fn attribute(value: &str) -> String {
    text(value).replace('"', "&quot;")
}

/// Prose: paragraphs at empty lines, lists of lines that begin with a hyphen, code between backquotes.
pub(super) fn prose(source: &str) -> String {
    let mut out = String::new();
    for block in source.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let is_list = block.trim_start().starts_with("- ");
        let items: Vec<String> = if is_list {
            format!("\n{}", block.trim()).split("\n- ").filter(|item| !item.trim().is_empty()).map(code).collect()
        } else {
            vec![code(block)]
        };
        let _ = match is_list {
            true => {
                writeln!(out, "<ul>{}</ul>", items.iter().map(|item| format!("<li>{item}</li>")).collect::<String>())
            }
            false => writeln!(out, "<p>{}</p>", items.concat()),
        };
    }
    out
}

fn code(block: &str) -> String {
    let pieces: Vec<String> = text(block).split('`').map(str::to_owned).collect();
    // A last backquote without its partner stays one.
    let paired = pieces.len() - usize::from(pieces.len().is_multiple_of(2));
    let mut out = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        match number {
            number if number >= paired => out.push_str(&format!("`{piece}")),
            number if number % 2 == 1 => out.push_str(&format!("<code>{piece}</code>")),
            _ => out.push_str(piece),
        }
    }
    out
}

impl Page {
    /// Adds markup as it is.
    pub fn raw(&mut self, markup: &str) {
        self.body.push_str(markup);
    }

    /// Begins a section.
    pub fn section(&mut self, anchor: &str, title: &str) {
        self.sections.push((anchor.to_owned(), title.to_owned()));
        let _ = writeln!(
            self.body,
            "<section id=\"{anchor}\" aria-labelledby=\"{anchor}-title\">\n<h2 id=\"{anchor}-title\">{title}</h2>"
        );
    }

    /// Ends the section.
    pub fn end_section(&mut self) {
        self.body.push_str("</section>\n");
    }

    /// The question, and how it was answered in a line.
    pub fn opening(&mut self, study: &Study) {
        let run = &study.run;
        let time = |seconds: f64| display(seconds, Unit::Seconds);
        let mut facts = vec![
            counted(study.points.len(), "point"),
            counted(run.replications as usize, "replication"),
            format!("{} measured after {} of warm-up", time(run.window), time(run.warm_up)),
            format!("seed {}", run.seed),
        ];
        if run.replications > 1 {
            facts.push(format!("{} intervals", display(run.confidence, Unit::Share)));
        }
        let requests: u64 = study.points.iter().flat_map(|point| &point.runs).map(|run| run.events).sum();
        facts.push(format!("{} simulated events", display(requests as f64, Unit::Count)));
        let _ = writeln!(
            self.body,
            "<header>\n<p class=\"eyebrow\">scalelab · {}</p>\n<h1>{}</h1>\n<p class=\"facts\">{}</p>\n</header>",
            text(&study.experiment),
            text(&study.question),
            facts.join(" · ")
        );
    }

    /// What the author expected, before anything is told.
    pub fn prediction(&mut self, study: &Study) {
        if let Some(prediction) = &study.prediction {
            self.section("prediction", "Prediction");
            let _ = writeln!(self.body, "<blockquote>{}</blockquote>", prose(prediction));
            self.end_section();
        }
    }

    /// What became of the expectations, what binds, and what to be careful about.
    pub fn answer(&mut self, study: &Study) {
        let sentences = answers(study);
        if sentences.is_empty() && study.warnings.is_empty() && study.insights.is_empty() {
            return;
        }
        self.section("answer", "Answer");
        for (class, sentence) in sentences {
            let _ = writeln!(self.body, "<p class=\"{class}\">{}</p>", text(&sentence));
        }
        insight::verdicts(self, study);
        if !study.warnings.is_empty() {
            self.body.push_str("<div class=\"warnings\" role=\"note\">\n<h3>Read the numbers with care</h3>\n");
            self.list(&study.warnings);
            self.body.push_str("</div>\n");
        }
        self.end_section();
    }

    fn list(&mut self, items: &[String]) {
        self.body.push_str("<ul>\n");
        for item in items.iter().take(NOTE_LIMIT) {
            let _ = writeln!(self.body, "<li>{}</li>", text(item));
        }
        if items.len() > NOTE_LIMIT {
            let _ = writeln!(self.body, "<li>and {} more in summary.json</li>", items.len() - NOTE_LIMIT);
        }
        self.body.push_str("</ul>\n");
    }

    /// What the author says about the results.
    pub fn analysis(&mut self, study: &Study) {
        if let Some(analysis) = &study.analysis {
            self.section("analysis", "Analysis");
            self.raw(&prose(analysis));
            self.end_section();
        }
    }

    /// What the runs rested on, stated by the files and not.
    pub fn assumptions(&mut self, study: &Study) {
        self.section("assumptions", "Assumptions");
        let mut stated: Vec<String> = Vec::new();
        for part in study
            .points
            .first()
            .and_then(|point| study.systems.get(point.system))
            .into_iter()
            .flat_map(|map| &map.parts)
        {
            let rooms: Vec<String> = part.stations.iter().map(|room| room.words()).collect();
            let many = format!("{} instances", part.count());
            let facts = part.is_several().then_some(many).into_iter().chain(part.balancer.clone()).chain(rooms);
            let facts: Vec<String> = facts.chain((part.instances == 0).then(|| part.about.clone())).collect();
            if !facts.is_empty() {
                stated.push(format!("{}: {}", part.name, facts.join(", ")));
            }
        }
        if !stated.is_empty() {
            let whose = if study.points.len() > 1 { ", at the first point" } else { "" };
            let _ = writeln!(self.body, "<h3>Stated by the files{whose}</h3>");
            self.list(&stated);
        }
        if !study.assumptions.is_empty() {
            self.body.push_str("<h3>Not stated, so these defaults held</h3>\n");
            self.list(&study.assumptions);
        }
        self.end_section();
    }

    /// What was not modeled.
    pub fn fidelity(&mut self) {
        self.section("fidelity", "What was not modeled");
        self.list(&FIDELITY.map(str::to_owned));
        self.end_section();
    }

    /// How to get the same results.
    pub fn reproduce(&mut self, study: &Study) {
        self.section("reproduce", "How to reproduce");
        let made = &study.provenance;
        let _ = writeln!(
            self.body,
            "<pre tabindex=\"0\"><code>{}</code></pre>\n<p>Made with scalelab {}, seed {}. The same files, seed and version give \
             the same bytes on any number of cores.</p>",
            text(&made.command),
            text(&made.version),
            study.run.seed
        );
        self.body.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>file</th><th>hash</th></tr></thead>\n<tbody>\n");
        for file in &made.files {
            let _ = writeln!(
                self.body,
                "<tr><td><code>{}</code></td><td><code>{}</code></td></tr>",
                text(&file.name),
                text(&file.hash)
            );
        }
        self.body.push_str("</tbody></table></div>\n");
        if let Some(run) = study.points.first().and_then(|point| point.runs.first()) {
            let _ = writeln!(
                self.body,
                "<p>Fingerprint of the first run: <code>{}</code>. The values of every run are in <code>runs.csv</code>, everything \
                 on this page in <code>summary.json</code>; <code>scalelab report</code> makes this page from it again.</p>",
                text(&run.fingerprint)
            );
        }
        self.end_section();
    }

    /// The document around the sections.
    pub fn finish(self, study: &Study) -> String {
        let title = text(&study.question);
        let mut contents = String::new();
        for (anchor, name) in &self.sections {
            let _ = write!(contents, "<li><a href=\"#{anchor}\">{name}</a></li>");
        }
        let mut dark = String::from("@media screen and (prefers-color-scheme:dark){\n");
        for (light, twin) in dark_twins() {
            let _ = writeln!(
                dark,
                ".chart [fill=\"{light}\" i]{{fill:{twin}}}.chart [stroke=\"{light}\" i]{{stroke:{twin}}}"
            );
        }
        dark.push_str(".chart [stroke=\"#fff\"]{stroke:#16181c}}\n");
        format!(
            "{HEAD}<title>{title}</title>\n<style>\n{STYLE}{}{dark}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">Skip to the report</a>\n\
             <nav aria-label=\"Contents\"><ol>{contents}</ol></nav>\n<main id=\"content\">\n{}</main>\n\
             <div id=\"tip\" role=\"status\" aria-live=\"polite\" hidden></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            diagram::STYLE,
            self.body
        )
    }
}

/// Sentences that answer the question, each with its class.
fn answers(study: &Study) -> Vec<(&'static str, String)> {
    let mut sentences = Vec::new();
    let of = |verdict: Verdict| study.expectations.iter().filter(|finding| finding.verdict == verdict).count();
    let all = study.expectations.len();
    if all > 0 {
        let (held, failed, undecided) = (of(Verdict::Held), of(Verdict::Failed), of(Verdict::Undecided));
        let mut sentence = match held {
            1 if all == 1 => "What was expected held.".to_owned(),
            held if held == all => format!("All {all} expectations held."),
            held => format!("{held} of {all} expectations held"),
        };
        if held < all {
            let rest = [(failed, "failed"), (undecided, "could not be decided")];
            let rest: Vec<String> =
                rest.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
            sentence = format!("{sentence}; {}.", rest.join(" and "));
        }
        let class = if failed > 0 {
            "bad"
        } else if undecided > 0 {
            "open"
        } else {
            "good"
        };
        sentences.push((class, sentence));
    }
    let overloaded = study.points.iter().filter(|point| point.overload.is_some()).count();
    if overloaded > 0 && overloaded == study.points.len() {
        sentences.push(("open", "Work came in faster than it could be done; the backlog grew without end.".to_owned()));
    } else if overloaded > 0 {
        let points = counted(study.points.len(), "point");
        let sentence = format!(
            "At {overloaded} of {points} work came in faster than it could be done; the backlog grew without end."
        );
        sentences.push(("open", sentence));
    }
    for selected in &study.selections {
        sentences.push((if selected.best.is_some() { "good" } else { "open" }, selected.words()));
    }
    sentences
}
