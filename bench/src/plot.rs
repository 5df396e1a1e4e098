//! Lines over points, drawn as SVG by `plotters`.

use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 360);
const COLOURS: [RGBColor; 8] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(255, 127, 14),
    RGBColor(148, 103, 189),
    RGBColor(23, 160, 170),
    RGBColor(140, 86, 75),
    RGBColor(120, 120, 120),
];

/// Named lines over the same axes.
#[derive(Clone)]
pub struct Plot {
    pub title: String,
    pub x: &'static str,
    pub y: &'static str,
    pub lines: Vec<Line>,
}

/// A name and points from left to right.
pub type Line = (String, Vec<(f64, f64)>);

impl Plot {
    pub fn new(title: impl Into<String>, x: &'static str, y: &'static str) -> Self {
        Self { title: title.into(), x, y, lines: Vec::new() }
    }

    pub fn line(&mut self, name: impl Into<String>, points: Vec<(f64, f64)>) {
        self.lines.push((name.into(), points));
    }

    /// An `<svg>` element that refers to nothing outside it.
    pub fn to_svg(&self) -> anyhow::Result<String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| anyhow::anyhow!("draw {}: {error}", self.title))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (width, height) = self.corner();
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 17))
            .margin(10)
            .x_label_area_size(38)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..width, 0.0..height)?;
        chart.configure_mesh().x_desc(self.x).y_desc(self.y).light_line_style(WHITE).draw()?;
        for ((name, points), colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            chart
                .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], *colour));
            let dot = |at: &(f64, f64)| Circle::new(*at, 3, colour.filled());
            chart.draw_series(points.iter().map(dot))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .draw()?;
        area.present()?;
        Ok(())
    }

    /// The far end of both axes: a little beyond every point, and never nothing.
    fn corner(&self) -> (f64, f64) {
        let all = self.lines.iter().flat_map(|(_, points)| points);
        let (x, y) = all.fold((0.0, 0.0), |(x, y): (f64, f64), at| (x.max(at.0), y.max(at.1)));
        let beyond = |end: f64| if end > 0.0 { end * 1.05 } else { 1.0 };
        (beyond(x), beyond(y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_holds_its_lines_and_names_and_nothing_from_outside() {
        let mut plot = Plot::new("a < title", "clients", "events/s");
        plot.line("KeyNest & others", vec![(1.0, 10.0), (64.0, 400.0)]);
        let svg = plot.to_svg().unwrap();
        assert!(
            svg.contains("<svg")
                && svg.contains("KeyNest &amp; others")
                && svg.contains("polyline")
        );
        assert!(!svg.contains("href") && !svg.contains("a < title"));
    }

    #[test]
    fn an_empty_plot_is_drawn_all_the_same() {
        assert!(Plot::new("nothing", "x", "y").to_svg().unwrap().contains("nothing"));
    }
}
