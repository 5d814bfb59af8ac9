use super::{Operator, holds};
use crate::{Condition, Context, Version};

fn test(operator: &str, seen: &[&str], wanted: &[&str]) -> bool {
    let mut context = Context::new();
    context.insert_many("k", seen.iter().map(ToString::to_string).collect());
    judge(operator, &context, wanted)
}

fn absent(operator: &str, wanted: &[&str]) -> bool {
    judge(operator, &Context::new(), wanted)
}

fn judge(operator: &str, context: &Context, wanted: &[&str]) -> bool {
    let condition = Condition {
        operator: Operator::parse(operator).unwrap(),
        operator_name: operator.to_owned(),
        key: "K".to_owned(),
        values: wanted.iter().map(ToString::to_string).collect(),
    };
    holds(&condition, Version::V2012, context)
}

#[test]
fn missing_keys_follow_the_rule_of_each_operator() {
    for positive in [
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "NumericEquals",
        "NumericLessThan",
        "DateEquals",
        "DateGreaterThan",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "ArnEquals",
        "ArnLike",
    ] {
        assert!(!absent(positive, &["*"]), "{positive}");
        assert!(absent(&format!("{positive}IfExists"), &["x"]), "{positive}");
        assert!(
            absent(&format!("ForAllValues:{positive}"), &["x"]),
            "{positive}"
        );
        assert!(
            !absent(&format!("ForAnyValue:{positive}"), &["x"]),
            "{positive}"
        );
        assert!(
            absent(&format!("ForAnyValue:{positive}IfExists"), &["x"]),
            "{positive}"
        );
    }
    for negated in [
        "StringNotEquals",
        "StringNotEqualsIgnoreCase",
        "StringNotLike",
        "NumericNotEquals",
        "DateNotEquals",
        "NotIpAddress",
        "ArnNotEquals",
        "ArnNotLike",
    ] {
        assert!(absent(negated, &["x"]), "{negated}");
        assert!(
            !absent(&format!("ForAnyValue:{negated}"), &["x"]),
            "{negated}"
        );
    }
    assert!(absent("Null", &["true"]));
    assert!(!absent("Null", &["false"]));
    assert!(absent("Null", &["false", "true"]));
}

#[test]
fn operator_names_ignore_case_and_unknown_ones_are_none() {
    assert!(Operator::parse("foranyvalue:STRINGLIKEifexists").is_some());
    for unknown in [
        "",
        "IfExists",
        "ForAllValues:",
        "NullIfExists",
        "ForAnyValue:Null",
        "StringMatches",
        "NumericLike",
        "StringEqualsIfExistsIfExists",
    ] {
        assert_eq!(Operator::parse(unknown), None, "{unknown}");
    }
}

#[test]
fn strings_compare_exactly_or_by_pattern() {
    assert!(test("StringEquals", &["a*"], &["b", "a*"]));
    assert!(!test("StringEquals", &["ab"], &["a*"]));
    assert!(!test("StringEquals", &["A"], &["a"]));
    assert!(test("StringEqualsIgnoreCase", &["A"], &["a"]));
    assert!(!test("StringNotEqualsIgnoreCase", &["A"], &["a"]));
    assert!(test("StringLike", &["repo:o/r:ref:x"], &["repo:o/*:ref:?"]));
    assert!(!test("StringLike", &["Repo"], &["repo"]));
    assert!(!test("StringNotLike", &["ab"], &["x", "a*"]));
    assert!(test("StringNotLike", &["ab"], &["x", "y*"]));
}

#[test]
fn numbers_compare_by_value_without_rounding() {
    assert!(test("NumericEquals", &["10"], &["10.0"]));
    assert!(test("NumericLessThan", &["9"], &["10"]));
    assert!(!test("NumericLessThan", &["10"], &["10"]));
    assert!(test("NumericLessThanEquals", &["10"], &["10"]));
    assert!(test("NumericGreaterThan", &["-1"], &["-2.5"]));
    assert!(test("NumericGreaterThanEquals", &["3"], &["3"]));
    assert!(!test(
        "NumericEquals",
        &["9007199254740993"],
        &["9007199254740992"]
    ));
    assert!(!test("NumericEquals", &["nan"], &["nan"]));
    assert!(!test("NumericGreaterThan", &["infinity"], &["1"]));
    assert!(test("NumericNotEquals", &["1"], &["2", "3"]));
    assert!(!test("NumericNotEquals", &["3"], &["2", "3"]));
}

