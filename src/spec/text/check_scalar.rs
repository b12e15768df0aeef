//! The check of texts, numbers, truth values and nothing.

use super::check::{Checker, Scalar};
use super::choose::{constants_of, equals};
use super::diagnostic::Diagnostic;
use super::explain::{cut, expected, is_machine_format, listing, machine_range, nearest, with_article};
use super::scalar::integer;
use super::shape::Shape;
use super::source::Span;
use super::tree::{Kind, Node, Value};

/// Why a scalar does not fit one alternative.
enum Misfit {
    /// Its kind or its value is not among those allowed.
    Other,
    /// It has the right kind and breaks a rule: what is wanted, and what is wrong.
    Rule { wanted: String, wrong: String },
}

impl<'s> Checker<'s> {
    /// Checks a scalar: it must fit one alternative. The report is about the alternative whose rule it breaks, or about
    /// the listed values, or about its kind.
    pub(super) fn scalar(&mut self, node: &Node, shapes: &[Shape<'s>], head: Span) {
        let mut broken = None;
        for shape in shapes {
            match self.fits(node, shape) {
                Ok(()) => return,
                Err(Misfit::Rule { wanted, wrong }) => broken = broken.or(Some((wanted, wrong))),
                Err(Misfit::Other) => {}
            }
        }
        let text = if let Value::Text { text, .. } = &node.value { Some(text.as_str()) } else { None };
        let known = constants_of(shapes);
        let near = text.and_then(|text| nearest(text, known.iter().map(|(name, _)| *name)));
        let tag = text.and_then(|text| self.tag_without_value(text, shapes));
        if let Some(text) = text
            && !known.is_empty()
            && tag.is_none()
            && (near.is_some() || broken.is_none())
        {
            self.unknown_value(text, node, shapes, near);
            return;
        }
        match (broken, tag) {
            (Some((wanted, wrong)), None) => {
                let message = format!("{} must be {wanted}", self.here());
                let error = Diagnostic::error(message, node.span).with_label(wrong);
                let several = shapes.iter().filter(|shape| !shape.is_null_only()).count() > 1;
                self.errors.push(if several {
                    error.with_note(format!("allowed here: {}", expected(shapes)))
                } else {
                    error
                });
            }
            (_, Some(help)) => {
                let message = format!("{} must be {}", self.here(), expected(shapes));
                let label = format!("this is the text `{}`", cut(text.unwrap_or("")));
                self.errors.push(Diagnostic::error(message, node.span).with_label(label).with_help(help));
            }
            (None, None) => self.wrong_kind(node, shapes, head),
        }
    }

    /// Reports a text that is not among the listed values.
    fn unknown_value(&mut self, text: &str, node: &Node, shapes: &[Shape<'s>], near: Option<&str>) {
        let known = constants_of(shapes);
        let label =
            near.map_or_else(|| "not one of the allowed values".to_owned(), |near| format!("did you mean `{near}`?"));
        let error = Diagnostic::error(format!("unknown value `{}` for {}", cut(text), self.here()), node.span);
        let error = error.with_label(label).with_note(listing("allowed here", &known, near));
        let others: Vec<Shape<'s>> =
            shapes.iter().filter(|shape| shape.constants.is_none() && !shape.is_null_only()).cloned().collect();
        let error =
            if others.is_empty() { error } else { error.with_note(format!("also allowed: {}", expected(&others))) };
        self.errors.push(match near {
            Some(near) => error.with_help(format!("write `{near}`")),
            None => error,
        });
    }

    fn fits(&self, node: &Node, shape: &Shape<'s>) -> Result<(), Misfit> {
        let scalar = match &node.value {
            Value::Text { text, .. } => Some(Scalar::Text(text)),
            Value::Number { text, value, .. } => Some(Scalar::Number { text, value: *value }),
            _ => None,
        };
        let takes_scalars = shape.accepts(Kind::Text) || shape.accepts(Kind::Number);
        if let Some(scalar) = scalar.filter(|_| takes_scalars) {
            for format in shape.formats.iter().filter(|format| !is_machine_format(format)) {
                if let Err(wrong) = (self.formats)(format, scalar) {
                    return Err(Misfit::Rule { wanted: with_article(format), wrong });
                }
            }
        }
        if !shape.accepts(node.kind()) {
            return Err(Misfit::Other);
        }
        if let Some(constants) = &shape.constants
            && !constants.iter().any(|(value, _)| equals(node, value))
        {
            return Err(Misfit::Other);
        }
        match &node.value {
            Value::Text { text, .. } => self.text_fits(text, shape),
            Value::Number { text, value, is_integer } => number_fits(text, *value, *is_integer, shape),
            _ => Ok(()),
        }
    }

    fn text_fits(&self, text: &str, shape: &Shape<'s>) -> Result<(), Misfit> {
        if let Some(pattern) = shape.patterns.iter().find(|pattern| !self.schema.matches(pattern, text)) {
            let described = shape.description.map(super::explain::short);
            let wanted = described.map_or_else(String::new, |words| format!(" ({words})"));
            let wanted = format!("text that matches `{pattern}`{wanted}");
            return Err(Misfit::Rule { wanted, wrong: format!("`{}` does not match", cut(text)) });
        }
        // Lengths are far below 2^53, so the conversion is exact.
        let length = text.chars().count() as f64;
        for (keyword, broken, words) in [
            ("minLength", shape.limit("minLength").is_some_and(|least| length < least), "at least"),
            ("maxLength", shape.limit("maxLength").is_some_and(|most| length > most), "at most"),
        ] {
            if let Some(limit) = shape.limit(keyword).filter(|_| broken) {
                let wanted = format!("text of {words} {limit} characters");
                return Err(Misfit::Rule { wanted, wrong: format!("this has {length}") });
            }
        }
        Ok(())
    }
}

fn number_fits(text: &str, value: f64, is_integer: bool, shape: &Shape<'_>) -> Result<(), Misfit> {
    let rule = |wanted: String| Err(Misfit::Rule { wanted, wrong: format!("this is the number `{}`", cut(text)) });
    // An integer of serde is written without a point.
    let whole = integer(text).filter(|_| is_integer);
    if shape.whole_only() && whole.is_none() {
        return rule("a whole number, written without a point".to_owned());
    }
    let limit = |keyword: &str| shape.limit(keyword);
    let checks = [
        ("at least", limit("minimum"), limit("minimum").is_some_and(|least| value < least)),
        ("above", limit("exclusiveMinimum"), limit("exclusiveMinimum").is_some_and(|least| value <= least)),
        ("at most", limit("maximum"), limit("maximum").is_some_and(|most| value > most)),
        ("below", limit("exclusiveMaximum"), limit("exclusiveMaximum").is_some_and(|most| value >= most)),
        ("a multiple of", limit("multipleOf"), limit("multipleOf").is_some_and(|step| (value / step).fract() != 0.0)),
    ];
    for (words, bound, broken) in checks {
        if let Some(bound) = bound.filter(|_| broken) {
            return rule(format!("{words} {bound}"));
        }
    }
    // Last, the range of the Rust type, which schemars writes only in part; any other integer must fit 64 bits.
    let machine = shape.formats.iter().find_map(|format| machine_range(format));
    let (least, most) = machine.unwrap_or((i64::MIN.into(), u64::MAX.into()));
    match whole {
        Some(whole) if shape.whole_only() && !(least..=most).contains(&whole) => {
            rule(format!("from {least} to {most}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::text::schema::Schema;
    use crate::spec::text::{check::check, parse::parse, source::Sources};
    use serde_json::json;

    fn message(schema: serde_json::Value, text: &str) -> Option<String> {
        let mut sources = Sources::new();
        let file = sources.add("a", text);
        let node = parse(&sources, file).unwrap();
        let errors = check(&node, &Schema::new(schema).unwrap(), &|_, _| Ok(()));
        errors.first().map(|error| error.message.clone())
    }

    #[test]
    fn numbers_keep_their_limits() {
        let whole = json!({ "type": "integer", "format": "uint32", "minimum": 1 });
        assert_eq!(message(whole.clone(), "7"), None);
        assert!(message(whole.clone(), "0").unwrap().contains("at least 1"));
        assert!(message(whole.clone(), "5000000000").unwrap().contains("from 0 to 4294967295"));
        assert!(message(whole, "4.0").unwrap().contains("without a point"));
        let share = json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 });
        assert_eq!(message(share.clone(), "0.5"), None);
        assert!(message(share.clone(), "0").unwrap().contains("above 0"));
        assert!(message(share, "1").unwrap().contains("below 1"));
        assert!(message(json!({ "const": 3 }), "4").is_some());
        assert_eq!(message(json!({ "const": 3 }), "3"), None);
    }

    #[test]
    fn texts_keep_their_pattern_and_length() {
        let name = json!({ "type": "string", "pattern": "^[a-z]+$", "maxLength": 3 });
        assert_eq!(message(name.clone(), "abc"), None);
        assert!(message(name.clone(), "aBc").unwrap().contains("matches"));
        assert!(message(name, "abcd").unwrap().contains("at most 3"));
    }
}
