//! Levers: what can be turned in a model, found in its tree.
//!
//! A lever is a key of the model whose value says how much there is of something, how much a step asks for, or which rule
//! is followed. [`RULES`] says which keys these are: one row for each kind of capacity, and nothing else in this folder
//! knows of it. A lever is turned by changing the tree, so that the changed system is checked and built like any other.
//!
//! Whole numbers change by at least one. What a change breaks (a value out of its range) is left out.

use crate::quantity::{Cores, Price, Unit};
use crate::spec::load::scalar_node;
use crate::spec::text::path::{Path, Segment, get};
use crate::spec::text::set::set;
use crate::spec::text::tree::{Entry, Node, Value};
use crate::study::insight::{Class, Lever, LeverKind};
use crate::study::level;

/// How a value is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// A number or quantity becomes that many times as great.
    Amount,
    /// The same for processor cores and their speed: no whole numbers, and perhaps written in thousandths.
    Cores,
    /// All times below it become that many times as short.
    Times,
    /// The rule becomes this one.
    Rule(&'static str),
    /// The key is taken out.
    Without,
}

/// Which keys are levers.
struct Rule {
    /// The last keys of the path, list positions left out; `*` is any one.
    ends: &'static [&'static str],
    kind: LeverKind,
    class: Class,
    /// The resource; `*` is what `*` stands for.
    resource: &'static str,
    /// In words, before `of` and the part; `*` as above.
    noun: &'static str,
    turn: Turn,
}

const fn capacity(
    ends: &'static [&'static str],
    class: Class,
    resource: &'static str,
    noun: &'static str,
    turn: Turn,
) -> Rule {
    Rule { ends, kind: LeverKind::Capacity, class, resource, noun, turn }
}

const fn step(name: &'static [&'static str], class: Class, resource: &'static str, noun: &'static str) -> Rule {
    Rule { ends: name, kind: LeverKind::Demand, class, resource, noun, turn: Turn::Times }
}

const fn policy(ends: &'static [&'static str], resource: &'static str, noun: &'static str, turn: Turn) -> Rule {
    Rule { ends, kind: LeverKind::Policy, class: Class::Policy, resource, noun, turn }
}

const fn instances(ends: &'static [&'static str], noun: &'static str) -> Rule {
    let (class, turn) = (Class::Pool, Turn::Amount);
    Rule { ends, kind: LeverKind::Instances, class, resource: "instances", noun, turn }
}

const fn defect(
    ends: &'static [&'static str],
    class: Class,
    resource: &'static str,
    noun: &'static str,
    turn: Turn,
) -> Rule {
    Rule { ends, kind: LeverKind::Defect, class, resource, noun, turn }
}

