//! No input makes the reader panic, hang or fill the memory.

use proptest::prelude::*;
use terraform::PolicyPart;

use crate::{given, read_text};

/// Pieces of the language: random text alone would rarely get past the parser.
const PIECES: [&str; 44] = [
    "resource \"aws_iam_role\" \"a\" {\n",
    "locals {\n",
    "output \"o\" {\n",
    "}\n",
    "value = ",
    "name = ",
    "count = ",
    "for_each = ",
    "\"",
    "${",
    "}",
    "%{if true}",
    "%{endif}",
    "<<EOT\n",
    "\nEOT\n",
    "[for k, v in ",
    " : ",
    " => ",
    "]",
    "{",
    "(",
    ")",
    "local.a",
    "var.b",
    "aws_iam_role.a",
    ".arn",
    "[*]",
    "[0]",
    " == ",
    " ? ",
    " + ",
    "1",
    "-",
    "...",
    "jsonencode(",
    "range(",
    "~",
    "\\u",
    "\u{feff}",
    "é",
    "assume_role_policy = ",
    "{\"Statement\": [{\"Action\": \"a\"}]}",
    "<<-EOT\n",
    "file(\"main.tf\")",
];

fn read_anything(text: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("main.tf"), text).unwrap();
    // Whether it is an error does not matter here, only that it comes back.
    if let Ok(root) = terraform::read(directory.path(), &given()) {
        for resource in &root.resources {
            let place = resource.place_of("assume_role_policy");
            assert!(place.line > 0);
            let Some(origin) = resource.origin("assume_role_policy") else {
                continue;
            };
            let spot = origin.policy_part(PolicyPart::Element(0, "Action"));
            let text = root.text(&spot.file).unwrap();
            assert_eq!(text.get(spot.range), Some(spot.text.as_str()));
        }
        drop(root.aws());
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_anything(&bytes);
    }

    #[test]
    fn any_pieces_of_the_language_come_back(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)
    ) {
        read_anything(pieces.concat().as_bytes());
    }

    #[test]
    fn any_expression_in_an_output_comes_back(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[8..]), 0..12)
    ) {
        read_anything(format!("output \"o\" {{\n value = {}\n}}\n", pieces.concat()).as_bytes());
    }
}

/// Pieces of policies, and of what templates do to them.
const POLICY_PIECES: [&str; 20] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"Statement\"",
    "\"Action\"",
    "\"a\"",
    "\"é\"",
    "1",
    "null",
    " ",
    "\n    ",
    "\t",
    "$${x}",
    "${\"b\"}",
    "\\",
    "\\\"",
    "%%{",
];

proptest! {
    #[test]
    fn any_policy_text_leads_to_spots_inside_of_the_file(
        pieces in prop::collection::vec(prop::sample::select(&POLICY_PIECES[..]), 0..24),
        indented in any::<bool>(),
    ) {
        let dash = if indented { "-" } else { "" };
        read_anything(
            format!(
                "resource \"aws_iam_role\" \"a\" {{\n  assume_role_policy = <<{dash}EOT\n    {{\"Statement\": [{{\"Action\": {}}}]}}\n  EOT\n}}\n",
                pieces.concat()
            )
            .as_bytes(),
        );
    }
}

#[test]
fn locals_that_double_each_other_are_unknown_instead_of_filling_the_memory() {
    let mut text = String::from("locals {\n  a0 = \"xxxxxxxxxxxxxxxx\"\n  b0 = [0]\n");
    for level in 1..60 {
        let before = level - 1;
        text.push_str(&format!(
            "  a{level} = \"${{local.a{before}}}${{local.a{before}}}\"\n"
        ));
        text.push_str(&format!(
            "  b{level} = [local.b{before}, local.b{before}]\n"
        ));
    }
    text.push_str(
        "}\noutput \"a\" {\n  value = local.a59\n}\noutput \"b\" {\n  value = local.b59\n}\n",
    );
    let root = read_text(&text);
    assert!(root.outputs["a"].unknown_reason().is_some());
    assert!(root.outputs["b"].unknown_reason().is_some());
}

#[test]
fn a_long_chain_of_locals_is_unknown_instead_of_overflowing_the_stack() {
    let mut text = String::from("locals {\n  a0 = 0\n");
    for level in 1..5000 {
        text.push_str(&format!("  a{level} = ((((local.a{}))))\n", level - 1));
    }
    text.push_str("}\noutput \"a\" {\n  value = local.a4999\n}\n");
    assert!(read_text(&text).outputs["a"].unknown_reason().is_some());
}

#[test]
fn deep_nesting_is_an_error_instead_of_overflowing_the_stack() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a=", "}"),
        ("\"${", "}\""),
        ("!", ""),
    ] {
        let text = format!(
            "output \"a\" {{\n  value = {}1{}\n}}\n",
            open.repeat(3000),
            close.repeat(3000)
        );
        read_anything(text.as_bytes());
    }
}
