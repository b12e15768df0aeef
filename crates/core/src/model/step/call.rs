//! `call`: ask an operation of a service and wait for its reply.
//!
//! What the caller holds stays held. If the call fails, so does the caller's operation, unless a `fallback` takes over.
//! After `timeout` the caller gives up; the callee does not know and goes on working, unless `propagate` says so. What else
//! surrounds a call is compiled by [`super::protect`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::protect::{FallbackSpec, Protection};
use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::{Instruction, Route, Site};
use crate::model::resilience::breaker::BreakerSpec;
use crate::model::resilience::retry::{BulkheadSpec, HedgeSpec, Propagated, RetrySpec};
use crate::model::resilience::throttle::ThrottleSpec;
use crate::quantity::{Bytes, Duration};

/// Call another operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The operation, as `service.operation`.
    pub call: String,
    /// The size of the request, which network cards and links have to carry, of its content if the calling service has a `format`;
    /// nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Random<Bytes>>,
    /// How long one attempt waits for the reply; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How long all attempts together may take, the waits between them and for connections included; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Duration>,
    /// What the callee is told of it: `[deadline, cancellation]`; nothing if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub propagate: Vec<Propagated>,
    /// Whether it does no harm if it is carried out twice; yes if left out. If not, it is retried only when it surely was
    /// not carried out.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub idempotent: bool,
    /// Trying again after a failure; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySpec>,
    /// Asking again before the first has answered; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedge: Option<HedgeSpec>,
    /// A circuit breaker; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerSpec>,
    /// Adaptive client throttling; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ThrottleSpec>,
    /// A limit on these calls at once; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bulkhead: Option<BulkheadSpec>,
    /// The connection pool of the service (`pools`) that it needs a connection of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// What is done when it has failed; the operation fails if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FallbackSpec>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Call {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let operation = compiler.at(".call", |compiler| compiler.target(&self.call));
        let content = compiler.request_size(self.request.as_ref());
        compiler.request = content.map(|content| compiler.written(content));
        let protection = Protection {
            timeout: self.timeout,
            deadline: self.deadline,
            propagate: &self.propagate,
            idempotent: self.idempotent,
            retry: self.retry.as_ref(),
            hedge: self.hedge.as_ref(),
            breaker: self.breaker.as_ref(),
            throttle: self.throttle.as_ref(),
            bulkhead: self.bulkhead.as_ref(),
            through: self.through.as_deref(),
            fallback: self.fallback.as_ref(),
        };
        protection.emit(compiler, operation, &self.call);
    }
}

/// Adds the code of a call of a part's own operation whose instance is chosen in a certain way.
pub fn emit_routed(compiler: &mut Compiler, operation: &str, route: Route) {
    let operation = compiler.target(operation);
    emit_call_to(compiler, operation, None, route);
}

/// Adds the code of a call whose instance is chosen in a certain way.
pub fn emit_call_to(compiler: &mut Compiler, operation: u32, timeout: Option<Duration>, route: Route) {
    let salt = compiler.salt("data call");
    let timeout = timeout.map(Duration::as_nanos);
    compiler.program.sites.push(Site { route, ..Site::plain(&compiler.part, operation, timeout, salt) });
    let site = compiler.program.sites.len() as u32 - 1;
    compiler.emit(Instruction::Call { site });
}