/// All levers. The first rule that fits a key decides.
const RULES: &[Rule] = &[
    capacity(&["machine", "cores"], Class::Cpu, "cpu", "CPU cores", Turn::Cores),
    // A faster core speeds up all code of the service, so it is no capacity.
    Rule {
        ends: &["machine", "speed"],
        kind: LeverKind::Demand,
        class: Class::Cpu,
        resource: "cpu",
        noun: "CPU speed",
        turn: Turn::Cores,
    },
    capacity(&["machine", "quota"], Class::Cpu, "quota", "CPU quota", Turn::Cores),
    capacity(&["quota", "cores"], Class::Cpu, "quota", "CPU quota", Turn::Cores),
    capacity(&["goroutines", "max_procs"], Class::Cpu, "max_procs", "tasks that may compute", Turn::Amount),
    capacity(&["machine", "memory"], Class::Memory, "memory", "memory", Turn::Amount),
    capacity(&["garbage_collector", "heap"], Class::Memory, "garbage", "heap", Turn::Amount),
    Rule {
        ends: &["garbage_collector", "pause"],
        kind: LeverKind::Demand,
        class: Class::Memory,
        resource: "garbage",
        noun: "pauses of the garbage collector",
        turn: Turn::Times,
    },
    Rule {
        ends: &["concurrent", "work"],
        kind: LeverKind::Demand,
        class: Class::Memory,
        resource: "garbage",
        noun: "work of the garbage collector beside requests",
        turn: Turn::Times,
    },
    defect(&["memory", "leak"], Class::Memory, "leak", "leak", Turn::Without),
    capacity(&["machine", "network"], Class::Network, "network", "network bandwidth", Turn::Amount),
    capacity(&["network", "bandwidth"], Class::Network, "network", "network bandwidth", Turn::Amount),
    capacity(&["disk", "iops"], Class::Disk, "disk", "disk operations per second", Turn::Amount),
    capacity(&["disk", "bandwidth"], Class::Disk, "disk", "disk bandwidth", Turn::Amount),
    capacity(&["runtime", "workers"], Class::Pool, "workers", "workers", Turn::Amount),
    capacity(&["threads", "limit"], Class::Pool, "threads", "threads", Turn::Amount),
    capacity(&["pools", "*", "size"], Class::Pool, "*", "connections in pool *", Turn::Amount),
    capacity(&["pools", "*"], Class::Pool, "*", "connections in pool *", Turn::Amount),
    capacity(&["locks", "*", "shards"], Class::Lock, "*", "shards of lock *", Turn::Amount),
    capacity(&["locks", "*", "kind", "semaphore"], Class::Lock, "*", "permits of lock *", Turn::Amount),
    capacity(&["channels", "*", "receivers"], Class::Pool, "*", "receivers of channel *", Turn::Amount),
    capacity(&["consumers", "*", "concurrency"], Class::Pool, "*", "consumers *", Turn::Amount),
    capacity(&["connections"], Class::Pool, "connections", "connections", Turn::Amount),
    capacity(&["items"], Class::Memory, "items", "cached items", Turn::Amount),
    capacity(&["quota"], Class::Dependency, "quota", "quota", Turn::Amount),
    policy(&["queue", "limit"], "queue", "queue places", Turn::Amount),
    instances(&["instances"], "instances"),
    policy(&["pools", "*", "limit"], "queue", "queue places of pool *", Turn::Amount),
    Rule {
        ends: &["shards"],
        kind: LeverKind::Instances,
        class: Class::Pool,
        resource: "shards",
        noun: "shards",
        turn: Turn::Amount,
    },
    policy(&["channels", "*", "buffer"], "queue", "places in channel *", Turn::Amount),
    policy(&["ttl"], "ttl", "time to live", Turn::Amount),
    policy(&["single_flight"], "single_flight", "single flight", Turn::Rule("true")),
    // How long a new instance takes to come is what an autoscaler cannot decide away; its own delays are in its policy.
    defect(&["life"], Class::Policy, "life", "starting time of new instances", Turn::Without),
    policy(&["autoscaler", "scrape"], "autoscaler", "scrape interval of the autoscaler", Turn::Times),
    policy(&["autoscaler", "lag"], "autoscaler", "age of the metrics of the autoscaler", Turn::Times),
    policy(&["policy", "*", "up", "for"], "autoscaler", "hold time of the autoscaler", Turn::Times),
    policy(&["policy", "*", "cooldown"], "autoscaler", "cooldown of the autoscaler", Turn::Times),
    instances(&["autoscaler", "min"], "fewest instances"),
    instances(&["autoscaler", "max"], "most instances"),
    defect(&["machine", "neighbor"], Class::Cpu, "neighbor", "noisy neighbor", Turn::Without),
    defect(&["speeds"], Class::Cpu, "speeds", "uneven speed of the instances", Turn::Without),
    defect(&["preload"], Class::Memory, "preload", "cold start", Turn::Rule("100%")),
    defect(&["keys", "zipf"], Class::Policy, "keys", "uneven demand for the keys", Turn::Without),
    defect(&["keys", "hot"], Class::Policy, "keys", "uneven demand for the keys", Turn::Without),
    policy(&["balancer"], "balancer", "balancing", Turn::Rule("least_in_flight")),
    policy(&["retry"], "retry", "retries", Turn::Without),
    step(&["cpu"], Class::Cpu, "cpu", "CPU work in"),
    step(&["wait"], Class::Dependency, "wait", "waiting time in"),
    step(&["latency"], Class::Dependency, "latency", "latency"),
];

