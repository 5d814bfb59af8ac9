//! Any text as Markdown. What becomes of it has the elements, attributes and
//! addresses that the renderer makes, every element is closed, and nothing else in
//! it means anything to a browser.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The elements, and the attributes that each may have.
const ELEMENTS: [(&str, &str); 7] = [
    ("a", "href title"),
    (
        "blockquote br del em h1 h2 h3 h4 h5 h6 hr li p pre strong table tbody thead tr ul",
        "",
    ),
    ("code sup", "class"),
    ("div", "class id"),
    ("img", "src alt title"),
    ("ol", "start"),
    ("td th", "style"),
];
/// Those without content, which are not closed.
const EMPTY: [&str; 3] = ["br", "hr", "img"];
const ENTITIES: [(&str, &str); 6] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    // The last: what it leaves is not decoded again.
    ("&amp;", "&"),
];

fuzz_target!(|text: &str| {
    let html = backend::fuzzing::renders(text);
    for (at, _) in html.match_indices('&') {
        let mut entities = ENTITIES.iter().map(|(entity, _)| entity);
        assert!(
            entities.any(|entity| html[at..].starts_with(entity)),
            "{html}"
        );
    }
    let (mut open, mut rest) = (Vec::new(), html.as_str());
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{html}");
        let (tag, after) = after.split_once('>').expect("every tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{html}");
        } else if let Some(tag) = tag.strip_suffix(" /") {
            assert!(EMPTY.contains(&judged(tag)), "{html}");
        } else {
            open.push(judged(tag));
        }
        rest = after;
    }
    assert!(open.is_empty() && !rest.contains('>'), "{html}");
});

/// The name of a tag whose name and attributes may be there.
fn judged(tag: &str) -> &str {
    let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    let is_in = |name, list: &str| list.split_whitespace().any(|listed| listed == name);
    let element = ELEMENTS.iter().find(|(names, _)| is_in(name, names));
    let (_, known) = element.unwrap_or_else(|| panic!("<{tag}>"));
    while !attributes.is_empty() {
        let (attribute, after) = attributes.split_once("=\"").expect("it has a value");
        let (value, after) = after.split_once('"').expect("every value ends");
        let is_made = is_in(attribute, known) && is_harmless(attribute, value);
        assert!(
            is_made && (after.is_empty() || after.starts_with(' ')),
            "<{tag}>"
        );
        attributes = after.trim_start_matches(' ');
    }
    name
}

fn is_harmless(attribute: &str, value: &str) -> bool {
    match attribute {
        "href" | "src" => leads_somewhere_harmless(value),
        "style" => [
            "text-align: left",
            "text-align: center",
            "text-align: right",
        ]
        .contains(&value),
        "class" => value.starts_with("footnote-") || value.starts_with("language-"),
        "start" => value.bytes().all(|byte| byte.is_ascii_digit()),
        _ => true,
    }
}

/// Whether the address has no scheme (<https://url.spec.whatwg.org/#scheme-state>), or
/// one that runs nothing.
fn leads_somewhere_harmless(value: &str) -> bool {
    let decoded = ENTITIES
        .iter()
        .fold(value.to_owned(), |value, (entity, character)| {
            value.replace(entity, character)
        });
    let plain: String = decoded
        .chars()
        .filter(|character| !character.is_control() && !character.is_whitespace())
        .collect();
    let Some((scheme, _)) = plain.split_once(':') else {
        return true;
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    !is_scheme || ["http", "https", "mailto"].contains(&scheme.to_ascii_lowercase().as_str())
}
