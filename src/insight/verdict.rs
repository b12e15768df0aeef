//! The verdict: sentences made of effects and laws, each with the figures that it rests on.
//!
//! The bottleneck is the capacity (or rule) whose doubling gains most. Where nothing is lost and halving a step gains more than
//! twice as much as doubling any capacity, the step is: then time is spent, not waited for a share of something. Own rules.

use super::same_resource;
use super::whatif::{Results, TOLERANCE, is_capacity, is_free};
use super::words::{changed, percent, setting, short};
use crate::maths::statistics::multiple::best;
use crate::measure::Kind;
use crate::quantity::Unit;
use crate::quantity::unit::display;
use crate::study::clients;
use crate::study::insight::{
    Change, Class, Conclusion, Effect, Figure, Insight, Judgement, Lever, LeverKind, Relief, Sentence, StationFacts,
    TOGETHER, Topic,
};

/// What a verdict is made of.
pub struct Case<'a> {
    /// Everything that was found out; its verdict is still empty.
    pub insight: &'a Insight,
    /// The results of the model as it is and of all changed ones.
    pub results: &'a Results,
    /// The client that the metric is about.
    pub client: &'a str,
    /// Whether requests are lost or pile up.
    pub limited: bool,
}

/// A capacity that gains at least this part of what the best halving of a step gains is the bottleneck.
const PART: f64 = 0.5;

/// What takes no more of anything is the bottleneck if it gains at least this part of what the best change gains.
const FREE: f64 = 0.8;

/// Stations above this utilization look busy.
const BUSY: f64 = 0.5;

/// How much busier than the average the busiest instance is before that is worth a sentence.
const UNEVEN: f64 = 0.15;

/// From so many visits of a station per request on it is worth saying.
const OFTEN: f64 = 1.2;

/// The most levers named in a sentence.
const NAMED: usize = 4;

/// The effect whose lever is the bottleneck; `None` if nothing gains.
pub fn bottleneck(effects: &[Effect], limited: bool) -> Option<&Effect> {
    let great = |effect: &&Effect| effect.change.is_full() && effect.judgement == Judgement::Better;
    let most = |kinds: &dyn Fn(&Effect) -> bool| {
        let of_kind = effects.iter().filter(great).filter(|effect| kinds(effect));
        // Of equals the first wins.
        of_kind.rev().max_by(|one, other| one.gain.total_cmp(&other.gain))
    };
    let capacity = most(&is_capacity);
    let step = most(&|effect| effect.lever.kind == LeverKind::Demand);
    let instances = || most(&|effect| effect.lever.kind == LeverKind::Instances);
    let first = match (capacity, step) {
        (Some(capacity), _) if limited => Some(capacity),
        (Some(capacity), Some(step)) if capacity.gain < PART * step.gain => Some(step),
        (Some(capacity), _) => Some(capacity),
        (None, step) => step.or_else(instances),
    }?;
    let defect = most(&|effect| effect.lever.kind == LeverKind::Defect);
    let mut free = [defect, most(&is_free)].into_iter().flatten();
    Some(free.find(|free| free.gain >= FREE * first.gain).unwrap_or(first))
}

/// Draws the conclusion.
pub fn conclude(case: &Case) -> Conclusion {
    let mut sentences = vec![case.situation()];
    let insight = case.insight;
    let Some(first) = bottleneck(&insight.effects, case.limited) else {
        sentences.extend(case.nothing_helps());
        sentences.extend(case.useless(None));
        return Conclusion { class: None, bottleneck: None, confidence: None, sentences };
    };
    let confidence = confidence(&insight.effects, first, insight.higher_is_better);
    sentences.push(case.names(first));
    sentences.extend(case.certainty(first, confidence));
    sentences.extend(case.why(first));
    sentences.extend(case.useless(Some(first)));
    sentences.extend(case.helps());
    sentences.extend(case.next(first));
    Conclusion {
        class: Some(first.lever.class),
        bottleneck: Some(format!("{}.{}", first.lever.part, first.lever.resource)),
        confidence,
        sentences,
    }
}

