//! The drawing as SVG: layers from left to right, each cookbook a box, each arrow a curve.

use std::fmt::Write as _;

use super::layers::{Layers, lay_out};
use super::{CookbookBox, Drawing};

/// A box's height, the room between boxes and between layers, the margin: in pixels.
const HEIGHT: i64 = 44;
const GAP: i64 = 16;
const BETWEEN: i64 = 72;
const MARGIN: i64 = 16;

/// What a character takes at most in the fonts of the two lines.
const NAME_CHARACTER: i64 = 9;
const SOURCE_CHARACTER: i64 = 7;

/// How much of a source is shown; a pointer on the box shows all.
const SHOWN: usize = 44;

/// The drawing as one SVG document.
pub(in super::super) fn svg(drawing: &Drawing) -> String {
    let arrows: Vec<_> = drawing.arrows.iter().map(|a| (a.from, a.to)).collect();
    let laid = lay_out(drawing.boxes.len(), &arrows, HEIGHT, GAP);
    let columns = columns(drawing, &laid);
    let width = columns.last().map_or(0, |(left, width)| left + width) + MARGIN;
    let ends = laid.items.iter().map(|item| item.at + item.size);
    let height = ends.max().unwrap_or(0) + 2 * MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (arrow, way) in drawing.arrows.iter().zip(&laid.ways) {
        let (from, to) = (
            &drawing.boxes[arrow.from].name,
            &drawing.boxes[arrow.to].name,
        );
        let title = format!("{from} \u{2192} {to} {}", arrow.constraint);
        let _ = writeln!(
            text,
            "<path d=\"{}\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#tip)\"><title>{}</title></path>",
            curve(&laid, &columns, way),
            escaped(title.trim_end())
        );
    }
    for (cookbook, item) in drawing.boxes.iter().zip(&laid.items) {
        let (left, width) = columns[item.layer];
        cookbook.draw((left, MARGIN + item.at), width, &mut text);
    }
    text.push_str("</svg>\n");
    text
}

impl CookbookBox {
    fn name_and_version(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    fn short_source(&self) -> String {
        match self.source.chars().count() > SHOWN {
            // Addresses differ at their ends.
            true => {
                let skipped = self.source.chars().count() - SHOWN + 1;
                let end: String = self.source.chars().skip(skipped).collect();
                format!("\u{2026}{end}")
            }
            false => self.source.clone(),
        }
    }

    fn width(&self) -> i64 {
        let length = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX / 64);
        let name = length(&self.name_and_version()) * NAME_CHARACTER;
        let source = length(&self.short_source()) * SOURCE_CHARACTER;
        name.max(source) + 20
    }

    fn draw(&self, (x, y): (i64, i64), width: i64, text: &mut String) {
        let _ = writeln!(
            text,
            "<g><title>{} ({})</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"4\" fill=\"#f4f6f8\" stroke=\"#345\"/>\
             <text x=\"{tx}\" y=\"{name_y}\" font-size=\"14\" fill=\"#123\">{}</text>\
             <text x=\"{tx}\" y=\"{source_y}\" font-size=\"11\" fill=\"#567\">{}</text></g>",
            escaped(&self.name_and_version()),
            escaped(&self.source),
            escaped(&self.name_and_version()),
            escaped(&self.short_source()),
            tx = x + 10,
            name_y = y + 19,
            source_y = y + 35,
        );
    }
}

/// Where each layer begins, and how wide its widest box is.
fn columns(drawing: &Drawing, laid: &Layers) -> Vec<(i64, i64)> {
    let count = laid.items.iter().map(|item| item.layer + 1).max();
    let mut widths = vec![0; count.unwrap_or(0)];
    for (cookbook, item) in drawing.boxes.iter().zip(&laid.items) {
        widths[item.layer] = cookbook.width().max(widths[item.layer]);
    }
    let mut left = MARGIN;
    let mut columns = Vec::new();
    for width in widths {
        columns.push((left, width));
        left += width + BETWEEN;
    }
    columns
}

/// An arrow through the items of its way; through points it goes straight.
fn curve(laid: &Layers, columns: &[(i64, i64)], way: &[usize]) -> String {
    let place = |item: usize| {
        let (left, width) = columns[laid.items[item].layer];
        let middle = MARGIN + laid.items[item].at + laid.items[item].size / 2;
        (left, left + width, middle)
    };
    if let [own] = way {
        let (_, right, middle) = place(*own);
        let (up, down, out) = (middle - 12, middle + 12, right + 20);
        return format!("M{right} {up}C{out} {up} {out} {down} {right} {down}");
    }
    let mut d = String::new();
    for pair in way.windows(2) {
        let (from, to) = (place(pair[0]), place(pair[1]));
        let is_forth = laid.items[pair[0]].layer < laid.items[pair[1]].layer;
        let (x1, x2) = match is_forth {
            true => (from.1, to.0),
            false => (from.0, to.1),
        };
        let (y1, y2, half) = (from.2, to.2, (x1 + x2) / 2);
        let _ = match d.is_empty() {
            true => write!(d, "M{x1} {y1}"),
            false => write!(d, "L{x1} {y1}"),
        };
        let _ = write!(d, "C{half} {y1} {half} {y2} {x2} {y2}");
    }
    d
}

/// A text for XML. Control characters, which XML has no place for, are gone by now.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HOSTILE, drawing};
    use super::*;

    #[test]
    fn texts_are_texts_and_every_cookbook_and_arrow_is_drawn() {
        let long = format!("https://example.com/{}/end", "x".repeat(80));
        let boxes = [("web", "1.2.0", HOSTILE), ("apt", "7.0.0", &*long)];
        let drawing = drawing(&boxes, &[(0, 1, "~> 7.0"), (1, 1, "< 8"), (1, 0, "")]);
        let text = svg(&drawing);
        assert_eq!(text.matches("<rect").count(), 3, "{text}");
        assert_eq!(text.matches("marker-end").count(), 3, "{text}");
        assert!(
            !text.contains("<script") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(text.contains("a&quot;b\\&lt;c&gt;&amp;#`;"), "{text}");
        assert!(
            text.contains("web \u{2192} apt ~&gt; 7.0</title>"),
            "{text}"
        );
        assert!(text.contains(&format!("({long})</title>")), "{text}");
        assert!(
            text.contains(">\u{2026}") && text.contains("/end</text>"),
            "{text}"
        );
        assert_eq!(text, svg(&drawing));
    }

    #[test]
    fn nothing_is_an_empty_picture() {
        let text = svg(&drawing(&[], &[]));
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
    }
}
