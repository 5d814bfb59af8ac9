use super::{Document, Version};

fn error(json: &str) -> String {
    Document::parse(json).unwrap_err().to_string()
}

fn statement(fields: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{fields}}}]}}"#)
}

#[test]
fn broken_json_is_reported_with_its_line_and_column() {
    let error = Document::parse("{\n \"Version\": ,\n}").unwrap_err();
    assert_eq!((error.place.line, error.place.column), (2, 13));
    assert_eq!(
        error.to_string(),
        "read policy as JSON at line 2, column 13: expected a JSON value, found `,`"
    );
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
            "Statement[0].Conditions is not an element of a policy",
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
            "Statement[0].Principal.Aws is not an element of a policy",
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

#[test]
fn every_fault_names_its_line_and_column() {
    let json = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Allow\", \"Ünd\": 1}\n  ]\n}";
    assert_eq!(
        error(json),
        "understand policy: Statement[0].Ünd is not an element of a policy (line 4, column 25)"
    );
    let json = "{\"Statement\":\n {\"Effect\": \"Allow\"}}";
    assert_eq!(
        error(json),
        "understand policy: Statement[0] lacks Action or NotAction (line 2, column 2)"
    );
    assert_eq!(
        error("\r\n []"),
        "understand policy: policy must be an object, not a list (line 2, column 2)"
    );
}

const LOCATED: &str = r#"{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Principal": {"AWS": "é", "Federated": ["a", "b"]},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringLike": {"h:sub": ["one", "two\u0041"]},
      "Bool": {"k": true}
    }
  }
}"#;

#[test]
fn places_name_statements_elements_operators_keys_and_values() {
    let (document, places) = Document::parse_located(LOCATED).unwrap();
    assert_eq!(document, Document::parse(LOCATED).unwrap());
    let text = |place: Option<super::Place>| {
        place.map(|place| (place.line, place.column, &LOCATED[place.start..place.end]))
    };
    assert_eq!(
        text(places.element(0, "Effect")),
        Some((4, 15, "\"Allow\""))
    );
    assert_eq!(text(places.operator(0, "Bool")), Some((9, 7, "\"Bool\"")));
    assert_eq!(
        text(places.key(0, "StringLike", "h:sub")),
        Some((8, 22, "\"h:sub\""))
    );
    assert_eq!(
        text(places.value_position(0, "StringLike", "h:sub", 1)),
        Some((8, 39, "\"two\\u0041\""))
    );
    assert_eq!(
        text(places.value_position(0, "Bool", "k", 0)),
        Some((9, 21, "true"))
    );
    let federated = [
        "Statement".into(),
        0.into(),
        "Principal".into(),
        "Federated".into(),
        1.into(),
    ];
    assert_eq!(text(places.at(&federated)), Some((5, 50, "\"b\"")));
    assert_eq!(text(places.statement(1)), None);
    assert_eq!(text(places.value_position(0, "Bool", "k", 1)), None);
    assert_eq!(text(places.value_position(0, "Bool", "h:sub", 0)), None);
}

#[test]
fn escapes_are_read_and_broken_ones_are_refused() {
    let id = |escaped: &str| {
        Document::parse(&format!(
            r#"{{"Id":"{escaped}","Statement":{{"Effect":"Deny","Action":"*"}}}}"#
        ))
        .map(|document| document.id.unwrap())
    };
    assert_eq!(
        id(r#"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"#).unwrap(),
        "\"\\/\u{8}\u{c}\n\r\té😀"
    );
    for broken in [
        r"\x",
        r"\u12",
        r"\ud83d",
        r"\ud83dx",
        r"\ud83d\u0041",
        r"\ude00",
        "\n",
        "\\",
    ] {
        assert!(id(broken).is_err(), "{broken:?}");
    }
}

#[test]
fn numbers_keep_their_text_and_only_json_numbers_are_read() {
    let values = |number: &str| {
        Document::parse(&statement(&format!(
            r#""Effect":"Deny","Action":"*","Condition":{{"NumericEquals":{{"k":{number}}}}}"#
        )))
        .map(|document| document.statements[0].conditions[0].values.clone())
    };
    for number in ["0", "-0.5", "12345678901234567890123", "1e400", "1.0E-2"] {
        assert_eq!(values(number).unwrap(), [number]);
    }
    for broken in ["01", "1.", ".5", "+1", "-", "1e", "NaN", "0x1"] {
        assert!(values(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_text_that_is_too_long_is_an_error() {
    let error = error(&" ".repeat(super::MAXIMUM_BYTES + 1));
    assert!(error.contains("longer than"), "{error}");
}

#[test]
fn the_second_of_two_repeated_keys_is_the_place_of_the_fault() {
    let error = Document::parse("{\"Id\":\"a\",\n\"Id\":\"b\"}").unwrap_err();
    assert_eq!((error.place.line, error.place.column), (2, 1));
}
