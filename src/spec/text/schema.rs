//! The JSON Schema of the file format, prepared for checking a spanned tree.
//!
//! A schema is expanded into its *shapes*: the plain alternatives that remain when `$ref`, `allOf`, `anyOf` and `oneOf`
//! are multiplied out at one level (the levels below are expanded when they are reached). Three rules are ours and
//! stricter or wider than JSON Schema 2020-12, section 10, because serde's types mean it so:
//! - an object that declares properties and says nothing of others is closed;
//! - `additionalProperties: false` counts after merging, so flattened parts know each other's keys;
//! - `oneOf` is read as `anyOf`: the alternative is chosen by the keys that are there.
//!
//! Invariant: a [`Schema`] holds only keywords that [`check`](super::check::check) honors, so nothing is ignored
//! silently. Limits: [`MAX_SHAPES`] alternatives at one level.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use regex_lite::Regex;
use serde_json::{Map, Value as Json};

use super::shape::Shape;

/// Alternatives of one value at most, after multiplying out. Own rule.
pub const MAX_SHAPES: usize = 512;

/// References and combinations inside each other, at one level, at most; more is a cycle.
const MAX_EXPANSION: usize = 32;

/// Keywords that annotate and do not restrict, as the specification lists them, and `unit` of our own.
const ANNOTATIONS: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "unit",
];

/// Keywords with one schema as value.
const ONE_SCHEMA: &[&str] = &["additionalProperties", "unevaluatedProperties", "propertyNames", "items"];
/// Keywords with a list of schemas.
const SCHEMA_LISTS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords with a map of schemas.
const SCHEMA_MAPS: &[&str] = &["$defs", "properties", "patternProperties"];
/// Keywords with plain values.
const PLAIN: &[&str] = &[
    "$ref",
    "type",
    "required",
    "enum",
    "const",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
];

/// Why a schema cannot be used: a mistake of the program, not of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// JSON pointer to the place in the schema.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schema at `{}`: {}", self.pointer, self.message)
    }
}

impl std::error::Error for SchemaError {}

/// The alternatives of schemas by their addresses; only ever looked up.
type Shapes = BTreeMap<usize, Arc<[Shape<'static>]>>;

/// A schema that is known to hold only what the check understands. It is expanded once, and lives as long as the program:
/// a program has few.
#[derive(Debug)]
pub struct Schema {
    root: &'static Json,
    patterns: BTreeMap<String, Regex>,
    shapes: Shapes,
}

impl Schema {
    /// Prepares the value that `schemars::schema_for!` gives.
    ///
    /// # Errors
    /// The first keyword that is not supported, pattern that is not a regular expression, reference that leads nowhere
    /// or in a circle, or place with more than [`MAX_SHAPES`] alternatives.
    pub fn new(root: Json) -> Result<Self, SchemaError> {
        let root: &'static Json = Box::leak(Box::new(root));
        let mut schema = Self { root, patterns: BTreeMap::new(), shapes: BTreeMap::new() };
        schema.validate(root, &mut String::new())?;
        Ok(schema)
    }

    /// The schema of the whole file.
    pub fn root(&self) -> &Json {
        self.root
    }

    /// The alternatives of one schema within this one.
    pub(super) fn shapes<'s>(&'s self, schema: &'s Json) -> Arc<[Shape<'s>]> {
        self.shapes.get(&address(schema)).cloned().unwrap_or_else(|| Arc::new([]))
    }

    /// Whether `text` matches a pattern of the schema.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns.get(pattern).is_some_and(|regex| regex.is_match(text))
    }

    fn validate(&mut self, schema: &'static Json, pointer: &mut String) -> Result<(), SchemaError> {
        let fail = |pointer: &str, message: String| Err(SchemaError { pointer: pointer.to_owned(), message });
        let Json::Object(keywords) = schema else {
            return if schema.is_boolean() {
                self.remember(schema, pointer)
            } else {
                fail(pointer, "not a schema".to_owned())
            };
        };
        for (keyword, value) in keywords {
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(keyword);
            let mut texts: Vec<&str> = Vec::new();
            match (keyword.as_str(), value) {
                (one, _) if ONE_SCHEMA.contains(&one) => self.validate(value, pointer)?,
                (list, Json::Array(schemas)) if SCHEMA_LISTS.contains(&list) => {
                    schemas.iter().try_for_each(|schema| self.validate(schema, pointer))?;
                }
                (map, Json::Object(schemas)) if SCHEMA_MAPS.contains(&map) => {
                    if map == "patternProperties" {
                        texts.extend(schemas.keys().map(String::as_str));
                    }
                    schemas.values().try_for_each(|schema| self.validate(schema, pointer))?;
                }
                ("pattern", Json::String(pattern)) => texts.push(pattern),
                (plain, _) if PLAIN.contains(&plain) || ANNOTATIONS.contains(&plain) || plain.starts_with("x-") => {}
                _ => return fail(pointer, "keyword or value not supported".to_owned()),
            }
            for text in texts {
                match Regex::new(text) {
                    Ok(regex) => drop(self.patterns.insert(text.to_owned(), regex)),
                    Err(error) => {
                        return fail(pointer, format!("`{text}` is not a supported pattern: {error}"));
                    }
                }
            }
            pointer.truncate(length);
        }
        self.remember(schema, pointer)
    }

    /// Expands a schema and keeps its alternatives.
    fn remember(&mut self, schema: &'static Json, pointer: &str) -> Result<(), SchemaError> {
        let failed = |message| SchemaError { pointer: pointer.to_owned(), message };
        expand(self.root, schema, &mut self.shapes, 0).map(drop).map_err(failed)
    }
}

