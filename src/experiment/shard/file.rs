//! The file of a share: a head, a line per run, an end.
//!
//! Lines are framed by [`super::lines`]. The head says what the runs belong to; a run holds its values, the counts of its
//! histograms, the sums of its ledgers and its time series, exactly; the end holds the number of runs and a checksum of all before it.
//! Runs stand in the order of their points and replications, so the same share gives the same bytes.
//!
//! Points are numbered through the variants and the levels of the factors, the last factor fastest, as in `points.csv`.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::lines::{checksum, first, line};
use super::{ShardError, Share};
use crate::engine::hash::Hash;
use crate::experiment::design::Design;
use crate::experiment::estimate::{Finished, Growth};
use crate::measure::{Attribution, Histogram};
use crate::model::system::record::Ending;
use crate::spec::load::Document;
use crate::study::{Factor, FileHash, MetricName, Run, RunPlan};

/// What a file of runs calls itself.
const FORMAT: &str = "scalelab runs";

/// The version of its layout; grows when a reader would have to change.
const LAYOUT: u32 = 1;

/// How an experiment was called: what is needed to design it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The experiment's or model's file.
    pub file: String,
    /// Another seed than the file's.
    pub seed: Option<u64>,
    /// Another number of replications.
    pub replications: Option<u32>,
    /// Whether the run is a short one.
    pub quick: bool,
    /// Changes to the model.
    pub set: Vec<String>,
}

/// What the runs of a file belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Always `scalelab runs`.
    pub format: String,
    /// The version of the layout.
    pub layout: u32,
    /// The version of scalelab.
    pub version: String,
    /// The experiment.
    pub experiment: String,
    /// The command that one machine would run.
    pub command: String,
    /// The same for programs.
    pub origin: Origin,
    /// Identifies the plan: everything that the results depend on.
    pub plan: String,
    /// Which share this is.
    pub share: Share,
    /// The runs of this share, and of all shares.
    pub runs: [u64; 2],
    /// The files that were read.
    pub files: Vec<FileHash>,
    /// Times, replications, seed.
    pub run: RunPlan,
    /// The variants.
    pub variants: Vec<String>,
    /// The swept keys.
    pub factors: Vec<Factor>,
    /// What the values of a run are.
    pub metrics: Vec<MetricName>,
    /// What the values of a row of a time series can be; a run has those of its own parts, in this order.
    pub columns: Vec<MetricName>,
}

impl Head {
    /// The head of a share with so many runs.
    pub fn new(document: &Document, design: &Design, command: &str, origin: Origin, share: Share, runs: usize) -> Self {
        let mut variants: Vec<String> = design.points.iter().map(|point| point.variant.clone()).collect();
        variants.dedup();
        let hash = |(name, hash): &(String, u64)| FileHash { name: name.clone(), hash: format!("{hash:016x}") };
        Head {
            format: FORMAT.to_owned(),
            layout: LAYOUT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: document.name.clone(),
            command: command.to_owned(),
            origin,
            plan: plan_hash(document, design, command),
            share,
            runs: [runs as u64, design.points.len() as u64 * design.run.replications],
            files: document.files.iter().chain(&design.data).map(hash).collect(),
            run: design.run,
            variants,
            factors: design.factors.clone(),
            metrics: design.metrics.clone(),
            columns: design.columns.clone(),
        }
    }

    /// The head as a line.
    pub fn line(&self) -> String {
        line(&json(self))
    }

    /// Reads the text of a line.
    ///
    /// # Errors
    /// If it is no head, or one of another layout.
    pub fn read(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Known {
            format: String,
            layout: u32,
        }
        let known: Option<Known> = serde_json::from_str(text).ok().filter(|known: &Known| known.format == FORMAT);
        let known = known.ok_or("it is no file of runs")?;
        if known.layout != LAYOUT {
            return Err(format!("it has layout {}, and only {LAYOUT} can be read", known.layout));
        }
        serde_json::from_str(text).map_err(|error| format!("its head cannot be read: {error}"))
    }
}

