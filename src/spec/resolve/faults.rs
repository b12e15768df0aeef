//! Faults: their times, targets and kinds.

use super::names::quoted;
use crate::measure::Kind as Time;
use crate::model::blueprint::{Agent, Blueprint};
use crate::model::compile::Problem;
use crate::model::distribution::{Random, Values};
use crate::model::fault::{FaultPlan, FaultSpec, Kind, Strain, Targets, Times};
use crate::model::program::Instruction;
use crate::quantity::Duration;
use crate::spec::model_file::ModelFile;

/// Two minutes, the notice that spot instances usually get [ns].
const NOTICE: u64 = 120_000_000_000;

/// 200 ms, Linux's least retransmission timeout of TCP [ns].
const RESEND: u64 = 200_000_000;

/// Adds the faults of a model to its blueprint.
pub(super) fn add_faults(
    blueprint: &mut Blueprint,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    model: &ModelFile,
) {
    // What a new version does to calls is what a fault does.
    if model.faults.is_empty() && model.services.values().all(|service| service.rollout.is_none()) {
        return;
    }
    for service in &blueprint.services {
        let account = blueprint.program.account(&service.name, "fault", Time::Waiting);
        blueprint.fault_accounts.push(account);
    }
    blueprint.failing = blueprint.program.code.len() as u32;
    for instruction in [Instruction::Fail, Instruction::Finish] {
        blueprint.program.code.push(instruction);
        blueprint.program.unwind.push(blueprint.failing + 1);
    }
    for (number, spec) in model.faults.iter().enumerate() {
        let mut reader = Reader { blueprint, files, problems, model, path: format!("faults[{number}]") };
        if let Some(plan) = reader.fault(spec) {
            let alone = |target| FaultPlan { targets: vec![target], ..plan.clone() };
            let plans = match plan.times {
                Times::Random { .. } if plan.links.is_empty() => {
                    plan.targets.iter().map(|target| alone(*target)).collect()
                }
                _ => vec![plan],
            };
            blueprint.agents.extend(plans.into_iter().map(|plan| Agent::Fault(Box::new(plan))));
        }
    }
}

/// Reads one fault.
struct Reader<'a> {
    blueprint: &'a Blueprint,
    files: &'a dyn Values,
    problems: &'a mut Vec<Problem>,
    model: &'a ModelFile,
    path: String,
}

