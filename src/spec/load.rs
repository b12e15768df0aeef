//! Reading files: from a path to a checked model or experiment, or to diagnostics.
//!
//! An experiment keeps the spanned tree of its model. Every variant and level is a copy of that tree with some values
//! replaced, checked and resolved like the file itself, so that an override is refused for the same reasons and with the
//! same words as a line of the file, at the place where the override is written.

use std::path::{Path as FilePath, PathBuf};
use std::sync::LazyLock;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::catalogue;
use super::columns::{Columns, Known};
use super::experiment_file::{ExperimentFile, ModelRef};
use super::lint::lint;
use super::model_file::ModelFile;
use super::resolve::{Resolved, resolve};
use super::text::check::{Scalar, check};
use super::text::diagnostic::{Diagnostic, Severity};
use super::text::parse::parse;
use super::text::path::{Path, Segment, get, span_of};
use super::text::schema::Schema;
use super::text::set::set;
use super::text::source::{FileId, Sources, Span};
use super::text::to_json::to_json;
use super::text::tree::{Node, Value};
use crate::engine::random::named;
use crate::model::compile::Problem;
use crate::quantity;

/// The name under which the standard input is known.
pub const STANDARD_INPUT: &str = "-";

/// Where files come from. Models are built on several threads.
pub trait Files: Sync {
    /// The content of a file.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    fn read(&self, path: &FilePath) -> Result<Vec<u8>, String>;
}

/// The files of this machine; `-` is the standard input.
pub struct Disk;

/// The largest file that is read whole [bytes]; larger YAML files are refused anyway.
const MAX_BYTES: u64 = 1 << 30;

impl Files for Disk {
    fn read(&self, path: &FilePath) -> Result<Vec<u8>, String> {
        use std::io::Read;
        let mut bytes = Vec::new();
        if path == FilePath::new(STANDARD_INPUT) {
            std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            return Ok(bytes);
        }
        let kind = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if kind.is_dir() {
            return Err("it is a folder".to_owned());
        }
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// A loaded file: a model alone, or an experiment with its model.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its name: that of the file, without folder and ending.
    pub name: String,
    /// What is asked; for a model alone an experiment with defaults.
    pub experiment: ExperimentFile,
    /// The experiment as written; `None` for a model alone.
    pub tree: Option<Node>,
    /// The model as written.
    pub model: Node,
    /// Where the model's file is; paths in it are relative to this.
    folder: PathBuf,
    /// The files that were read, and a hash of each.
    pub files: Vec<(String, u64)>,
}

/// A change to a model: where, and what.
#[derive(Debug, Clone)]
pub struct Override {
    /// The key, as written.
    pub key: String,
    /// Where the key is written.
    pub span: Span,
    /// The new value.
    pub value: Node,
}

/// Loads files and knows how to check what is in them.
pub struct Loader<'f> {
    /// All texts that were read, for diagnostics.
    pub sources: Sources,
    files: &'f dyn Files,
    model_schema: &'static Schema,
    experiment_schema: &'static Schema,
    /// The data files that models were built with.
    data: Known,
}

/// The JSON Schema of a file type.
pub fn schema_of<T: JsonSchema>(id: &str) -> serde_json::Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), id.into());
    }
    schema
}

/// The schema of model files.
pub fn model_schema() -> serde_json::Value {
    schema_of::<ModelFile>("model.schema.json")
}

/// The schema of experiment files.
pub fn experiment_schema() -> serde_json::Value {
    schema_of::<ExperimentFile>("experiment.schema.json")
}

/// A schema of our own types, prepared.
fn prepared(schema: serde_json::Value) -> Schema {
    Schema::new(schema).expect("the schema of our own types has no unknown keyword; tested")
}

static MODEL_SCHEMA: LazyLock<Schema> = LazyLock::new(|| prepared(model_schema()));
static EXPERIMENT_SCHEMA: LazyLock<Schema> = LazyLock::new(|| prepared(experiment_schema()));

impl<'f> Loader<'f> {
    /// A loader that has read nothing yet.
    pub fn new(files: &'f dyn Files) -> Self {
        Loader {
            sources: Sources::new(),
            files,
            model_schema: &MODEL_SCHEMA,
            experiment_schema: &EXPERIMENT_SCHEMA,
            data: Known::default(),
        }
    }