/// A lever and how it is turned.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is.
    pub lever: Lever,
    path: Path,
    turn: Turn,
    /// What holds if the key is not written.
    unwritten: &'static str,
}

/// A tree in which a lever was turned.
#[derive(Debug, Clone)]
pub struct Turned {
    /// The changed tree.
    pub tree: Node,
    /// The value before, as written.
    pub from: String,
    /// The value after.
    pub to: String,
    /// How many times as much, or as fast, it really is.
    pub factor: f64,
}

/// All levers of a model, and the keys of quantities that no rule names.
pub fn find(tree: &Node) -> (Vec<Found>, Vec<String>) {
    let (mut levers, mut others) = (Vec::new(), Vec::new());
    let is_part = |section: &&Entry| section.value.entries().iter().any(|part| !part.value.entries().is_empty());
    for section in tree.entries().iter().filter(|section| section.key != "catalogue").filter(is_part) {
        let path = Path::root().key(&section.key);
        for part in section.value.entries() {
            let path = path.key(&part.key);
            if section.key != "clients" {
                levers.extend(unwritten(&part.value, &section.key, &part.key, &path));
            }
            walk(&part.value, &part.key, &path, section.key == "clients", &mut levers, &mut others);
        }
    }
    (levers, others)
}

/// Levers whose key is not written, so that something else holds: one instance, one shard, cores of plain speed, an empty cache.
fn unwritten(part: &Node, section: &str, name: &str, path: &Path) -> Vec<Found> {
    let mut found: Vec<(Path, &'static str)> = Vec::new();
    let mut unless = |node: &Node, path: Path, key: &str, value| {
        if node.entry(key).is_none() {
            found.push((path.key(key), value));
        }
    };
    let ours = part.entry("operations").is_some();
    if ours && section == "services" {
        unless(part, path.clone(), "instances", "1");
    }
    if section == "databases" {
        unless(part, path.clone(), "shards", "1");
    }
    if section == "caches" && (part.entry("items").is_some() || part.entry("bytes").is_some()) {
        unless(part, path.clone(), "preload", "0%");
        unless(part, path.clone(), "single_flight", "false");
    }
    if let Some(machine) =
        part.entry("machine").map(|machine| &machine.value).filter(|node| node.entry("cores").is_some())
    {
        unless(machine, path.key("machine"), "speed", "1");
    }
    for (section, key) in [("locks", "shards"), ("channels", "receivers")] {
        for each in part.entry(section).map(|section| section.value.entries()).unwrap_or_default() {
            unless(&each.value, path.key(section).key(&each.key), key, "1");
        }
    }
    let levers =
        found.into_iter().filter_map(|(path, unwritten)| Some(Found { unwritten, ..lever(name, &path, false)? }));
    levers.collect()
}

fn walk(node: &Node, part: &str, path: &Path, client: bool, levers: &mut Vec<Found>, others: &mut Vec<String>) {
    if let Some(found) = lever(part, path, client).filter(|found| found.turns(node)) {
        levers.push(found);
        return;
    }
    for entry in node.entries() {
        walk(&entry.value, part, &path.key(&entry.key), client, levers, others);
    }
    for (number, item) in node.items().iter().enumerate() {
        walk(item, part, &path.index(number), client, levers, others);
    }
    // A price limits nothing.
    let is_price = path.segments().last().is_some_and(|last| matches!(last, Segment::Key(key) if key == "price"));
    if !client && !is_price && quantity(node).is_some() {
        others.push(path.to_string());
    }
}

/// The keys of a path, list positions left out.
fn keys(path: &Path) -> Vec<&str> {
    let mut keys = Vec::new();
    for segment in path.segments() {
        if let Segment::Key(key) = segment {
            keys.push(key.as_str());
        }
    }
    keys
}

/// The lever at a path, if a rule names it.
fn lever(part: &str, path: &Path, client: bool) -> Option<Found> {
    let keys = keys(path);
    // The first two keys are the section and the part.
    let inner = keys.get(2..)?;
    let in_steps = inner.first() == Some(&"operations");
    let fits = |rule: &&Rule| {
        let length = rule.ends.len();
        let is_step = rule.turn == Turn::Times && rule.ends.len() == 1 && rule.ends != ["latency"];
        let ends = inner.len() >= length
            && rule.ends.iter().zip(&inner[inner.len() - length..]).all(|(end, key)| *end == "*" || end == key);
        let whole = inner.len() == length;
        let place = match rule.kind {
            LeverKind::Demand => is_step == in_steps,
            LeverKind::Policy | LeverKind::Defect => true,
            LeverKind::Instances => whole,
            LeverKind::Capacity => !in_steps,
        };
        ends && place && (!client || matches!(rule.kind, LeverKind::Policy | LeverKind::Defect))
    };
    let rule = RULES.iter().find(fits)?;
    let star = rule.ends.iter().position(|end| *end == "*").map(|at| inner[inner.len() - rule.ends.len() + at]);
    let spell = |text: &str| text.replace('*', star.unwrap_or("*"));
    let of = match rule.kind {
        LeverKind::Demand if in_steps => format!("{} {part}.{}", rule.noun, inner.get(1).unwrap_or(&"")),
        _ => format!("{} of {part}", spell(rule.noun)),
    };
    let lever = Lever {
        key: path.to_string(),
        part: part.to_owned(),
        resource: spell(rule.resource),
        name: of,
        class: rule.class,
        kind: rule.kind,
    };
    Some(Found { lever, path: path.clone(), turn: rule.turn, unwritten: "" })
}

/// The value of a scalar that says how much: in base units, with its unit.
fn quantity(node: &Node) -> Option<(f64, Option<Unit>)> {
    match &node.value {
        Value::Number { value, .. } => Some((*value, None)),
        Value::Text { text, quoted: false } => level::read(text).map(|(unit, value)| (value, unit)),
        _ => None,
    }
}

impl Found {
    /// Whether a value can be turned this way.
    fn turns(&self, node: &Node) -> bool {
        match self.turn {
            Turn::Amount => quantity(node).is_some(),
            Turn::Cores => cores(node).is_some(),
            Turn::Times => first_time(node).is_some(),
            Turn::Rule(rule) => !matches!(&node.value, Value::Text { text, .. } if text == rule),
            Turn::Without => true,
        }
    }

    /// Whether it is turned by an amount, rather than to another rule.
    pub fn is_gradual(&self) -> bool {
        !matches!(self.turn, Turn::Rule(_) | Turn::Without)
    }

    /// Turns it: `factor` times as much, or as fast. `None` if nothing would change.
    pub fn turned(&self, tree: &Node, factor: f64) -> Option<Turned> {
        let mut tree = tree.clone();
        let missing = scalar_node(self.unwritten, tree.span);
        let before = get(&tree, &self.path).cloned().unwrap_or(missing);
        let (after, factor) = match self.turn {
            Turn::Amount => scaled(&before, factor)?,
            Turn::Cores => (scalar_node(&(cores(&before)? * factor).to_string(), before.span), factor),
            Turn::Times => (shorter(&before, factor), factor),
            Turn::Rule(rule) => (scalar_node(rule, before.span), 1.0),
            Turn::Without => {
                let from = "as it is".to_owned();
                remove(&mut tree, self.path.segments());
                return Some(Turned { tree, from, to: "none".to_owned(), factor: 1.0 });
            }
        };
        let (from, to) = (written(&before), written(&after));
        set(&mut tree, &self.path, after).ok()?;
        (from != to).then_some(Turned { tree, from, to, factor })
    }
}

/// A value in words: itself, or the first time in it.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Number { text, .. } | Value::Text { text, .. } => text.clone(),
        _ => first_time(node).unwrap_or_else(|| "as it is".to_owned()),
    }
}

