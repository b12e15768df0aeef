//! Caches, databases and queues: they become services with operations of their own, and plans of the state behind them.

mod cache;
mod database;
mod queue;
mod reshard;

pub(super) use database::warnings;
pub(super) use queue::add_consumers;
pub(super) use reshard::add_movers;

use super::names::quoted;
use crate::model::compile::{Directory, Problem};
use crate::model::data::Parts;
use crate::model::distribution::Values;
use crate::spec::model_file::ModelFile;

/// A model whose data parts have become services, and what these hold.
pub(super) struct Expanded {
    pub(super) model: ModelFile,
    pub(super) parts: Parts,
    /// Operations of databases: name, database, whether it writes.
    pub(super) routes: Vec<(String, u32, bool)>,
    /// Per service that was a data part: where it stands in the file.
    sections: Vec<(String, &'static str)>,
}

/// Turns the data parts of a model into services.
pub(super) fn expand(model: &ModelFile, files: &dyn Values, problems: &mut Vec<Problem>) -> Expanded {
    let mut expanded =
        Expanded { model: model.clone(), parts: Parts::default(), routes: Vec::new(), sections: Vec::new() };
    check_names(model, problems);
    database::expand(model, &mut expanded, problems);
    cache::expand(model, files, &mut expanded, problems);
    queue::expand(model, &mut expanded, problems);
    expanded
}

/// The names of data parts must differ from those of all other parts.
fn check_names(model: &ModelFile, problems: &mut Vec<Problem>) {
    let mut known: Vec<&String> = model.services.keys().chain(model.clients.keys()).collect();
    let caches = model.data.caches.keys().map(|name| ("caches", name));
    let databases = model.data.databases.keys().map(|name| ("databases", name));
    let queues = model.data.queues.keys().map(|name| ("queues", name));
    for (section, name) in caches.chain(databases).chain(queues) {
        let path = format!("{section}.{}", quoted(name));
        if known.contains(&name) {
            problems.push(Problem::new(
                path.clone(),
                format!("another part is called `{name}` too; their metrics would be mixed up"),
            ));
        }
        super::names::check_name(problems, path, name);
        known.push(name);
    }
}

impl Expanded {
    /// The data parts, with the numbers that operations have got.
    pub(super) fn parts(&self, directory: &Directory) -> Parts {
        let numbered = |(name, database, write): &(String, u32, bool)| {
            directory.get(name).map(|operation| (*operation, (*database, *write)))
        };
        Parts { routes: self.routes.iter().filter_map(numbered).collect(), ..self.parts.clone() }
    }

    /// Adds the service of a data part.
    fn add(&mut self, section: &'static str, name: &str, service: crate::spec::model_file::ServiceSpec) {
        self.sections.push((name.to_owned(), section));
        self.model.services.insert(name.to_owned(), service);
    }

    /// Moves problems of services that were data parts to where these stand in the file.
    pub(super) fn relocate(&self, problems: &mut [Problem]) {
        for problem in problems {
            for (name, section) in &self.sections {
                let made = format!("services.{}", quoted(name));
                if let Some(rest) = problem.path.strip_prefix(&made)
                    && (rest.is_empty() || rest.starts_with('.'))
                {
                    let steps = |part: &str| part.to_owned();
                    let rest = rest.strip_prefix(".operations").map_or_else(
                        || rest.to_owned(),
                        |inner| {
                            let own = ["get", "set", "delete", "publish", "deliver"];
                            let own = own.iter().any(|own| inner.starts_with(&format!(".{own}[")));
                            if own && *section != "databases" { steps(inner) } else { format!(".operations{inner}") }
                        },
                    );
                    problem.path = format!("{section}.{}{rest}", quoted(name));
                    break;
                }
            }
        }
    }
}
