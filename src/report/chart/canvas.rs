//! The drawing surface: marks through plotters' SVG backend, text as SVG text, both made into one document.
//!
//! plotters rounds coordinates to whole pixels, so marks are drawn `FINE` times larger and scaled back; curves keep a
//! resolution of a sixteenth of a pixel. usvg then rewrites the document with text as outlines: it looks the same
//! everywhere and needs no font. Nothing outside this file knows of plotters.

use std::fmt::Write as _;

use plotters::prelude::{Circle, DrawingArea, IntoDrawingArea, PathElement, Polygon, RGBColor, SVGBackend, ShapeStyle};
use plotters::style::Color as _;
use resvg::{tiny_skia, usvg};

use super::error::ChartError;
use super::font::{self, Weight};
use super::geometry::{Point, Rect, dash};
use super::palette::{Rgb, WHITE};

/// Drawing units per CSS pixel.
const FINE: u32 = 16;
/// Pixels per CSS pixel in PNG files.
const PNG_SCALE: f32 = 2.0;
/// Largest PNG side, in pixels.
const PNG_LIMIT: f32 = 16_000.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Which end of a text its position means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextStyle {
    /// CSS pixels per em.
    pub size: f64,
    pub weight: Weight,
    pub color: Rgb,
    pub anchor: Anchor,
    /// Whether a white outline separates the text from what lies under it.
    pub halo: bool,
}

enum Mark {
    Path(Vec<Point>, Rgb, f64),
    Polygon(Vec<Point>, Rgb, f64),
    Disk(Point, f64, Rgb),
}

/// Marks and texts in drawing order; all texts lie above all marks.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    marks: Vec<Mark>,
    texts: String,
    /// What is said where a reader points; `None` for pictures that nobody can point at.
    strips: Option<Vec<(Rect, String)>>,
}

impl Canvas {
    /// An empty white canvas, in CSS pixels.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, marks: Vec::new(), texts: String::new(), strips: None }
    }

    /// As [`Canvas::new`], for a page on which readers can point at the picture.
    pub fn live(width: u32, height: u32) -> Self {
        Self { strips: Some(Vec::new()), ..Self::new(width, height) }
    }

    /// Whether readers can point at the picture.
    pub fn is_live(&self) -> bool {
        self.strips.is_some()
    }

    /// Says something where a reader points.
    pub fn strip(&mut self, place: Rect, text: String) {
        if let Some(strips) = &mut self.strips {
            strips.push((place, text));
        }
    }

    /// A polyline, `width` CSS pixels thick.
    pub fn path(&mut self, points: &[Point], color: Rgb, width: f64) {
        if points.len() > 1 {
            self.marks.push(Mark::Path(points.to_vec(), color, width));
        }
    }

    /// A polyline in dashes of (dash, gap) CSS pixels, or solid.
    pub fn dashed(&mut self, points: &[Point], color: Rgb, width: f64, pattern: Option<(f64, f64)>) {
        match pattern {
            None => self.path(points, color, width),
            Some(pattern) => {
                for run in dash(points, pattern) {
                    self.path(&run, color, width);
                }
            }
        }
    }

    /// A filled polygon; `opacity` is 0 to 1.
    pub fn polygon(&mut self, points: &[Point], color: Rgb, opacity: f64) {
        if points.len() > 2 {
            self.marks.push(Mark::Polygon(points.to_vec(), color, opacity));
        }
    }

    /// A filled disk.
    pub fn disk(&mut self, center: Point, radius: f64, color: Rgb) {
        self.marks.push(Mark::Disk(center, radius, color));
    }

    /// One line of text with its baseline at `at`. Markup characters are escaped here and only here.
    pub fn text(&mut self, at: Point, text: &str, style: TextStyle) {
        if text.is_empty() {
            return;
        }
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = match style.weight {
            Weight::Regular => 400,
            Weight::SemiBold => 600,
        };
        let halo = if style.halo {
            " stroke=\"#fff\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\""
        } else {
            ""
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.texts,
            "<text x=\"{:.2}\" y=\"{:.2}\" font-size=\"{}\" font-weight=\"{weight}\" text-anchor=\"{anchor}\" \
             fill=\"{}\"{halo}>{}</text>",
            at.0,
            at.1,
            style.size,
            hex(style.color),
            escape(text),
        );
    }

    /// The finished picture for a page: text as text, so that it can be selected and the page chooses colors by theme.
    pub fn finish_live(self, title: &str, description: &str) -> Result<String, ChartError> {
        let (width, height) = (self.width, self.height);
        let marks = self.draw_marks()?;
        let mut strips = String::new();
        for (place, text) in self.strips.iter().flatten() {
            // Writing to a String cannot fail.
            let _ = write!(
                strips,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
                place.x0,
                place.y0,
                place.width(),
                place.height(),
                text.split('\n').map(escape).collect::<Vec<_>>().join("\n"),
            );
        }
        let label = escape(&format!("{title}. {description}")).replace('"', "&quot;");
        Ok(format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
             tabindex=\"0\" aria-label=\"{label}\"><g transform=\"scale({})\" stroke-linejoin=\"round\">{}</g>\n<g>{}</g>\
             <g class=\"strips\">{strips}</g></svg>\n",
            1.0 / f64::from(FINE),
            marks.trim().replace('\n', ""),
            self.texts.trim_end(),
        ))
    }

    /// The finished document, with `title` and `description` for readers who cannot see it.
    pub fn finish(self, title: &str, description: &str) -> Result<String, ChartError> {
        let (width, height) = (self.width, self.height);
        let marks = self.draw_marks()?;
        let source = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\"><rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\
             <g transform=\"scale({})\" stroke-linejoin=\"round\">{marks}</g>\
             <g font-family=\"{}\">{}</g></svg>",
            hex(WHITE),
            1.0 / f64::from(FINE),
            font::FAMILY,
            self.texts,
        );
        let options =
            usvg::Options { fontdb: font::database(), font_family: font::FAMILY.to_string(), ..Default::default() };
        let tree = usvg::Tree::from_str(&source, &options).map_err(ChartError::internal)?;
        let outlined = tree.to_string(&usvg::WriteOptions {
            coordinates_precision: 2,
            transforms_precision: 6,
            ..Default::default()
        });
        let open = outlined.find('>').ok_or_else(|| ChartError::internal("no root element"))?;
        let (head, body) = outlined.split_at(open);
        Ok(format!(
            "{head} viewBox=\"0 0 {width} {height}\" role=\"img\">\n    <title>{}</title>\n    <desc>{}</desc>{}",
            escape(title),
            escape(description),
            &body[1..],
        ))
    }

    /// The marks as SVG elements in fine units, without the root that plotters puts around them.
    fn draw_marks(&self) -> Result<String, ChartError> {
        let mut buffer = String::new();
        {
            let size = (self.width * FINE, self.height * FINE);
            let area = SVGBackend::with_string(&mut buffer, size).into_drawing_area();
            for mark in &self.marks {
                draw(&area, mark)?;
            }
            area.present().map_err(ChartError::internal)?;
        }
        let inner = buffer.split_once('>').and_then(|(_, rest)| rest.trim_end().strip_suffix("</svg>"));
        inner.map(str::to_string).ok_or_else(|| ChartError::internal("unexpected document from the SVG backend"))
    }
}

