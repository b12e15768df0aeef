//! The scaling checklist: ten questions that a plan to grow must answer, each answered from what was found out by intervening, or
//! said to be open. Nothing is advice by rule of thumb: what no run has shown is not claimed.

use super::page::{Page, text};
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::report::names::clean;
use crate::study::Point;
use crate::study::Study;
use crate::study::finding::Verdict;
use crate::study::insight::{Class, Effect, Insight, Judgement, LeverKind, StationFacts, Topic};
use crate::study::system::SystemMap;

/// How much busier than the average the busiest instance may be in an even load.
const UNEVEN: f64 = 0.15;

/// Writes the section for the first explained point; none without one.
pub(super) fn write(page: &mut Page, study: &Study) {
    let Some(insight) = study.insights.first() else { return };
    let own = |point: &&Point| (&point.variant, &point.levels) == (&insight.variant, &insight.levels);
    let point = study.points.iter().find(own);
    let map = point.and_then(|point| study.systems.get(point.system));
    let list = Checklist { study, insight, point, map };
    page.section("checklist", "Scaling checklist");
    let place = if insight.place.is_empty() { String::new() } else { format!(", at {}", clean(&insight.place)) };
    page.raw(&format!(
        "<p>What these runs say to ten questions before growing{}; what they do not show is called open.</p>\n<ol class=\"checklist\">\n",
        text(&place)
    ));
    for (title, answer) in list.answers() {
        page.raw(&format!("<li><strong>{title}</strong>{}</li>\n", text(&answer)));
    }
    page.raw("</ol>\n");
    page.end_section();
}

struct Checklist<'a> {
    study: &'a Study,
    insight: &'a Insight,
    point: Option<&'a Point>,
    map: Option<&'a SystemMap>,
}

