//! Which points belong to one line, what it is called and how it looks.

use super::super::chart::{Role, Stroke};
use super::super::names::{clean, factor_names, factor_words, level_text, shorten};
use super::{Dimension, ReportError, Sketch};
use crate::study::Point;

/// Longest name of a line, characters.
const NAME_LIMIT: usize = 60;
/// Most lines where one point makes a line.
const LINE_LIMIT: usize = 8;

/// Points that are drawn alike.
pub(super) struct Group<'a> {
    /// Empty if there is only one group.
    pub name: String,
    pub role: Role,
    pub stroke: Option<Stroke>,
    pub points: Vec<&'a Point>,
    /// Where the group stands in the dimension that comes first.
    first: usize,
}

impl<'a> Sketch<'a> {
    /// The points by everything in which they differ except `x`; what the plot asks for comes first and gives the color,
    /// the rest the stroke.
    pub(super) fn groups(&self, points: &[&'a Point], x: Option<Dimension>) -> Result<Vec<Group<'a>>, ReportError> {
        let first = self.by()?.unwrap_or(Dimension::Variant);
        let factors = (0..self.study.factors.len()).map(Dimension::Factor);
        let others = std::iter::once(Dimension::Variant).chain(factors).filter(|other| *other != first);
        let differs = |dimension: &Dimension| {
            let mut values = points.iter().map(|point| self.value(point, *dimension));
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        let dimensions: Vec<Dimension> =
            std::iter::once(first).chain(others).filter(|d| Some(*d) != x && differs(d)).collect();
        let key = |point: &Point| -> Vec<usize> { dimensions.iter().map(|d| self.value(point, *d)).collect() };
        let mut keys: Vec<Vec<usize>> = points.iter().map(|point| key(point)).collect();
        keys.sort();
        keys.dedup();
        let mut rests: Vec<&[usize]> = keys.iter().filter_map(|key| key.get(1..)).collect();
        rests.sort();
        rests.dedup();
        let group = |(number, own): (usize, &Vec<usize>)| {
            let names = dimensions.iter().zip(own).map(|(dimension, value)| self.value_name(*dimension, *value));
            let rest = own.get(1..).and_then(|rest| rests.iter().position(|other| *other == rest));
            let (series, stroke) = match (own.first(), rest) {
                (Some(first), Some(rest)) if (2..=3).contains(&rests.len()) => {
                    (*first, Some([Stroke::Solid, Stroke::Dashed, Stroke::Dotted][rest]))
                }
                (Some(first), _) if rests.len() <= 1 => (*first, None),
                _ => (number, None),
            };
            Group {
                name: shorten(&names.collect::<Vec<_>>().join(", "), NAME_LIMIT),
                role: Role::Series(series),
                stroke,
                points: points.iter().copied().filter(|point| key(point) == *own).collect(),
                first: own.first().copied().unwrap_or(0),
            }
        };
        Ok(keys.iter().enumerate().map(group).collect())
    }

    /// One point per line, for charts that cannot be drawn over a factor: the factors that do not tell the lines apart are
    /// at their last level. Also says which levels those are.
    pub(super) fn single_points(&self) -> Result<(Vec<Group<'a>>, Vec<String>), ReportError> {
        let study = self.study;
        let only = study.variants().len() <= 1;
        let several = (0..study.factors.len()).find(|index| study.factors[*index].levels.len() > 1);
        let by = self.by()?.or(several.filter(|_| only).map(Dimension::Factor)).unwrap_or(Dimension::Variant);
        let held: Vec<usize> = (0..study.factors.len()).filter(|index| by != Dimension::Factor(*index)).collect();
        let last = |index: usize| study.factors[index].levels.len().saturating_sub(1);
        let points: Vec<&Point> = study
            .points
            .iter()
            .filter(|point| held.iter().all(|index| point.levels.get(*index) == Some(&last(*index))))
            .collect();
        let mut groups = self.groups(&points, None)?;
        groups.iter_mut().for_each(|group| group.points.truncate(1));
        let count = groups.len();
        thin(&mut groups);
        let mut notes: Vec<String> =
            held.iter().map(|index| self.value_name(Dimension::Factor(*index), last(*index))).collect();
        if groups.len() < count {
            notes.push(format!("{} of {count} shown", groups.len()));
        }
        Ok((groups, notes))
    }

    /// What tells so many lines apart, for a subtitle: `, by variant`.
    pub(super) fn by_words(&self, groups: usize) -> Result<String, ReportError> {
        let several = self.study.variants().len() > 1;
        Ok(match self.by()? {
            _ if groups <= 1 => String::new(),
            Some(Dimension::Factor(index)) => format!(", by {}", factor_words(&self.study.factors[index])),
            _ if several => ", by variant".to_owned(),
            _ => String::new(),
        })
    }

    /// Where a point stands in a dimension.
    pub(super) fn value(&self, point: &Point, dimension: Dimension) -> usize {
        match dimension {
            Dimension::Variant => {
                self.study.variants().iter().position(|variant| *variant == point.variant).unwrap_or(0)
            }
            Dimension::Factor(index) => point.levels.get(index).copied().unwrap_or(0),
        }
    }

    pub(super) fn value_name(&self, dimension: Dimension, value: usize) -> String {
        match dimension {
            Dimension::Variant => clean(self.study.variants().get(value).copied().unwrap_or_default()),
            Dimension::Factor(index) => {
                let level = clean(level_text(&self.study.factors[index], value));
                // Situations are names already.
                match self.study.factors[index].key.contains('.') {
                    true => format!("{} = {level}", factor_names(self.study)[index]),
                    false => level,
                }
            }
        }
    }
}

/// Leaves at most [`LINE_LIMIT`] groups: evenly spaced values of the first dimension, each with all that differs in
/// others, so that what is shown can be compared.
fn thin(groups: &mut Vec<Group<'_>>) {
    if groups.len() <= LINE_LIMIT {
        return;
    }
    let mut values: Vec<usize> = groups.iter().map(|group| group.first).collect();
    values.sort_unstable();
    values.dedup();
    let each = groups.len().div_ceil(values.len());
    let room = (LINE_LIMIT / each).clamp(2, values.len().max(2));
    let kept: Vec<usize> = (0..room).map(|index| values[index * (values.len() - 1) / (room - 1)]).collect();
    groups.retain(|group| kept.contains(&group.first));
    groups.truncate(LINE_LIMIT);
}
