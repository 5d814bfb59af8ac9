//! `file` and `templatefile`.

use std::path::Path;

use terraform::{PolicyPart, Root, Value};

use crate::read_in_region as read;

const TRUST: &str =
    "{\n  \"Statement\": [\n    {\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\"}\n  ]\n}\n";

fn root(expression: &str, files: &[(&str, &str)]) -> Root {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join("root").join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    for (name, text) in files {
        write(name, text);
    }
    write(
        "main.tf",
        &format!(
            "output \"text\" {{\n  value = {expression}\n}}\n\
             resource \"aws_iam_role\" \"a\" {{\n  name = \"a\"\n  assume_role_policy = {expression}\n}}\n"
        ),
    );
    read(&directory.path().join("root"))
}

fn text(root: &Root) -> &str {
    let value = &root.outputs["text"];
    value.as_str().unwrap_or_else(|| panic!("{value:?}"))
}

#[test]
fn a_policy_in_a_file_is_read_and_led_to() {
    for expression in [
        "file(\"policies/trust.json\")",
        "file(\"${path.module}/policies/trust.json\")",
        "file(\"${path.root}/policies/../policies/trust.json\")",
    ] {
        let root = root(expression, &[("policies/trust.json", TRUST)]);
        assert_eq!(text(&root), TRUST);
        let part = PolicyPart::ElementValue(0, "Action", "sts:AssumeRole");
        let spot = root.aws().roles[0].trust_origin.policy_part(part);
        assert!(spot.file.ends_with(Path::new("policies/trust.json")));
        assert_eq!((spot.line, spot.literal), (3, true));
        assert_eq!(
            &root.text(&spot.file).unwrap()[spot.range],
            "\"sts:AssumeRole\""
        );
    }
}

#[test]
fn a_file_of_a_module_is_found_from_the_module() {
    let module = "output \"text\" {\n  value = file(\"${path.module}/a.txt\")\n}\n";
    let root = root(
        "jsonencode(module.m.text)",
        &[
            ("m/main.tf", module),
            ("m/a.txt", "of the module"),
            ("a.txt", "of the root"),
        ],
    );
    assert!(root.outputs["text"].unknown_reason().is_some());
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    write("modules/m/main.tf", module);
    write("modules/m/a.txt", "of the module");
    write("root/a.txt", "of the root");
    write(
        "root/main.tf",
        "module \"m\" {\n  source = \"../modules/m\"\n}\noutput \"text\" {\n  value = module.m.text\n}\n",
    );
    assert_eq!(text(&read(&directory.path().join("root"))), "of the module");
}

#[test]
fn a_template_file_sees_its_names_only() {
    let template = "{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": ${jsonencode(actions)}, \"Sid\": \"%{ if true }Yes%{ endif }\"}]}";
    let root = root(
        "templatefile(\"${path.module}/trust.tftpl\", { actions = [\"sts:A\", \"sts:B\"] })",
        &[("trust.tftpl", template)],
    );
    assert!(text(&root).contains("[\"sts:A\",\"sts:B\"]"));
    let part = PolicyPart::Element(0, "Action");
    let spot = root.aws().roles[0].trust_origin.policy_part(part);
    assert_eq!(
        (spot.text.as_str(), spot.literal),
        ("${jsonencode(actions)}", false)
    );
    assert!(spot.file.ends_with("trust.tftpl"));

    let hidden = super::files::root(
        "templatefile(\"a.tftpl\", { one = 1 })",
        &[
            ("a.tftpl", "${local.secret}"),
            ("locals.tf", "locals {\n  secret = \"x\"\n}\n"),
        ],
    );
    assert!(hidden.outputs["text"].unknown_reason().is_some());
}

#[test]
fn what_lies_outside_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("root");
    fs_err::create_dir_all(&inner).unwrap();
    fs_err::write(directory.path().join("secret.txt"), "secret").unwrap();
    fs_err::write(
        inner.join("main.tf"),
        "output \"up\" {\n  value = file(\"../secret.txt\")\n}\noutput \"absolute\" {\n  value = file(\"/etc/hostname\")\n}\n\
         output \"link\" {\n  value = file(\"link.txt\")\n}\noutput \"tried\" {\n  value = try(file(\"../secret.txt\"), \"guess\")\n}\n",
    )
    .unwrap();
    #[cfg(unix)]
    fs_err::os::unix::fs::symlink(directory.path().join("secret.txt"), inner.join("link.txt"))
        .unwrap();
    let root = read(&inner);
    for (name, value) in &root.outputs {
        assert!(matches!(value, Value::Unknown(_)), "{name}: {value:?}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_text_or_too_large_is_not_known() {
    let large = "x".repeat(300 * 1024);
    let root = root("file(\"large.txt\")", &[("large.txt", &large)]);
    let reason = root.outputs["text"].unknown_reason().unwrap();
    assert!(reason.contains("too large"), "{reason}");
    let root = super::files::root("try(file(\"none.txt\"), \"default\")", &[]);
    assert_eq!(text(&root), "default");
    let root = super::files::root("file(path.cwd)", &[]);
    assert!(root.outputs["text"].unknown_reason().is_some());
}
