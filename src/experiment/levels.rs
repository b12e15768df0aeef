//! Levels: the values that a swept key takes.

use crate::quantity::Unit;
use crate::spec::experiment_file::{RangeSpec, Scalar, Spacing};
use crate::study::level::{Level, read, same, significant, write};

/// The text of a value of a list; `None` for lists and maps.
pub fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The name of a value as a level: its text; of a choice without parameters, such as `{ ring_hash: {} }`, the choice; else JSON.
pub fn name_of(value: &serde_json::Value) -> String {
    let choice = |map: &serde_json::Map<String, serde_json::Value>| {
        let (name, parameters) = map.iter().next()?;
        (map.len() == 1 && parameters.as_object().is_some_and(serde_json::Map::is_empty)).then(|| name.clone())
    };
    text_of(value).or_else(|| value.as_object().and_then(choice)).unwrap_or_else(|| value.to_string())
}

/// Whether the levels of a swept key are situations rather than values of a key of the model: such a key has no dots.
pub fn of_situations(key: &str) -> bool {
    !key.contains(['.', '['])
}

/// The name of a situation: a level such as `one slow: { services.app.speeds: [0.5, 1] }`.
pub fn situation(value: &serde_json::Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.iter().next().filter(|(_, changes)| changes.is_object()).map(|(name, _)| name.as_str())
}

/// The common unit of all levels, if all are quantities of one unit.
pub fn unit_of(levels: &[Level]) -> Option<Unit> {
    let mut units = levels.iter().map(|level| read(&level.text).map(|(unit, _)| unit));
    let first = units.next()??;
    units.all(|unit| unit == Some(first)).then_some(first).flatten()
}

/// The levels of a range.
///
/// # Errors
/// What is wrong with its ends.
pub fn range(spec: &RangeSpec) -> Result<Vec<Level>, String> {
    let end = |scalar: &Scalar| match scalar {
        Scalar::Number(number) => Ok((None, *number)),
        Scalar::Text(text) => read(text).ok_or_else(|| format!("`{text}` is neither a number nor a quantity")),
    };
    let ((unit, from), (other, to)) = (end(&spec.from)?, end(&spec.to)?);
    if unit != other {
        return Err("`from` and `to` must be of the same kind".to_owned());
    }
    if spec.spacing == Spacing::Log && (from <= 0.0 || to <= 0.0) {
        return Err("values at equal ratios must be above 0".to_owned());
    }
    let whole = unit.is_none() && from.fract() == 0.0 && to.fract() == 0.0;
    let last = f64::from(spec.points.max(2) - 1);
    let mut levels: Vec<Level> = Vec::new();
    for number in 0..spec.points.max(2) {
        let part = f64::from(number) / last;
        let value = match spec.spacing {
            Spacing::Linear => from + (to - from) * part,
            Spacing::Log => from * libm::pow(to / from, part),
        };
        let value = if whole { value.round() } else { significant(value) };
        let level = Level::new(write(value, unit).ok_or("a value between the ends cannot be written")?);
        if levels.last().is_none_or(|last| !same(last, &level)) {
            levels.push(level);
        }
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(from: Scalar, to: Scalar, points: u32, spacing: Spacing) -> Vec<String> {
        range(&RangeSpec { from, to, points, spacing }).unwrap().into_iter().map(|level| level.text).collect()
    }

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    #[test]
    fn ranges_keep_their_unit_and_whole_numbers() {
        assert_eq!(texts(text("100/s"), text("400/s"), 4, Spacing::Linear), ["100/s", "200/s", "300/s", "400/s"]);
        assert_eq!(texts(Scalar::Number(1.0), Scalar::Number(8.0), 4, Spacing::Log), ["1", "2", "4", "8"]);
        assert_eq!(texts(Scalar::Number(1.0), Scalar::Number(3.0), 9, Spacing::Linear), ["1", "2", "3"]);
        assert_eq!(texts(text("10%"), text("20%"), 3, Spacing::Linear), ["10%", "15%", "20%"]);
    }

    #[test]
    fn mixed_ends_are_refused() {
        let spec = RangeSpec { from: text("1s"), to: text("5/s"), points: 3, spacing: Spacing::Linear };
        assert!(range(&spec).is_err());
        let spec = RangeSpec { from: text("0s"), to: text("5s"), points: 3, spacing: Spacing::Log };
        assert!(range(&spec).is_err());
    }

    #[test]
    fn levels_are_the_same_when_their_values_are() {
        assert!(same(&Level::new("1000/s".into()), &Level::new("1k/s".into())));
        assert!(!same(&Level::new("1s".into()), &Level::new("2s".into())));
        assert!(same(&Level::new("random".into()), &Level::new("random".into())));
        assert_eq!(unit_of(&[Level::new("1s".into()), Level::new("2ms".into())]), Some(Unit::Seconds));
        assert_eq!(unit_of(&[Level::new("1s".into()), Level::new("2/s".into())]), None);
    }
}
