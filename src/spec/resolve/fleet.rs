//! Fleets: the life of instances and who scales them.

use crate::engine::random::named;
use crate::model::autoscaler::{AutoscalerSpec, Metric, Policy};
use crate::model::blueprint::{Agent, Blueprint, SharingPlan};
use crate::model::compile::Problem;
use crate::model::distribution::Values;
use crate::model::life::{FleetPlan, GRACE, LifeSpec, VerticalPlan};
use crate::model::program::Demand;
use crate::model::vertical::{Mode, VerticalSpec};
use crate::quantity::{Duration, Share};
use crate::spec::model_file::ServiceSpec;

/// The fleet of a service, if its instances come and go; its agents are added.
pub(super) fn fleet_plan(
    blueprint: &mut Blueprint,
    files: &dyn Values,
    problems: &mut Vec<Problem>,
    path: &str,
    name: &str,
    spec: &ServiceSpec,
    sharing: &[SharingPlan],
) -> Option<Box<FleetPlan>> {
    if !spec.has_fleet() {
        return None;
    }
    let life = spec.life.clone().unwrap_or_default();
    let LifeSpec { provisioning, nodes: _, pull, start, warm_up, replace_at_notice, grace } = &life;
    let mut delay = |key: &str, random: &Option<crate::model::distribution::Random<Duration>>| {
        let refused = |message| problems.push(Problem::new(format!("{path}.life.{key}"), message));
        let distribution = random.as_ref()?.build(files).map_err(refused).ok()?;
        Some(Demand { distribution, salt: named(named(0, name), key) })
    };
    let delays = [delay("provisioning", provisioning), delay("pull", pull), delay("start", start)];
    if warm_up.is_some_and(|warm| warm.from == Share::default()) {
        let message = "the cores of a ready instance have some speed: more than 0%";
        problems.push(Problem::new(format!("{path}.life.warm_up.from"), message));
    }
    let service = blueprint.services.len() as u32;
    blueprint.agents.push(Agent::Steward { service });
    if let Some(scaler) = &spec.autoscaler {
        blueprint.agents.push(Agent::Autoscaler { service });
        let path = format!("{path}.autoscaler");
        match scaler.check() {
            Err((key, message)) => problems.push(Problem::new(format!("{path}.{key}"), message)),
            Ok(()) => check_metrics(blueprint, problems, &path, spec, &scaler.policy),
        }
    }
    if let Some(rollout) = &spec.rollout {
        blueprint.agents.push(Agent::Rollout { service });
        if let Err((key, message)) = rollout.check() {
            problems.push(Problem::new(format!("{path}.rollout.{key}"), message));
        }
    }
    let vertical = spec.vertical.as_ref().and_then(|vertical| {
        blueprint.agents.push(Agent::Resizer { service });
        vertical_plan(sharing, problems, path, spec, vertical)
    });
    Some(Box::new(FleetPlan {
        lodging: super::nodes::lodging(blueprint, problems, path, spec),
        vertical,
        rollout: spec.rollout.clone(),
        start: spec.instances,
        delays,
        warm_up: *warm_up,
        replace_at_notice: *replace_at_notice,
        grace: grace.map_or(GRACE, Duration::as_nanos),
        autoscaler: spec.autoscaler.clone(),
    }))
}

/// How the size of the instances changes; notes what does not go with that.
fn vertical_plan(
    sharing: &[SharingPlan],
    problems: &mut Vec<Problem>,
    path: &str,
    spec: &ServiceSpec,
    vertical: &VerticalSpec,
) -> Option<VerticalPlan> {
    let mut refuse = |key: &str, message: &str, help: &str| {
        let path = if key.is_empty() { format!("{path}.vertical") } else { format!("{path}.{key}") };
        problems.push(Problem { path, message: message.to_owned(), help: Some(help.to_owned()) });
    };
    if let Err((key, message)) = vertical.check() {
        refuse(&format!("vertical.{key}"), message, "the defaults are those of the Vertical Pod Autoscaler");
    }
    let machine = spec.machine.as_ref();
    let (Some(cores), Some(slot)) =
        (machine.and_then(|machine| machine.cores), sharing.iter().position(|plan| plan.name == "cpu"))
    else {
        refuse("", "the size of a machine without cores cannot change", "give it some: `machine: { cores: 4 }`");
        return None;
    };
    let by_cpu = |scaler: &AutoscalerSpec| scaler.policy.build().metrics().contains(&Metric::Cpu);
    if spec.autoscaler.as_ref().is_some_and(by_cpu) {
        let message = "an autoscaler that goes by the CPU would work against this: larger instances are less busy";
        refuse(
            "autoscaler.policy",
            message,
            "let it go by another metric, such as `requests`, or leave `vertical` out",
        );
    }
    if machine.is_some_and(|machine| machine.quota.is_some()) {
        refuse("machine.quota", "the cores are what changes, and are the limit", "leave the quota out");
    }
    if vertical.mode == Mode::InPlace && sharing[slot].pace.in_order {
        let message = "cores that are given in order of arrival cannot become fewer while requests have them";
        refuse("vertical.mode", message, "use `recreate`, or share the cores");
    }
    let size = cores.get() / vertical.limit;
    let parallel = spec.runtime.as_ref().map_or(f64::INFINITY, |runtime| runtime.parallel(f64::INFINITY));
    Some(VerticalPlan { spec: vertical.clone(), size, parallel, slot: slot as u16 })
}

/// Notes metrics that the service does not have.
fn check_metrics(blueprint: &Blueprint, problems: &mut Vec<Problem>, path: &str, spec: &ServiceSpec, policy: &Policy) {
    for metric in policy.build().metrics() {
        match metric {
            Metric::Cpu
                if spec.machine.as_ref().is_none_or(|machine| machine.cores.is_none() && machine.size.is_none()) =>
            {
                problems.push(Problem {
                    path: path.to_owned(),
                    message: "how busy the cores are cannot be told of a machine without cores".to_owned(),
                    help: Some("give it some: `machine: { cores: 4 }`".to_owned()),
                });
            }
            Metric::Lag(name) => {
                let groups = &blueprint.program.data.groups;
                if !groups.iter().any(|group| group.name == name) {
                    let known = groups.iter().map(|group| group.name.as_str());
                    problems.push(Problem::unknown(path, "group of consumers", &name, known));
                }
            }
            _ => {}
        }
    }
}