    /// Loads a model or an experiment.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn load(&mut self, path: &FilePath) -> Result<Document, Vec<Diagnostic>> {
        let (mut tree, hash) = self.parse(path, None)?;
        let folder = path.parent().map_or_else(PathBuf::new, FilePath::to_owned);
        let mut files = vec![(path.display().to_string(), hash)];
        let name = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("-") | None => "standard input".to_owned(),
            Some(stem) => stem.to_owned(),
        };
        let is_model = tree.entry("question").is_none() && tree.entry("clients").or(tree.entry("services")).is_some();
        if is_model {
            let about = tree.entry("about").map(|entry| to_json(&entry.value));
            let about = about.and_then(|about| about.as_str().map(str::to_owned));
            let experiment = ExperimentFile {
                question: about.unwrap_or_else(|| format!("How does {name} behave?")),
                prediction: None,
                model: ModelRef::File(path.display().to_string()),
                run: Default::default(),
                set: Default::default(),
                variants: Default::default(),
                sweep: Default::default(),
                faults: Vec::new(),
                find: None,
                metastability: None,
                expect: Vec::new(),
                select: Vec::new(),
                questions: Vec::new(),
                plots: Vec::new(),
                analysis: None,
            };
            self.embed_catalogue(&mut tree, &folder, &mut files)?;
            return Ok(Document { name, experiment, tree: None, model: tree, folder, files });
        }
        self.load_experiment(name, tree, folder, files)
    }

    fn load_experiment(
        &mut self,
        name: String,
        tree: Node,
        folder: PathBuf,
        mut files: Vec<(String, u64)>,
    ) -> Result<Document, Vec<Diagnostic>> {
        let experiment: ExperimentFile = decode(&self.check(&tree, self.experiment_schema)?, &tree)?;
        let place = Path::root().key("model");
        let (mut model, folder) = match &experiment.model {
            ModelRef::Inline(_) => (get(&tree, &place).cloned().unwrap_or_else(|| tree.clone()), folder),
            ModelRef::File(file) => {
                let path = folder.join(file);
                let (model, hash) = self.parse(&path, span_of(&tree, &place))?;
                files.push((path.display().to_string(), hash));
                (model, path.parent().map_or_else(PathBuf::new, FilePath::to_owned))
            }
        };
        self.embed_catalogue(&mut model, &folder, &mut files)?;
        let model = with_faults(model, &tree);
        Ok(Document { name, experiment, tree: Some(tree), model, folder, files })
    }

    /// Reads the catalogue of machines that a model names, if it names one, and puts it into the model.
    fn embed_catalogue(
        &mut self,
        model: &mut Node,
        folder: &FilePath,
        files: &mut Vec<(String, u64)>,
    ) -> Result<(), Vec<Diagnostic>> {
        let Some((file, span)) = catalogue::file_of(model) else { return Ok(()) };
        let path = folder.join(file);
        let (sizes, hash) = self.parse(&path, Some(span))?;
        files.push((path.display().to_string(), hash));
        catalogue::embed(model, sizes);
        Ok(())
    }

    /// Reads and parses a file; `mentioned` is where another file names it.
    fn parse(&mut self, path: &FilePath, mentioned: Option<Span>) -> Result<(Node, u64), Vec<Diagnostic>> {
        let name = path.display().to_string();
        if let Some(span) = mentioned.filter(|_| path == FilePath::new(STANDARD_INPUT)) {
            let message = "`-` would be the standard input, which a file cannot name";
            return Err(vec![Diagnostic::error(message, span).with_help("name a file (`./-` if it is called so)")]);
        }
        let bytes = self.files.read(path).map_err(|reason| {
            let span = mentioned.unwrap_or_else(|| self.nowhere());
            let message = format!("`{name}` cannot be read: {reason}");
            let help = "a path in an experiment is relative to the experiment's own file";
            let diagnostic = Diagnostic::error(message, span);
            vec![if mentioned.is_some() { diagnostic.with_help(help) } else { diagnostic }]
        })?;
        let hash = bytes.chunks(64).fold(0, |hash, chunk| named(hash, &String::from_utf8_lossy(chunk)));
        let file = self.sources.add_bytes(&name, &bytes).map_err(|diagnostic| vec![*diagnostic])?;
        Ok((parse(&self.sources, file)?, hash))
    }

    /// A place for what has none: the command line.
    fn nowhere(&mut self) -> Span {
        let file: FileId = self.sources.add("command line", "");
        Span::new(file, 0, 0)
    }

    /// Checks a tree against a schema and gives it back as JSON.
    fn check(&self, tree: &Node, schema: &Schema) -> Result<serde_json::Value, Vec<Diagnostic>> {
        let diagnostics = check(tree, schema, &check_format);
        if diagnostics.is_empty() { Ok(to_json(tree)) } else { Err(diagnostics) }
    }

    /// Builds the system of a document with some changes.
    ///
    /// # Errors
    /// Everything that is wrong with the model after the changes.
    pub fn build(&self, document: &Document, overrides: &[Override]) -> Result<Resolved, Vec<Diagnostic>> {
        self.build_tree(document, &changed(document, overrides)?)
    }

    /// Builds the system of a model's tree, which may have been changed since it was read.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn build_tree(&self, document: &Document, tree: &Node) -> Result<Resolved, Vec<Diagnostic>> {
        let mut tree = tree.clone();
        let unknown_sizes = catalogue::fill(&mut tree);
        // A file with mistakes of form can often be understood all the same; then its other mistakes are shown too.
        let mut diagnostics = check(&tree, self.model_schema, &check_format);
        diagnostics.extend(unknown_sizes);
        let file: ModelFile = match decode(&to_json(&tree), &tree) {
            Ok(file) => file,
            Err(failed) => return Err(if diagnostics.is_empty() { failed } else { diagnostics }),
        };
        let columns = Columns { files: self.files, folder: &document.folder, known: &self.data };
        match resolve(&file, &columns) {
            Ok(resolved) if diagnostics.is_empty() => Ok(resolved),
            result => {
                for problem in result.err().unwrap_or_default() {
                    let diagnostic = locate(&tree, &problem);
                    if diagnostics.iter().all(|known| known.span != diagnostic.span) {
                        diagnostics.push(diagnostic);
                    }
                }
                Err(diagnostics)
            }
        }
    }

    /// The data files (CSV columns, recordings) that models were built with since the last call, with a hash of each.
    pub fn take_data_files(&self) -> Vec<(String, u64)> {
        self.data.take_used()
    }

    /// What looks wrong in the model of a document with some changes, though it can be run.
    pub fn lint(&self, document: &Document, overrides: &[Override]) -> Vec<Diagnostic> {
        let Ok(tree) = changed(document, overrides) else { return Vec::new() };
        let Ok(file) = decode::<ModelFile>(&to_json(&tree), &tree) else { return Vec::new() };
        let warning = |problem: &Problem| Diagnostic { severity: Severity::Warning, ..locate(&tree, problem) };
        lint(&file).iter().map(warning).collect()
    }

    /// Reads an override from the command line: `KEY=VALUE`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn override_of(&mut self, text: &str) -> Result<Override, Vec<Diagnostic>> {
        let file = self.sources.add("--set", text);
        let Some((key, _)) = text.split_once('=') else {
            let diagnostic = Diagnostic::error("a change is written KEY=VALUE", Span::new(file, 0, text.len()));
            return Err(vec![diagnostic.with_help("for example --set services.shop.instances=8")]);
        };
        let span = Span::new(file, 0, key.len());
        let value = self.sources.add("--set", &text[key.len() + 1..]);
        let mut value = parse(&self.sources, value)?;
        value.span = Span::new(file, key.len() + 1, text.len());
        Ok(Override { key: key.trim().to_owned(), span, value })
    }
}