impl Reader<'_> {
    fn problem(&mut self, key: &str, message: impl Into<String>) {
        let path = if key.is_empty() { self.path.clone() } else { format!("{}.{key}", self.path) };
        self.problems.push(Problem::new(path, message));
    }

    fn fault(&mut self, spec: &FaultSpec) -> Option<FaultPlan> {
        let times = self.times(spec)?;
        let (kind, targets, word) = self.kind(spec)?;
        let label = format!("{word} {}", targets.names().join(", "));
        let share = spec.share.map_or(1.0, |share| share.fraction());
        let (mut instances, mut links) = (Vec::new(), Vec::new());
        if let Kind::Link(strain) = kind {
            links = self.links(targets, strain);
        } else {
            instances = self.targets(word, targets);
        }
        self.check_share(spec, &kind);
        let plan = FaultPlan { label, times, targets: instances, links, share, kind };
        (!plan.targets.is_empty() || !plan.links.is_empty()).then_some(plan)
    }

    fn times(&mut self, spec: &FaultSpec) -> Option<Times> {
        let random = spec.mtbf.is_some() || spec.mttr.is_some();
        match (spec.at, &spec.mtbf, &spec.mttr) {
            (Some(at), None, None) => {
                let (mut lasting, every) = (spec.lasting.map(Duration::as_nanos), spec.every.map(Duration::as_nanos));
                if spec.flush.is_some() && lasting.replace(0).is_some() {
                    self.problem("for", "a flush takes no time: leave `for` out");
                }
                if every.is_some() && lasting.is_none_or(|lasting| every.is_some_and(|every| every <= lasting)) {
                    self.problem("every", "a fault that comes again must end before: give a shorter `for`");
                }
                Some(Times::Scheduled { at: at.as_nanos(), lasting, every })
            }
            (None, Some(mtbf), Some(mttr)) if spec.lasting.is_none() && spec.every.is_none() => {
                Some(Times::Random { mtbf: self.draw("mtbf", mtbf)?, mttr: self.draw("mttr", mttr)? })
            }
            _ => {
                let message = if random {
                    "a random fault has `mtbf` and `mttr`, and neither `at`, `for` nor `every`"
                } else {
                    "when does it begin? Give `at`, or `mtbf` and `mttr`"
                };
                self.problem("", message);
                None
            }
        }
    }

    fn draw(&mut self, key: &str, random: &Random<Duration>) -> Option<crate::model::distribution::Distribution> {
        random.build(self.files).map_err(|message| self.problem(key, message)).ok()
    }

    /// What it does and to whom; there must be exactly one kind.
    fn kind<'s>(&mut self, spec: &'s FaultSpec) -> Option<(Kind, &'s Targets, &'static str)> {
        let mut kinds: Vec<(Kind, &Targets, &str)> = Vec::new();
        let notice = spec.notice.map_or(NOTICE, Duration::as_nanos);
        let simple = [
            (&spec.crash, Kind::Crash, "crash"),
            (&spec.hang, Kind::Hang, "hang"),
            (&spec.spot, Kind::Spot(notice), "spot"),
            (&spec.outage, Kind::Outage, "outage"),
        ];
        kinds.extend(simple.into_iter().filter_map(|(target, kind, word)| Some((kind, target.as_ref()?, word))));
        if let Some(slow) = &spec.slow {
            kinds.push((Kind::Slow(slow.resource.clone(), slow.speed.fraction()), &slow.target, "slow"));
        }
        if let Some(errors) = &spec.errors {
            kinds.push((Kind::Errors(errors.share.fraction()), &errors.target, "errors"));
        }
        if let Some(latency) = &spec.latency {
            let share = latency.share.map_or(1.0, |share| share.fraction());
            kinds.push((Kind::Latency(self.draw("latency.add", &latency.add)?, share), &latency.target, "latency"));
        }
        if let Some(loss) = &spec.loss {
            let resend = loss.resend.map_or(RESEND, Duration::as_nanos).max(1);
            kinds.push((Kind::Loss(loss.share.fraction(), resend), &loss.target, "loss"));
        }
        if let Some(partition) = &spec.partition {
            self.callers(&partition.from);
            kinds.push((Kind::Partition(partition.from.names().to_vec()), &partition.to, "partition"));
        }
        if let Some(link) = &spec.link {
            let strain = Strain {
                loss: link.loss.map_or(0.0, |loss| loss.fraction()),
                delay: link.latency.map_or(0, Duration::as_nanos),
                speed: link.bandwidth.map_or(1.0, |left| left.fraction()),
            };
            if strain == Strain::NONE {
                self.problem("link", "what is wrong with the link? Give `bandwidth`, `loss` or `latency`");
            }
            kinds.push((Kind::Link(strain), &link.target, "link"));
        }
        if let Some(flush) = &spec.flush {
            kinds.push((Kind::Flush, flush, "flush"));
        }
        if let Some(quota) = &spec.quota {
            kinds.push((Kind::Quota(quota.left.fraction()), &quota.target, "quota"));
        }
        if spec.notice.is_some() && spec.spot.is_none() {
            self.problem("notice", "a notice goes with `spot`");
        }
        if kinds.len() != 1 {
            let all = "crash, hang, spot, slow, errors, latency, loss, outage, partition, link, flush, quota";
            self.problem("", format!("give exactly one kind of fault: {all}"));
            return None;
        }
        kinds.pop()
    }

    /// Whether all callers exist.
    fn callers(&mut self, from: &Targets) {
        for name in from.names() {
            if !self.model.services.contains_key(name) && !self.model.clients.contains_key(name) {
                let known = self.model.services.keys().chain(self.model.clients.keys()).map(String::as_str);
                self.problems.push(Problem::unknown(&format!("{}.partition.from", self.path), "caller", name, known));
            }
        }
    }

    /// The links of that name, which must have what is taken from them.
    fn links(&mut self, targets: &Targets, strain: Strain) -> Vec<u32> {
        let mut found = Vec::new();
        for name in targets.names() {
            let Some((number, _, link)) = self.model.links.get_full(name) else {
                let known = self.model.links.keys().map(String::as_str);
                self.problems.push(Problem::unknown(&format!("{}.link.target", self.path), "link", name, known));
                continue;
            };
            if strain.speed < 1.0 && link.bandwidth.is_none() {
                self.problem("link.bandwidth", format!("{} has no `bandwidth` that could be cut", quoted(name)));
            }
            found.push(number as u32);
        }
        found
    }

    /// Whether a share of the targets makes sense, and the targets have what is taken from them.
    fn check_share(&mut self, spec: &FaultSpec, kind: &Kind) {
        if spec.share.is_some() && matches!(kind, Kind::Link(_)) {
            self.problem("share", "a fault on links strikes all that it names");
        }
        let Some(cut) = &spec.quota else { return };
        for name in cut.target.names() {
            let service = name.split_once('/').map_or(name.as_str(), |(service, _)| service);
            if self.blueprint.services.iter().any(|known| known.name == service && known.quota.is_none()) {
                self.problem("quota.target", format!("{} has no `quota` that could be cut", quoted(service)));
            }
        }
    }

    /// The instances of the targets.
    fn targets(&mut self, word: &str, targets: &Targets) -> Vec<(u32, u32)> {
        let key = match word {
            "slow" | "errors" | "latency" | "loss" | "quota" => format!("{word}.target"),
            "partition" => "partition.to".to_owned(),
            _ => word.to_owned(),
        };
        let mut found = Vec::new();
        for name in targets.names() {
            let (service, instance) = match name.split_once('/') {
                Some((service, instance)) => (service, Some(instance)),
                None => (name.as_str(), None),
            };
            let services = &self.blueprint.services;
            let Some(number) = services.iter().position(|known| known.name == service) else {
                let known = services.iter().map(|service| service.name.as_str());
                self.problems.push(Problem::unknown(&format!("{}.{key}", self.path), "service", service, known));
                continue;
            };
            let instances = services[number].instances;
            match instance.map(str::parse::<u32>) {
                None => found.extend((0..instances).map(|instance| (number as u32, instance))),
                Some(Ok(instance)) if instance < instances => found.push((number as u32, instance)),
                Some(_) => {
                    let last = instances - 1;
                    let message = format!("`{name}`: the instances of {} are numbered 0 to {last}", quoted(service));
                    self.problem(&key, message);
                }
            }
        }
        found.dedup();
        found
    }
}
