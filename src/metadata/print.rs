//! The compiled metadata.json: the key order of Chef's `to_h`, and Yajl's pretty style
//! (lloyd/yajl, `src/yajl_gen.c` and `src/yajl_encode.c`).

use super::{Json, Metadata};

/// Prints metadata.
pub(super) fn print(metadata: &Metadata) -> String {
    let mut out = String::new();
    value(&mut out, &as_json(metadata), 0);
    // Yajl ends what it prints with a newline, and Chef cuts off one of the two that come of printing
    // an object within an object.
    out.push('\n');
    out
}

fn as_json(metadata: &Metadata) -> Json {
    let text = |text: &str| Json::from(text);
    let requirements = |lists: &[Vec<String>]| {
        let list = |list: &Vec<String>| Json::Array(list.iter().map(|c| text(c)).collect());
        Json::Array(lists.iter().map(list).collect())
    };
    let dependencies = metadata
        .dependencies
        .iter()
        .map(|dependency| {
            let mut odd = metadata.odd_constraints.iter();
            let odd = odd.rfind(|(name, _)| *name == dependency.name);
            let constraint = match odd {
                Some((_, written)) => written.clone(),
                None => text(&dependency.constraint.to_string()),
            };
            (dependency.name.clone(), constraint)
        })
        .collect();
    let fields = [
        ("name", metadata.name.as_deref().map_or(Json::Null, text)),
        ("description", text(&metadata.description)),
        ("long_description", text(&metadata.long_description)),
        ("maintainer", text(&metadata.maintainer)),
        ("maintainer_email", text(&metadata.maintainer_email)),
        ("license", text(&metadata.license)),
        ("platforms", Json::Object(metadata.platforms.clone())),
        ("dependencies", Json::Object(dependencies)),
        ("providing", Json::Object(metadata.providing.clone())),
        ("recipes", Json::Object(metadata.recipes.clone())),
        ("version", text(&metadata.version_text)),
        ("source_url", text(&metadata.source_url)),
        ("issues_url", text(&metadata.issues_url)),
        ("privacy", Json::Bool(metadata.privacy)),
        ("chef_versions", requirements(&metadata.chef_versions)),
        ("ohai_versions", requirements(&metadata.ohai_versions)),
        ("gems", Json::Array(metadata.gems.clone())),
        (
            "eager_load_libraries",
            metadata.eager_load_libraries.clone(),
        ),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Json::Object(fields.into())
}

fn value(out: &mut String, json: &Json, depth: usize) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(text) => out.push_str(text),
        Json::String(text) => string(out, text),
        Json::Array(items) => {
            list(out, ['[', ']'], items, depth, |out, item| {
                value(out, item, depth + 1);
            });
        }
        Json::Object(entries) => {
            list(out, ['{', '}'], entries, depth, |out, (key, item)| {
                string(out, key);
                out.push_str(": ");
                value(out, item, depth + 1);
            });
        }
    }
}

/// One item a line; nothing at all is an empty line.
fn list<T>(
    out: &mut String,
    brackets: [char; 2],
    items: &[T],
    depth: usize,
    each: impl Fn(&mut String, &T),
) {
    out.push(brackets[0]);
    for (number, item) in items.iter().enumerate() {
        out.push_str(if number > 0 { ",\n" } else { "\n" });
        indent(out, depth + 1);
        each(out, item);
    }
    out.push_str(if items.is_empty() { "\n\n" } else { "\n" });
    indent(out, depth);
    out.push(brackets[1]);
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_metadata_is_what_berks_writes() {
        let want = r#"{
  "name": null,
  "description": "",
  "long_description": "",
  "maintainer": "",
  "maintainer_email": "",
  "license": "All rights reserved",
  "platforms": {

  },
  "dependencies": {

  },
  "providing": {

  },
  "recipes": {

  },
  "version": "0.0.0",
  "source_url": "",
  "issues_url": "",
  "privacy": false,
  "chef_versions": [

  ],
  "ohai_versions": [

  ],
  "gems": [

  ],
  "eager_load_libraries": true
}
"#;
        assert_eq!(Metadata::default().to_json(), want);
    }

    #[test]
    fn strings_are_escaped_as_yajl_does() {
        let mut out = String::new();
        string(&mut out, "\"/\\\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}é\u{2028}");
        assert_eq!(
            out,
            "\"\\\"/\\\\\\n\\r\\t\\b\\f\\u0001\\u001F\u{7f}é\u{2028}\""
        );
    }

    #[test]
    fn nested_values_are_indented() {
        let json = Json::Array(vec![
            Json::Array(vec![
                Json::from("a"),
                Json::Object(vec![("k".to_owned(), Json::Null)]),
            ]),
            Json::Object(Vec::new()),
        ]);
        let mut out = String::new();
        value(&mut out, &json, 0);
        let want = "[\n  [\n    \"a\",\n    {\n      \"k\": null\n    }\n  ],\n  {\n\n  }\n]";
        assert_eq!(out, want);
    }
}
