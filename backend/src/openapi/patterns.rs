//! What texts must be, as patterns (ECMA-262) in the description: utoipa takes a pattern
//! only where it is written out, and has none for the elements of a list.

use serde_json::{Value, json};

/// Characters of one line: no control characters.
const IN_LINE: &str = r"[^\u0000-\u001f\u007f-\u009f]";
/// Characters of a text: line breaks and tabs too.
const IN_TEXT: &str = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]";
/// Neither a control character nor white space, as Unicode has it.
const SEEN: &str =
    r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";
/// The same, and no slash.
const NO_SLASH: &str =
    r"[^/\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";
/// A part of a mail address between dots.
const ATOM: &str = r#"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"(),.:;<>@\[\\\]]+"#;
const LABEL: &str = r"[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?";
const SLUG: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
const ETAG: &str = "^\"[0-9a-f]{32}\"$";

/// The longest name in addresses, in characters.
const LONGEST_SLUG: u64 = 100;
/// The longest tag, in characters.
const LONGEST_TAG: u64 = 50;

/// Puts the patterns into a description.
pub(super) fn write(document: &mut Value) {
    let line = format!("^{IN_LINE}*{SEEN}{IN_LINE}*$");
    let text = format!("^{IN_TEXT}*{SEEN}{IN_TEXT}*$");
    let https = format!("[Hh][Tt][Tt][Pp][Ss]://+{NO_SLASH}{SEEN}+");
    let web = format!("[Hh][Tt][Tt][Pp][Ss]?://+{NO_SLASH}{SEEN}+");
    let mail = format!("[Mm][Aa][Ii][Ll][Tt][Oo]:/*{NO_SLASH}{SEEN}+");
    let email = format!(r"^{ATOM}(\.{ATOM})*@{LABEL}(\.{LABEL})+$");
    let properties = [
        ("Profile", "name", &line),
        ("Profile", "headline", &line),
        ("Profile", "summary", &text),
        ("Profile", "location", &line),
        ("Project", "title", &line),
        ("Project", "summary", &line),
        ("Project", "description", &text),
        ("Project", "source_url", &format!("^{web}$")),
        ("PostSource", "title", &line),
        ("PostSource", "summary", &text),
        // Schemathesis makes no text of 80,000 characters that must have one that is seen.
        ("PostSource", "markdown", &format!("^{IN_TEXT}*$")),
        ("Link", "label", &line),
        ("Link", "url", &format!("^({web}|{mail})$")),
        ("Image", "url", &format!("^{https}$")),
        ("Image", "alt", &line),
        ("ContactMessage", "name", &line),
        ("ContactMessage", "message", &text),
        ("ContactMessage", "email", &email),
    ];
    for (schema, property, pattern) in properties {
        *at(document, &format!("{schema}/properties/{property}/pattern")) = json!(pattern);
    }
    for list in [
        "Project/properties/technologies",
        "Project/properties/tags",
        "PostSource/properties/tags",
    ] {
        let word =
            json!({"type": "string", "minLength": 1, "maxLength": LONGEST_TAG, "pattern": line});
        *at(document, &format!("{list}/items")) = word;
    }
    let items = document["paths"]
        .as_object_mut()
        .expect("paths")
        .values_mut();
    let operations = items.flat_map(|item| item.as_object_mut().expect("operations").values_mut());
    for operation in operations {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            write_parameter(parameter, &line);
        }
    }
}

fn write_parameter(parameter: &mut Value, line: &str) {
    let (pattern, longest) = match parameter["name"].as_str() {
        Some("slug") => (SLUG, Some(LONGEST_SLUG)),
        Some("tag") => (line, Some(LONGEST_TAG)),
        Some("if-match") => (ETAG, Some(34)),
        Some("if-none-match") => {
            parameter["schema"] = json!({"type": "string", "enum": ["*"]});
            return;
        }
        _ => return,
    };
    let schema = &mut parameter["schema"];
    schema["pattern"] = json!(pattern);
    // A header or a part of a query is a text, or it is not there.
    schema["type"] = json!("string");
    if let Some(longest) = longest {
        schema["maxLength"] = json!(longest);
    }
}

/// A place in the schemas. It is made if its parent is there.
fn at<'a>(document: &'a mut Value, path: &str) -> &'a mut Value {
    let (parent, name) = path.rsplit_once('/').expect("a parent");
    let parent = document.pointer_mut(&format!("/components/schemas/{parent}"));
    &mut parent.expect("a schema of this name")[name]
}
