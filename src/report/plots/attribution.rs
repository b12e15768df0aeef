//! Where the mean response time of a client goes: parts of a whole, waiting and service told apart.

use super::super::chart::{Axis, Chart, Layer, Role, Series};
use super::super::names::{clean, factor_words, is_numeric, shorten};
use super::groups::Group;
use super::over::x_axis;
use super::{Dimension, Numbers, ReportError, Sketch, scale_of};
use crate::measure::Kind;
use crate::quantity::Unit;
use crate::study::Study;
use crate::study::{Course, Point, Share};

/// Time that is lost, and time that is spent on the request.
const LOST: &[Kind] = &[Kind::Waiting, Kind::Backoff];
const SPENT: &[Kind] = &[Kind::Service, Kind::Delay, Kind::Network];

/// Colors of waiting (warm) and of service (cool), by size.
const WAITING: [usize; 4] = [1, 4, 7, 3];
const SERVICE: [usize; 4] = [0, 2, 5, 6];
/// Most charts of one plot.
const CHART_LIMIT: usize = 8;
/// How many times higher than all others overloaded points may be before they are cut.
const OVERSHOOT: f64 = 2.5;
/// Longest name of an account, characters.
const NAME_LIMIT: usize = 40;
/// Accounts with less than this part of the time in every point are added to the others.
const NEGLIGIBLE: f64 = 0.002;

/// How to read the colors.
const COLORS: &str = "Warm colors are waiting, cool colors service.";

/// A part of the stack: accounts that are drawn as one.
struct Part {
    name: String,
    role: Role,
    /// Part, resource and kind of each.
    accounts: Vec<(String, String, Kind)>,
    total: f64,
}

pub(super) fn charts(sketch: &Sketch<'_>) -> Result<Vec<(String, Chart)>, ReportError> {
    let client = sketch.client()?;
    let study = sketch.study;
    let by = sketch.by()?;
    let numeric = (0..study.factors.len()).find(|index| {
        let factor = &study.factors[*index];
        by != Some(Dimension::Factor(*index)) && is_numeric(factor) && factor.levels.len() > 1
    });
    let name = format!("{client} attribution");
    let Some(index) = numeric else {
        return Ok(vec![(name, bars(sketch, client)?)]);
    };
    let points: Vec<&Point> = study.points.iter().collect();
    let mut groups = sketch.groups(&points, Some(Dimension::Factor(index)))?;
    let count = groups.len();
    groups.truncate(CHART_LIMIT);
    let (most, is_cut) = most(&points, client);
    let parts = parts(&points, client);
    let chart = |group: &Group<'_>| -> Result<(String, Chart), ReportError> {
        let mut chart = area(sketch, group, client, index, &parts, most)?;
        if (count > 1 || is_cut) && chart.y.range.is_none() && most > 0.0 {
            // One range for all charts of the plot, so that they can be compared.
            let scale = scale_of(most, Unit::Seconds).0;
            chart.y.range = Some((0.0, round_up(most * scale)));
        }
        if count > CHART_LIMIT {
            chart.caption = format!("Only the first {CHART_LIMIT} of {count} charts are drawn. {}", chart.caption);
        }
        Ok((format!("{name} {}", group.name).trim_end().to_owned(), chart))
    };
    groups.iter().map(chart).collect()
}

/// The greatest mean response time to make room for, and whether some are greater: where overloaded points would leave
/// no room to read the others, the others decide.
fn most(points: &[&Point], client: &str) -> (f64, bool) {
    let greatest = |points: &mut dyn Iterator<Item = &&Point>| {
        points.map(|point| total(entries(point, client))).fold(0.0, f64::max)
    };
    let all = greatest(&mut points.iter());
    let stable = greatest(&mut points.iter().filter(|point| point.overload.is_none()));
    let is_cut = stable > 0.0 && all > OVERSHOOT * stable;
    (if is_cut { stable } else { all }, is_cut)
}

fn entries<'p>(point: &'p Point, client: &str) -> &'p [Share] {
    let own = point.attributions.iter().find(|attribution| attribution.client == client);
    own.map_or(&[], |own| own.entries.as_slice())
}

fn total(entries: &[Share]) -> f64 {
    entries.iter().map(|entry| entry.all).sum()
}

