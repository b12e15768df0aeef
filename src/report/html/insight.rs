//! What was found out by intervening: the verdict, the what-if chart, the operational laws.

use std::fmt::Write as _;

use super::page::{Page, attribute, text};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::{MISSING, clean, compact};
use crate::study::Study;
use crate::study::insight::{Change, Effect, Figure, Insight, Judgement, Sentence, StationFacts, Topic};

/// Most rows of a chart of effects.
const EFFECT_LIMIT: usize = 40;
/// Effects beyond this gain are drawn as far, so that the others can be told apart.
const GAIN_LIMIT: f64 = 1.5;

/// The sentences of the verdict, each with the figures that it rests on.
pub(super) fn verdicts(page: &mut Page, study: &Study) {
    for insight in &study.insights {
        let mut out = String::new();
        heading(&mut out, study, insight);
        headline(&mut out, insight);
        out.push_str("<dl class=\"verdict\">\n");
        let mut topic = None;
        for sentence in &insight.verdict.sentences {
            if topic != Some(sentence.topic) {
                let _ = writeln!(out, "<dt>{}</dt>", sentence.topic.word());
                topic = Some(sentence.topic);
            }
            let _ = writeln!(out, "<dd>{}{}</dd>", text(&sentence.text), basis(sentence));
        }
        out.push_str("</dl>\n");
        page.raw(&out);
    }
}

/// What binds, in a line.
fn headline(out: &mut String, insight: &Insight) {
    let verdict = &insight.verdict;
    let undecided = verdict.sentences.iter().any(|sentence| sentence.topic == Topic::Undecided);
    let line = match (verdict.class, &verdict.bottleneck) {
        (Some(class), Some(bottleneck)) => format!("{}: {}", class.word(), clean(bottleneck)),
        _ if undecided => "Not decided by these runs".to_owned(),
        _ => "Not bound by anything that was turned".to_owned(),
    };
    let _ = writeln!(out, "<p class=\"headline\">{}</p>", text(&line));
}

/// The figures that a sentence rests on.
fn basis(sentence: &Sentence) -> String {
    let figure = |figure: &Figure| format!("{}: {}", clean(&figure.source), display(figure.value, figure.unit));
    let figures: Vec<String> = sentence.figures.iter().map(figure).collect();
    match figures.len() {
        0 => String::new(),
        _ => format!(" <small class=\"basis\">{}</small>", text(&figures.join(" · "))),
    }
}

fn heading(out: &mut String, study: &Study, insight: &Insight) {
    let several = study.insights.len() > 1 || study.points.len() > 1;
    if several && !insight.place.is_empty() {
        let _ = writeln!(out, "<h3>{}</h3>", text(&insight.place));
    }
}

/// The effects of all interventions as bars around nothing, and what binds after the first relief.
pub(super) fn what_if(page: &mut Page, study: &Study) {
    if study.insights.iter().all(|insight| insight.effects.is_empty()) {
        return;
    }
    page.section("what-if", "What if");
    page.raw(
        "<p>Every capacity and every demand of the model was changed by itself and run on the same requests. A bar to the right is a \
         gain, the thin line its interval.</p>\n",
    );
    for insight in study.insights.iter().filter(|insight| !insight.effects.is_empty()) {
        let mut out = String::new();
        heading(&mut out, study, insight);
        let _ = writeln!(
            out,
            "<p class=\"note\">Effect on {} (now {}). {}</p>",
            text(&insight.metric),
            compact(insight.baseline, insight.unit),
            text(&insight.why_metric)
        );
        tornado(&mut out, insight, &insight.effects);
        for relief in &insight.relief {
            let value = compact(relief.value, insight.unit);
            let _ = writeln!(out, "<h3>After {} is {}: {value}</h3>", text(&relief.lever.name), text(&relief.to));
            tornado(&mut out, insight, &relief.effects);
        }
        if !insight.not_varied.is_empty() {
            let _ = writeln!(out, "<p class=\"note\">Not varied: {}.</p>", text(&insight.not_varied.join("; ")));
        }
        page.raw(&out);
    }
    page.end_section();
}

