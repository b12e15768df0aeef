//! What several kinds of tests need: models as text, runs of the library, folders and the program itself.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use scalelab::experiment::conduct;
use scalelab::experiment::design::{Design, Options, design};
use scalelab::experiment::runner::Unobserved;
use scalelab::measure::Kind;
use scalelab::model::blueprint::Agent;
use scalelab::model::fault::{Effect, FaultPlan, Times};
use scalelab::model::system::{Plan, Record, System, metrics};
use scalelab::model::{Blueprint, system};
use scalelab::spec::load::{Document, Files, Loader};
use scalelab::spec::text::diagnostic::render;
use scalelab::study::Study;

/// A second of simulated time [ns].
pub const SECOND: u64 = 1_000_000_000;

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files that exist in memory only.
#[derive(Default)]
pub struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    /// One file.
    pub fn of(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Memory::default().and(name, content)
    }

    /// These files and another one.
    pub fn and(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(PathBuf::from(name), content.into());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }
}

/// Loads and designs a file, or says in text what is wrong with it.
pub fn try_design(files: &dyn Files, name: &str, options: &Options) -> Result<(Document, Design), String> {
    let mut loader = Loader::new(files);
    let designed = loader.load(Path::new(name)).and_then(|document| {
        let design = design(&loader, &document, options)?;
        Ok((document, design))
    });
    designed.map_err(|diagnostics| render(&diagnostics, &loader.sources, false))
}

/// Runs a designed experiment on one thread.
pub fn answer(document: &Document, design: &Design) -> Study {
    conduct(document, design, "test", 1, &Unobserved, &AtomicBool::new(false)).expect("all laws hold")
}

/// Runs an experiment written as text.
pub fn study(text: &str) -> Study {
    let (document, design) = try_design(&Memory::of("e.yaml", text), "e.yaml", &Options::default())
        .unwrap_or_else(|error| panic!("{error}"));
    answer(&document, &design)
}

/// Compiles a model written as text.
pub fn blueprint(text: &str) -> Blueprint {
    let memory = Memory::of("m.yaml", text);
    let mut loader = Loader::new(&memory);
    let built = loader.load(Path::new("m.yaml")).and_then(|document| loader.build(&document, &[]));
    match built {
        Ok(resolved) => resolved.blueprint,
        Err(diagnostics) => panic!("{}", render(&diagnostics, &loader.sources, false)),
    }
}

/// A plan without warm-up: so many seconds of window, and as many of drain at most.
pub fn plan(seconds: u64) -> Plan {
    let window = seconds * SECOND;
    Plan { interval: window / 10, ..Plan::measuring(window) }
}

/// A run of a model.
pub struct Ran {
    /// The model.
    pub blueprint: Blueprint,
    /// What the run left.
    pub record: Record,
    values: BTreeMap<String, Option<f64>>,
}

/// Runs a model written as text.
pub fn ran(model: &str, plan: Plan) -> Ran {
    try_ran(model, plan).unwrap_or_else(|violation| panic!("{violation}\n{model}"))
}

/// Runs a model written as text; what it breaks is the error.
pub fn try_ran(model: &str, plan: Plan) -> Result<Ran, system::Violation> {
    try_ran_of(blueprint(model), plan)
}

/// Runs a model with crashes of instances of its first service: the instance, when it dies, how long it is gone [ns].
pub fn ran_with(model: &str, crashes: &[(u32, u64, Option<u64>)], plan: Plan) -> Ran {
    let mut blueprint = blueprint(model);
    let crash = |&(instance, at, lasting): &(u32, u64, Option<u64>)| {
        let plan = FaultPlan {
            label: format!("crash {instance}"),
            times: Times::Scheduled { at, lasting, every: None },
            targets: vec![(0, instance)],
            links: Vec::new(),
            share: 1.0,
            effects: vec![Effect::Close, Effect::Kill],
            notice: None,
        };
        Agent::Fault(Box::new(plan))
    };
    blueprint.agents.extend(crashes.iter().map(crash));
    try_ran_of(blueprint, plan).unwrap_or_else(|violation| panic!("{violation}\n{model}"))
}

fn try_ran_of(blueprint: Blueprint, plan: Plan) -> Result<Ran, system::Violation> {
    let record = System::new(&blueprint, plan).run(&|| false)?;
    let names = metrics::names(&blueprint).into_iter().map(|name| name.name);
    let values = names.zip(metrics::values(&record)).collect();
    Ok(Ran { blueprint, record, values })
}

impl Ran {
    /// The value of a metric, if it has one.
    pub fn get(&self, metric: &str) -> Option<f64> {
        *self.values.get(metric).unwrap_or_else(|| panic!("there is no metric {metric}"))
    }

