//! `call`: ask an operation of a service and wait for its reply.
//!
//! What the caller holds stays held. If the call fails, so does the caller's operation. After `timeout` the caller gives
//! up; the callee does not know and goes on working.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compile::Compiler;
use crate::model::program::{Instruction, Route, Site};
use crate::quantity::Duration;

/// Call another operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The operation, as `service.operation`.
    pub call: String,
    /// How long to wait for the reply; unlimited if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

impl Call {
    pub(super) fn compile(&self, compiler: &mut Compiler) {
        let operation = compiler.at(".call", |compiler| compiler.target(&self.call));
        if self.timeout == Some(Duration::ZERO) {
            compiler.at(".timeout", |compiler| compiler.problem("a timeout must be longer than 0"));
        }
        emit(compiler, operation, self.timeout);
    }
}

/// Adds the code of a call.
pub fn emit(compiler: &mut Compiler, operation: u32, timeout: Option<Duration>) {
    let salt = compiler.salt("call");
    let timeout = timeout.map(Duration::as_nanos);
    compiler.program.sites.push(Site { operation, timeout, salt, route: compiler.program.data.route(operation) });
    let site = compiler.program.sites.len() as u32 - 1;
    compiler.emit(Instruction::Call { site });
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
    compiler.program.sites.push(Site { operation, timeout, salt, route });
    let site = compiler.program.sites.len() as u32 - 1;
    compiler.emit(Instruction::Call { site });
}
