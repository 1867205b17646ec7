//! A bundle's dependencies drawn: `cookpack tree --format dot`, `mermaid` and `svg`.

mod layers;
mod svg;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::name::CookbookName;
use crate::ops::{DependencyGraph, Neighbours};
pub(super) use svg::svg;

/// What is drawn.
pub(super) struct Drawing {
    boxes: Vec<CookbookBox>,
    arrows: Vec<Arrow>,
}

/// A cookbook.
struct CookbookBox {
    name: String,
    version: String,
    source: String,
}

/// That one cookbook leads to another.
struct Arrow {
    from: usize,
    to: usize,
    /// The versions wanted; empty if any will do.
    constraint: String,
}

impl Drawing {
    /// Draws the cookbooks of `neighbours`, each with arrows to those that it leads to. `is_inverted`:
    /// these are the ones that depend on it.
    pub(super) fn new(graph: &DependencyGraph, neighbours: &Neighbours, is_inverted: bool) -> Self {
        let numbers: BTreeMap<&CookbookName, usize> = neighbours
            .keys()
            .enumerate()
            .map(|(index, name)| (name, index))
            .collect();
        let mut boxes = Vec::new();
        let mut arrows = Vec::new();
        for (from, (name, next)) in neighbours.iter().enumerate() {
            let locked = graph.lockfile.cookbooks.get(name);
            boxes.push(CookbookBox {
                name: name.to_string(),
                version: locked.map_or(String::new(), |locked| locked.version.to_string()),
                source: locked.map_or(String::new(), |locked| plain(&locked.pin.to_string())),
            });
            for other in next {
                let (by, wanted) = match is_inverted {
                    true => (other, name),
                    false => (name, other),
                };
                if let Some(&to) = numbers.get(other) {
                    let constraint = wanted_versions(graph, by, wanted);
                    arrows.push(Arrow {
                        from,
                        to,
                        constraint,
                    });
                }
            }
        }
        Self { boxes, arrows }
    }
}

/// The versions of one cookbook that another takes; empty if any will do.
fn wanted_versions(graph: &DependencyGraph, by: &CookbookName, wanted: &CookbookName) -> String {
    let edges = graph.edges.get(wanted).map_or(&[][..], Vec::as_slice);
    let own = edges.iter().filter(|edge| edge.by.as_ref() == Some(by));
    let constraints = own.map(|edge| &edge.constraint).filter(|c| !c.is_any());
    let texts: Vec<_> = constraints.map(ToString::to_string).collect();
    plain(&texts.join(", "))
}

/// A text without characters that lines, terminals or XML have a use of their own for.
fn plain(text: &str) -> String {
    text.replace(
        |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'),
        "\u{fffd}",
    )
}

/// The drawing in Graphviz's language.
pub(super) fn dot(drawing: &Drawing) -> String {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text =
        "digraph cookbooks {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
            .to_owned();
    for cookbook in &drawing.boxes {
        let name = quote(&cookbook.name);
        let _ = writeln!(
            text,
            "  \"{name}\" [label=\"{name} {}\\n{}\"];",
            quote(&cookbook.version),
            quote(&cookbook.source)
        );
    }
    for arrow in &drawing.arrows {
        let label = match &*arrow.constraint {
            "" => String::new(),
            constraint => format!(" [label=\"{}\"]", quote(constraint)),
        };
        let name = |index: usize| quote(&drawing.boxes[index].name);
        let _ = writeln!(
            text,
            "  \"{}\" -> \"{}\"{label};",
            name(arrow.from),
            name(arrow.to)
        );
    }
    text.push_str("}\n");
    text
}

/// The drawing in Mermaid's language.
pub(super) fn mermaid(drawing: &Drawing) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, cookbook) in drawing.boxes.iter().enumerate() {
        let _ = writeln!(
            text,
            "  n{index}[\"{} {}<br/>{}\"]",
            entities(&cookbook.name),
            entities(&cookbook.version),
            entities(&cookbook.source)
        );
    }
    for arrow in &drawing.arrows {
        let label = match &*arrow.constraint {
            "" => String::new(),
            constraint => format!("|\"{}\"|", entities(constraint)),
        };
        let _ = writeln!(text, "  n{} -->{label} n{}", arrow.from, arrow.to);
    }
    text
}

/// A text for Mermaid's quotes: what it could read as more than a character becomes one of its entities,
/// which are written with `#`.
fn entities(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' | '*' | '~' | ';' => {
                let _ = write!(written, "#{};", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boxes by name, version and source; arrows by number and constraint.
    pub(super) fn drawing(
        boxes: &[(&str, &str, &str)],
        arrows: &[(usize, usize, &str)],
    ) -> Drawing {
        let cookbook = |(name, version, source): &(&str, &str, &str)| CookbookBox {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            source: plain(source),
        };
        let arrow = |(from, to, constraint): &(usize, usize, &str)| Arrow {
            from: *from,
            to: *to,
            constraint: (*constraint).to_owned(),
        };
        Drawing {
            boxes: boxes.iter().map(cookbook).collect(),
            arrows: arrows.iter().map(arrow).collect(),
        }
    }

    pub(super) const HOSTILE: &str = "a\"b\\<c>&#`;\n\u{1b}]--><script>";

    #[test]
    fn graphviz_reads_texts_as_texts() {
        let drawing = drawing(
            &[("web", "1.2.0", HOSTILE), ("apt", "7.0.0", "https://a")],
            &[(0, 1, "~> 7.0"), (1, 1, "")],
        );
        assert_eq!(
            dot(&drawing),
            "digraph cookbooks {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  \
             \"web\" [label=\"web 1.2.0\\na\\\"b\\\\<c>&#`;\u{fffd}\u{fffd}]--><script>\"];\n  \
             \"apt\" [label=\"apt 7.0.0\\nhttps://a\"];\n  \
             \"web\" -> \"apt\" [label=\"~> 7.0\"];\n  \"apt\" -> \"apt\";\n}\n"
        );
    }

    #[test]
    fn mermaid_reads_texts_as_texts() {
        let drawing = drawing(
            &[("web", "1.2.0", HOSTILE), ("apt", "7.0.0", "https://a")],
            &[(0, 1, "~> 7.0"), (1, 1, "")],
        );
        assert_eq!(
            mermaid(&drawing),
            "flowchart LR\n  n0[\"web 1.2.0<br/>a#34;b#92;#60;c#62;#38;#35;#96;#59;\u{fffd}\u{fffd}]--#62;#60;script#62;\"]\n  \
             n1[\"apt 7.0.0<br/>https://a\"]\n  n0 -->|\"#126;#62; 7.0\"| n1\n  n1 --> n1\n"
        );
    }
}