/// The probability, at least, that doubling the bottleneck gains more than doubling any other resource of its kind.
fn confidence(effects: &[Effect], first: &Effect, higher_is_better: bool) -> Option<f64> {
    let capacity = first.lever.kind != LeverKind::Demand;
    let defect = first.lever.kind == LeverKind::Defect;
    let rivals = effects.iter().filter(|effect| {
        effect.change.is_full()
            && (is_capacity(effect) == capacity || !capacity && effect.lever.kind == LeverKind::Demand)
            && effect.lever.kind != LeverKind::Instances
            && (effect.lever.kind == LeverKind::Defect || !defect)
            && !same_resource(effect, first)
            && effect.runs.len() == first.runs.len()
    });
    let sign = if higher_is_better { 1.0 } else { -1.0 };
    let signed = |effect: &Effect| effect.runs.iter().map(|value| sign * value).collect::<Vec<f64>>();
    let samples: Vec<Vec<f64>> = std::iter::once(first).chain(rivals).map(signed).collect();
    let sure = best(&samples).ok().flatten().filter(|(index, _)| *index == 0).map(|(_, confidence)| confidence)?;
    // Without a rival it is as sure as that it helps at all.
    Some(sure.min(1.0 - first.p))
}

impl Case<'_> {
    fn mean(&self, metric: &str) -> Option<f64> {
        crate::study::mean(&self.results.metrics, self.results.points.first()?, metric)
    }

    /// A figure that a metric gives.
    fn figure(&self, metric: &str, value: f64) -> Figure {
        let unit =
            self.results.metrics.iter().find(|known| known.name == metric).map_or(Unit::Ratio, |known| known.unit);
        Figure { source: metric.to_owned(), value, unit }
    }

    /// A figure that an intervention gives: its gain.
    fn effect(&self, effect: &Effect) -> Figure {
        Figure { source: setting(effect), value: effect.gain, unit: Unit::Share }
    }

    fn sentence(&self, topic: Topic, text: String, figures: Vec<Figure>) -> Sentence {
        Sentence { topic, text, figures }
    }

    /// What is asked and what is done.
    fn situation(&self) -> Sentence {
        let client = self.client;
        let metric = |kind: &str| format!("{client}.{kind}");
        let (offered, goodput) = (self.mean(&metric("offered")), self.mean(&metric("goodput")));
        let mut figures = Vec::new();
        let mut text = match offered.zip(goodput) {
            Some((offered, good)) => {
                figures.push(self.figure(&metric("offered"), offered));
                figures.push(self.figure(&metric("goodput"), good));
                let rate = |value| display(value, Unit::PerSecond);
                if good < 0.99 * offered {
                    format!("Of {} that {client} ask, {} succeed", rate(offered), rate(good))
                } else {
                    format!("{client} ask {} and {} succeed", rate(offered), rate(good))
                }
            }
            None => format!("Nothing of {client} succeeds"),
        };
        if let Some(overload) = &self.results.points.first().and_then(|point| point.overload.clone()) {
            let growth = display(overload.growth, Unit::PerSecond);
            text.push_str(&format!("; the backlog grows by {growth}"));
            figures.push(Figure { source: metric("in_flight"), value: overload.growth, unit: Unit::PerSecond });
        }
        let latencies = [("latency.p95", "p95"), ("latency.mean", "mean")];
        let latency = latencies.into_iter().find_map(|(kind, word)| Some((kind, word, self.mean(&metric(kind))?)));
        if let Some((kind, word, value)) = latency.filter(|_| !self.limited) {
            text.push_str(&format!("; the {word} response time is {}", display(value, Unit::Seconds)));
            figures.push(self.figure(&metric(kind), value));
        }
        let what = short(&self.insight.metric);
        text.push_str(&format!(". Changes are judged by {what}: {}.", self.insight.why_metric));
        self.sentence(Topic::Situation, text, figures)
    }

    /// Nothing that was turned makes it better.
    fn nothing_helps(&self) -> Vec<Sentence> {
        let undecided = self.insight.effects.iter().filter(|effect| {
            effect.judgement == Judgement::Undecided && effect.gain > TOLERANCE && effect.change != Change::Less
        });
        let open: Vec<&Effect> = undecided.take(NAMED).collect();
        let text = if open.is_empty() {
            "No capacity, step or rule that was turned makes it better: nothing in this model binds.".to_owned()
        } else {
            let list = open.iter().map(|effect| format!("{} ({})", effect.lever.name, changed(effect, self.insight)));
            let list = list.collect::<Vec<_>>().join(", ");
            format!("The runs cannot tell whether anything helps; it may be {list}. Longer or more runs would decide.")
        };
        let topic = if open.is_empty() { Topic::Bottleneck } else { Topic::Undecided };
        let figures = open.iter().map(|effect| self.effect(effect)).collect();
        vec![self.sentence(topic, text, figures)]
    }

    fn names(&self, first: &Effect) -> Sentence {
        let lever = &first.lever;
        let cpu = lever.kind == LeverKind::Capacity && lever.resource == "cpu";
        let (what, verb) = match lever.kind {
            LeverKind::Capacity if lever.key.contains(TOGETHER) => (format!("The {}, together,", lever.name), "are"),
            LeverKind::Capacity if cpu => (format!("The CPU of {}", lever.part), "is"),
            LeverKind::Capacity if lever.class == Class::Lock => {
                (format!("The lock {} of {}", lever.resource, lever.part), "is")
            }
            LeverKind::Capacity if first.from.parse::<f64>().is_ok_and(|count| count > 1.0) => {
                (format!("The {} {}", first.from, lever.name), "are")
            }
            LeverKind::Capacity => (format!("The {} ({})", lever.name, first.from), "is"),
            LeverKind::Instances => (format!("The number of {}", lever.name), "is"),
            LeverKind::Demand | LeverKind::Policy | LeverKind::Defect => (format!("The {}", lever.name), "is"),
        };
        let how = match first.change {
            Change::Other if first.to == "none" => "Without it".to_owned(),
            Change::Other => format!("With {} instead of {}", first.to, first.from),
            _ if first.is_of_speed() => {
                format!("{} as fast ({} → {})", times(first.factor), first.from, first.to)
            }
            _ if lever.key.contains(TOGETHER) => {
                format!("{} of both ({} → {})", times(first.factor), first.from, first.to)
            }
            _ => format!("{} the {} ({} → {})", times(first.factor), lever.name, first.from, first.to),
        };
        let free = if is_free(first) { " It is named first since it takes no more of anything." } else { "" };
        let text = format!(
            "{what} {verb} the bottleneck: this system is {}. {how}: {}.{free}",
            lever.class.word(),
            changed(first, self.insight)
        );
        self.sentence(Topic::Bottleneck, text, vec![self.effect(first)])
    }

    fn certainty(&self, first: &Effect, confidence: Option<f64>) -> Option<Sentence> {
        let runs = first.runs.len();
        let reduction = first.variance_reduction.filter(|factor| *factor > 1.5);
        let same = reduction.map_or(String::new(), |factor| {
            format!(" Meeting the same requests was worth {} times as many runs.", number(factor))
        });
        let text = match confidence {
            Some(sure) if sure > 0.5 => {
                let sure_text = if sure > 0.999 { "more than 99.9 %".to_owned() } else { percent(sure) };
                format!(
                    "No other change of its kind gains as much, with a probability of {sure_text} \
                     ({runs} pairs of runs with the same requests).{same}"
                )
            }
            _ => format!("Another change may gain as much: {runs} pairs of runs cannot tell them apart.{same}"),
        };
        let source = "multiple comparisons with the best".to_owned();
        let figures = confidence.map(|value| Figure { source, value, unit: Unit::Share }).into_iter().collect();
        Some(self.sentence(Topic::Certainty, text, figures))
    }

    /// The station that a lever belongs to: a CPU quota and the like are about the CPU.
    fn facts(&self, lever: &Lever) -> Option<&StationFacts> {
        let find = |station: &str| {
            self.insight.stations.iter().find(|facts| facts.part == lever.part && facts.station == station)
        };
        // A network card is two stations, a disk may be.
        let own = |facts: &&StationFacts| {
            let rest = facts.station.strip_prefix(lever.resource.as_str());
            facts.part == lever.part && rest.is_some_and(|rest| rest.starts_with('_'))
        };
        let several = || {
            let own = self.insight.stations.iter().filter(own);
            own.max_by(|one, other| one.utilization.total_cmp(&other.utilization))
        };
        find(&lever.resource).or_else(several).or_else(|| find("cpu").filter(|_| lever.class == Class::Cpu))
    }

    fn why(&self, first: &Effect) -> Option<Sentence> {
        match self.facts(&first.lever) {
            Some(facts) if first.lever.kind != LeverKind::Demand || facts.utilization > BUSY => {
                Some(self.why_station(first, facts))
            }
            _ => self.why_step(first),
        }
    }

    /// A station: how busy it is, what it can do at most, how much is waited for it.
    fn why_station(&self, first: &Effect, facts: &StationFacts) -> Sentence {
        let name = format!("{}.{}", facts.part, facts.station);
        let mut text = format!("{name} is {} busy", percent(facts.utilization));
        let mut figures = vec![self.figure(&format!("{name}.utilization"), facts.utilization)];
        if facts.utilization_worst - facts.utilization > UNEVEN {
            let worst = percent(facts.utilization_worst);
            text.push_str(&format!(", but that of the busiest instance {worst}: the load is uneven"));
            figures.push(self.figure(&format!("{name}.utilization.worst"), facts.utilization_worst));
        }
        if let Some((capacity, service)) = facts.capacity.zip(facts.service) {
            let (time, most) = (display(service, Unit::Seconds), display(capacity / service, Unit::PerSecond));
            let capacity = number(capacity);
            let shared = first.lever.class == Class::Cpu;
            let verb = if shared { "works there for" } else { "holds one for" };
            text.push_str(&format!(". An attempt {verb} {time}, so {capacity} can do {capacity} / {time} = {most}"));
            figures.push(Figure {
                source: format!("{name}.busy ÷ {name}.throughput"),
                value: service,
                unit: Unit::Seconds,
            });
            if let Some(visits) = self.visits(facts) {
                text.push_str(&format!(
                    ", and a request comes there {} times",
                    number((visits * 100.0).round() / 100.0)
                ));
                figures.push(Figure {
                    source: format!("{name}.throughput ÷ {}.offered", self.client),
                    value: visits,
                    unit: Unit::Ratio,
                });
            }
        }
        if facts.waiting_share > 0.005 {
            let (all, slowest) = (percent(facts.waiting_share), percent(facts.waiting_share_slowest));
            text.push_str(&format!(
                ". Waiting for it is {all} of the response time of successful requests, and {slowest} of that of the slowest 5 %"
            ));
            let source = format!("attribution of {}: {name} waiting", self.client);
            figures.push(Figure { source, value: facts.waiting_share, unit: Unit::Share });
        }
        if let Some(refused) = facts.refused.filter(|refused| *refused > 0.0) {
            text.push_str(&format!(". {} are turned away there", display(refused, Unit::PerSecond)));
            figures.push(self.figure(&format!("{name}.refused"), refused));
        }
        text.push('.');
        self.sentence(Topic::Why, text, figures)
    }

    /// How often a request comes to a station, if that is more than once and there are no other clients.
    fn visits(&self, facts: &StationFacts) -> Option<f64> {
        let only = clients(&self.results.metrics).count() == 1;
        let offered = self.mean(&format!("{}.offered", self.client)).filter(|offered| only && *offered > 0.0)?;
        facts.throughput.map(|throughput| throughput / offered).filter(|visits| *visits > OFTEN)
    }

    /// A step, or something that is no station: where the time goes, and how busy all stations are.
    fn why_step(&self, first: &Effect) -> Option<Sentence> {
        let point = self.results.points.first()?;
        let attribution = point.attributions.iter().find(|attribution| attribution.client == self.client)?;
        let total: f64 = attribution.entries.iter().map(|entry| entry.all).sum();
        if total <= 0.0 {
            return None;
        }
        let lever = &first.lever;
        let own = |entry: &&crate::study::Share| entry.part == lever.part && entry.resource == lever.resource;
        let spent: f64 = attribution.entries.iter().filter(own).map(|entry| entry.all).sum::<f64>() / total;
        let waiting = attribution.entries.iter().filter(|entry| entry.kind == Kind::Waiting);
        let waited: f64 = waiting.map(|entry| entry.all).sum::<f64>() / total;
        let mut text = String::new();
        let source = format!("attribution of {}", self.client);
        let mut figures = vec![Figure { source: source.clone(), value: waited, unit: Unit::Share }];
        if spent > 0.0 {
            let spent_text = percent(spent);
            text = format!("{spent_text} of the response time is spent in {}.{}. ", lever.part, lever.resource);
            figures.push(Figure { source, value: spent, unit: Unit::Share });
        }
        if lever.kind == LeverKind::Defect || lever.kind == LeverKind::Policy {
            self.why_uneven(&mut text, &mut figures);
        }
        text.push_str(&format!("Waiting for a turn, anywhere, is {} of the response time", percent(waited)));
        let busiest = self.insight.stations.iter().max_by(|one, other| one.utilization.total_cmp(&other.utilization));
        if let Some(busiest) = busiest {
            let name = format!("{}.{}", busiest.part, busiest.station);
            text.push_str(&format!("; the busiest station, {name}, is {} busy", percent(busiest.utilization)));
            figures.push(self.figure(&format!("{name}.utilization"), busiest.utilization));
        }
        text.push('.');
        Some(self.sentence(Topic::Why, text, figures))
    }

    /// The station whose load is least even, if any is uneven.
    fn why_uneven(&self, text: &mut String, figures: &mut Vec<Figure>) {
        let excess = |facts: &StationFacts| facts.utilization_worst - facts.utilization;
        let uneven = self.insight.stations.iter().filter(|facts| excess(facts) > UNEVEN);
        let Some(facts) = uneven.max_by(|one, other| excess(one).total_cmp(&excess(other))) else { return };
        let name = format!("{}.{}", facts.part, facts.station);
        let (mean, worst) = (percent(facts.utilization), percent(facts.utilization_worst));
        text.push_str(&format!("{name} is {mean} busy on average, and its busiest instance {worst}. "));
        figures.push(self.figure(&format!("{name}.utilization"), facts.utilization));
        figures.push(self.figure(&format!("{name}.utilization.worst"), facts.utilization_worst));
    }

    /// Capacities whose doubling changes nothing: CPUs first, then the busiest.
    fn useless(&self, first: Option<&Effect>) -> Vec<Sentence> {
        let tried = self.insight.effects.iter().filter(|effect| {
            matches!(effect.lever.kind, LeverKind::Capacity | LeverKind::Instances)
                && matches!(effect.change, Change::Double | Change::Fourfold)
                && matches!(effect.judgement, Judgement::NoDifference | Judgement::Worse)
                && first.is_none_or(|first| first.lever.key.split(TOGETHER).all(|key| key != effect.lever.key))
        });
        let busy = |effect: &Effect| self.facts(&effect.lever).map_or(0.0, |facts| facts.utilization);
        let mut tried: Vec<&Effect> = tried.collect();
        let rank = |effect: &Effect| (effect.lever.class != Class::Cpu, effect.lever.kind == LeverKind::Instances);
        tried.sort_by(|one, other| rank(one).cmp(&rank(other)).then(busy(other).total_cmp(&busy(one))));
        let mut sentences = Vec::new();
        for effect in tried.into_iter().take(NAMED) {
            let lever = &effect.lever;
            let mut figures = vec![self.effect(effect)];
            let how = match self.facts(lever) {
                Some(facts) => {
                    let name = format!("{}.{}", facts.part, facts.station);
                    figures.push(self.figure(&format!("{name}.utilization"), facts.utilization));
                    let busy = percent(facts.utilization);
                    let own =
                        first.is_some_and(|first| lever.class == first.lever.class && lever.part == first.lever.part);
                    if facts.utilization > BUSY && !own {
                        format!(" {name} is {busy} busy, and yet it does not matter.")
                    } else {
                        format!(" {name} is {busy} busy.")
                    }
                }
                None => String::new(),
            };
            let worse = if effect.judgement == Judgement::Worse { " It makes it worse." } else { "" };
            let text = format!(
                "{} the {} ({} → {}): {}.{how}{worse}",
                times(effect.factor),
                lever.name,
                effect.from,
                effect.to,
                changed(effect, self.insight)
            );
            sentences.push(self.sentence(Topic::Useless, text, figures));
        }
        sentences
    }

    /// What makes it better, most first.
    fn helps(&self) -> Vec<Sentence> {
        let better = self
            .insight
            .effects
            .iter()
            .filter(|effect| effect.judgement == Judgement::Better && effect.change.is_full());
        let before = self.insight.effects.iter().find_map(|effect| effect.price);
        let text = |effect: &Effect| {
            let lever = &effect.lever;
            let cost = match (effect.price, before, lever.kind) {
                (Some(price), Some(_), LeverKind::Instances) => {
                    format!(", for {} in all", display(price, Unit::PerHourPrice))
                }
                (_, _, LeverKind::Demand) => ", by faster code or a faster service".to_owned(),
                _ => String::new(),
            };
            format!("{}: {}{cost}.", setting_words(effect), changed(effect, self.insight))
        };
        let sentence = |effect: &Effect| self.sentence(Topic::Helps, text(effect), vec![self.effect(effect)]);
        better.take(NAMED).map(sentence).collect()
    }

    /// What binds when the bottleneck is relieved: found by doubling it, or by the operational laws from there.
    fn next(&self, first: &Effect) -> Vec<Sentence> {
        let Some(relief) = self.insight.relief.last() else { return Vec::new() };
        let value = relief.value.map_or(String::new(), |estimate| {
            format!(" {} is {}", short(&self.insight.metric), display(estimate.mean, self.insight.unit))
        });
        let so_far = match relief.to.as_str() {
            "none" => format!("With {} taken out,{value}", first.lever.name),
            to => format!("With {} {} → {to},{value}", first.lever.name, first.from),
        };
        let mut figures: Vec<Figure> =
            relief.value.map(|estimate| self.figure(&self.insight.metric, estimate.mean)).into_iter().collect();
        let text = match bottleneck(&relief.effects, self.limited) {
            Some(next) if !same_resource(next, first) => {
                figures.push(self.effect(next));
                let gain = changed(next, self.insight);
                format!(
                    "{so_far}, and the next bottleneck is {}: {} gives {gain}.",
                    next.lever.name,
                    setting_words(next)
                )
            }
            Some(next) => {
                figures.push(self.effect(next));
                format!(
                    "{so_far}, and it is still the bottleneck: doubling it again gives {}.",
                    changed(next, self.insight)
                )
            }
            None => format!("{so_far}, and no further doubling helps at this load."),
        };
        let mut sentences = vec![self.sentence(Topic::Next, text, figures)];
        sentences.extend(self.growth(relief, first));
        sentences
    }

    /// What saturates first as the load grows, by the operational laws.
    fn growth(&self, relief: &Relief, first: &Effect) -> Option<Sentence> {
        let other =
            |facts: &&StationFacts| facts.part != first.lever.part || !facts.station.starts_with(&first.lever.resource);
        let known = relief.stations.iter().filter(other).filter_map(|facts| Some((facts, facts.most?)));
        let (facts, most) = known.min_by(|one, other| one.1.total_cmp(&other.1))?;
        let name = format!("{}.{}", facts.part, facts.station);
        let (busy, most_text) = (percent(facts.utilization), display(most, Unit::PerSecond));
        let text = format!(
            "By the operational laws {name} is next as the load grows: {busy} busy then, it allows {most_text} at most \
             (X ≤ 1/D)."
        );
        let source = format!("{name}.busy ÷ answered, after relief");
        Some(self.sentence(Topic::Next, text, vec![Figure { source, value: most, unit: Unit::PerSecond }]))
    }
}

/// An intervention in words: `workers of orders 50 → 100`.
fn setting_words(effect: &Effect) -> String {
    if effect.to == "none" {
        return format!("{} taken out", effect.lever.name);
    }
    format!("{} {} → {}", effect.lever.name, effect.from, effect.to)
}

/// How many times, in words.
fn times(factor: f64) -> String {
    if (factor - 2.0).abs() < 1e-3 { "Twice".to_owned() } else { format!("{} times", number(factor)) }
}

/// A plain number with few digits.
fn number(value: f64) -> String {
    display(value, Unit::Count)
}