/// A model with the faults of its experiment behind its own: they are part of the system that variants change.
fn with_faults(mut model: Node, experiment: &Node) -> Node {
    let Some(faults) = experiment.entry("faults") else { return model };
    if let Value::Map(entries) = &mut model.value {
        match entries.iter_mut().find(|entry| entry.key == "faults") {
            None => entries.push(faults.clone()),
            Some(own) => {
                if let Value::List(items) = &mut own.value.value {
                    items.extend(faults.value.items().iter().cloned());
                }
            }
        }
    }
    model
}

/// The tree of a document's model with some changes.
///
/// # Errors
/// Changes that cannot be written there.
pub fn changed(document: &Document, overrides: &[Override]) -> Result<Node, Vec<Diagnostic>> {
    let mut tree = document.model.clone();
    let mut diagnostics = Vec::new();
    for Override { key, span, value } in overrides {
        match key.parse::<Path>() {
            Err(error) => diagnostics.push(Diagnostic::error(format!("`{key}` is no key: {}", error.message), *span)),
            Ok(path) => {
                if let Some(problem) = missing_part(&document.model, &path) {
                    diagnostics.push(as_diagnostic(&problem, *span));
                } else if let Err(error) = set(&mut tree, &path, value.clone()) {
                    diagnostics.push(error.diagnostic(*span));
                }
            }
        }
    }
    if diagnostics.is_empty() { Ok(tree) } else { Err(diagnostics) }
}