/// The identity of a schema within a tree that does not move.
fn address(schema: &Json) -> usize {
    std::ptr::from_ref(schema).addr()
}

fn expand(
    root: &'static Json,
    schema: &'static Json,
    known: &mut Shapes,
    depth: usize,
) -> Result<Arc<[Shape<'static>]>, String> {
    if let Some(shapes) = known.get(&address(schema)) {
        return Ok(Arc::clone(shapes));
    }
    if depth > MAX_EXPANSION {
        return Err("references lead in a circle".to_owned());
    }
    let shapes: Arc<[Shape<'static>]> = match schema {
        Json::Object(keywords) => combined(root, keywords, known, depth)?.into(),
        Json::Bool(false) => Arc::new([]),
        _ => {
            static EMPTY: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
            Arc::new([Shape::of(&EMPTY)])
        }
    };
    known.insert(address(schema), Arc::clone(&shapes));
    Ok(shapes)
}

/// The alternatives of a schema that is an object.
fn combined(
    root: &'static Json,
    keywords: &'static Map<String, Json>,
    known: &mut Shapes,
    depth: usize,
) -> Result<Vec<Shape<'static>>, String> {
    let mut shapes = vec![Shape::of(keywords)];
    if let Some(reference) = keywords.get("$ref").and_then(Json::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let target = target.ok_or_else(|| format!("`{reference}` leads nowhere"))?;
        let inner = expand(root, target, known, depth + 1)?;
        if inner.len() > 1 {
            forget_descriptions(&mut shapes);
        }
        shapes = product(&shapes, &inner)?;
    }
    for part in keywords.get("allOf").and_then(Json::as_array).into_iter().flatten() {
        shapes = product(&shapes, &expand(root, part, known, depth + 1)?)?;
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(parts) = keywords.get(keyword).and_then(Json::as_array) else {
            continue;
        };
        let mut alternatives = Vec::new();
        for part in parts {
            alternatives.extend(expand(root, part, known, depth + 1)?.iter().cloned());
        }
        forget_descriptions(&mut shapes);
        shapes = product(&shapes, &alternatives)?;
    }
    Ok(shapes)
}

/// The description of the whole does not describe its alternatives.
fn forget_descriptions(shapes: &mut [Shape<'_>]) {
    shapes.iter_mut().for_each(|shape| shape.description = None);
}

fn product<'s>(outer: &[Shape<'s>], inner: &[Shape<'s>]) -> Result<Vec<Shape<'s>>, String> {
    if outer.len() * inner.len() > MAX_SHAPES {
        return Err(format!("more than {MAX_SHAPES} alternatives"));
    }
    Ok(outer.iter().flat_map(|outer| inner.iter().filter_map(|inner| outer.and(inner))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_with_unsupported_parts_are_refused_with_their_place() {
        for (schema, pointer) in [
            (json!({ "properties": { "a": { "not": {} } } }), "/properties/not"),
            (json!({ "pattern": "(" }), "/pattern"),
            (json!({ "$ref": "#/$defs/missing" }), ""),
            (json!({ "$ref": "#" }), ""),
            (json!({ "items": 3 }), "/items"),
        ] {
            assert_eq!(Schema::new(schema).unwrap_err().pointer, pointer);
        }
    }

    #[test]
    fn flattened_alternatives_know_the_common_keys() {
        let one = |key: &str| json!({ "type": "object", "properties": { key: {} }, "required": [key] });
        let schema = Schema::new(json!({
            "type": "object", "properties": { "common": {} }, "oneOf": [one("a"), one("b"), { "type": "string", "const": "c" }]
        }));
        let schema = schema.unwrap();
        let shapes = schema.shapes(schema.root());
        assert_eq!(shapes.len(), 2);
        assert!(shapes.iter().all(|shape| shape.declares("common") && shape.is_closed()));
    }
}
