//! Faults: their times, targets and kinds.

use super::names::quoted;
use crate::measure::Kind as Time;
use crate::model::blueprint::{Agent, Blueprint};
use crate::model::compile::Problem;
use crate::model::distribution::{Random, Values};
use crate::model::fault::{Effect, FaultPlan, FaultSpec, Kind, Strain, Targets, Times, Wrong};
use crate::model::program::Instruction;
use crate::quantity::Duration;
use crate::spec::model_file::ModelFile;

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
        let mut wrong = Vec::new();
        let kind = spec.kind(self.files, &mut wrong);
        wrong.into_iter().for_each(|Wrong { key, message }| self.problem(&key, message));
        let times = self.times(spec, kind.as_ref().is_some_and(Kind::is_instant));
        let (kind, times) = (kind?, times?);
        let label = format!("{} {}", kind.name, kind.targets.names().join(", "));
        let share = spec.share.map_or(1.0, |share| share.fraction());
        if let Some(callers) = kind.callers {
            self.callers(callers, &format!("{}.from", kind.name));
        }
        let (mut targets, mut links) = (Vec::new(), Vec::new());
        if let Some(strain) = kind.strain() {
            links = self.links(&kind, strain);
            if spec.share.is_some() {
                self.problem("share", "a fault on links strikes all that it names");
            }
        } else {
            targets = self.targets(&kind);
        }
        let plan = FaultPlan { label, times, targets, links, share, effects: kind.effects, notice: kind.notice };
        (!plan.targets.is_empty() || !plan.links.is_empty()).then_some(plan)
    }

    fn times(&mut self, spec: &FaultSpec, is_instant: bool) -> Option<Times> {
        let random = spec.mtbf.is_some() || spec.mttr.is_some();
        match (spec.at, &spec.mtbf, &spec.mttr) {
            (Some(at), None, None) => {
                let (mut lasting, every) = (spec.lasting.map(Duration::as_nanos), spec.every.map(Duration::as_nanos));
                if is_instant && lasting.replace(0).is_some() {
                    self.problem("for", "this kind of fault takes no time: leave `for` out");
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

    /// Whether all callers exist.
    fn callers(&mut self, from: &Targets, key: &str) {
        for name in from.names() {
            if !self.model.services.contains_key(name) && !self.model.clients.contains_key(name) {
                let known = self.model.services.keys().chain(self.model.clients.keys()).map(String::as_str);
                self.problems.push(Problem::unknown(&format!("{}.{key}", self.path), "caller", name, known));
            }
        }
    }

    /// The links of that name, which must have what is taken from them.
    fn links(&mut self, kind: &Kind<'_>, strain: Strain) -> Vec<u32> {
        let mut found = Vec::new();
        for name in kind.targets.names() {
            let Some((number, _, link)) = self.model.links.get_full(name) else {
                let known = self.model.links.keys().map(String::as_str);
                self.problems.push(Problem::unknown(&format!("{}.{}", self.path, kind.key), "link", name, known));
                continue;
            };
            if strain.speed < 1.0 && link.bandwidth.is_none() {
                self.problem("link.bandwidth", format!("{} has no `bandwidth` that could be cut", quoted(name)));
            }
            found.push(number as u32);
        }
        found
    }

    /// The instances of the targets.
    fn targets(&mut self, kind: &Kind<'_>) -> Vec<(u32, u32)> {
        let cuts_quota = kind.effects.iter().any(|effect| matches!(effect, Effect::Quota(_)));
        let mut found = Vec::new();
        for name in kind.targets.names() {
            let (service, instance) = match name.split_once('/') {
                Some((service, instance)) => (service, Some(instance)),
                None => (name.as_str(), None),
            };
            let services = &self.blueprint.services;
            let Some(number) = services.iter().position(|known| known.name == service) else {
                let known = services.iter().map(|service| service.name.as_str());
                self.problems.push(Problem::unknown(&format!("{}.{}", self.path, kind.key), "service", service, known));
                continue;
            };
            let instances = services[number].instances;
            if cuts_quota && services[number].quota.is_none() {
                self.problem(&kind.key, format!("{} has no `quota` that could be cut", quoted(service)));
            }
            match instance.map(str::parse::<u32>) {
                None => found.extend((0..instances).map(|instance| (number as u32, instance))),
                Some(Ok(instance)) if instance < instances => found.push((number as u32, instance)),
                Some(_) => {
                    let last = instances - 1;
                    let message = format!("`{name}`: the instances of {} are numbered 0 to {last}", quoted(service));
                    self.problem(&kind.key, message);
                }
            }
        }
        found.dedup();
        found
    }
}
