//! The choice among alternatives for a map, by its keys.
//!
//! Order of the rules: a key with a fixed value in every alternative (`policy: hpa`) decides by its value; else the keys
//! that one alternative requires and not all of them do (`poisson`, `call`) decide; among several alternatives with such
//! a key the one wins that knows most of the keys, then the one that misses fewest, then the one whose kinds fit, then the
//! first. Source: own rules, chosen to agree with serde's externally, internally and untagged enums.

use serde_json::Value as Json;

use super::check::Checker;
use super::diagnostic::Diagnostic;
use super::explain::{constant, cut, describe_key, expected, listing, nearest, quoted, read};
use super::shape::Shape;
use super::source::Span;
use super::tree::{Kind, Node, Value};

/// The chosen alternative, and keys that were reported during the choice.
type Choice<'c, 's, 'n> = Option<(&'c Shape<'s>, Vec<&'n str>)>;

impl<'s> Checker<'s> {
    /// Chooses the alternative that a map means; `None` after a report. `all` are all alternatives, `fitting` those that
    /// are maps.
    pub(super) fn choose<'c, 'n>(
        &mut self,
        node: &'n Node,
        all: &'c [Shape<'s>],
        fitting: &[&'c Shape<'s>],
        head: Span,
    ) -> Choice<'c, 's, 'n> {
        if let [only] = fitting {
            return self.single(node, all, only, head);
        }
        if let Some(tag) = self.common_tag(fitting) {
            return self.by_tag(node, tag, fitting, head).map(|shape| (shape, Vec::new()));
        }
        let deciding = deciding_keys(fitting);
        let has_any = |keys: &Vec<&str>| keys.iter().any(|key| node.entry(key).is_some());
        let mut candidates: Vec<usize> = (0..fitting.len()).filter(|&at| has_any(&deciding[at])).collect();
        if candidates.is_empty() {
            candidates = (0..fitting.len()).filter(|&at| deciding[at].is_empty()).collect();
        }
        let best = candidates.iter().copied().min_by_key(|&at| self.misfit(node, fitting[at]));
        let Some(best) = best else {
            self.no_alternative(node, all, fitting, head);
            return None;
        };
        let chosen = fitting[best];
        let foreign = |key: &str| !chosen.declares(key) && deciding.iter().any(|keys| keys.contains(&key));
        let ignored: Vec<&str> =
            node.entries().iter().map(|entry| entry.key.as_str()).filter(|key| foreign(key)).collect();
        if !ignored.is_empty() && chosen.is_closed() {
            self.conflict(node, &deciding[best], &ignored);
        }
        Some((chosen, ignored))
    }

    /// The only alternative that is a map; but with other alternatives beside it, its key must be there or be guessed.
    fn single<'c, 'n>(
        &mut self,
        node: &'n Node,
        all: &'c [Shape<'s>],
        only: &'c Shape<'s>,
        head: Span,
    ) -> Choice<'c, 's, 'n> {
        let is_tagged = all.len() > 1 && only.required.len() == 1 && only.properties.len() == 1;
        if is_tagged && only.required.iter().all(|key| node.entry(key).is_none()) {
            self.no_alternative(node, all, &[only], head);
            return None;
        }
        Some((only, Vec::new()))
    }

    /// How badly a map fits an alternative: keys not known, keys missing, values of a wrong kind.
    fn misfit(&mut self, node: &Node, shape: &Shape<'s>) -> (usize, usize, usize) {
        let unknown = node.entries().iter().filter(|entry| !shape.declares(&entry.key)).count();
        let missing = shape.required.iter().filter(|key| node.entry(key).is_none()).count();
        let mut wrong = 0;
        for entry in node.entries() {
            let kind = entry.value.kind();
            wrong += shape
                .property(&entry.key)
                .filter(|schema| !self.shapes(schema).iter().any(|s| s.accepts(kind)))
                .count();
        }
        (unknown, missing, wrong)
    }

    /// The key that has a fixed value in every alternative.
    fn common_tag(&mut self, fitting: &[&Shape<'s>]) -> Option<&'s str> {
        let first = fitting.first()?;
        let names: Vec<&'s str> = first.properties.iter().map(|&(name, _)| name).collect();
        names.into_iter().find(|name| fitting.iter().all(|shape| !self.tag_values(shape, name).is_empty()))
    }

    /// The fixed texts of a key in an alternative.
    fn tag_values(&mut self, shape: &Shape<'s>, key: &str) -> Vec<&'s Json> {
        if !shape.required.contains(&key) {
            return Vec::new();
        }
        let Some(schema) = shape.property(key).next() else {
            return Vec::new();
        };
        let shapes = self.shapes(schema);
        shapes.iter().flat_map(|shape| shape.constants.iter().flatten()).map(|&(value, _)| value).collect()
    }

    fn by_tag<'c>(
        &mut self,
        node: &Node,
        tag: &'s str,
        fitting: &[&'c Shape<'s>],
        head: Span,
    ) -> Option<&'c Shape<'s>> {
        let mut known: Vec<(&str, String)> = Vec::new();
        for shape in fitting {
            for value in self.tag_values(shape, tag) {
                let description = shape.description.map(super::explain::short).unwrap_or_default();
                known.extend(value.as_str().map(|text| (text, description)));
            }
        }
        let Some(entry) = node.entry(tag) else {
            let message = format!("missing key `{tag}` in {}", self.here());
            let error = Diagnostic::error(message, head).with_label(format!("this needs `{tag}`"));
            self.errors.push(
                error
                    .with_note(listing(&format!("values of `{tag}`"), &known, None))
                    .with_help(format!("add `{tag}: ...`")),
            );
            return None;
        };
        let text = if let Value::Text { text, .. } = &entry.value.value { text.as_str() } else { "" };
        for shape in fitting {
            if self.tag_values(shape, tag).iter().any(|value| value.as_str() == Some(text)) {
                return Some(shape);
            }
        }
        let near = nearest(text, known.iter().map(|(name, _)| *name));
        let message = format!("unknown `{tag}` in {}", self.here());
        let label =
            near.map_or_else(|| format!("this is {}", read(&entry.value)), |near| format!("did you mean `{near}`?"));
        let error = Diagnostic::error(message, entry.value.span).with_label(label);
        self.errors.push(error.with_note(listing("allowed here", &known, near)));
        None
    }

    /// Two alternatives at once.
    fn conflict(&mut self, node: &Node, deciding: &[&str], foreign: &[&str]) {
        let own = node.entries().iter().find(|entry| deciding.contains(&entry.key.as_str()));
        let (Some(own), Some(other)) = (own, foreign.first().and_then(|key| node.entry(key))) else {
            return;
        };
        let (first, second) = if own.key_span <= other.key_span { (own, other) } else { (other, own) };
        let message = format!("{} takes one of `{}` and `{}`, not both", self.here(), first.key, second.key);
        let error =
            Diagnostic::error(message, second.key_span).with_label(format!("`{}` is a second choice", second.key));
        let error = error.with_secondary(first.key_span, format!("`{}` is chosen here", first.key));
        let in_list = matches!(self.path.segments().last(), Some(super::path::Segment::Index(_)));
        let help = if in_list { "put each into an item of its own, with its own dash" } else { "keep one of them" };
        self.errors.push(error.with_help(help));
    }

    /// No alternative has its key in the map.
    fn no_alternative(&mut self, node: &Node, all: &[Shape<'s>], fitting: &[&Shape<'s>], head: Span) {
        let mut known: Vec<(&'s str, String)> = Vec::new();
        let mut names: Vec<&'s str> = Vec::new();
        for (shape, keys) in fitting.iter().zip(deciding_keys(fitting)) {
            let keys = if fitting.len() == 1 { shape.required.clone() } else { keys };
            names.extend(&keys);
            // The first key stands for its alternative; the others are asked for when it is there.
            for key in keys.into_iter().take(1) {
                let Some(property) = shape.property(key).next() else {
                    continue;
                };
                if !known.iter().any(|(name, _)| *name == key) {
                    known.push((key, describe_key(self.schema, shape, key, property)));
                }
            }
        }
        let declared = |key: &str| fitting.iter().any(|shape| shape.declares(key));
        let strange = node.entries().iter().filter(|entry| !declared(&entry.key));
        let guess = strange.clone().find_map(|entry| Some((entry, nearest(&entry.key, names.iter().copied())?)));
        let constants = || all.iter().flat_map(|shape| shape.constants.iter().flatten());
        let bare = node.entries().iter().find(|entry| constants().any(|(value, _)| value.as_str() == Some(&entry.key)));
        let near = guess.map(|(_, near)| near);
        let error = if let Some(entry) = bare {
            let error =
                Diagnostic::error(format!("`{}` in {} takes no value", cut(&entry.key), self.here()), entry.key_span);
            error.with_label("this stands alone").with_help(format!("write `{}` without braces and colon", entry.key))
        } else if let Some((entry, near)) = guess {
            let message = format!("unknown key `{}` in {}", cut(&entry.key), self.here());
            Diagnostic::error(message, entry.key_span)
                .with_label(format!("did you mean `{near}`?"))
                .with_help(format!("write `{near}`"))
        } else {
            let span = strange.clone().next().map_or(head, |entry| entry.key_span);
            let label = if node.entries().is_empty() { "this is an empty map" } else { "none of them is here" };
            Diagnostic::error(format!("{} must be {}", self.here(), expected(all)), span).with_label(label)
        };
        self.errors.push(if bare.is_some() {
            error
        } else {
            error.with_note(listing("one of these is needed", &known, near))
        });
    }

    /// Help for a text that names an alternative which needs a value, such as `poisson` for `{ poisson: 400/s }`.
    pub(super) fn tag_without_value(&self, text: &str, shapes: &[Shape<'s>]) -> Option<String> {
        let maps: Vec<&Shape<'s>> = shapes.iter().filter(|shape| shape.accepts(Kind::Map)).collect();
        let keys: Vec<&str> = maps.iter().flat_map(|shape| shape.required.iter().copied()).collect();
        if keys.contains(&text) {
            return Some(format!("`{text}` needs a value: write `{{ {text}: ... }}`"));
        }
        if let Some((key, value)) = text.split_once(' ').filter(|(key, _)| keys.contains(key)) {
            return Some(format!("write `{key}: {}`, with a colon after the key", cut(value.trim())));
        }
        let near = nearest(text, keys.iter().copied())?;
        Some(format!("did you mean `{{ {near}: ... }}`? The keys are {}", quoted(&keys)))
    }
}

/// For each alternative, the keys that it requires and that not all alternatives require.
fn deciding_keys<'s>(fitting: &[&Shape<'s>]) -> Vec<Vec<&'s str>> {
    let common = |key: &str| fitting.iter().all(|shape| shape.required.contains(&key));
    fitting.iter().map(|shape| shape.required.iter().copied().filter(|key| !common(key)).collect()).collect()
}

/// The listed values of all alternatives, with their descriptions.
pub(super) fn constants_of<'s>(shapes: &[Shape<'s>]) -> Vec<(&'s str, String)> {
    let constants = shapes.iter().flat_map(|shape| shape.constants.iter().flatten());
    let texts = constants.filter_map(|&(value, description)| {
        Some((value.as_str()?, description.map(super::explain::short).unwrap_or_default()))
    });
    texts.collect()
}

/// Whether a scalar equals a listed value.
pub(super) fn equals(node: &Node, value: &Json) -> bool {
    match (&node.value, value) {
        (Value::Text { text, .. }, Json::String(other)) => text == other,
        (Value::Text { .. }, _) | (_, Json::String(_)) => false,
        _ => constant(&super::to_json::to_json(node)) == constant(value),
    }
}