/// The parts to draw, greatest first: at most four of waiting and four of service, the smallest of each added up.
fn parts(points: &[&Point], client: &str) -> Vec<Part> {
    let mut accounts: Vec<(&Share, f64, f64)> = Vec::new();
    for point in points {
        let entries = entries(point, client);
        let whole = total(entries);
        for entry in entries {
            let share = if whole > 0.0 { entry.all / whole } else { 0.0 };
            let same = |other: &&mut (&Share, f64, f64)| {
                (&other.0.part, &other.0.resource, other.0.kind) == (&entry.part, &entry.resource, entry.kind)
            };
            match accounts.iter_mut().find(same) {
                Some((_, sum, most)) => (*sum, *most) = (*sum + entry.all, most.max(share)),
                None => accounts.push((entry, entry.all, share)),
            }
        }
    }
    // A stable sort: of equal accounts, the one recorded first lies lower.
    accounts.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut parts: Vec<Part> = Vec::new();
    for (kinds, word, colors) in [(LOST, "waiting", WAITING), (SPENT, "service", SERVICE)] {
        let own: Vec<_> = accounts.iter().filter(|account| kinds.contains(&account.0.kind)).collect();
        let large = own.iter().filter(|account| account.2 >= NEGLIGIBLE).count();
        let single =
            if own.len() > colors.len() || large < own.len() { large.min(colors.len() - 1) } else { own.len() };
        let key = |entry: &Share| (entry.part.clone(), entry.resource.clone(), entry.kind);
        for (number, (entry, sum, _)) in own[..single].iter().enumerate() {
            let name = shorten(&clean(&format!("{}.{}", entry.part, entry.resource)), NAME_LIMIT);
            parts.push(Part {
                name: format!("{name} {}", entry.kind.word()),
                role: Role::Series(colors[number]),
                accounts: vec![key(entry)],
                total: *sum,
            });
        }
        let rest = &own[single..];
        if !rest.is_empty() {
            parts.push(Part {
                name: format!("other {word}"),
                role: Role::Series(colors[single]),
                accounts: rest.iter().map(|account| key(account.0)).collect(),
                total: rest.iter().map(|account| account.1).sum(),
            });
        }
    }
    parts.sort_by(|a, b| b.total.total_cmp(&a.total));
    parts
}

/// The time of a part at a point.
fn time_of(part: &Part, entries: &[Share], time: fn(&Share) -> f64) -> f64 {
    let own = |entry: &&Share| {
        part.accounts
            .iter()
            .any(|(name, resource, kind)| (name, resource, *kind) == (&entry.part, &entry.resource, entry.kind))
    };
    entries.iter().filter(own).map(time).sum()
}

/// One group over a numeric factor.
fn area(
    sketch: &Sketch<'_>,
    group: &Group<'_>,
    client: &str,
    index: usize,
    parts: &[Part],
    most: f64,
) -> Result<Chart, ReportError> {
    let factor = &sketch.study.factors[index];
    let (x, x_factor) = x_axis(factor);
    let (mut y, y_factor) = sketch.y_axis("mean response time".to_owned(), &[most], Unit::Seconds)?;
    y.scale = super::Scale::Linear;
    let value = |point: &&&Point| factor.levels.get(*point.levels.get(index)?)?.value;
    // Points without any successful request have no split to show.
    let mut places: Vec<(f64, &Point)> = group
        .points
        .iter()
        .filter(|point| total(entries(point, client)) > 0.0)
        .filter_map(|point| Some((value(&point)? * x_factor, *point)))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places.dedup_by(|a, b| a.0 == b.0);
    let series = parts.iter().map(|part| Series {
        color: Some(part.role),
        ..Series::new(
            part.name.clone(),
            places.iter().map(|(_, point)| time_of(part, entries(point, client), |e| e.all) * y_factor).collect(),
        )
    });
    // Parts that do not occur in this group would only add labels.
    let series: Vec<Series> = series.filter(|series| series.values.iter().any(|value| *value > 0.0)).collect();
    let mut layers = vec![Layer::StackedArea { xs: places.iter().map(|place| place.0).collect(), series }];
    layers.extend(sketch.slo(Unit::Seconds, y_factor)?);
    let whose = if group.name.is_empty() { String::new() } else { format!(", {}", group.name) };
    let what = format!("where the response time of {client} goes, over {}{whose}", factor_words(factor));
    let mut chart = sketch.frame(&what, Numbers::Pooled, &group.points, vec![COLORS.to_owned()]);
    (chart.x, chart.y, chart.layers) = (x, y, layers);
    Ok(chart)
}

