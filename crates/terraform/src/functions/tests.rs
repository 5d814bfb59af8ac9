//! Each function by what it gives for JSON arguments, as Terraform 1.11 gives it.

use serde_json::{Value as Json, json};

use super::call;
use crate::value::Value;

/// The result as JSON; `Err` for an unknown or for what Terraform refuses.
fn result(name: &str, arguments: &Json) -> Result<Json, String> {
    let arguments = arguments
        .as_array()
        .unwrap()
        .iter()
        .map(Value::from_json)
        .collect();
    call(name, arguments)
        .map_err(|failure| failure.0)?
        .to_json()
}

fn gives(name: &str, arguments: Json, expected: Json) {
    assert_eq!(result(name, &arguments), Ok(expected), "{name}{arguments}");
}

fn fails(name: &str, arguments: Json) {
    assert!(result(name, &arguments).is_err(), "{name}{arguments}");
}

#[test]
fn collection_functions_give_what_terraform_gives() {
    gives("concat", json!([["a"], ["b", "c"]]), json!(["a", "b", "c"]));
    gives(
        "merge",
        json!([{"a": 1, "b": 1}, {"b": 2}, null]),
        json!({"a": 1, "b": 2}),
    );
    gives("length", json!([["a", "b"]]), json!(2));
    gives("length", json!([{"a": 1}]), json!(1));
    gives("length", json!(["abc"]), json!(3));
    gives("lookup", json!([{"a": 1}, "a"]), json!(1));
    gives("lookup", json!([{"a": 1}, "b", 9]), json!(9));
    fails("lookup", json!([{"a": 1}, "b"]));
    gives("keys", json!([{"b": 1, "a": 2}]), json!(["a", "b"]));
    gives("values", json!([{"b": 1, "a": 2}]), json!([2, 1]));
    gives("element", json!([["a", "b", "c"], 4]), json!("b"));
    fails("element", json!([[], 0]));
    gives("one", json!([[]]), Json::Null);
    gives("one", json!([["a"]]), json!("a"));
    fails("one", json!([["a", "b"]]));
    gives("coalesce", json!([null, "", "a", "b"]), json!("a"));
    fails("coalesce", json!([null, ""]));
    gives("compact", json!([["a", "", null, "b"]]), json!(["a", "b"]));
    gives("contains", json!([["a", "b"], "b"]), json!(true));
    gives("contains", json!([["a", "b"], "c"]), json!(false));
    gives("distinct", json!([["b", "a", "b"]]), json!(["b", "a"]));
    gives(
        "flatten",
        json!([["a", ["b", ["c"]], []]]),
        json!(["a", "b", "c"]),
    );
    gives("sort", json!([["b", "a"]]), json!(["a", "b"]));
    gives(
        "zipmap",
        json!([["a", "b"], [1, 2]]),
        json!({"a": 1, "b": 2}),
    );
    fails("zipmap", json!([["a"], [1, 2]]));
    gives("alltrue", json!([[true, "true"]]), json!(true));
    gives("anytrue", json!([[false]]), json!(false));
}

#[test]
fn text_functions_give_what_terraform_gives() {
    gives("join", json!(["-", ["a", 1, true]]), json!("a-1-true"));
    gives(
        "split",
        json!(["/", "acme/portfolio"]),
        json!(["acme", "portfolio"]),
    );
    gives("split", json!([",", ""]), json!([""]));
    gives("replace", json!(["a.b.c", ".", "-"]), json!("a-b-c"));
    fails("replace", json!(["a1", "/[0-9]/", ""]));
    gives("lower", json!(["AbC"]), json!("abc"));
    gives("upper", json!(["AbC"]), json!("ABC"));
    gives("trimspace", json!([" a\n"]), json!("a"));
    gives(
        "trimprefix",
        json!(["https://host", "https://"]),
        json!("host"),
    );
    gives("trimsuffix", json!(["a.git", ".git"]), json!("a"));
    gives("startswith", json!(["repo:a", "repo:"]), json!(true));
    gives("endswith", json!(["repo:a", "b"]), json!(false));
    gives("strcontains", json!(["repo:a", ":"]), json!(true));
    gives(
        "format",
        json!(["%s-%d-%03d-%%-%q", "a", 2, 7, "b"]),
        json!("a-2-007-%-\"b\""),
    );
    fails("format", json!(["%s"]));
    fails("format", json!(["a", "b"]));
    fails("format", json!(["%999999999d", 1]));
}

#[test]
fn number_functions_give_what_terraform_gives() {
    gives("abs", json!([-3]), json!(3));
    gives("min", json!([3, 1, 2]), json!(1));
    gives("max", json!([3, 1, 2]), json!(3));
    gives("range", json!([3]), json!([0, 1, 2]));
    gives("range", json!([1, 4]), json!([1, 2, 3]));
    gives("range", json!([5, 0, -2]), json!([5, 3, 1]));
    fails("range", json!([1, 4, 0]));
    fails("range", json!([1_000_000_000]));
}

#[test]
fn conversions_give_what_terraform_gives() {
    gives("tostring", json!([1]), json!("1"));
    gives("tonumber", json!(["1.50"]), json!(1.5));
    gives("tonumber", json!([1.0]), json!(1));
    gives("tobool", json!(["true"]), json!(true));
    gives("toset", json!([["b", "a", "b"]]), json!(["a", "b"]));
    gives("tolist", json!([["a", 1]]), json!(["a", "1"]));
    gives(
        "tomap",
        json!([{"a": "x", "b": 1}]),
        json!({"a": "x", "b": "1"}),
    );
    gives("tostring", json!([null]), Json::Null);
    fails("tonumber", json!(["x"]));
    fails("tolist", json!(["x"]));
}

#[test]
fn json_is_written_as_terraform_writes_it() {
    gives(
        "jsonencode",
        json!([{"b": [1, null], "a": "<&>"}]),
        json!(r#"{"a":"\u003c\u0026\u003e","b":[1,null]}"#),
    );
    gives("jsondecode", json!([r#"{"a": 1}"#]), json!({"a": 1}));
    fails("jsondecode", json!(["{"]));
}

#[test]
fn a_function_that_is_not_in_the_table_gives_an_unknown_with_its_name() {
    let value = call("filesha256", vec![Value::from("x")]).unwrap();
    assert_eq!(
        value,
        Value::Unknown("the function filesha256 is not evaluated".to_owned())
    );
}

#[test]
fn an_unknown_inside_of_an_argument_is_kept_apart_where_it_can_be() {
    let list = Value::List(vec![Value::Unknown("later".to_owned()), Value::from("a")]);
    assert_eq!(call("length", vec![list.clone()]), Ok(Value::from(2)));
    assert_eq!(
        call("element", vec![list.clone(), Value::from(1)]),
        Ok(Value::from("a"))
    );
    assert_eq!(
        call("join", vec![Value::from("-"), list]),
        Ok(Value::Unknown("later".to_owned()))
    );
}