fn cores(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Number { value, .. } => Some(*value),
        Value::Text { text, .. } => text.parse::<Cores>().ok().map(Cores::get),
        _ => None,
    }
}

/// A value some times as great; a whole number changes by at least one and is at least one.
fn scaled(node: &Node, factor: f64) -> Option<(Node, f64)> {
    let (value, unit) = quantity(node)?;
    let whole = unit.is_none() && matches!(&node.value, Value::Number { is_integer: true, .. });
    let mut after = level::significant(value * factor);
    if whole {
        after = if factor > 1.0 { after.ceil().max(value + 1.0) } else { after.floor().min(value - 1.0).max(1.0) };
    }
    let same_unit =
        matches!(&node.value, Value::Text { .. }).then(|| rewritten(&written(node), after / value)).flatten();
    let text = same_unit.or_else(|| level::write(after, unit))?;
    (after != value && value > 0.0).then(|| (scalar_node(&text, node.span), after / value))
}

/// A quantity some times as great in the unit in which it is written: `100Mbps` and twice that are `200Mbps`.
fn rewritten(text: &str, factor: f64) -> Option<String> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let after = format!("{}{unit}", level::significant(number.parse::<f64>().ok()? * factor));
    let ((known, before), (same, value)) = (level::read(text)?, level::read(&after)?);
    // What the unit cannot hold exactly is written in another one.
    (known == same && (value - before * factor).abs() <= 1e-5 * value.abs()).then_some(after)
}