fn draw(area: &Area<'_>, mark: &Mark) -> Result<(), ChartError> {
    let drawn = match mark {
        Mark::Path(points, color, width) => {
            let style: ShapeStyle = rgb(*color).stroke_width(fine(*width).max(1) as u32);
            area.draw(&PathElement::new(fine_all(points), style))
        }
        Mark::Polygon(points, color, opacity) => {
            area.draw(&Polygon::new(fine_all(points), rgb(*color).mix(*opacity).filled()))
        }
        Mark::Disk(center, radius, color) => {
            area.draw(&Circle::new((fine(center.0), fine(center.1)), fine(*radius).max(1) as u32, rgb(*color).filled()))
        }
    };
    drawn.map_err(ChartError::internal)
}

fn fine(value: f64) -> i32 {
    (value * f64::from(FINE)).round() as i32
}

fn fine_all(points: &[Point]) -> Vec<(i32, i32)> {
    points.iter().map(|p| (fine(p.0), fine(p.1))).collect()
}

fn rgb(color: Rgb) -> RGBColor {
    RGBColor(color.0, color.1, color.2)
}

fn hex(color: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)
}

/// `text` for use between XML tags; characters that XML forbids are dropped.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => out.push(other),
        }
    }
    out
}

/// A PNG picture of an SVG document that this module made, on white, at two pixels per CSS pixel.
///
/// # Errors
/// `ChartError::Internal` if the document is not valid SVG or its size is beyond 16,000 pixels.
pub fn to_png(svg: &str) -> Result<Vec<u8>, ChartError> {
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default()).map_err(ChartError::internal)?;
    let (width, height) = (tree.size().width() * PNG_SCALE, tree.size().height() * PNG_SCALE);
    if width > PNG_LIMIT || height > PNG_LIMIT {
        return Err(ChartError::internal("picture too large"));
    }
    let mut pixels = tiny_skia::Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or_else(|| ChartError::internal("picture has no area"))?;
    pixels.fill(tiny_skia::Color::WHITE);
    let scale = tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    encode(&pixels).map_err(ChartError::internal)
}

/// An opaque picture as PNG: three channels, and the fast compression that the `png` crate has for pictures with large even
/// areas. On charts it is ten times faster than its balanced one, for files about twice as large.
fn encode(pixels: &tiny_skia::Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut colors = Vec::with_capacity(pixels.data().len() / 4 * 3);
    for pixel in pixels.data().chunks_exact(4) {
        colors.extend_from_slice(&pixel[..3]);
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&colors)?;
    writer.finish()?;
    Ok(file)
}
