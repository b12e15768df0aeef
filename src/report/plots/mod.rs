//! From what an experiment asks to see to charts.
//!
//! A plot is one metric over a swept key, over the variants, over simulated time, as a distribution, or as a split of the
//! mean response time. Without plots, a choice is made that suits what was varied.
//!
//! Invariants: a variant has the same color in every chart of a study; every chart states what is drawn, how many
//! replications stand behind it, which interval is shown and which command made it; points of overloaded runs are drawn
//! and said to be so. A plot that the results cannot serve is an error that names the nearest known names.

mod against;
mod attribution;
mod defaults;
mod distribution;
mod groups;
mod map;
mod over;
mod places;
mod time;

use super::chart::{Axis, Chart, Layer, Scale};
use super::error::ReportError;
use super::names::{clean, clients, is_numeric, nearest, shorten};
use crate::quantity::Unit;
use crate::quantity::unit::{axis_scale, display, parse_as};
use crate::spec::experiment_file::{PlotSpec, Scalar, Spacing};
use crate::study::Study;
use crate::study::{MetricName, Point};

/// The other things than swept keys that a plot may be drawn over.
const OTHER_X: [&str; 4] = ["variant", "time", "distribution", "attribution"];
/// Rates and counts below this are not scaled on an axis.
const PLAIN_BELOW: f64 = 10_000.0;
/// Longest file stem without its number, characters.
const STEM_LIMIT: usize = 80;

/// The charts of a study with the stems of their files, in order. A stem begins with the number of its plot, holds only
/// lowercase letters, digits and hyphens, and occurs once.
///
/// # Errors
/// [`ReportError::Plot`] if a plot asks for an unknown metric, client, column or key, or has a bound that cannot be read.
pub fn charts(study: &Study) -> Result<Vec<(String, Chart)>, ReportError> {
    let defaults;
    let plots = if study.plots.is_empty() {
        defaults = defaults::plots(study);
        &defaults
    } else {
        &study.plots
    };
    draw_all(study, plots)
}

/// Charts of where the time of each client goes that [`charts`] does not have: over simulated time where that was recorded, and
/// over what was varied.
///
/// # Errors
/// As [`charts`].
pub fn attributions(study: &Study) -> Result<Vec<(String, Chart)>, ReportError> {
    let mut charts = attribution::courses(study)?;
    if study.points.len() < 2 {
        return Ok(charts);
    }
    let asked = if study.plots.is_empty() { defaults::plots(study) } else { study.plots.clone() };
    let is_asked =
        |client: &&str| asked.iter().any(|plot| plot.x.as_deref() == Some("attribution") && plot.y == *client);
    let missing = clients(study).into_iter().filter(|client| !is_asked(client)).take(defaults::CLIENT_LIMIT);
    let plot = |client: &str| defaults::plot(client, "attribution");
    charts.extend(draw_all(study, &missing.map(plot).collect::<Vec<_>>())?);
    Ok(charts)
}

fn draw_all(study: &Study, plots: &[PlotSpec]) -> Result<Vec<(String, Chart)>, ReportError> {
    let mut charts: Vec<(String, Chart)> = Vec::new();
    for (index, plot) in plots.iter().enumerate() {
        let sketch = Sketch { study, plot, number: index + 1 };
        for (what, chart) in sketch.draw()? {
            let stem = format!("{}-{}", index + 1, slug(&what));
            let taken = |stem: &str| charts.iter().any(|(other, _)| other == stem);
            let again = (2..).map(|number| format!("{stem}-{number}"));
            let unique = std::iter::once(stem.clone()).chain(again).find(|stem| !taken(stem));
            charts.push((unique.unwrap_or(stem), chart));
        }
    }
    Ok(charts)
}

/// What a plot is drawn over, or what tells its lines apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Variant,
    /// The factor with this index.
    Factor(usize),
}

/// What a plot is drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Dimension(Dimension),
    Time,
    Distribution,
    Attribution,
    /// The metric with this index.
    Metric(usize),
}

/// What stands behind the numbers of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// Means over the replications, with intervals.
    Means,
    /// Means over the replications, shown without intervals.
    PlainMeans,
    /// The requests of all replications together, without intervals.
    Pooled,
}

/// A plot about to be drawn.
struct Sketch<'a> {
    study: &'a Study,
    plot: &'a PlotSpec,
    /// Which plot of the study, from 1.
    number: usize,
}

