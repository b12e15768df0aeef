//! The bundled typeface: measuring, wrapping and shortening text without asking the system.
//!
//! Inter (SIL Open Font License, see `assets/fonts/OFL.txt`), subset to Latin, Greek and common symbols. Widths are sums
//! of the font's advances; kerning is left out, so a text is at most a few percent narrower than measured.
//! Characters outside the subset are drawn as "?".

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb;

static REGULAR: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts/Inter-Regular.ttf"));
static SEMI_BOLD: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts/Inter-SemiBold.ttf"));

/// The family name both faces carry.
pub(super) const FAMILY: &str = "Inter";

/// The two faces in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Weight {
    Regular,
    SemiBold,
}

/// Advances of one face: character to width in em, sorted by character.
struct Face {
    advances: Vec<(char, f64)>,
}

static FACES: LazyLock<[Face; 2]> =
    LazyLock::new(|| [REGULAR, SEMI_BOLD].map(|data| Face { advances: read_advances(data).unwrap_or_default() }));

static DATABASE: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut database = fontdb::Database::new();
    database.load_font_data(REGULAR.to_vec());
    database.load_font_data(SEMI_BOLD.to_vec());
    Arc::new(database)
});

/// The two bundled faces and nothing else, for turning text into outlines.
pub(super) fn database() -> Arc<fontdb::Database> {
    Arc::clone(&DATABASE)
}

fn advance(weight: Weight, character: char) -> Option<f64> {
    let advances = &FACES[weight as usize].advances;
    let found = advances.binary_search_by_key(&character, |entry| entry.0);
    found.ok().map(|index| advances[index].1)
}

/// Width of `text` in CSS pixels at `size` CSS pixels per em.
pub(in crate::report) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let ems: f64 = text.chars().map(|c| advance(weight, c).unwrap_or(0.7)).sum();
    ems * size
}

/// `text` as it can be drawn: control characters and line breaks become spaces, runs of spaces become one,
/// characters the font lacks become "?".
pub(in crate::report) fn drawable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c.is_control() || c == ' ' {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if advance(Weight::Regular, c).is_some() {
            out.push(c);
        } else {
            out.push('?');
        }
    }
    out
}

/// `text` shortened with "…" to fit `room` CSS pixels; empty if not even one character fits.
pub(in crate::report) fn ellipsize(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if width(text, size, weight) <= room {
        return text.to_string();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let mut shorter: String = kept.iter().collect::<String>().trim_end().to_string();
        shorter.push('…');
        if shorter.len() > '…'.len_utf8() && width(&shorter, size, weight) <= room {
            return shorter;
        }
    }
    String::new()
}

/// `text` broken at spaces into at most `limit` lines of `room` CSS pixels; what does not fit ends in "…".
pub(super) fn wrap(text: &str, size: f64, weight: Weight, room: f64, limit: usize) -> Vec<String> {
    let text = drawable(text);
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
    while words.peek().is_some() && lines.len() < limit {
        let last = lines.len() + 1 == limit;
        let mut line = String::new();
        while let Some(word) = words.peek() {
            let candidate = if line.is_empty() { (*word).to_string() } else { format!("{line} {word}") };
            if !line.is_empty() && !last && width(&candidate, size, weight) > room {
                break;
            }
            line = candidate;
            words.next();
        }
        lines.push(ellipsize(&line, size, weight, room));
    }
    lines
}

/// As [`wrap`], with lines of about equal length: the narrowest room that needs no more lines and cuts nothing off.
pub(super) fn wrap_evenly(text: &str, size: f64, weight: Weight, room: f64, limit: usize) -> Vec<String> {
    let mut best = wrap(text, size, weight, room, limit);
    let cut = |lines: &[String]| lines.iter().any(|line| line.ends_with('…'));
    if best.len() < 2 || cut(&best) {
        return best;
    }
    for percent in (50..100).rev() {
        let narrower = wrap(text, size, weight, room * f64::from(percent) / 100.0, limit);
        if narrower.len() > best.len() || cut(&narrower) {
            break;
        }
        best = narrower;
    }
    best
}