    /// The value of a metric that has one.
    pub fn value(&self, metric: &str) -> f64 {
        self.get(metric).unwrap_or_else(|| panic!("{metric} is missing"))
    }

    /// The values of several metrics; NaN for one that has none.
    pub fn values(&self, metrics: &[&str]) -> Vec<f64> {
        metrics.iter().map(|metric| self.get(metric).unwrap_or(f64::NAN)).collect()
    }

    /// All metrics whose names begin so.
    pub fn of(&self, part: &str) -> Vec<(&str, Option<f64>)> {
        let of = self.values.iter().filter(|(name, _)| name.starts_with(part));
        of.map(|(name, value)| (name.as_str(), *value)).collect()
    }

    /// Where the mean response time of a client's successful requests went [s], by `part.resource kind`; parts of nothing
    /// are left out.
    pub fn split(&self, client: usize) -> BTreeMap<String, f64> {
        let split = self.record.clients[client].attribution.slowest(1.0).map(|split| split.seconds).unwrap_or_default();
        let accounts = self.blueprint.program.accounts.iter().zip(split).filter(|(_, seconds)| *seconds > 0.0);
        accounts
            .map(|(account, seconds)| {
                let kind = if account.kind == Kind::Waiting { "waiting" } else { "service" };
                (format!("{}.{} {kind}", account.part, account.resource), seconds)
            })
            .collect()
    }
}

/// Asserts that two values are equal but for the rounding of a few floating-point operations.
#[track_caller]
pub fn same(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1e-9), "{actual} is not {expected}");
}

/// A folder of its own for a test, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder.
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("scalelab-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for temporary files can be written");
        Folder(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and the folders that it needs.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        let folder = path.parent().expect("a file stands in a folder");
        std::fs::create_dir_all(folder).expect("a folder can be made");
        std::fs::write(&path, content).expect("a file can be written");
        path
    }

    /// Reads a file as text.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// All files below a folder: relative name and content, in order. Missing folders hold nothing.
    pub fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let start = self.0.join(below);
        collect(&start, &start, &mut found);
        found
    }

    /// Runs the program here and waits for it, for a minute at most.
    pub fn scalelab(&self, arguments: &[&str]) -> Ended {
        self.scalelab_with(arguments, &[], b"")
    }

    /// The same with environment variables and a standard input.
    pub fn scalelab_with(&self, arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Ended {
        let mut child = self.start(arguments, environment);
        // A program that does not read its input closes the pipe; that is its right.
        let _ = child.stdin.take().expect("the input is a pipe").write_all(input);
        wait(child, Duration::from_secs(60))
    }

    /// Starts the program here, with pipes on all sides.
    pub fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scalelab"));
        command.args(arguments).current_dir(&self.0);
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS", "CLICOLOR"] {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn collect(start: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(start, &path, found);
        } else {
            let name = path.strip_prefix(start).expect("it stands below").to_string_lossy().into_owned();
            found.insert(name, std::fs::read(&path).expect("it can be read"));
        }
    }
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ended {
    /// Asserts the exit status and that it did not panic.
    #[track_caller]
    pub fn with(self, status: i32) -> Self {
        assert!(!self.err.contains("panicked"), "{self:?}");
        assert_eq!(self.status, Some(status), "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }
}

/// Waits for the program; ends it and fails if it takes longer than allowed.
pub fn wait(mut child: Child, allowed: Duration) -> Ended {
    // The pipes are emptied by threads, so that a program that prints much is not stopped by a full one.
    let [out, err] = [
        child.stdout.take().map(|mut pipe| std::thread::spawn(move || read_all(&mut pipe))),
        child.stderr.take().map(|mut pipe| std::thread::spawn(move || read_all(&mut pipe))),
    ];
    let text = |thread: Option<std::thread::JoinHandle<Vec<u8>>>| {
        let bytes = thread.map(|thread| thread.join().expect("a pipe can be read")).unwrap_or_default();
        String::from_utf8(bytes).expect("the program prints text")
    };
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            return Ended { status: status.code(), out: text(out), err: text(err) };
        }
        if begin.elapsed() > allowed {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the program ran for more than {allowed:?}; it printed:\n{}\n{}", text(out), text(err));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(pipe: &mut impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    bytes
}

/// All files with this ending below a folder of the project, in order.
pub fn project_files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = BTreeMap::new();
    let start = root().join(folder);
    collect(&start, &start, &mut found);
    // What cargo builds for the peers lies among their files.
    let ours =
        |name: &String| name.ends_with(ending) && !name.split('/').any(|part| part == "target" || part == ".venv");
    found.into_keys().filter(ours).map(|name| start.join(name)).collect()
}

/// The output of another program; `None` if it cannot be started.
pub fn other(program: &str, arguments: &[&str]) -> Option<Output> {
    Command::new(program).args(arguments).output().ok()
}