#[test]
fn dates_compare_as_moments_in_every_notation() {
    assert!(test("DateEquals", &["1970-01-01T00:01:00Z"], &["60"]));
    assert!(test(
        "DateEquals",
        &["2026-01-02T02:00:00+02:00"],
        &["2026-01-02"]
    ));
    assert!(test(
        "DateLessThan",
        &["2026-01-01T23:59:59Z"],
        &["2026-01-02T00:00"]
    ));
    assert!(test(
        "DateGreaterThanEquals",
        &["2026-01-02"],
        &["2026-01-02T00:00:00Z"]
    ));
    assert!(!test("DateEquals", &["yesterday"], &["yesterday"]));
    assert!(!test("DateGreaterThan", &["9223372036854775807"], &["0"]));
    assert!(test("DateNotEquals", &["1"], &["2"]));
}

#[test]
fn booleans_and_bytes_compare_by_meaning() {
    assert!(test("Bool", &["true"], &["True"]));
    assert!(!test("Bool", &["false"], &["true"]));
    assert!(!test("Bool", &["1"], &["1"]));
    assert!(test("BinaryEquals", &["YWI="], &["YWI="]));
    assert!(!test("BinaryEquals", &["YWI="], &["YWM="]));
    assert!(!test("BinaryEquals", &["!"], &["!"]));
}

#[test]
fn addresses_lie_in_networks_of_their_own_family() {
    assert!(test("IpAddress", &["203.0.113.9"], &["203.0.113.0/24"]));
    assert!(test("IpAddress", &["203.0.113.9"], &["203.0.113.9"]));
    assert!(!test("IpAddress", &["203.0.113.9"], &["203.0.113.8"]));
    assert!(test("IpAddress", &["203.0.113.9"], &["0.0.0.0/0"]));
    assert!(test("IpAddress", &["2001:db8::1"], &["2001:DB8::/32"]));
    assert!(test("IpAddress", &["2001:db8::1"], &["::/0"]));
    assert!(!test("IpAddress", &["203.0.113.9"], &["::/0"]));
    assert!(!test("IpAddress", &["203.0.113.9"], &["0.0.0.0/33"]));
    assert!(!test("IpAddress", &["203.0.113.9"], &["0.0.0.0/x"]));
    assert!(!test(
        "NotIpAddress",
        &["10.1.2.3"],
        &["192.0.2.1", "10.0.0.0/8"]
    ));
}

#[test]
fn quantifiers_count_the_values_of_the_request() {
    assert!(test(
        "ForAllValues:StringEquals",
        &["a", "b"],
        &["a", "b", "c"]
    ));
    assert!(!test("ForAllValues:StringEquals", &["a", "x"], &["a", "b"]));
    assert!(test("ForAllValues:StringEquals", &[], &["a"]));
    assert!(test("ForAllValues:StringEquals", &[""], &["a"]));
    assert!(test("ForAnyValue:StringEquals", &["x", "a"], &["a"]));
    assert!(!test("ForAnyValue:StringEquals", &["x"], &["a"]));
    assert!(test("ForAllValues:StringNotEquals", &["x", "y"], &["a"]));
    assert!(!test("ForAllValues:StringNotEquals", &["x", "a"], &["a"]));
    assert!(test("ForAnyValue:StringNotEquals", &["x", "a"], &["a"]));
    assert!(!test("StringNotEquals", &["x", "a"], &["a"]));
}

#[test]
fn arns_compare_part_by_part_under_every_name() {
    let arn = "arn:aws:sns:us-east-1:123456789012:topic";
    for operator in ["ArnEquals", "ArnLike"] {
        assert!(test(operator, &[arn], &["arn:aws:sns:*:123456789012:top*"]));
        assert!(!test(operator, &[arn], &["arn:aws:sns:*:top*"]));
    }
    for operator in ["ArnNotEquals", "ArnNotLike"] {
        assert!(!test(
            operator,
            &[arn],
            &["arn:aws:sns:*:123456789012:top*"]
        ));
    }
}