/// Advances from a TrueType file's `cmap` (format 4), `hmtx`, `hhea` and `head` tables (OpenType specification 1.9).
fn read_advances(data: &[u8]) -> Option<Vec<(char, f64)>> {
    let per_em = f64::from(be16(table(data, b"head")?, 18)?);
    let metrics = usize::from(be16(table(data, b"hhea")?, 34)?);
    let hmtx = table(data, b"hmtx")?;
    let cmap = table(data, b"cmap")?;
    let offset = (usize::from(be16(cmap, 8)?) << 16) | usize::from(be16(cmap, 10)?);
    let map = cmap.get(offset..)?;
    if be16(map, 0)? != 4 {
        return None;
    }
    let double = usize::from(be16(map, 6)?);
    let mut out = Vec::new();
    for segment in (0..double).step_by(2) {
        let end = be16(map, 14 + segment)?;
        let start = be16(map, 16 + double + segment)?;
        let delta = be16(map, 16 + 2 * double + segment)?;
        let range_at = 16 + 3 * double + segment;
        let range = usize::from(be16(map, range_at)?);
        for code in start..=end {
            let glyph = if range == 0 {
                code.wrapping_add(delta)
            } else {
                let at = range_at + range + 2 * usize::from(code - start);
                be16(map, at).map_or(0, |g| if g == 0 { 0 } else { g.wrapping_add(delta) })
            };
            if let (Some(c), true) = (char::from_u32(u32::from(code)), glyph != 0) {
                let row = usize::from(glyph).min(metrics.checked_sub(1)?);
                out.push((c, f64::from(be16(hmtx, 4 * row)?) / per_em));
            }
        }
    }
    Some(out)
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn table<'a>(data: &'a [u8], tag: &[u8; 4]) -> Option<&'a [u8]> {
    let count = usize::from(be16(data, 4)?);
    (0..count).find_map(|index| {
        let record = data.get(12 + 16 * index..28 + 16 * index)?;
        let word = |at: usize| Some((usize::from(be16(record, at)?) << 16) | usize::from(be16(record, at + 2)?));
        (&record[..4] == tag).then(|| data.get(word(8)?..word(8)?.checked_add(word(12)?)?))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_have_advances_for_every_promised_symbol() {
        for c in "AZaz09±≤≥×−·…–—‘’“”→µ%λμρσ∞⁰⁻₉Ωéß▲".chars() {
            assert!(advance(Weight::Regular, c).is_some(), "{c}");
            assert!(advance(Weight::SemiBold, c).is_some(), "{c}");
        }
    }

    #[test]
    fn measured_width_bounds_the_shaped_width_within_four_percent() {
        // Kerning, the only thing not measured, is below 4 % of the width in running text.
        let text = "round robin, response time p95 [ms] at 1,250 requests";
        let svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='40'>\
             <text font-family='{FAMILY}' font-size='16' x='0' y='20'>{text}</text></svg>"
        );
        let options = resvg::usvg::Options { fontdb: database(), ..Default::default() };
        let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
        let shaped = f64::from(tree.root().bounding_box().width());
        let measured = width(text, 16.0, Weight::Regular);
        assert!((shaped / measured - 1.0).abs() < 0.04, "{shaped} {measured}");
    }

    #[test]
    fn wrapping_keeps_every_line_within_the_room() {
        let text = "The median hides what the ninety-fifth percentile shows under load & retries";
        for room in [60.0, 120.0, 300.0] {
            for line in wrap(text, 14.0, Weight::SemiBold, room, 2) {
                assert!(width(&line, 14.0, Weight::SemiBold) <= room);
            }
        }
        assert!(wrap(text, 14.0, Weight::SemiBold, 120.0, 2)[1].ends_with('…'));
        assert!(wrap("", 14.0, Weight::Regular, 100.0, 2).is_empty());
    }

    #[test]
    fn even_wrapping_leaves_no_single_word_on_the_second_line() {
        let text = "One request in ten thousand waits ten times longer under demand";
        let room = width(text, 14.0, Weight::Regular) - 1.0;
        let plain = wrap(text, 14.0, Weight::Regular, room, 2);
        let even = wrap_evenly(text, 14.0, Weight::Regular, room, 2);
        assert_eq!(plain[1], "demand");
        assert_eq!(even.len(), 2);
        assert!(even[1].split(' ').count() > 3, "{even:?}");
        assert_eq!(even.join(" "), text);
    }

    #[test]
    fn characters_without_a_glyph_become_question_marks() {
        assert_eq!(drawable("a\u{4e2d}\u{7}b\n c"), "a? b c");
    }
}
