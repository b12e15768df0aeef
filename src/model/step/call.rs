//! `call`: ask an operation of a service and wait for its reply.
//!
//! What the caller holds stays held. If the call fails, so does the caller's operation. After `timeout` the caller gives
//! up; the callee does not know and goes on working.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compile::Compiler;
use crate::model::distribution::Random;
use crate::model::program::{Instruction, Site};
use crate::quantity::{Bytes, Duration};

/// Call another operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The operation, as `service.operation`.
    pub call: String,
    /// The size of the request, which network cards and links have to carry; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Random<Bytes>>,
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
        compiler.request = compiler.request_size(self.request.as_ref());
        emit(compiler, operation, self.timeout);
    }
}

/// Adds the code of a call.
pub fn emit(compiler: &mut Compiler, operation: u32, timeout: Option<Duration>) {
    let salt = compiler.salt("call");
    let request = compiler.request;
    compiler.program.sites.push(Site {
        from: compiler.part.clone(),
        operation,
        timeout: timeout.map(Duration::as_nanos),
        salt,
        request,
    });
    let site = compiler.program.sites.len() as u32 - 1;
    compiler.emit(Instruction::Call { site });
}