/// A bar per variant; a single point has a bar for all requests and one for the slowest.
fn bars(sketch: &Sketch<'_>, client: &str) -> Result<Chart, ReportError> {
    let (groups, mut held) = sketch.single_points()?;
    let points: Vec<&Point> = groups.iter().flat_map(|group| group.points.iter().copied()).collect();
    let all: fn(&Share) -> f64 = |entry| entry.all;
    let slowest: fn(&Share) -> f64 = |entry| entry.slowest;
    type Bar<'p> = (String, &'p [Share], fn(&Share) -> f64);
    let bars: Vec<Bar<'_>> = match points.as_slice() {
        [point] => vec![
            ("all requests".to_owned(), entries(point, client), all),
            ("slowest 5 %".to_owned(), entries(point, client), slowest),
        ],
        _ => groups.iter().zip(&points).map(|(g, point)| (g.name.clone(), entries(point, client), all)).collect(),
    };
    let sums: Vec<f64> = bars.iter().map(|(_, entries, time)| entries.iter().map(time).sum()).collect();
    let (mut y, factor) = sketch.y_axis("mean response time".to_owned(), &sums, Unit::Seconds)?;
    y.scale = super::Scale::Linear;
    let series = parts(&points, client).into_iter().map(|part| Series {
        color: Some(part.role),
        ..Series::new(
            part.name.clone(),
            bars.iter().map(|(_, entries, time)| time_of(&part, entries, *time) * factor).collect(),
        )
    });
    let mut layers = vec![Layer::StackedBars(series.collect())];
    layers.extend(sketch.slo(Unit::Seconds, factor)?);
    let by = sketch.by_words(groups.len())?;
    held.insert(0, format!("where the response time of {client} goes{by}"));
    let mut chart = sketch.frame(&held.join(", "), Numbers::Pooled, &points, vec![COLORS.to_owned()]);
    chart.x = Axis::categories("", bars.iter().map(|(name, _, _)| shorten(name, NAME_LIMIT)));
    (chart.y, chart.layers) = (y, layers);
    Ok(chart)
}

/// Where the time of a client goes over simulated time, at the points for which that was recorded.
pub(super) fn courses(study: &Study) -> Result<Vec<(String, Chart)>, ReportError> {
    let mut charts = Vec::new();
    for point in &study.points {
        for course in &point.courses {
            let plot = super::defaults::plot(&course.client, "attribution");
            let sketch = Sketch { study, plot: &plot, number: charts.len() + 1 };
            charts.push((format!("{} course", course.client), over_time(&sketch, point, course)?));
        }
    }
    Ok(charts)
}

fn over_time(sketch: &Sketch<'_>, point: &Point, course: &Course) -> Result<Chart, ReportError> {
    let run = &sketch.study.run;
    let steps = course.accounts.iter().map(|account| account.means.len()).max().unwrap_or(0);
    let mean = |part: &Part, step: usize| -> f64 {
        let own = course
            .accounts
            .iter()
            .filter(|account| part.accounts.contains(&(account.part.clone(), account.resource.clone(), account.kind)));
        own.filter_map(|account| account.means.get(step).copied().flatten()).sum()
    };
    let parts = parts(&[point], &course.client);
    let sums: Vec<f64> = (0..steps).map(|step| parts.iter().map(|part| mean(part, step)).sum()).collect();
    let (mut y, y_factor) = sketch.y_axis("mean response time".to_owned(), &sums, Unit::Seconds)?;
    y.scale = super::Scale::Linear;
    let end = steps as f64 * run.interval;
    let (x_factor, symbol) = crate::quantity::unit::axis_scale(end, Unit::Seconds);
    let series = parts.iter().map(|part| Series {
        color: Some(part.role),
        ..Series::new(part.name.clone(), (0..steps).map(|step| mean(part, step) * y_factor).collect())
    });
    let xs = (0..steps).map(|step| (step + 1) as f64 * run.interval * x_factor).collect();
    let label = sketch.study.label(point);
    let at = if label.is_empty() { String::new() } else { format!(", {}", clean(&label)) };
    let what = format!("where the response time of {} goes, over simulated time{at}", course.client);
    let mut chart = sketch.frame(&what, Numbers::Pooled, &[point], vec![COLORS.to_owned()]);
    chart.x = super::axis("simulated time".to_owned(), symbol);
    chart.y = y;
    chart.layers = vec![Layer::StackedArea { xs, series: series.collect() }];
    Ok(chart)
}

/// The next multiple of a fifth of a power of ten.
fn round_up(value: f64) -> f64 {
    let step = super::decade_below(value) / 5.0;
    libm::ceil(value / step) * step
}
