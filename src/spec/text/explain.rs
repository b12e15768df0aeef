//! Words for the check: what is allowed, what was read, and which known name is nearest.

use serde_json::Value as Json;

use super::schema::Schema;
use super::shape::Shape;
use super::tree::{Kind, Node, Value};

/// Names longer than this many bytes are not compared; the comparison takes the product of the lengths.
const MAX_COMPARED: usize = 64;
/// Entries of a list of allowed things at most.
const MAX_LISTED: usize = 40;
/// Characters of a description or of a quoted value at most.
const MAX_WORDS: usize = 100;

/// The known name that is nearest to `name`, if one is near enough to be meant. Own rule: at most a third of the longer
/// name's letters differ (by Damerau and Levenshtein's distance, case and dashes ignored), or `name` begins it. Ties go to
/// the first.
pub(super) fn nearest<'c>(name: &str, known: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let fold = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let folded = fold(name);
    if name.is_empty() || name.len() > MAX_COMPARED {
        return None;
    }
    let near = known.into_iter().filter(|known| known.len() <= MAX_COMPARED).filter_map(|known| {
        let other = fold(known);
        let distance = strsim::damerau_levenshtein(&folded, &other);
        let longer = folded.chars().count().max(other.chars().count());
        let begins =
            folded.len() >= 3 && (other.starts_with(&folded) || folded.starts_with(&other) && other.len() >= 3);
        (distance * 3 <= longer || begins).then_some((distance, known))
    });
    near.min_by_key(|&(distance, _)| distance).map(|(_, known)| known)
}

/// What the alternatives allow, as "a duration, or a map with one of the keys `a`, `b`".
pub(super) fn expected(shapes: &[Shape<'_>]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    let maps = || shapes.iter().filter(|shape| shape.accepts(Kind::Map));
    let single = shapes.iter().filter(|shape| !shape.is_null_only()).count() == 1;
    let is_common = |key: &str| single || maps().count() > 1 && maps().all(|shape| shape.required.contains(&key));
    for shape in shapes {
        if let Some(constants) = &shape.constants {
            values.extend(constants.iter().map(|(value, _)| constant(value)));
            continue;
        }
        let format = shape.formats.iter().find(|format| !is_machine_format(format));
        match format {
            Some(format) => parts.push(with_article(format)),
            None if shape.whole_only() => parts.push("a whole number".to_owned()),
            None if shape.accepts(Kind::Number) => parts.push("a number".to_owned()),
            None if shape.accepts(Kind::Text) => parts.push("text".to_owned()),
            None => {}
        }
        for kind in [Kind::Bool, Kind::List] {
            if shape.accepts(kind) {
                parts.push(kind.describe().to_owned());
            }
        }
        if shape.accepts(Kind::Map) {
            match shape.required.iter().find(|key| !is_common(key)) {
                Some(key) => keys.push(key),
                None => parts.push("a map".to_owned()),
            }
        }
    }
    if !values.is_empty() {
        let lead = if values.len() == 1 { "" } else { "one of " };
        parts.push(format!("{lead}{}", values.join(", ")));
    }
    if !keys.is_empty() {
        let lead = if keys.len() == 1 { "the key " } else { "one of the keys " };
        parts.push(format!("a map with {lead}{}", quoted(&keys)));
    }
    let mut seen = std::collections::BTreeSet::new();
    parts.retain(|part| seen.insert(part.clone()));
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{}, or {last}", rest.join(", ")),
    }
}

/// The names in backquotes, separated by commas.
pub(super) fn quoted(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MAX_LISTED { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// A note that lists allowed names with their descriptions, `first` before the others.
pub(super) fn listing(title: &str, items: &[(&str, String)], first: Option<&str>) -> String {
    let mut names: Vec<&(&str, String)> = items.iter().collect();
    names.sort_by_key(|(name, _)| Some(*name) != first);
    let mut text = format!("{title}:");
    for (name, description) in names.iter().take(MAX_LISTED) {
        let separator = if description.is_empty() { "" } else { ": " };
        text.push_str(&format!("\n  `{name}`{separator}{description}"));
    }
    if names.len() > MAX_LISTED {
        text.push_str(&format!("\n  and {} more", names.len() - MAX_LISTED));
    }
    text
}

/// The declared keys of a shape with a short description of each.
pub(super) fn keys_of<'s>(schema: &'s Schema, shape: &Shape<'s>) -> Vec<(&'s str, String)> {
    shape.properties.iter().map(|&(key, property)| (key, describe_key(schema, shape, key, property))).collect()
}

/// The description of a key: its own, else that of the alternative it stands for, else what its value may be.
pub(super) fn describe_key(schema: &Schema, shape: &Shape<'_>, key: &str, property: &Json) -> String {
    let own = property.get("description").and_then(Json::as_str);
    let of_shape = shape.description.filter(|_| shape.required == [key]);
    own.or(of_shape).map_or_else(|| expected(&schema.shapes(property)), short)
}

/// The first sentence, cut to a line.
pub(super) fn short(description: &str) -> String {
    let sentence = description.split("\n\n").next().unwrap_or("").replace('\n', " ");
    let sentence = sentence.split(". ").next().unwrap_or("").trim_end_matches('.');
    cut(sentence)
}

/// What was read, for a message.
pub(super) fn read(node: &Node) -> String {
    match &node.value {
        Value::Text { text, .. } => format!("the text `{}`", cut(text)),
        Value::Number { text, .. } => format!("the number `{}`", cut(text)),
        Value::Bool(value) => format!("`{value}`"),
        Value::Map(entries) if entries.is_empty() => "an empty map".to_owned(),
        Value::List(items) if items.is_empty() => "an empty list".to_owned(),
        _ => node.kind().describe().to_owned(),
    }
}

/// A listed value as the user would write it.
pub(super) fn constant(value: &Json) -> String {
    value.as_str().map_or_else(|| format!("`{value}`"), |text| format!("`{text}`"))
}

/// A format's name with its article.
pub(super) fn with_article(format: &str) -> String {
    let words = format.replace(['_', '-'], " ");
    match words.as_str() {
        "bytes" => "a number of bytes".to_owned(),
        "cores" => "a number of cores".to_owned(),
        vowel if vowel.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {vowel}"),
        other => format!("a {other}"),
    }
}

/// The formats that schemars derives from Rust's number types; all others are the format's own.
pub(super) fn is_machine_format(format: &str) -> bool {
    matches!(format, "float" | "double") || machine_range(format).is_some()
}

/// Smallest and largest value of an integer format.
pub(super) fn machine_range(format: &str) -> Option<(i128, i128)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" | "uint" => (0, u64::MAX.into()),
        _ => return None,
    })
}

pub(super) fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_WORDS).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["instances", "machine", "autoscaler", "queue"];
        for (name, expected) in [
            ("instnaces", Some("instances")),
            ("Machine", Some("machine")),
            ("auto", Some("autoscaler")),
            ("qeue", Some("queue")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }

    #[test]
    fn descriptions_are_cut_to_their_first_sentence() {
        assert_eq!(short("Copies of the\nservice. More."), "Copies of the service");
        assert_eq!(short("One thing. Another."), "One thing");
    }
}
