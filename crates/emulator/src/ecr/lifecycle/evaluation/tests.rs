//! The examples of the User Guide, and what holds for every policy.

use proptest::prelude::*;

use super::super::testing::{Build, any_images, any_policy, at, digest, policy, text};
use super::*;

/// The names of the images on which the policy acts, sorted.
fn acted(rules: &str, images: &[(&str, Image)]) -> Vec<String> {
    let list: Vec<Image> = images.iter().map(|(_, image)| image.clone()).collect();
    let mut names: Vec<String> = evaluate(&policy(rules), &list, at(0))
        .iter()
        .map(|verdict| {
            let found = images
                .iter()
                .find(|(_, image)| image.digest == verdict.digest);
            found.unwrap().0.to_owned()
        })
        .collect();
    names.sort();
    names
}

fn image<'a>(name: &'a str, tags: &[&str], days_ago: i64) -> (&'a str, Image) {
    (name, Build::new(name).tags(tags).pushed(days_ago).image())
}

const PROD_THEN_BETA: &str = r#"
    {"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["prod*"],
     "countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}},
    {"rulePriority":2,"selection":{"tagStatus":"tagged","tagPatternList":["beta*"],
     "countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}"#;

#[test]
fn multiple_rules_examples_a_and_b() {
    let images = [
        image("A", &["beta-1", "prod-1"], 10),
        image("B", &["beta-2", "prod-2"], 9),
        image("C", &["beta-3"], 8),
    ];
    assert_eq!(acted(PROD_THEN_BETA, &images), ["A"]);
    let swapped = PROD_THEN_BETA
        .replace("prod*", "x")
        .replace("beta*", "prod*")
        .replace("\"x\"", "\"beta*\"");
    assert_eq!(acted(&swapped, &images), ["A", "B"]);
}

#[test]
fn multiple_tags_in_a_single_rule_examples_a_and_b() {
    let rules = r#"{"rulePriority":1,"selection":{"tagStatus":"tagged",
        "tagPatternList":["alpha*","beta*"],"countType":"sinceImagePushed","countNumber":5,
        "countUnit":"days"},"action":{"type":"expire"}}"#;
    let images = [
        image("A", &["alpha-1"], 12),
        image("B", &["beta-1"], 11),
        image("C", &["alpha-2", "beta-2"], 10),
        image("D", &["alpha-3"], 4),
        image("E", &["beta-3"], 3),
        image("F", &["alpha-4", "beta-4"], 2),
    ];
    assert_eq!(acted(rules, &images), ["C"]);
    let rules = r#"{"rulePriority":1,"selection":{"tagStatus":"tagged",
        "tagPatternList":["alpha*","beta*"],"countType":"imageCountMoreThan","countNumber":1},
        "action":{"type":"expire"}}"#;
    let images = [
        image("A", &["alpha-1", "beta-1", "gamma-1"], 10),
        image("B", &["alpha-2", "beta-2"], 9),
        image("C", &["alpha-3", "beta-3", "gamma-2"], 8),
    ];
    assert_eq!(acted(rules, &images), ["A", "B"]);
}

#[test]
fn all_images_examples_a_and_b() {
    let any = r#"{"rulePriority":9,"selection":{"tagStatus":"any",
        "countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}"#;
    let images = [
        image("A", &["alpha-1"], 4),
        image("B", &["beta-1"], 3),
        image("C", &[], 2),
        image("D", &["alpha-2"], 1),
    ];
    assert_eq!(acted(any, &images), ["A", "B", "C"]);
    let rules = format!(
        r#"{{"rulePriority":1,"selection":{{"tagStatus":"tagged","tagPatternList":["alpha*"],
        "countType":"imageCountMoreThan","countNumber":1}},"action":{{"type":"expire"}}}},
        {{"rulePriority":2,"selection":{{"tagStatus":"untagged","countType":"sinceImagePushed",
        "countUnit":"days","countNumber":1}},"action":{{"type":"expire"}}}},{any}"#
    );
    let images = [
        image("A", &["alpha-1", "beta-1"], 4),
        image("B", &[], 3),
        image("C", &["alpha-2"], 2),
        image("D", &["git hash"], 1),
        image("E", &[], 1),
    ];
    assert_eq!(acted(&rules, &images), ["A", "B", "D"]);
}

#[test]
fn pulls_and_restorations_make_an_image_younger() {
    let pulled = r#"{"rulePriority":1,"selection":{"tagStatus":"any",
        "countType":"sinceImagePulled","countUnit":"days","countNumber":30},
        "action":{"type":"transition","targetStorageClass":"archive"}}"#;
    let old = || Build::new("old").pushed(100);
    assert_eq!(acted(pulled, &[("never", old().image())]), ["never"]);
    assert!(acted(pulled, &[("pulled", old().pulled(5).image())]).is_empty());
    assert!(
        acted(
            pulled,
            &[("restored", old().pulled(60).activated(5).image())]
        )
        .is_empty()
    );
    assert_eq!(
        acted(
            pulled,
            &[("long ago", old().pulled(40).activated(50).image())]
        ),
        ["long ago"]
    );
    let pushed = r#"{"rulePriority":1,"selection":{"tagStatus":"any",
        "countType":"sinceImagePushed","countUnit":"days","countNumber":30},
        "action":{"type":"expire"}}"#;
    assert!(acted(pushed, &[("restored", old().activated(5).image())]).is_empty());
    assert!(acted(pushed, &[("exactly", Build::new("x").pushed(30).image())]).is_empty());
}

