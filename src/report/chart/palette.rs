//! Colors, dashes and marker shapes.
//!
//! The hues are those of Okabe and Ito, "Color Universal Design" (2008), which stay apart for the common forms of color
//! blindness. Yellow is replaced by a dark grey, since thin yellow lines vanish on white. Text takes a darker tone of the
//! same hue, so that labels keep a contrast of about 4.5 : 1 on white.

use super::model::{Role, Stroke};

/// An sRGB color.
pub(super) type Rgb = (u8, u8, u8);

pub(super) const WHITE: Rgb = (255, 255, 255);
pub(super) const INK: Rgb = (26, 26, 26);
pub(super) const TEXT: Rgb = (68, 68, 68);
pub(super) const MUTED: Rgb = (106, 106, 106);
pub(super) const AXIS: Rgb = (90, 90, 90);
pub(super) const GRID: Rgb = (229, 229, 229);
pub(super) const FADED: Rgb = (200, 200, 200);
pub(super) const SHADE: Rgb = (120, 120, 130);

/// (mark, text) of each series color.
const SERIES: [(Rgb, Rgb); 8] = [
    ((0, 114, 178), (0, 100, 160)),
    ((213, 94, 0), (184, 78, 0)),
    ((0, 158, 115), (0, 122, 88)),
    ((190, 100, 155), (160, 70, 126)),
    ((230, 159, 0), (150, 100, 0)),
    ((86, 180, 233), (20, 116, 168)),
    ((80, 80, 80), (70, 70, 70)),
    ((136, 34, 85), (136, 34, 85)),
];

/// Up to this many series all are colored; of more, the first `FOREGROUND` are and the rest fade.
pub(super) const COLORED_LIMIT: usize = 12;
/// How many series stay colored when there are more than `COLORED_LIMIT`.
pub(super) const FOREGROUND: usize = 8;

/// The colors of the light theme with those that take their place on a dark page, as `#rrggbb`.
///
/// Marks keep their hue and get lighter where they would drown; texts get the lighter tone that keeps a contrast of about
/// 4.5 : 1 on the page's dark ground.
pub(in crate::report) fn dark_twins() -> Vec<(String, String)> {
    let hex = |color: Rgb| format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2);
    let plain = [
        (WHITE, (22, 24, 28)),
        (INK, (236, 236, 236)),
        (TEXT, (200, 204, 210)),
        (MUTED, (160, 167, 176)),
        (AXIS, (140, 147, 156)),
        (GRID, (48, 53, 60)),
        (FADED, (78, 84, 92)),
        (SHADE, (150, 150, 165)),
        ((130, 130, 130), (150, 156, 164)),
        ((180, 30, 30), (255, 133, 119)),
    ];
    let light = |color: Rgb| {
        let mix = |channel: u8| (f64::from(channel) * 0.62 + 255.0 * 0.38) as u8;
        (mix(color.0), mix(color.1), mix(color.2))
    };
    let mut twins: Vec<(String, String)> = plain.iter().map(|(from, to)| (hex(*from), hex(*to))).collect();
    for (mark, text) in SERIES {
        for color in [mark, text] {
            let twin = (hex(color), hex(light(color)));
            if !twins.iter().any(|known| known.0 == twin.0) {
                twins.push(twin);
            }
        }
    }
    twins
}

/// (mark, text) color of a role, or of the series with this number.
pub(super) fn colors(role: Option<Role>, number: usize) -> (Rgb, Rgb) {
    match role {
        None => SERIES[number % SERIES.len()],
        Some(Role::Series(index)) => SERIES[index % SERIES.len()],
        Some(Role::Reference) => ((130, 130, 130), MUTED),
        Some(Role::Emphasis) => ((180, 30, 30), (180, 30, 30)),
    }
}

/// The dash pattern that keeps many series apart without color.
pub(super) fn stroke(number: usize) -> Stroke {
    match number {
        0..4 => Stroke::Solid,
        4..8 => Stroke::Dashed,
        _ => Stroke::Dotted,
    }
}

/// The color of a cell between nothing (0) and most (1): from nearly white through orange to a dark red, evenly darker, so that
/// it reads in print without colors too. The colors are those of ColorBrewer's OrRd (C. Brewer, 2002).
pub(super) fn heat(share: f64) -> Rgb {
    const STOPS: [Rgb; 6] =
        [(255, 247, 236), (253, 220, 175), (253, 187, 132), (239, 101, 72), (190, 20, 15), (127, 0, 0)];
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let index = (place as usize).min(STOPS.len() - 2);
    let part = place - index as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (STOPS[index], STOPS[index + 1]);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Lengths of (dash, gap) in CSS pixels; none for a solid line.
pub(super) fn dashes(stroke: Stroke) -> Option<(f64, f64)> {
    match stroke {
        Stroke::Solid => None,
        Stroke::Dashed => Some((6.0, 3.5)),
        Stroke::Dotted => Some((1.8, 2.6)),
    }
}

/// Marker shapes, in the order series take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
}

/// The marker of the series with this number.
pub(super) fn marker(number: usize) -> Marker {
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::TriangleDown][number % 5]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.1.
    fn luminance(color: Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
        };
        0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
    }

    #[test]
    fn label_colors_reach_the_contrast_of_body_text_on_white() {
        let texts = SERIES.iter().map(|pair| pair.1).chain([INK, TEXT, MUTED]);
        for color in texts {
            let contrast = 1.05 / (luminance(color) + 0.05);
            assert!(contrast >= 4.5, "{color:?}: {contrast:.2}");
        }
    }
}