/// The first time below a node, as written.
fn first_time(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text { text, .. } if time(text).is_some() => Some(text.clone()),
        Value::Map(entries) => entries.iter().find_map(|entry| first_time(&entry.value)),
        Value::List(items) => items.iter().find_map(first_time),
        _ => None,
    }
}

fn time(text: &str) -> Option<f64> {
    level::read(text).filter(|(unit, _)| *unit == Some(Unit::Seconds)).map(|(_, value)| value)
}

/// The node with all times some times as short.
fn shorter(node: &Node, factor: f64) -> Node {
    let value = match &node.value {
        Value::Text { text, .. } => {
            let shorter = time(text).and_then(|value| {
                rewritten(text, 1.0 / factor).or_else(|| level::write(value / factor, Some(Unit::Seconds)))
            });
            return shorter.map_or_else(|| node.clone(), |text| scalar_node(&text, node.span));
        }
        Value::Map(entries) => {
            let mut entries = entries.clone();
            entries.iter_mut().for_each(|entry| entry.value = shorter(&entry.value, factor));
            Value::Map(entries)
        }
        Value::List(items) => Value::List(items.iter().map(|item| shorter(item, factor)).collect()),
        other => other.clone(),
    };
    Node { span: node.span, value }
}

/// Takes a key out of its map.
fn remove(node: &mut Node, segments: &[Segment]) {
    match (segments, &mut node.value) {
        ([Segment::Key(key)], Value::Map(entries)) => entries.retain(|entry| entry.key != *key),
        ([Segment::Key(key), rest @ ..], Value::Map(entries)) => {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) {
                remove(&mut entry.value, rest);
            }
        }
        ([Segment::Index(index), rest @ ..], Value::List(items)) => {
            if let Some(item) = items.get_mut(*index) {
                remove(item, rest);
            }
        }
        _ => {}
    }
}

/// A price as it is written, per hour.
fn per_hour(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Text { text, .. } => text.parse::<Price>().ok().map(Price::per_hour),
        _ => None,
    }
}

/// The price of all instances of a model per hour; `None` if no machine has a price.
pub fn price(tree: &Node) -> Option<f64> {
    let number = |node: Option<&Node>, default: f64| node.and_then(quantity).map_or(default, |(value, _)| value);
    let of_part = |part: &Node| {
        let price = get(part, &Path::root().key("machine").key("price")).and_then(per_hour)?;
        let least = number(get(part, &Path::root().key("autoscaler").key("min")), 0.0);
        Some(price * number(part.entry("instances").map(|entry| &entry.value), 1.0).max(least))
    };
    let parts = tree.entries().iter().flat_map(|section| section.value.entries());
    let prices: Vec<f64> = parts.filter_map(|part| of_part(&part.value)).collect();
    (!prices.is_empty()).then(|| prices.iter().sum())
}
