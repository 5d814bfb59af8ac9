//! Which conditions narrow, and how.

use proptest::prelude::*;

use super::*;

fn shape(event: &str, refs: RefShape) -> RunShape {
    RunShape {
        event: event.to_owned(),
        environment: None,
        refs,
    }
}

fn branches(patterns: &[&str]) -> RefShape {
    RefShape::Branches(patterns.iter().map(|&pattern| pattern.to_owned()).collect())
}

/// The refs that are left of `refs` in a push.
fn left(refs: RefShape, condition: &str) -> Vec<RefShape> {
    narrowed(vec![shape("push", refs)], Some(condition))
        .into_iter()
        .map(|shape| shape.refs)
        .collect()
}

#[test]
fn a_ref_that_is_asked_for_is_the_only_one_left() {
    for condition in [
        "github.ref == 'refs/heads/main'",
        "${{ github.ref == 'refs/heads/main' }}",
        "'refs/heads/main' == github.ref && always()",
        "github.event_name == 'push' && github.ref == 'refs/heads/MAIN'",
        "github.ref_name == 'main'",
    ] {
        assert_eq!(
            left(branches(&["main", "dev"]), condition),
            [branches(&["main"])],
            "{condition}"
        );
    }
    assert_eq!(
        left(branches(&["release/**"]), "github.ref == 'refs/heads/main'"),
        []
    );
    assert_eq!(
        left(RefShape::PullRequest, "github.ref == 'refs/heads/main'"),
        []
    );
    assert_eq!(
        left(RefShape::DefaultBranch, "github.ref == 'refs/heads/main'"),
        [branches(&["main"])]
    );
    assert_eq!(
        left(RefShape::Any, "github.ref == 'refs/heads/a+b'"),
        [branches(&["a\\+b"])]
    );
}

#[test]
fn a_ref_that_is_refused_is_taken_out() {
    assert_eq!(
        left(branches(&["**"]), "github.ref != 'refs/heads/main'"),
        [branches(&["**", "!main"])]
    );
    assert_eq!(
        left(RefShape::Any, "github.ref != 'refs/heads/main'"),
        [branches(&["**", "!main"]), RefShape::Tags(Vec::new())]
    );
    assert_eq!(
        left(RefShape::PullRequest, "github.ref != 'refs/heads/main'"),
        [RefShape::PullRequest]
    );
}

#[test]
fn tags_are_told_from_branches() {
    let tags = |patterns: &[&str]| RefShape::Tags(patterns.iter().map(|&p| p.to_owned()).collect());
    assert_eq!(
        left(RefShape::Any, "startsWith(github.ref, 'refs/tags/v')"),
        [tags(&["v**"])]
    );
    assert_eq!(
        left(branches(&[]), "startsWith(github.ref, 'refs/tags/')"),
        []
    );
    assert_eq!(
        left(tags(&["v1"]), "github.ref_type == 'tag'"),
        [tags(&["v1"])]
    );
    assert_eq!(
        left(RefShape::Any, "github.ref_type != 'tag'"),
        [branches(&[])]
    );
}

#[test]
fn an_event_that_is_refused_leaves_the_others() {
    let shapes = vec![
        shape("push", branches(&[])),
        shape("pull_request", RefShape::PullRequest),
    ];
    let events = |condition| -> Vec<_> {
        narrowed(shapes.clone(), Some(condition))
            .into_iter()
            .map(|shape| shape.event)
            .collect()
    };
    assert_eq!(events("github.event_name == 'push'"), ["push"]);
    assert_eq!(events("github.event_name != 'push'"), ["pull_request"]);
}

#[test]
fn what_is_not_understood_leaves_the_shape_wide() {
    for condition in [
        "github.ref == 'refs/heads/main' || github.actor == 'x'",
        "!(github.ref == 'refs/heads/main')",
        "contains(github.ref, 'main')",
        "github.ref == env.BRANCH",
        "text ${{ github.ref == 'refs/heads/main' }}",
        "github.ref == 'it''s'",
        "github.ref == 'refs/heads/main",
        "always()",
        "",
    ] {
        assert_eq!(
            left(RefShape::Any, condition),
            [RefShape::Any],
            "{condition}"
        );
    }
}

proptest! {
    #[test]
    fn any_condition_is_read_without_panic(condition in "[a-z.()'&|=!, {}$]{0,40}") {
        let _ = left(RefShape::Any, &condition);
    }

    #[test]
    fn any_characters_are_read_without_panic(condition in "\\PC{0,40}") {
        let _ = left(RefShape::Any, &condition);
    }
}