#[test]
fn the_archive_has_rules_of_its_own() {
    let rules = r#"{"rulePriority":1,"selection":{"tagStatus":"any",
        "countType":"sinceImagePushed","countUnit":"days","countNumber":30},
        "action":{"type":"transition","targetStorageClass":"archive"}},
        {"rulePriority":2,"selection":{"tagStatus":"any","storageClass":"archive",
        "countType":"sinceImageTransitioned","countUnit":"days","countNumber":365},
        "action":{"type":"expire"}}"#;
    let verdicts = evaluate(
        &policy(rules),
        &[
            Build::new("young").pushed(10).image(),
            Build::new("old").pushed(40).image(),
            Build::new("archived").pushed(400).archived(300).image(),
            Build::new("forgotten").pushed(500).archived(366).image(),
            Build::new("activating").pushed(500).activating().image(),
        ],
        at(0),
    );
    let verdict = |name, priority, effect| Verdict {
        digest: digest(name),
        priority,
        effect,
    };
    assert_eq!(
        verdicts,
        [
            verdict("old", 1, Effect::Archive),
            verdict("forgotten", 2, Effect::Expire)
        ]
    );
}

#[test]
fn a_listed_image_waits_for_its_list_and_an_artifact_is_an_untagged_image() {
    let rules = r#"{"rulePriority":1,"selection":{"tagStatus":"untagged",
        "countType":"sinceImagePushed","countUnit":"days","countNumber":1},
        "action":{"type":"expire"}}"#;
    let images = [
        Build::new("child").pushed(9).image(),
        Build::new("list")
            .pushed(9)
            .tags(&["v1"])
            .children(&["child"])
            .image(),
        Build::new("signature").pushed(9).subject("list").image(),
        Build::new("orphan").pushed(9).subject("gone").image(),
    ];
    let acted = |images: &[Image]| -> Vec<Digest> {
        let verdicts = evaluate(&policy(rules), images, at(0));
        verdicts.iter().map(|verdict| verdict.digest).collect()
    };
    let artifacts = HashSet::from([digest("signature"), digest("orphan")]);
    assert_eq!(HashSet::from_iter(acted(&images)), artifacts);
    assert_eq!(
        followers(&images, at(0)),
        [(digest("orphan"), Effect::Expire)]
    );
    let archived: Vec<Image> = images
        .into_iter()
        .map(|image| Image {
            class: if image.children.is_empty() {
                image.class
            } else {
                Some(StorageClass::Archive)
            },
            ..image
        })
        .collect();
    assert!(acted(&archived).contains(&digest("child")));
    assert!(followers(&archived, at(0)).contains(&(digest("signature"), Effect::Archive)));
}

proptest! {
    #[test]
    fn an_image_is_acted_on_by_at_most_one_rule(rules in any_policy(), images in any_images()) {
        let verdicts = evaluate(&policy(&text(&rules)), &images, at(0));
        let digests: HashSet<Digest> = verdicts.iter().map(|verdict| verdict.digest).collect();
        prop_assert_eq!(digests.len(), verdicts.len());
    }

    #[test]
    fn the_order_of_the_rules_in_the_text_and_of_the_images_does_not_matter(
        rules in any_policy(), images in any_images(),
    ) {
        let (mut other, mut turned) = (rules.clone(), images.clone());
        other.reverse();
        turned.reverse();
        prop_assert_eq!(
            evaluate(&policy(&text(&rules)), &images, at(0)),
            evaluate(&policy(&text(&other)), &turned, at(0))
        );
    }

    #[test]
    fn what_a_rule_selects_is_out_of_reach_for_the_rules_after_it(
        rules in any_policy(), images in any_images(),
    ) {
        let policy = policy(&text(&rules));
        for verdict in evaluate(&policy, &images, at(0)) {
            let image = images.iter().find(|image| image.digest == verdict.digest).unwrap();
            let first = policy.rules.iter().find(|rule| selects(rule, image, at(0))).unwrap();
            prop_assert_eq!(first.priority, verdict.priority);
        }
    }

    #[test]
    fn a_count_rule_alone_leaves_the_newest_images(number in 1_usize..5, images in any_images()) {
        let rule = format!(
            r#"{{"rulePriority":1,"selection":{{"tagStatus":"any","countType":"imageCountMoreThan",
            "countNumber":{number}}},"action":{{"type":"expire"}}}}"#
        );
        let verdicts = evaluate(&policy(&rule), &images, at(0));
        let acted: HashSet<Digest> = verdicts.iter().map(|verdict| verdict.digest).collect();
        let is_counted = |image: &&Image| image.class == Some(StorageClass::Standard);
        let listed = listed(&images);
        let mut counted: Vec<&Image> = images.iter().filter(is_counted).collect();
        counted.sort_by_key(|image| std::cmp::Reverse((image.age_reference(), image.digest)));
        for (position, image) in counted.iter().enumerate() {
            let expected = position >= number && !listed.contains(&image.digest);
            prop_assert_eq!(acted.contains(&image.digest), expected);
        }
    }
}