/// The overrides in a map of an experiment's tree.
pub fn overrides_in(tree: &Node, path: &Path) -> Vec<Override> {
    let entries = get(tree, path).map(Node::entries).unwrap_or_default();
    let change = |entry: &super::text::tree::Entry| Override {
        key: entry.key.clone(),
        span: entry.key_span,
        value: entry.value.clone(),
    };
    entries.iter().map(change).collect()
}

/// Turns checked JSON into a file type. The check guarantees success; a failure is reported all the same, at the top.
fn decode<T: DeserializeOwned>(json: &serde_json::Value, tree: &Node) -> Result<T, Vec<Diagnostic>> {
    T::deserialize(json)
        .map_err(|error| vec![Diagnostic::error(format!("the file cannot be understood: {error}"), tree.span)])
}

/// A problem as a diagnostic: at the place that its path leads to, or the nearest place above it.
fn locate(tree: &Node, problem: &Problem) -> Diagnostic {
    let mut span = tree.span;
    if let Ok(path) = problem.path.parse::<Path>() {
        let mut so_far = Path::root();
        for segment in path.segments() {
            so_far = match segment {
                Segment::Key(key) => so_far.key(key),
                Segment::Index(index) => so_far.index(*index),
            };
            match span_of(tree, &so_far) {
                Some(found) => span = found,
                None => break,
            }
        }
    }
    as_diagnostic(problem, span)
}

/// A problem as a diagnostic at a place.
pub fn as_diagnostic(problem: &Problem, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(problem.message.clone(), span);
    match &problem.help {
        Some(help) => diagnostic.with_help(help.clone()),
        None => diagnostic,
    }
}

/// A change inside a client or service that the model does not have: it would begin a new one, which is never meant.
fn missing_part(model: &Node, path: &Path) -> Option<Problem> {
    let [Segment::Key(kind), Segment::Key(name), _, ..] = path.segments() else { return None };
    let parts = &model.entry(kind).filter(|_| matches!(kind.as_str(), "clients" | "services"))?.value;
    let known = || parts.entries().iter().map(|entry| entry.key.as_str());
    let noun = kind.trim_end_matches('s');
    (!known().any(|known| known == name)).then(|| Problem::unknown("", noun, name, known()))
}

/// Checks a scalar against a quantity's format.
fn check_format(format: &str, scalar: Scalar<'_>) -> Result<(), String> {
    if !quantity::formats().contains(&format) {
        return Ok(());
    }
    let scalar = match scalar {
        Scalar::Text(text) => quantity::Scalar::Text(text),
        Scalar::Number { text, value } => quantity::Scalar::Number { text, value },
    };
    quantity::check(format, scalar).map_err(|error| error.to_string())
}

/// A scalar node at a place: text that is read as YAML would read it plainly.
pub fn scalar_node(text: &str, span: Span) -> Node {
    let number = text.parse::<f64>().ok().filter(|value| value.is_finite());
    let value = match number {
        Some(value) => Value::Number { text: text.to_owned(), value, is_integer: text.parse::<i64>().is_ok() },
        None => Value::Text { text: text.to_owned(), quoted: false },
    };
    Node { span, value }
}
