//! Bars, lying, in an SVG file.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

const WIDTH: i32 = 760;
/// For the names on the left and the figures on the right.
const LEFT: i32 = 170;
const RIGHT: i32 = 110;
const TOP: i32 = 48;
const BAR: i32 = 16;
const GAP: i32 = 14;
const SHADES: [RGBColor; 3] =
    [RGBColor(0x2f, 0x6f, 0xa8), RGBColor(0x7f, 0xb0, 0xd8), RGBColor(0xc4, 0xdc, 0xee)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One thing that is compared.
pub struct Group {
    /// Its name.
    pub name: String,
    /// The bars' lengths, and what is written beside them.
    pub bars: Vec<(f64, String)>,
}

/// Draws them. With as many names as a group has bars, a key of the shades is drawn too.
pub fn bars(file: &Path, title: &str, names: &[&str], groups: &[Group]) -> Result<()> {
    let height = |group: &Group| BAR * i32::try_from(group.bars.len()).unwrap_or(1) + GAP;
    let size = (WIDTH as u32, u32::try_from(TOP + groups.iter().map(height).sum::<i32>())?);
    let area = SVGBackend::new(file, size).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    text(&area, title, (12, 22), 20, HPos::Left)?;
    for (number, name) in names.iter().enumerate() {
        let x = WIDTH - RIGHT - 60 * i32::try_from(names.len() - number)?;
        rectangle(&area, (x, 16), 12, 12, SHADES[number])?;
        text(&area, name, (x + 16, 22), 15, HPos::Left)?;
    }
    let longest = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.0).fold(0.0, f64::max);
    let mut y = TOP;
    for group in groups {
        draw(&area, group, y, longest)?;
        y += height(group);
    }
    area.present().map_err(failed)
}

fn draw(area: &Area<'_>, group: &Group, top: i32, longest: f64) -> Result<()> {
    let middle = top + BAR * i32::try_from(group.bars.len())? / 2;
    text(area, &group.name, (LEFT - 10, middle), 17, HPos::Right)?;
    for (number, (length, figure)) in group.bars.iter().enumerate() {
        let y = top + BAR * i32::try_from(number)?;
        let width = (length / longest * f64::from(WIDTH - LEFT - RIGHT)).round() as i32;
        rectangle(area, (LEFT, y), width.max(1), BAR - 1, SHADES[number % SHADES.len()])?;
        text(area, figure, (LEFT + width + 6, y + BAR / 2), 15, HPos::Left)?;
    }
    Ok(())
}

fn rectangle(area: &Area<'_>, at: (i32, i32), w: i32, h: i32, shade: RGBColor) -> Result<()> {
    let corners = [at, (at.0 + w, at.1 + h)];
    area.draw(&Rectangle::new(corners, shade.filled())).map_err(failed)
}

fn text(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, anchor: HPos) -> Result<()> {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&RGBColor(0x22, 0x22, 0x22))
        .pos(Pos::new(anchor, VPos::Center));
    area.draw_text(text, &style, at).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("drawing: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_every_name_and_figure() -> Result<()> {
        let file =
            std::env::temp_dir().join(format!("pg_snowflake-plot-{}.svg", std::process::id()));
        let group = |name: &str, length| Group {
            name: name.to_owned(),
            bars: vec![(length, format!("{length} MB"))],
        };
        bars(&file, "Sizes", &[], &[group("small", 1.0), group("large", 2.5)])?;
        let svg = std::fs::read_to_string(&file)?;
        std::fs::remove_file(&file)?;
        for wanted in ["Sizes", "small", "large", "1 MB", "2.5 MB"] {
            assert!(svg.contains(wanted), "{wanted}");
        }
        Ok(())
    }
}
