//! Sizes of requests and answers that a model rests on must be there.

use super::names::quoted;
use crate::model::arrival::ArrivalSpec;
use crate::model::arrival::replay::Format;
use crate::model::blueprint::Blueprint;
use crate::model::compile::Problem;
use crate::spec::model_file::{ClientSpec, ModelFile, Traffic};

/// Notes queues that count the bytes of requests without a size, and answers as large as nobody recorded.
pub(super) fn check_sizes(model: &ModelFile, blueprint: &Blueprint, problems: &mut Vec<Problem>) {
    for (name, spec) in &model.services {
        let number = blueprint.services.iter().position(|service| service.name == *name);
        let called =
            |operation: u32| blueprint.operations.get(operation as usize).map(|called| called.service as usize);
        let sized =
            blueprint.program.sites.iter().any(|site| site.request.is_some() && called(site.operation) == number);
        if spec.queue.as_ref().is_some_and(|queue| queue.bytes.is_some()) && !sized {
            problems.push(Problem {
                path: format!("services.{}.queue.bytes", quoted(name)),
                message: "no request of this service has a size".to_owned(),
                help: Some("give its clients or calls a `request: 20KB`".to_owned()),
            });
        }
    }
    if !blueprint.program.recorded {
        return;
    }
    let logs: Vec<(&String, &ClientSpec)> = model.clients.iter().filter(|(_, client)| replays_log(client)).collect();
    if logs.is_empty() {
        problems.push(Problem {
            path: "clients".to_owned(),
            message: "an answer is as large as recorded (`reply: recorded`), but no client replays an access log"
                .to_owned(),
            help: Some("give one `arrivals: { replay: { file: access.log, format: access_log } }`".to_owned()),
        });
    }
    for (name, _) in logs.iter().filter(|(_, client)| client.visit.is_some()) {
        let message = "the log says how large one answer is, but a visit has several (`reply: recorded`)";
        problems.push(Problem::new(format!("clients.{}.visit", quoted(name)), message));
    }
}

fn replays_log(client: &ClientSpec) -> bool {
    matches!(&client.arrivals, Traffic::Open(ArrivalSpec::Replay(replay)) if replay.format == Format::AccessLog)
}