impl<'a> Sketch<'a> {
    /// The plot's charts, each with what it shows in words for its file's name.
    fn draw(&self) -> Result<Vec<(String, Chart)>, ReportError> {
        let over = self.over()?;
        if let Some(key) = self.plot.map.as_deref() {
            let (Some(y), Over::Dimension(Dimension::Factor(x))) = (self.factor(key), over) else {
                return self.fail("a map is over two swept keys: `x` and `map`");
            };
            return map::charts(self, x, y);
        }
        let name = |x: &str| format!("{} over {x}", self.plot.y);
        let one = |x: &str, chart: Chart| vec![(name(x), chart)];
        Ok(match over {
            Over::Time => one("time", time::chart(self)?),
            Over::Distribution => vec![(format!("{} distribution", self.plot.y), distribution::chart(self)?)],
            Over::Attribution => attribution::charts(self)?,
            Over::Metric(index) => one(&self.study.metrics[index].name, against::chart(self, index)?),
            Over::Dimension(Dimension::Variant) => one("variant", places::chart(self, Dimension::Variant)?),
            Over::Dimension(Dimension::Factor(index)) => {
                let factor = &self.study.factors[index];
                let key = factor.key.split_once('.').map_or(factor.key.as_str(), |(_, rest)| rest);
                if is_numeric(factor) {
                    one(key, over::chart(self, index)?)
                } else {
                    one(key, places::chart(self, Dimension::Factor(index))?)
                }
            }
        })
    }

    fn fail<T>(&self, what: impl Into<String>) -> Result<T, ReportError> {
        let plot = format!("plot {} (y: {})", self.number, clean(&self.plot.y));
        Err(ReportError::Plot { plot, what: what.into() })
    }

    /// Says that a name is unknown, and which are near.
    fn unknown<'n, T>(
        &self,
        kind: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Result<T, ReportError> {
        let near: Vec<String> = nearest(name, known).into_iter().map(|name| format!("`{}`", clean(name))).collect();
        let hint = if near.is_empty() {
            "; there is none at all".to_owned()
        } else {
            format!("; the nearest known: {}", near.join(", "))
        };
        self.fail(format!("no {kind} is named `{}`{hint}", clean(name)))
    }

    fn factor(&self, key: &str) -> Option<usize> {
        self.study.factors.iter().position(|factor| factor.key == key)
    }

    fn metric(&self, name: &str) -> Option<usize> {
        self.study.metrics.iter().position(|metric| metric.name == name)
    }

    fn over(&self) -> Result<Over, ReportError> {
        let Some(x) = self.plot.x.as_deref() else {
            let numeric = self.study.factors.iter().position(is_numeric);
            return Ok(Over::Dimension(numeric.map_or(Dimension::Variant, Dimension::Factor)));
        };
        if let Some(index) = self.factor(x) {
            return Ok(Over::Dimension(Dimension::Factor(index)));
        }
        match x {
            "variant" => Ok(Over::Dimension(Dimension::Variant)),
            "time" => Ok(Over::Time),
            "distribution" => Ok(Over::Distribution),
            "attribution" => Ok(Over::Attribution),
            _ if let Some(index) = self.metric(x) => Ok(Over::Metric(index)),
            _ => self.unknown("swept key", x, self.study.factors.iter().map(|f| f.key.as_str()).chain(OTHER_X)),
        }
    }

    /// What tells the lines apart, if the plot says so.
    fn by(&self) -> Result<Option<Dimension>, ReportError> {
        match self.plot.by.as_deref() {
            None => Ok(None),
            Some("variant") => Ok(Some(Dimension::Variant)),
            Some(key) => match self.factor(key) {
                Some(index) => Ok(Some(Dimension::Factor(index))),
                None => {
                    let keys = self.study.factors.iter().map(|factor| factor.key.as_str());
                    self.unknown("swept key", key, keys.chain(["variant"]))
                }
            },
        }
    }

    /// The index and unit of `y` among metrics or columns.
    fn find(&self, kind: &str, known: &[MetricName]) -> Result<(usize, Unit), ReportError> {
        match known.iter().position(|metric| metric.name == self.plot.y) {
            Some(index) => Ok((index, known[index].unit)),
            None => self.unknown(kind, &self.plot.y, known.iter().map(|metric| metric.name.as_str())),
        }
    }