/// Identifies a plan: version, command, files, times, seed, points, metrics.
fn plan_hash(document: &Document, design: &Design, command: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (files, data, plan, run) = (&document.files, &design.data, &design.plan, &design.run);
    let mut text = format!("{LAYOUT} {version} {} {command} {files:?} {data:?} {plan:?} {run:?}", document.name);
    text.push_str(&format!(" {} {:?} {:?} {:?}", design.series, design.factors, design.metrics, design.columns));
    let mut hash = Hash::Xxhash.of(text.as_bytes(), 0);
    for point in &design.points {
        hash = Hash::Xxhash.of(format!("{} {:?}", point.variant, point.levels).as_bytes(), hash);
    }
    format!("{hash:016x}")
}

/// Which run a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Key {
    /// The number of its point.
    pub point: usize,
    /// Its replication.
    pub replication: u64,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    /// The number of runs.
    end: u64,
    /// The checksum of all lines before.
    checksum: String,
}

/// Something as JSON.
fn json<T: Serialize>(value: &T) -> String {
    // Keys are text and numbers are plain: there is nothing that JSON could refuse.
    serde_json::to_string(value).unwrap_or_default()
}

/// A number, to the last bit: JSON has no word for those that are not finite.
#[derive(Debug, Clone, Copy)]
struct Exact(f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Exact(value)),
            Written::Word(word) => word.parse().map(Exact).map_err(serde::de::Error::custom),
        }
    }
}

/// A run as it stands in a line.
#[derive(Debug, Serialize, Deserialize)]
struct RunLine {
    point: usize,
    replication: u64,
    fingerprint: String,
    ending: Ending,
    events: u64,
    values: Vec<Option<Exact>>,
    clients: Vec<ClientLine>,
    series: Vec<Vec<Exact>>,
}

/// A client's part of it.
#[derive(Debug, Serialize, Deserialize)]
struct ClientLine {
    /// Numbers of buckets of response times, and counts.
    latencies: Vec<(usize, u64)>,
    /// Numbers of size classes; requests, and per account their time [ns].
    time: Vec<(usize, Vec<u64>)>,
    /// How fast the backlog grew [1/s], and whether that is an overload.
    backlog: (Exact, bool),
}

/// A finished run as a line.
pub fn run_line(point: usize, finished: &Finished) -> String {
    let client = |number: usize| ClientLine {
        latencies: finished.latencies[number].numbered().collect(),
        time: finished.attributions[number].numbered().map(|(class, row)| (class, row.to_vec())).collect(),
        backlog: (Exact(finished.growth[number].rate), finished.growth[number].overload),
    };
    let Run { replication, fingerprint, ending, events, values } = &finished.run;
    line(&json(&RunLine {
        point,
        replication: *replication,
        fingerprint: fingerprint.clone(),
        ending: *ending,
        events: *events,
        values: values.iter().map(|value| value.map(Exact)).collect(),
        clients: (0..finished.latencies.len()).map(client).collect(),
        series: finished.series.iter().map(|row| row.iter().copied().map(Exact).collect()).collect(),
    }))
}

/// The run of a line's text.
///
/// # Errors
/// If it does not fit the design.
pub fn read_run(text: &str, design: &Design) -> Result<Finished, String> {
    let line: RunLine = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let point = design.points.get(line.point).ok_or("it is of a point that does not exist")?;
    let accounts = point.blueprint.program.accounts.len();
    let fits = |rows: &[Vec<Exact>]| rows.iter().all(|row| row.len() == point.columns.len());
    if line.values.len() != design.metrics.len() || !fits(&line.series) {
        return Err("it has other metrics than the experiment".to_owned());
    }
    if line.clients.len() != point.blueprint.clients.len() {
        return Err("it has other clients than the experiment".to_owned());
    }
    let (mut attributions, mut latencies, mut growth) = (Vec::new(), Vec::new(), Vec::new());
    for client in &line.clients {
        let rows = client.time.iter().map(|(class, row)| (*class, row.as_slice()));
        attributions.push(Attribution::from_numbered(accounts, rows).ok_or("its ledgers do not fit the model")?);
        latencies
            .push(Histogram::from_numbered(client.latencies.iter().copied()).ok_or("its histograms are impossible")?);
        growth.push(Growth { rate: client.backlog.0.0, overload: client.backlog.1 });
    }
    let run = Run {
        replication: line.replication,
        fingerprint: line.fingerprint,
        ending: line.ending,
        events: line.events,
        values: line.values.into_iter().map(|value| value.map(|exact| exact.0)).collect(),
    };
    let series = line.series.into_iter().map(|row| row.into_iter().map(|exact| exact.0).collect()).collect();
    Ok(Finished { run, attributions, latencies, series, growth, detail: None })
}

