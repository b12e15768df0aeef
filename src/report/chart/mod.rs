//! Charts: from data to an SVG figure fit for print, and from there to PNG.
//!
//! A [`Chart`] holds layers over two axes; [`to_svg`] lays it out and draws it, [`to_png`] makes pixels of that. Line ends and stacks are labeled directly; grouped bars have a key line
//! under the subtitle.
//!
//! Invariants: the same chart gives the same bytes on every platform; nothing is read from the system (the typeface is
//! bundled, text is drawn as outlines); no input panics; a value that cannot be shown (not finite, zero on a log axis,
//! outside of a fixed range) is a gap or an edge mark and is counted in the caption.
//!
//! Limits: numbers and categories only, no dates; one y axis; the typeface covers Latin, Greek and common symbols, other
//! characters show as "?" (title and description for screen readers keep them). Lines of more than 1,500 points are
//! thinned to the picture's resolution.

mod canvas;
mod describe;
mod draw;
mod error;
mod font;
mod frame;
mod geometry;
mod hover;
mod labels;
mod layers;
mod model;
mod palette;
mod plan;
mod scale;
#[cfg(test)]
mod tests;
mod ticks;

pub use canvas::to_png;
pub use error::ChartError;
pub use model::{Axis, Chart, Layer, Line, Points, Role, Scale, Series, Stroke};

pub(super) use canvas::escape;
pub(super) use font::{Weight, drawable, ellipsize, width as text_width};
pub(super) use palette::dark_twins;

use canvas::Canvas;
use frame::Theme;
use geometry::Rect;
use plan::Plan;

/// The chart as an SVG document of its `width` × `height` CSS pixels, on white, text as outlines.
///
/// # Errors
/// [`ChartError::Invalid`] if a size, range, length or count cannot be drawn; its message names the field.
/// [`ChartError::Internal`] if the SVG library refuses the result.
pub fn to_svg(chart: &Chart) -> Result<String, ChartError> {
    let plan = Plan::new(chart)?;
    draw(&plan, Canvas::new(chart.width, chart.height))?.finish(&chart.title, &describe::chart(&plan))
}

/// The chart as an SVG element for a page: text as text in the page's typeface, colors as attributes that the page may
/// choose anew, and strips over the plot with the values there as tool tips. Title, subtitle and caption are left to the page.
///
/// # Errors
/// As [`to_svg`].
pub fn to_live_svg(chart: &Chart) -> Result<String, ChartError> {
    let plan = Plan::new(chart)?;
    draw(&plan, Canvas::live(chart.width, chart.height))?.finish_live(&chart.title, &describe::chart(&plan))
}

fn draw(plan: &Plan<'_>, mut canvas: Canvas) -> Result<Canvas, ChartError> {
    let chart = plan.chart;
    check_size("width", chart.width, 240, 4000)?;
    check_size("height", chart.height, 160, 4000)?;
    let (width, height) = (f64::from(chart.width), f64::from(chart.height));
    let theme = Theme::FULL;
    let area = if canvas.is_live() {
        let page = Rect::new(2.0, 2.0, width - 2.0, height - 4.0);
        let bottom = frame::footer(&mut canvas, &page, "", &plan.notes);
        Rect::new(page.x0, page.y0, page.x1, bottom.max(page.y0 + 40.0))
    } else {
        let page = Rect::new(frame::PADDING, frame::PADDING - 4.0, width - frame::PADDING, height - 12.0);
        let top = frame::header(&mut canvas, &page, &chart.title, &chart.subtitle);
        let bottom = frame::footer(&mut canvas, &page, &chart.caption, &plan.notes);
        Rect::new(page.x0, top, page.x1, bottom.max(top + 40.0))
    };
    draw::chart(&mut canvas, plan, &area, theme);
    Ok(canvas)
}

fn check_size(name: &str, value: u32, lowest: u32, highest: u32) -> Result<(), ChartError> {
    if (lowest..=highest).contains(&value) {
        return Ok(());
    }
    Err(ChartError::Invalid(format!("{name} is {value}; it must be {lowest} to {highest} CSS pixels")))
}