impl Checklist<'_> {
    fn answers(&self) -> [(&'static str, String); 10] {
        [
            ("Identify the bottleneck", self.bottleneck()),
            ("Choose between larger and more instances", self.strategy()),
            ("Partition the work", self.partition()),
            ("Match concurrency to the work", self.concurrency()),
            ("Balance the load", self.balancing()),
            ("Watch the right metrics", self.metrics()),
            ("Test under realistic load", self.load()),
            ("Consider autoscaling", self.autoscaling()),
            ("Plan for failures", self.failures()),
            ("Know the limits", self.limits()),
        ]
    }

    fn told(&self, topic: Topic) -> Option<String> {
        let mut told = self.insight.verdict.sentences.iter().filter(|sentence| sentence.topic == topic);
        told.next().map(|sentence| sentence.text.clone())
    }

    /// The full turns of levers that a test picks, in words; `None` without any.
    fn tried(&self, wanted: impl Fn(&Effect) -> bool) -> Option<String> {
        let full = self.insight.effects.iter().filter(|effect| effect.change.is_full() && wanted(effect));
        let words = full.take(4).map(|effect| {
            let gain = display((effect.gain * 1e3).round() / 1e3, Unit::Share);
            let gain = match effect.judgement {
                Judgement::NoDifference => "no difference".to_owned(),
                Judgement::Undecided => format!("undecided (gain {gain})"),
                judgement => format!("{}, gain {gain}", judgement.word()),
            };
            format!("{} {} → {}: {gain}", effect.lever.name, effect.from, effect.to)
        });
        let words = words.collect::<Vec<_>>().join("; ");
        (!words.is_empty()).then_some(words)
    }

    fn bottleneck(&self) -> String {
        let told = self.told(Topic::Bottleneck).or_else(|| self.told(Topic::Undecided));
        told.unwrap_or_else(|| "Open: nothing was turned.".to_owned())
    }

    fn strategy(&self) -> String {
        let larger = self.tried(|effect| {
            effect.lever.kind == LeverKind::Capacity && matches!(effect.lever.class, Class::Cpu | Class::Memory)
        });
        let more = self.tried(|effect| effect.lever.kind == LeverKind::Instances);
        match (larger, more) {
            (None, None) => "Open: neither machines nor instances are part of the model.".to_owned(),
            (larger, more) => {
                let none = || "not tried".to_owned();
                format!("Larger: {}. More: {}.", larger.unwrap_or_else(none), more.unwrap_or_else(none))
            }
        }
    }

    fn partition(&self) -> String {
        let excess = |facts: &StationFacts| facts.utilization_worst - facts.utilization;
        let worst = self.insight.stations.iter().max_by(|one, other| excess(one).total_cmp(&excess(other)));
        let shards = self.tried(|effect| effect.lever.resource == "shards" || effect.lever.class == Class::Lock);
        let shards = shards.map_or(String::new(), |words| format!(" {words}."));
        match worst {
            None => "Open: nothing has limited capacity.".to_owned(),
            Some(facts) if excess(facts) > UNEVEN => format!(
                "Uneven: {}.{} is {} busy on average, its busiest instance {}.{shards}",
                facts.part,
                facts.station,
                share(facts.utilization),
                share(facts.utilization_worst)
            ),
            Some(_) => format!(
                "Even: no instance is more than {} points busier than the average of its kind.{shards}",
                UNEVEN * 100.0
            ),
        }
    }

    fn concurrency(&self) -> String {
        let busy = |facts: &&StationFacts| facts.station == "cpu";
        let cpus = self.insight.stations.iter().filter(busy).map(|facts| {
            let pool = self.insight.stations.iter().find(|pool| pool.part == facts.part && pool.station == "workers");
            let pool = pool.map_or(String::new(), |pool| format!(", its workers {}", share(pool.utilization)));
            format!("the CPU of {} is {} busy{pool}", facts.part, share(facts.utilization))
        });
        let busy = cpus.take(4).collect::<Vec<_>>().join("; ");
        let pools = self.tried(|effect| effect.lever.kind == LeverKind::Capacity && effect.lever.class == Class::Pool);
        let pools =
            pools.map_or("No pool limits how many requests run at once.".to_owned(), |words| format!("{words}."));
        let busy = if busy.is_empty() { String::new() } else { format!("{}. ", capital(&busy)) };
        format!("{busy}{}", capital(&pools))
    }

    fn balancing(&self) -> String {
        let of = |map: &SystemMap| {
            let several = map.parts.iter().filter(|part| part.is_several());
            let words = several.map(|part| {
                let rule = part.balancer.as_deref().unwrap_or("by its data");
                format!("{} ({} instances): {}", part.name, part.count(), clean(rule))
            });
            words.collect::<Vec<_>>().join("; ")
        };
        let rules = self.map.map(of).unwrap_or_default();
        let tried = self.tried(|effect| matches!(effect.lever.resource.as_str(), "balancer" | "speeds"));
        let tried = tried.map_or(String::new(), |words| format!(" {}.", capital(&words)));
        if rules.is_empty() { "Nothing has several instances.".to_owned() } else { format!("{rules}.{tried}") }
    }

    fn metrics(&self) -> String {
        let sentences = self.insight.verdict.sentences.iter();
        let rests =
            sentences.filter(|sentence| matches!(sentence.topic, Topic::Situation | Topic::Why | Topic::Bottleneck));
        let known = |source: &str| self.study.metric(source).is_some();
        let mut names = vec![self.insight.metric.clone()];
        for figure in rests.flat_map(|sentence| &sentence.figures).filter(|figure| known(&figure.source)) {
            if !names.contains(&figure.source) {
                names.push(figure.source.clone());
            }
        }
        format!("The verdict rests on {}.", names.join(", "))
    }

    fn load(&self) -> String {
        let offered = self.study.metrics.iter().enumerate().filter(|(_, metric)| metric.name.ends_with(".offered"));
        let ranges = offered.filter_map(|(index, metric)| {
            let rates = self.study.points.iter().filter_map(|point| Some(point.estimates.get(index).copied()??.mean));
            let (least, most) =
                rates.fold((f64::INFINITY, 0.0f64), |(least, most), rate| (least.min(rate), most.max(rate)));
            let rate = |value| display(value, Unit::PerSecond);
            let range = if least < most { format!("{} to {}", rate(least), rate(most)) } else { rate(most) };
            least.is_finite().then(|| format!("{}: {range}", metric.name.trim_end_matches(".offered")))
        });
        let ranges = ranges.collect::<Vec<_>>().join("; ");
        let (all, held) = (
            self.study.expectations.len(),
            self.study.expectations.iter().filter(|finding| finding.verdict == Verdict::Held).count(),
        );
        let objectives = match all {
            0 => "Open: no expectation says what is good enough.".to_owned(),
            all => format!("{held} of {all} expectations were held."),
        };
        format!("Simulated load: {ranges}. {objectives}")
    }

    fn autoscaling(&self) -> String {
        let scaled = self.study.columns.iter().filter(|column| column.name.ends_with(".instances.wanted"));
        let names = scaled.map(|column| column.name.trim_end_matches(".instances.wanted")).collect::<Vec<_>>();
        let tried = self.tried(|effect| effect.lever.key.contains(".autoscaler.") || effect.lever.resource == "life");
        match (names.is_empty(), tried) {
            (true, _) => "Open: the number of instances was fixed in these runs.".to_owned(),
            (false, tried) => {
                let tried = tried.map_or(String::new(), |words| format!(" {}.", capital(&words)));
                let told = names.iter().map(|name| self.events(name)).collect::<Vec<_>>().join("; ");
                format!("Instances come and go at {told}.{tried}")
            }
        }
    }

    /// What an autoscaler did at the explained point: `app (at most 8, 2 times up, 0 times down)`.
    fn events(&self, name: &str) -> String {
        let mean = |kind: &str| {
            let index = self.study.metric(&format!("{name}.{kind}"))?;
            Some(display(self.point?.estimates.get(index).copied()??.mean, Unit::Count))
        };
        let known =
            [("instances.most", "at most", ""), ("scale_ups", "", "times up"), ("scale_downs", "", "times down")];
        let words = known
            .iter()
            .filter_map(|(kind, before, after)| Some(format!("{before} {} {after}", mean(kind)?).trim().to_owned()));
        let words = words.collect::<Vec<_>>().join(", ");
        if words.is_empty() { name.to_owned() } else { format!("{name} ({words})") }
    }

    fn failures(&self) -> String {
        let mut kinds: Vec<String> = self.study.marks.iter().map(|mark| clean(&mark.label)).collect();
        kinds.dedup();
        kinds.truncate(6);
        match kinds.is_empty() {
            true => "Open: nothing broke in these runs.".to_owned(),
            false => format!("These runs had: {}.", kinds.join("; ")),
        }
    }

    fn limits(&self) -> String {
        let bounds = self.insight.bounds.as_ref().map(|bounds| {
            format!(
                "{} allows {} answers at most; {} in flight saturate it.",
                bounds.station,
                display(bounds.most, Unit::PerSecond),
                display(bounds.saturation.round(), Unit::Count)
            )
        });
        let next = self.told(Topic::Next);
        let words = bounds.into_iter().chain(next).collect::<Vec<_>>().join(" ");
        if words.is_empty() { "Open: nothing has limited capacity.".to_owned() } else { words }
    }
}

fn share(value: f64) -> String {
    display((value * 1e3).round() / 1e3, Unit::Share)
}

/// A sentence begins with a capital, unless it begins with a name of the model.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
