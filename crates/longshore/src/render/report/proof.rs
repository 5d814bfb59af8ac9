//! What is proved of a role, in words.

use receipts::{Example, RoleProof};

use super::html::{count, escape, prose};

/// How many entries of one list are shown; the rest is counted.
const LONGEST_LIST: usize = 25;

pub(super) fn html(proof: &RoleProof) -> String {
    let heading = if proof.prevented_by.is_empty() {
        "Proved: everyone who is admitted"
    } else {
        "No proof: something is not known"
    };
    let mut parts = vec![format!("<h4>{heading}</h4>")];
    if proof.prevented_by.is_empty() && proof.admitted.is_empty() {
        parts.push("<p>Nobody. No token of GitHub can assume this role.</p>".to_owned());
    }
    parts.push(items("admitted", &proof.admitted, |text| prose(text)));
    if proof.prevented_by.is_empty() && !proof.admitted.is_empty() {
        parts.push("<p class=\"quiet\">And nobody else, whatever the token says.</p>".to_owned());
    }
    let lists = [
        ("What prevents the proof", "open", &proof.prevented_by),
        ("Missing for a publish", "bad", &proof.missing_permissions),
        (
            "More than a publish needs",
            "open",
            &proof.excess_permissions,
        ),
    ];
    for (title, class, list) in lists {
        if !list.is_empty() {
            parts.push(format!("<h5 class=\"{class}\">{title}</h5>"));
            parts.push(items("", list, |text| prose(text)));
        }
    }
    for (title, examples) in [
        (
            "Admitted, and intended by no job: tokens that get in",
            &proof.excess,
        ),
        ("Refused, although a job asks for the role", &proof.refused),
    ] {
        if !examples.is_empty() {
            parts.push(format!("<h5 class=\"bad\">{title}</h5>"));
            parts.push(items("examples", examples, example));
        }
    }
    format!("<div class=\"proof\">{}</div>\n", parts.concat())
}

fn example(example: &Example) -> String {
    let claims = example
        .claims
        .iter()
        .map(|(name, value)| {
            format!(
                "<dt><code>{}</code></dt><dd><code>{}</code></dd>",
                escape(name),
                escape(value)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<details><summary>{}</summary><dl class=\"claims\">{claims}</dl></details>",
        prose(&example.caller)
    )
}

fn items<T>(class: &str, list: &[T], item: impl Fn(&T) -> String) -> String {
    if list.is_empty() {
        return String::new();
    }
    let shown = list
        .iter()
        .take(LONGEST_LIST)
        .map(|entry| format!("<li>{}</li>", item(entry)))
        .collect::<Vec<_>>()
        .concat();
    let rest = match list.len().saturating_sub(LONGEST_LIST) {
        0 => String::new(),
        rest => format!("<li class=\"quiet\">and {}</li>", count(rest, "other")),
    };
    format!("<ul class=\"{class}\">{shown}{rest}</ul>")
}
