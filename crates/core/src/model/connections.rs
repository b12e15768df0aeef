//! Compiling what calls hold: connection pools and bulkheads, which are servers stations of the calling instance.

use super::blueprint::ServersPlan;
use super::compile::Compiler;
use super::compile::Problem;
use crate::quantity::Duration;

/// A connection pool of the service whose steps are compiled.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its name in the file.
    pub name: String,
    /// Its station.
    pub slot: u16,
    /// How long a call may wait for a connection.
    pub wait: Option<Duration>,
    /// Its plan in the program, if its connections are opened and closed.
    pub plan: Option<u32>,
}

impl Compiler<'_> {
    /// The pool of this name.
    pub fn connection_pool(&self, name: &str) -> Option<Pool> {
        self.pools.iter().find(|pool| pool.name == name).cloned()
    }

    /// Notes that there is no pool of this name.
    pub fn unknown_pool(&mut self, name: &str) {
        let known: Vec<String> = self.pools.iter().map(|pool| pool.name.clone()).collect();
        let mut problem = Problem::unknown(&self.place(), "pool", name, known.iter().map(String::as_str));
        if known.is_empty() {
            let help = format!("add `pools: {{ {name}: {{ size: 50 }} }}` to the service that calls");
            problem.help = Some(help);
        }
        self.problems.push(problem);
    }

    /// Adds a servers station to the service's instances and returns its slot; a client has no instances, which is a
    /// problem.
    pub fn add_servers(&mut self, name: &str, slots: u32, limit: u32) -> Option<u16> {
        if !self.of_service {
            self.problem("a client has no instances to limit; limit its users instead");
            return None;
        }
        let names = (1..).map(|n| if n == 1 { name.to_owned() } else { format!("{name} {n}") });
        let free = |name: &String| self.stations.servers(name).is_none();
        let name = names.into_iter().find(free)?;
        let slot = self.stations.add_servers(&name);
        self.added.push(ServersPlan::plain(&name, slots, limit));
        Some(slot)
    }

    /// The number of a longest wait.
    pub fn limit(&mut self, wait: Duration) -> u32 {
        let limits = &mut self.program.limits;
        let nanos = wait.as_nanos();
        let known = limits.iter().position(|limit| *limit == nanos);
        known.unwrap_or_else(|| {
            limits.push(nanos);
            limits.len() - 1
        }) as u32
    }
}
