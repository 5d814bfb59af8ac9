//! What a diff looks like, and that `git apply` takes it.

use std::process::Command;

use super::*;

const FILE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

/// Where `part` stands in `text`.
fn range_of(text: &str, part: &str) -> Range<usize> {
    let start = text.find(part).unwrap();
    start..start + part.len()
}

#[test]
fn a_word_of_a_line_is_replaced_with_three_lines_on_either_side() {
    let diff = replace_lines("a/file.tf", FILE, range_of(FILE, "five"), "FIVE");
    assert_eq!(
        diff,
        "--- a/a/file.tf\n+++ b/a/file.tf\n@@ -2,7 +2,7 @@\n two\n three\n four\n-five\n+FIVE\n six\n seven\n eight\n"
    );
}

#[test]
fn a_line_that_is_only_put_in_leaves_its_neighbours_unchanged() {
    let start = range_of(FILE, "two").start;
    let diff = replace_lines("f", FILE, start..start, "new\n");
    assert_eq!(
        diff,
        "--- a/f\n+++ b/f\n@@ -1,4 +1,5 @@\n one\n+new\n two\n three\n four\n"
    );
}

#[test]
fn nothing_to_change_is_no_diff() {
    assert_eq!(replace_lines("f", FILE, range_of(FILE, "two"), "two"), "");
    assert_eq!(replace_lines("f", "", 0..0, ""), "");
}

#[test]
fn a_range_beyond_the_text_or_inside_a_character_does_not_panic() {
    let (from, to) = (9, 3);
    for range in [0..99, 50..99, 1..2, 2..2, from..to] {
        let _ = replace_lines("f", "é\nü", range, "x");
    }
}

#[test]
fn git_applies_every_diff_and_gets_the_replaced_text() {
    let cases = [
        (FILE, range_of(FILE, "one"), "ONE"),
        (FILE, range_of(FILE, "eight"), "EIGHT"),
        (FILE, range_of(FILE, "eight\n"), ""),
        (FILE, range_of(FILE, "two\nthree\n"), "2\n2.5\n3\n"),
        (FILE, FILE.len()..FILE.len(), "nine\n"),
        (FILE, 0..0, "zero\n"),
        ("no newline", 0..2, "a"),
        ("a\nno newline", 0..1, "b"),
        ("a\nno newline", 12..12, "\nmore\n"),
        ("a\r\nb\r\n", 0..1, "c"),
        ("", 0..0, "first\n"),
        ("äöü\nß\n", 4..6, "x"),
    ];
    for (text, range, replacement) in cases {
        let mut expected = text.to_owned();
        expected.replace_range(range.clone(), replacement);
        let diff = replace_lines("folder/file.txt", text, range, replacement);
        assert_eq!(applied(text, &diff), expected, "{diff}");
    }
}

/// What `git apply` makes of `text`.
fn applied(text: &str, diff: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("folder/file.txt");
    fs_err::create_dir(folder.path().join("folder")).unwrap();
    fs_err::write(&file, text).unwrap();
    fs_err::write(folder.path().join("change.diff"), diff).unwrap();
    let output = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "change.diff"])
        .current_dir(folder.path())
        .env("GIT_CEILING_DIRECTORIES", folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{diff}");
    fs_err::read_to_string(&file).unwrap()
}
