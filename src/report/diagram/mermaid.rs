//! A system as a Mermaid flowchart, for Markdown files that are rendered elsewhere.

use crate::report::names::clean;
use crate::study::system::{Part, PartKind, SystemMap};

/// The system as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>). Names cannot break it: text stands in
/// quotes, with what would end them as a character code.
pub fn mermaid(map: &SystemMap) -> String {
    let mut text = String::from("flowchart LR\n");
    for (number, part) in map.parts.iter().enumerate() {
        let (open, close) = match part.kind {
            PartKind::Client => ("([", "])"),
            PartKind::Service => ("[", "]"),
            PartKind::Cache | PartKind::Database => ("[(", ")]"),
            PartKind::Queue => ("[[", "]]"),
            PartKind::Dependency => ("{{", "}}"),
        };
        text.push_str(&format!("  p{number}{open}\"{}\"{close}\n", label(part)));
    }
    for calls in &map.calls {
        let operations = quoted(&calls.operations.join(", "));
        text.push_str(&format!("  p{} -->|\"{operations}\"| p{}\n", calls.from, calls.to));
    }
    text
}

fn label(part: &Part) -> String {
    let mut lines = vec![if part.is_several() {
        format!("<b>{}</b> ×{}", quoted(&part.name), part.count())
    } else {
        format!("<b>{}</b>", quoted(&part.name))
    }];
    lines.extend(part.balancer.as_deref().map(quoted));
    if part.kind == PartKind::Client {
        lines.push(quoted(&part.about));
    }
    let rooms: Vec<String> = part.stations.iter().map(|room| quoted(&room.words())).collect();
    lines.push(rooms.join(", "));
    lines.retain(|line| !line.is_empty());
    lines.join("<br>")
}

/// Text within quotes.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for letter in clean(text).chars() {
        match letter {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '|' => out.push_str(&format!("#{};", u32::from(letter))),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::system;

    #[test]
    fn shapes_tell_kinds_apart() {
        assert_eq!(
            mermaid(&system()),
            "flowchart LR\n  p0([\"<b>shoppers</b><br>poisson 400/s\"])\n  \
             p1[\"<b>shop</b> ×3<br>round robin<br>64 workers, 4 cores\"]\n  \
             p2[(\"<b>orders</b><br>50 db\")]\n  p0 -->|\"browse\"| p1\n  p1 -->|\"read\"| p2\n"
        );
    }

    #[test]
    fn names_cannot_break_out() {
        let mut map = system();
        map.parts[0].name = "a\"] --> b; <script>\n|".to_owned();
        let text = mermaid(&map);
        assert!(text.contains("a#34;] --#62; b#59; #60;script#62; #124;"), "{text}");
        assert_eq!(text.lines().count(), 6);
    }
}
