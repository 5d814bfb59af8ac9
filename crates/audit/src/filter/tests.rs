use proptest::prelude::*;

use super::*;

/// The examples of GitHub's own page.
#[test]
fn patterns_cover_what_githubs_page_says() {
    for (pattern, covers, leaves) in [
        ("feature/*", "feature/my-branch", "feature/beta-a/my-branch"),
        ("feature/**", "feature/beta-a/my-branch", "features/x"),
        ("*", "main", "all/the/branches"),
        ("**", "all/the/branches", ""),
        ("*feature", "mona-feature", "ver-10-feature/x"),
        ("v2*", "v2.9", "v1"),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.0.0"),
        ("v[12].[0-9]+.[0-9]+", "v2.0.0", "v2..0"),
        ("*.jsx?", "page.js", "page.jsxx"),
        (
            "releases/mona-the-octocat",
            "releases/mona-the-octocat",
            "releases/x",
        ),
    ] {
        assert!(Filter::read(pattern).matches(covers), "{pattern} {covers}");
        assert!(
            leaves.is_empty() || !Filter::read(pattern).matches(leaves),
            "{pattern} {leaves}"
        );
    }
}

#[test]
fn the_last_pattern_that_matches_decides() {
    let patterns = ["releases/**", "!releases/**-alpha", "releases/x-alpha"].map(str::to_owned);
    assert!(cover(&patterns, "releases/10"));
    assert!(!cover(&patterns, "releases/beta/3-alpha"));
    assert!(cover(&patterns, "releases/x-alpha"));
    assert!(cover(&[], "anything"));
}

#[test]
fn many_stars_are_decided_and_more_than_the_bound_are_taken_to_match() {
    let stars = |count: usize| cover(&["*a".repeat(count)], &"a".repeat(count - 1));
    assert!(!stars(100));
    assert!(stars(20_000));
}

proptest! {
    #[test]
    fn a_literal_covers_its_name(name in "[a-z*?+!\\[\\]\\\\/-]{1,12}", other in "[a-z]{1,3}") {
        prop_assert!(cover(&[literal(&name)], &name));
        prop_assert_eq!(cover(&[literal(&name)], &other), name == other);
    }

    #[test]
    fn any_pattern_is_matched_without_panic(pattern in "\\PC{0,20}", name in "\\PC{0,20}") {
        let _ = cover(&[pattern], &name);
    }
}

fn leaves_out(filters: &[&str], name: &str) -> bool {
    let filters: Vec<String> = filters.iter().map(ToString::to_string).collect();
    let left = left_out(&filters).unwrap();
    left.iter().any(|language| language.contains(name).unwrap())
}

#[test]
fn a_star_runs_over_slashes_and_an_escaped_one_is_a_character() {
    assert!(!leaves_out(&["v*"], "v1/x"));
    assert!(leaves_out(&["v*"], "w1"));
    assert!(!leaves_out(&["v\\*"], "v*"));
    assert!(leaves_out(&["v\\*"], "v*x"));
    assert!(leaves_out(&["v*", "!v*-rc"], "v1/x-rc"));
}

#[test]
fn what_githubs_page_does_not_say_is_a_guess_here_and_unknown_there() {
    for (filter, name) in [
        ("+a", "+a"),
        ("v**?", "v1"),
        ("v[_]", "v_"),
        ("v[1", "v1"),
        ("v\\", "v\\"),
        ("v[]", "v1"),
    ] {
        let filters = [filter.to_owned()];
        assert!(cover(&filters, name), "{filter}");
        assert_eq!(covered(&filters), None, "{filter}");
        assert_eq!(left_out(&filters), None, "{filter}");
        assert_eq!(Filter::read(filter).as_literal(), None, "{filter}");
    }
}

proptest! {
    /// Two ways to the same answer: name by name, and as sets.
    #[test]
    fn a_name_is_covered_where_the_sets_say_so(
        filters in prop::collection::vec("!?[ab/*?+]{1,5}", 1..4),
        name in "[ab]{0,5}",
    ) {
        let Some(sets) = covered(&filters) else { return Ok(()) };
        let in_sets = sets.iter().any(|set| set.contains(&name).unwrap());
        prop_assert_eq!(cover(&filters, &name), in_sets);
        let left = left_out(&filters).unwrap();
        let outside = left.iter().any(|set| set.contains(&name).unwrap());
        prop_assert_eq!(in_sets, !outside);
    }
}
