//! Roots that cannot be read, each with its error.

use std::path::Path;

use serde_json::json;
use terraform::{Given, ReadError};

use crate::given;

/// Reads a root of the given files.
fn error(files: &[(&str, &str)]) -> ReadError {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    terraform::read(directory.path(), &given()).unwrap_err()
}

#[test]
fn a_directory_that_does_not_exist_is_named() {
    let error = terraform::read(Path::new("/no/such/root"), &given()).unwrap_err();
    assert_eq!(error.to_string(), "there is no directory /no/such/root");
}

#[test]
fn a_directory_without_configuration_is_named() {
    assert!(matches!(
        error(&[("readme.md", "")]),
        ReadError::NoConfiguration { .. }
    ));
}

#[test]
fn a_syntax_error_has_its_file_line_and_column() {
    let error = error(&[("main.tf", "locals {\n  a = \n}\n")]);
    let ReadError::Syntax {
        file, line, column, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!(file.ends_with("main.tf"));
    assert_eq!((*line, *column), (2, 7));
}

#[test]
fn a_module_that_calls_itself_is_an_error() {
    let calls = |source: &str| format!("module \"m\" {{\n  source = \"{source}\"\n}}\n");
    let error = error(&[
        ("main.tf", &calls("./a")),
        ("a/main.tf", &calls("../b")),
        ("b/main.tf", &calls("../a")),
    ]);
    let ReadError::ModuleCycle { path } = &error else {
        panic!("{error}")
    };
    assert!(path.ends_with("a"));
}

#[test]
fn a_local_module_that_is_not_there_is_an_error() {
    let error = error(&[("main.tf", "module \"m\" {\n  source = \"./none\"\n}\n")]);
    let ReadError::NoSuchDirectory { path } = &error else {
        panic!("{error}")
    };
    assert!(path.ends_with("none"));
}

#[test]
fn a_file_that_is_not_utf_8_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("main.tf"), [0xff, 0xfe]).unwrap();
    let error = terraform::read(directory.path(), &Given::default()).unwrap_err();
    let ReadError::Unreadable { source } = &error else {
        panic!("{error}")
    };
    assert!(source.to_string().contains("main.tf"), "{source}");
}

#[test]
fn a_second_declaration_is_an_error_with_its_place() {
    let error = error(&[("main.tf", "variable \"a\" {}\n\nvariable \"a\" {}\n")]);
    let ReadError::Duplicate { what, line, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((what.as_str(), *line), ("variable \"a\"", 3));
}

#[test]
fn files_that_would_change_the_meaning_of_others_are_refused() {
    for name in ["override.tf", "main_override.tf", "main.tf.json"] {
        let error = error(&[("main.tf", ""), (name, "")]);
        assert!(
            matches!(error, ReadError::Unsupported { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn variables_in_broken_json_are_an_error() {
    let error = error(&[("main.tf", ""), ("terraform.tfvars.json", "[]")]);
    assert!(matches!(error, ReadError::VariablesJson { .. }));
}

#[test]
fn given_variables_win_over_every_file() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs_err::write(directory.path().join(name), text).unwrap();
    write(
        "main.tf",
        "variable \"a\" {}\nvariable \"b\" {}\nvariable \"c\" {}\noutput \"all\" {\n  value = [var.a, var.b, var.c]\n}\n",
    );
    write("terraform.tfvars", "a = 1\nb = 1\nc = 1\n");
    write("z.auto.tfvars", "b = 2\nc = 2\n");
    let variables = [("c".to_owned(), json!(3))].into();
    let root = terraform::read(
        directory.path(),
        &Given {
            variables,
            ..given()
        },
    )
    .unwrap();
    assert_eq!(crate::json(&root.outputs["all"]), json!([1, 2, 3]));
}