fn tornado(out: &mut String, insight: &Insight, effects: &[Effect]) {
    let gain = |ratio: f64| if insight.higher_is_better { ratio - 1.0 } else { 1.0 - ratio };
    let bounds = |effect: &Effect| {
        let ends = effect.ratio.map(|ratio| [gain(ratio.low), gain(ratio.high)]);
        ends.map(|[one, other]| {
            (one.min(other).clamp(-GAIN_LIMIT, GAIN_LIMIT), one.max(other).clamp(-GAIN_LIMIT, GAIN_LIMIT))
        })
    };
    let middle = |effect: &Effect| effect.gain.clamp(-GAIN_LIMIT, GAIN_LIMIT);
    let shown = &effects[..effects.len().min(EFFECT_LIMIT)];
    let ends = shown.iter().flat_map(|effect| {
        let (low, high) = bounds(effect).unwrap_or((0.0, 0.0));
        [low, high, middle(effect)]
    });
    let (least, most) =
        ends.filter(|end| end.is_finite()).fold((-0.02, 0.02), |(l, m): (f64, f64), e| (l.min(e), m.max(e)));
    let place = |gain: f64| (gain - least) / (most - least) * 100.0;
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"tornado\">\n<thead><tr><th scope=\"col\">what</th><th scope=\"col\">from → to</th>\
         <th scope=\"col\" class=\"bars\"></th><th scope=\"col\" class=\"num\">gain</th><th scope=\"col\">judgement</th></tr></thead>\n<tbody>\n",
    );
    for effect in shown {
        let (start, end) = (place(middle(effect).min(0.0)), place(middle(effect).max(0.0)));
        let class = match effect.judgement {
            Judgement::Better => "better",
            Judgement::Worse => "worse",
            Judgement::NoDifference | Judgement::Different | Judgement::Undecided => "same",
        };
        let interval = bounds(effect).map_or(String::new(), |(low, high)| {
            format!("<i style=\"left:{:.2}%;width:{:.2}%\"></i>", place(low), place(high) - place(low))
        });
        let turned = match (effect.is_of_speed(), effect.change) {
            (true, Change::Less) => "a tenth slower",
            (true, Change::More) => "a tenth faster",
            (true, Change::Double) => "twice as fast",
            (true, Change::Fourfold) => "four times as fast",
            _ => "",
        };
        let turned = if turned.is_empty() { String::new() } else { format!(" <small>{turned}</small>") };
        let price = effect.price.map_or(String::new(), |price| format!(", {}", display(price, Unit::PerHourPrice)));
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\" title=\"{}\">{}{turned}</th><td>{} → {}</td><td class=\"bars\"><div class=\"track\">\
             <b class=\"{class}\" style=\"left:{start:.2}%;width:{:.2}%\"></b>{interval}<u style=\"left:{:.2}%\"></u></div></td>\
             <td class=\"num\">{}</td><td>{}{price}</td></tr>",
            attribute(&effect.lever.key),
            text(&effect.lever.name),
            text(&effect.from),
            text(&effect.to),
            end - start,
            place(0.0),
            signed(effect.gain),
            effect.judgement.word(),
        );
    }
    out.push_str("</tbody></table></div>\n");
    if effects.len() > shown.len() {
        let _ = writeln!(out, "<p class=\"note\">and {} more in summary.json</p>", effects.len() - shown.len());
    }
}

/// A gain with its sign.
fn signed(gain: f64) -> String {
    let text = display((gain * 1e3).round() / 1e3, Unit::Share);
    if gain >= 0.0005 { format!("+{text}") } else { text.replace('-', "−") }
}

/// The operational laws of every station, and what they allow.
pub(super) fn laws(page: &mut Page, study: &Study) {
    if study.insights.iter().all(|insight| insight.stations.is_empty()) {
        return;
    }
    page.section("laws", "Operational laws");
    for insight in study.insights.iter().filter(|insight| !insight.stations.is_empty()) {
        let mut out = String::new();
        heading(&mut out, study, insight);
        if let Some(bounds) = &insight.bounds {
            let _ = writeln!(
                out,
                "<p>No system with these demands answers more than {} ({} binds). Without any waiting a request takes {}; {} requests \
                 in flight or thinking saturate it.</p>",
                display(bounds.most, Unit::PerSecond),
                text(&bounds.station),
                display(bounds.unloaded, Unit::Seconds),
                display(bounds.saturation, Unit::Count)
            );
        }
        out.push_str(
            "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">station</th><th scope=\"col\" class=\"num\">capacity</th>\
             <th scope=\"col\" class=\"num\">busy</th><th scope=\"col\" class=\"num\">worst instance</th>\
             <th scope=\"col\" class=\"num\">waiting</th><th scope=\"col\" class=\"num\">mean wait</th>\
             <th scope=\"col\" class=\"num\">demand</th><th scope=\"col\" class=\"num\">allows</th>\
             <th scope=\"col\" class=\"num\">Little's law off by</th></tr></thead>\n<tbody>\n",
        );
        insight.stations.iter().for_each(|station| row(&mut out, station));
        out.push_str("</tbody></table></div>\n");
        page.raw(&out);
    }
    page.end_section();
}

fn row(out: &mut String, station: &StationFacts) {
    let shown = |value: Option<f64>, unit: Unit| value.map_or(MISSING.to_owned(), |value| display(value, unit));
    let _ = write!(out, "<tr><th scope=\"row\">{}.{}</th>", text(&station.part), text(&station.station));
    for cell in [
        shown(station.capacity, Unit::Count),
        display(station.utilization, Unit::Share),
        display(station.utilization_worst, Unit::Share),
        display(station.queue, Unit::Count),
        shown(station.wait, Unit::Seconds),
        shown(station.demand, Unit::Seconds),
        shown(station.most, Unit::PerSecond),
        shown(station.residual.map(|residual| (residual * 1e4).round() / 1e4), Unit::Share),
    ] {
        let _ = write!(out, "<td class=\"num\">{cell}</td>");
    }
    out.push_str("</tr>\n");
}
