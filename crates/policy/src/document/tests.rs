use super::{Document, ParseError, Version};

fn error(json: &str) -> String {
    Document::parse(json).unwrap_err().to_string()
}

fn statement(fields: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{fields}}}]}}"#)
}

#[test]
fn broken_json_is_reported_with_its_line_and_column() {
    let Err(ParseError::Json { line, column, .. }) = Document::parse("{\n \"Version\": ,\n}")
    else {
        panic!("accepted");
    };
    assert_eq!((line, column), (2, 13));
}

#[test]
fn repeated_keys_are_rejected_at_any_depth() {
    let json = statement(
        r#""Effect":"Allow","Action":"a:B","Condition":{"Bool":{"k":true},"Bool":{"j":true}}"#,
    );
    assert!(error(&json).contains("duplicate key `Bool`"));
}

#[test]
fn a_single_statement_needs_no_list_and_the_version_defaults_to_2008() {
    let document = Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"a:B"}}"#).unwrap();
    assert_eq!(document.version, Version::V2008);
    assert_eq!(document.statements.len(), 1);
}

#[test]
fn numbers_and_booleans_in_conditions_become_text() {
    let json = statement(
        r#""Effect":"Allow","Action":"a:B","Condition":{"NumericEquals":{"k":[1,2.5,"3"]},"Bool":{"b":true}}"#,
    );
    let conditions = &Document::parse(&json).unwrap().statements[0].conditions;
    assert_eq!(conditions[0].values, ["1", "2.5", "3"]);
    assert_eq!(conditions[1].values, ["true"]);
}

#[test]
fn each_fault_is_named_with_its_path() {
    let cases = [
        (r#""Action":"a:B""#, "Statement[0] lacks Effect"),
        (
            r#""Effect":"Allow""#,
            "Statement[0] lacks Action or NotAction",
        ),
        (
            r#""Effect":"Allow","Action":"a:B","NotAction":"a:C""#,
            "Statement[0] has both `Action` and `NotAction`",
        ),
        (
            r#""Effect":"allow","Action":"a:B""#,
            "Statement[0].Effect is `allow`, must be `Allow` or `Deny`",
        ),
        (
            r#""Effect":"Allow","Action":"a:B","Conditions":{}"#,
            "unknown element `Conditions` in Statement[0]",
        ),
        (
            r#""Effect":"Allow","Action":["a:B",1]"#,
            "Statement[0].Action[1] must be a string, not a number",
        ),
        (
            r#""Effect":"Allow","Action":[]"#,
            "Statement[0].Action is empty",
        ),
        (
            r#""Effect":"Allow","Action":"a:B","Condition":{"StringMatches":{"k":"v"}}"#,
            "Statement[0].Condition.StringMatches is not a condition operator",
        ),
        (
            r#""Effect":"Allow","Action":"a:B","Condition":{"StringEquals":{"k":["v",null]}}"#,
            "Statement[0].Condition.StringEquals.k[1] must be a string, a number or a boolean, not null",
        ),
        (
            r#""Effect":"Allow","Action":"a:B","Principal":"123456789012""#,
            "Statement[0].Principal is `123456789012`, must be `*`",
        ),
        (
            r#""Effect":"Allow","Action":"a:B","Principal":{"Aws":"*"}"#,
            "unknown element `Aws` in Statement[0].Principal",
        ),
    ];
    for (fields, wanted) in cases {
        let message = error(&statement(fields));
        assert!(message.contains(wanted), "{message}\nwanted {wanted}");
    }
}

#[test]
fn a_document_without_statements_is_rejected() {
    assert!(error("{}").contains("policy lacks Statement"));
    assert!(error(r#"{"Statement":[]}"#).contains("Statement is empty"));
    assert!(error("[]").contains("policy must be an object, not a list"));
    assert!(error(r#"{"Version":"2012-10-18","Statement":[]}"#).contains("Version"));
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    assert!(Document::parse(&"[".repeat(100_000)).is_err());
}