/// What a file was found to hold.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Its head.
    pub head: Head,
    /// Its runs: which, where the text begins [byte], and how long it is [bytes].
    pub runs: Vec<(Key, u64, usize)>,
    /// How far its lines are whole [bytes].
    pub good: usize,
    /// Whether it has its end, and nothing is wrong with it; otherwise what is.
    pub whole: Result<(), String>,
}

/// Looks through a file: its head and its runs, as far as they are whole.
///
/// # Errors
/// If it has no head.
pub fn look(bytes: &[u8]) -> Result<Contents, String> {
    let (text, mut at) = first(bytes).ok_or("its first line is torn")?;
    let head = Head::read(text)?;
    let mut runs: Vec<(Key, u64, usize)> = Vec::new();
    let whole = loop {
        if at == bytes.len() {
            break Err(format!("it ends after {} of {} runs", runs.len(), head.runs[0]));
        }
        let Some((text, length)) = first(&bytes[at..]) else {
            break Err(format!("it is torn or changed after {} of {} runs", runs.len(), head.runs[0]));
        };
        if let Ok(End { end, checksum: expected }) = serde_json::from_str(text) {
            let complete = end == runs.len() as u64 && end == head.runs[0] && at + length == bytes.len();
            let unchanged = expected == checksum(&bytes[..at]);
            break if complete && unchanged { Ok(()) } else { Err("its end does not fit it".to_owned()) };
        }
        match serde_json::from_str::<Key>(text) {
            Ok(key) => runs.push((key, (at + length - 1 - text.len()) as u64, text.len())),
            Err(error) => break Err(format!("after {} runs: {error}", runs.len())),
        }
        at += length;
    };
    Ok(Contents { head, runs, good: at, whole })
}

/// The whole file of a share: its journal in order, with its end.
pub fn finished_file(journal: &[u8], contents: &Contents) -> Vec<u8> {
    let mut runs = contents.runs.clone();
    runs.sort_unstable();
    let mut bytes = contents.head.line().into_bytes();
    for (_, start, length) in &runs {
        let text = *start as usize..*start as usize + length;
        bytes.extend(line(&String::from_utf8_lossy(&journal[text])).into_bytes());
    }
    let end = End { end: runs.len() as u64, checksum: checksum(&bytes) };
    bytes.extend(line(&json(&end)).into_bytes());
    bytes
}

/// That a file belongs to the same plan as another, or what tells them apart.
pub fn difference(one: &Head, other: &Head) -> Option<String> {
    fn told<T: PartialEq + Display>(what: &str, one: &T, other: &T) -> Option<String> {
        (one != other).then(|| format!("{what} {one} and {other}"))
    }
    let file = one.files.iter().zip(&other.files).find(|(one, other)| one != other);
    told("experiments", &one.experiment, &other.experiment)
        .or_else(|| told("versions", &one.version, &other.version))
        .or_else(|| told("commands", &format!("`{}`", one.command), &format!("`{}`", other.command)))
        .or_else(|| file.map(|(file, _)| format!("contents of `{}`", file.name)))
        .or_else(|| told("plans", &one.plan, &other.plan))
}

/// A message about a file.
pub(super) fn refused(path: &std::path::Path, what: impl Display) -> ShardError {
    ShardError::Refused(format!("`{}`: {what}", path.display()))
}
