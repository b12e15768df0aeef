//! One plain alternative of a schema: what remains when references and combinations are resolved.
//!
//! Invariant: a shape allows at least one kind of value. What is merged from several schemas holds for all of them.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::tree::Kind;

/// Keywords with a number that bounds a value, a length or a count.
const LIMITS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
];

/// One plain alternative of a schema.
#[derive(Debug, Clone)]
pub(super) struct Shape<'s> {
    /// Allowed kinds, as bits of [`kind_bit`] and [`INTEGER`].
    types: u8,
    /// Description of the alternative.
    pub description: Option<&'s str>,
    /// Declared keys with their schemas; a key may occur more than once.
    pub properties: Vec<(&'s str, &'s Json)>,
    /// Patterns of keys with their schemas.
    pub pattern_properties: Vec<(&'s str, &'s Json)>,
    /// Keys that must be there.
    pub required: Vec<&'s str>,
    /// Schemas of all other keys; `false` forbids them.
    pub additional: Vec<&'s Json>,
    /// Schemas of the names of keys.
    pub property_names: Vec<&'s Json>,
    /// Schemas of the first items of a list.
    pub prefix_items: Vec<&'s Json>,
    /// Schemas of the other items.
    pub items: Vec<&'s Json>,
    /// Values allowed, if they are listed, each with its description.
    pub constants: Option<Vec<(&'s Json, Option<&'s str>)>>,
    /// Formats that the text or number must have.
    pub formats: Vec<&'s str>,
    /// Patterns that the text must match.
    pub patterns: Vec<&'s str>,
    /// Numeric limits: keyword and value, such as `minimum` and 1.
    pub limits: Vec<(&'s str, f64)>,
    /// The items of a list must differ.
    pub unique_items: bool,
}

/// Bit of whole numbers; the bit of `Kind::Number` stands for the others.
const INTEGER: u8 = 1 << 6;

fn kind_bit(kind: Kind) -> u8 {
    match kind {
        Kind::Null => 1,
        Kind::Bool => 1 << 1,
        Kind::Number => 1 << 2,
        Kind::Text => 1 << 3,
        Kind::List => 1 << 4,
        Kind::Map => 1 << 5,
    }
}

fn type_bits(name: &str) -> u8 {
    match name {
        "null" => kind_bit(Kind::Null),
        "boolean" => kind_bit(Kind::Bool),
        "number" => kind_bit(Kind::Number) | INTEGER,
        "integer" => INTEGER,
        "string" => kind_bit(Kind::Text),
        "array" => kind_bit(Kind::List),
        "object" => kind_bit(Kind::Map),
        _ => 0,
    }
}

impl<'s> Shape<'s> {
    /// What the keywords of one schema object say by themselves.
    pub(super) fn of(schema: &'s Map<String, Json>) -> Self {
        let text = |keyword: &str| schema.get(keyword).and_then(Json::as_str);
        let one = |keyword: &str| schema.get(keyword).into_iter().collect::<Vec<_>>();
        let map = |keyword: &str| {
            let pairs = schema.get(keyword).and_then(Json::as_object).into_iter().flatten();
            pairs.map(|(key, value)| (key.as_str(), value)).collect::<Vec<_>>()
        };
        let list = |keyword: &str| schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
        let types = match schema.get("type") {
            None => u8::MAX,
            Some(Json::String(name)) => type_bits(name),
            Some(names) => names
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .fold(0, |bits, name| bits | type_bits(name)),
        };
        let description = text("description");
        let constants = match (schema.get("const"), schema.get("enum")) {
            (Some(value), _) => Some(vec![(value, description)]),
            (_, Some(Json::Array(values))) => Some(values.iter().map(|value| (value, None)).collect()),
            _ => None,
        };
        let limits = LIMITS.iter().filter_map(|&keyword| Some((keyword, schema.get(keyword)?.as_f64()?)));
        Self {
            types,
            description,
            properties: map("properties"),
            pattern_properties: map("patternProperties"),
            required: list("required").filter_map(Json::as_str).collect(),
            additional: [one("additionalProperties"), one("unevaluatedProperties")].concat(),
            property_names: one("propertyNames"),
            prefix_items: list("prefixItems").collect(),
            items: one("items"),
            constants,
            formats: text("format").into_iter().collect(),
            patterns: text("pattern").into_iter().collect(),
            limits: limits.collect(),
            unique_items: schema.get("uniqueItems") == Some(&Json::Bool(true)),
        }
    }

    /// Both at once; `None` if nothing can be both. `self` is the outer one, whose description wins.
    pub(super) fn and(&self, inner: &Self) -> Option<Self> {
        let types = self.types & inner.types;
        if types == 0 {
            return None;
        }
        let constants = match (&self.constants, &inner.constants) {
            (Some(outer), Some(inner)) => {
                Some(outer.iter().filter(|(value, _)| inner.iter().any(|(other, _)| other == value)).copied().collect())
            }
            (outer, inner) => outer.clone().or_else(|| inner.clone()),
        };
        let mut required = [self.required.as_slice(), &inner.required].concat();
        let mut seen = BTreeSet::new();
        required.retain(|key| seen.insert(*key));
        Some(Self {
            types,
            description: self.description.or(inner.description),
            properties: [self.properties.as_slice(), &inner.properties].concat(),
            pattern_properties: [self.pattern_properties.as_slice(), &inner.pattern_properties].concat(),
            required,
            additional: [self.additional.as_slice(), &inner.additional].concat(),
            property_names: [self.property_names.as_slice(), &inner.property_names].concat(),
            prefix_items: if self.prefix_items.is_empty() { inner } else { self }.prefix_items.clone(),
            items: [self.items.as_slice(), &inner.items].concat(),
            constants,
            formats: [self.formats.as_slice(), &inner.formats].concat(),
            patterns: [self.patterns.as_slice(), &inner.patterns].concat(),
            limits: [self.limits.as_slice(), &inner.limits].concat(),
            unique_items: self.unique_items || inner.unique_items,
        })
    }

    /// Whether a value of this kind may stand here; for numbers, whether any number may.
    pub(super) fn accepts(&self, kind: Kind) -> bool {
        let bits = kind_bit(kind) | if kind == Kind::Number { INTEGER } else { 0 };
        self.types & bits != 0
    }

    /// Whether only "nothing" may stand here: the other half of an option.
    pub(super) fn is_null_only(&self) -> bool {
        self.types == kind_bit(Kind::Null)
    }

    /// Whether numbers must be whole.
    pub(super) fn whole_only(&self) -> bool {
        self.types & INTEGER != 0 && self.types & kind_bit(Kind::Number) == 0
    }

    /// Whether keys that are not declared are refused.
    pub(super) fn is_closed(&self) -> bool {
        let undeclared =
            self.additional.is_empty() && !(self.properties.is_empty() && self.pattern_properties.is_empty());
        undeclared || self.additional.contains(&&Json::Bool(false))
    }

    /// The schemas of a declared key.
    pub(super) fn property<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'s Json> + 'a {
        self.properties.iter().filter(move |(name, _)| *name == key).map(|&(_, schema)| schema)
    }

    /// Whether the key is declared.
    pub(super) fn declares(&self, key: &str) -> bool {
        self.property(key).next().is_some()
    }

    /// The limit that a keyword sets, the strictest if there are several.
    pub(super) fn limit(&self, keyword: &str) -> Option<f64> {
        let values = self.limits.iter().filter(|(name, _)| *name == keyword).map(|&(_, value)| value);
        if keyword.starts_with("max") || keyword.ends_with("Maximum") {
            values.reduce(f64::min)
        } else {
            values.reduce(f64::max)
        }
    }
}