    /// `y` as a client's name.
    fn client(&self) -> Result<&'a str, ReportError> {
        let known = clients(self.study);
        match known.iter().find(|name| **name == self.plot.y) {
            Some(name) => Ok(name),
            None => self.unknown("client", &self.plot.y, known),
        }
    }

    /// A bound of the plot in base units.
    fn read(&self, key: &str, value: &Scalar, unit: Unit) -> Result<f64, ReportError> {
        let text = match value {
            Scalar::Number(number) => number.to_string(),
            Scalar::Text(text) => text.clone(),
        };
        match parse_as(&text, unit) {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => self.fail(format!("{key}: {text} is not finite")),
            Err(error) => self.fail(format!("{key}: {error}")),
        }
    }

    /// A chart with title, subtitle (what is drawn and how sure it is) and caption (notes and where it is from).
    fn frame(&self, what: &str, numbers: Numbers, points: &[&Point], mut notes: Vec<String>) -> Chart {
        let run = &self.study.run;
        if points.iter().any(|point| point.overload.is_some()) {
            notes.push("Overloaded points are shown at what was measured within the window.".to_owned());
        }
        let title = self.plot.title.as_deref().unwrap_or(&self.study.question);
        let provenance = &self.study.provenance;
        let command = shorten(&clean(&provenance.command), 140);
        notes.push(format!("{command} · seed {} · scalelab {}", run.seed, clean(&provenance.version)));
        let sure = match numbers {
            _ if run.replications <= 1 => "one replication".to_owned(),
            Numbers::Means => {
                let confidence = display(run.confidence, Unit::Share);
                format!("mean of {} replications, {confidence} interval", run.replications)
            }
            Numbers::PlainMeans => format!("mean of {} replications", run.replications),
            Numbers::Pooled => format!("{} replications together", run.replications),
        };
        Chart {
            title: clean(title),
            subtitle: format!("{}; {sure}", clean(what)),
            caption: notes.join(" "),
            ..Chart::default()
        }
    }

    /// The y axis for values up to `most`, and what to multiply them by; heeds the plot's scale and `up_to`.
    fn y_axis(&self, label: String, values: &[f64], unit: Unit) -> Result<(Axis, f64), ReportError> {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let up_to = self.plot.up_to.as_ref().map(|value| self.read("up_to", value, unit)).transpose()?;
        let most = up_to.unwrap_or_else(|| finite().fold(0.0, |most, value| most.max(value.abs())));
        let (factor, symbol) = scale_of(most, unit);
        let log = self.plot.scale == Spacing::Log;
        let mut axis = Axis { scale: if log { Scale::Log } else { Scale::Linear }, ..axis(label, symbol) };
        let least = finite().filter(|value| !log || *value > 0.0).fold(f64::INFINITY, f64::min);
        let lowest = if log { decade_below(least) } else { least.min(0.0) };
        // A share that comes near the whole is drawn up to the whole and no further.
        let up_to = up_to.or((unit == Unit::Share && !log && (0.6..=1.0).contains(&most)).then_some(1.0));
        axis.range =
            up_to.map(|up_to| (lowest * factor, up_to * factor)).filter(|(low, high)| low.is_finite() && low < high);
        Ok((axis, factor))
    }

    /// The plot's SLO as a labeled line.
    fn slo(&self, unit: Unit, factor: f64) -> Result<Option<Layer>, ReportError> {
        let Some(slo) = &self.plot.slo else { return Ok(None) };
        let value = self.read("slo", slo, unit)?;
        Ok(Some(Layer::HorizontalRule { y: value * factor, label: format!("SLO {}", display(value, unit)) }))
    }
}

/// What to multiply values up to `most` by, and their unit. Rates and counts stay as they are written in files for longer
/// than single values do in text: an axis up to `1600` is easier to compare with a level `800/s` than one up to `1.6k`.
fn scale_of(most: f64, unit: Unit) -> (f64, &'static str) {
    let is_plain = matches!(unit, Unit::PerSecond | Unit::Count) && most < PLAIN_BELOW;
    axis_scale(if is_plain { 1.0 } else { most }, unit)
}

/// A linear axis; units that stand behind a number without a word get one (`/s` is `1/s`).
fn axis(label: String, symbol: &str) -> Axis {
    let one = if symbol.starts_with('/') { "1" } else { "" };
    Axis::linear(label, format!("{one}{symbol}"))
}

/// The power of ten at or below a value.
fn decade_below(value: f64) -> f64 {
    libm::pow(10.0, libm::floor(libm::log10(value)))
}

/// The text in lowercase letters, digits and single hyphens.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= STEM_LIMIT {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "chart".to_owned() } else { slug.to_owned() }
}
