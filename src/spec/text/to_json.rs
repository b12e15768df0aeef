//! From the spanned tree to `serde_json`, for decoding into the serde types.
//!
//! Places are lost here, and so is the order of maps unless `serde_json` keeps it; where order matters (variants,
//! policies in a chart's legend) ask [`keys_in_order`]. Integers that fit 64 bits stay integers; larger ones become
//! floating point numbers, as `serde_json` itself does.

use serde_json::{Map, Number, Value as Json};

use super::scalar;
use super::tree::{Node, Value};

/// The same tree as JSON. Depth is bounded by the parser's nesting limit.
pub fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number { text, value, is_integer } => number(text, *value, *is_integer),
        Value::Text { text, .. } => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn number(text: &str, value: f64, is_integer: bool) -> Json {
    let whole = scalar::integer(text).filter(|_| is_integer);
    let exact = whole.and_then(|whole| match (u64::try_from(whole), i64::try_from(whole)) {
        (Ok(whole), _) => Some(Number::from(whole)),
        (_, Ok(whole)) => Some(Number::from(whole)),
        _ => None,
    });
    // Numbers of a tree are finite, so the last step never meets a value that JSON cannot hold.
    exact.or_else(|| Number::from_f64(value)).map_or(Json::Null, Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::text::{parse::parse, source::Sources};

    #[test]
    fn integers_stay_integers() {
        let mut sources = Sources::new();
        let file = sources.add("a", "z: 18446744073709551615\nb: -3\na: 2.0\nm: [on, ~, true]\n");
        let node = parse(&sources, file).unwrap();
        let json = to_json(&node);
        assert_eq!(json["z"].as_u64(), Some(u64::MAX));
        assert_eq!(json["b"].as_i64(), Some(-3));
        assert!(json["a"].is_f64());
        assert_eq!(json["m"], serde_json::json!(["on", null, true]));
    }
}
