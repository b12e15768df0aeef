//! Fleets: the life of instances and who scales them.

use crate::engine::random::named;
use crate::model::autoscaler::{Metric, Policy};
use crate::model::blueprint::{Agent, Blueprint};
use crate::model::compile::Problem;
use crate::model::distribution::Values;
use crate::model::life::{FleetPlan, GRACE, LifeSpec};
use crate::model::program::Demand;
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
) -> Option<Box<FleetPlan>> {
    if !spec.has_fleet() {
        return None;
    }
    let life = spec.life.clone().unwrap_or_default();
    let LifeSpec { provisioning, pull, start, warm_up, grace } = &life;
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
    Some(Box::new(FleetPlan {
        rollout: spec.rollout.clone(),
        start: spec.instances,
        delays,
        warm_up: *warm_up,
        grace: grace.map_or(GRACE, Duration::as_nanos),
        autoscaler: spec.autoscaler.clone(),
    }))
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
