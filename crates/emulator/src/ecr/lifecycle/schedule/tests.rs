use proptest::prelude::*;

use super::super::testing::{Build, any_images, any_policy, at, policy, text};
use super::*;

const ARCHIVE_THEN_EXPIRE: &str = r#"{"rulePriority":1,"selection":{"tagStatus":"any",
    "countType":"sinceImagePushed","countUnit":"days","countNumber":30},
    "action":{"type":"transition","targetStorageClass":"archive"}},
    {"rulePriority":2,"selection":{"tagStatus":"any","storageClass":"archive",
    "countType":"sinceImageTransitioned","countUnit":"days","countNumber":90},
    "action":{"type":"expire"}}"#;

#[test]
fn evaluations_are_at_midnight() {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(
        point_after(time("2026-03-01T00:00:00Z")),
        time("2026-03-02T00:00:00Z")
    );
    assert_eq!(
        point_after(time("2026-03-01T23:59:59Z")),
        time("2026-03-02T00:00:00Z")
    );
    assert_eq!(
        point_before(time("2026-03-01T23:59:59Z")),
        time("2026-03-01T00:00:00Z")
    );
}

#[test]
fn a_clock_that_jumps_a_year_archives_first_and_expires_later() {
    let image = Build::new("image").pushed(365).image();
    let events = walk(&policy(ARCHIVE_THEN_EXPIRE), vec![image], at(365), at(0));
    let effects: Vec<Effect> = events.iter().map(|event| event.effect).collect();
    assert_eq!(effects, [Effect::Archive, Effect::Expire]);
    let between = events[1].at.duration_since(events[0].at);
    assert_eq!(between.as_hours(), 91 * 24);
}

#[test]
fn an_endless_jump_ends() {
    let image = Build::new("image").pushed(1).image();
    let events = walk(
        &policy(ARCHIVE_THEN_EXPIRE),
        vec![image],
        at(1),
        Timestamp::MAX,
    );
    assert_eq!(events.len(), 2);
}

#[test]
fn artifacts_go_in_the_same_evaluation_as_their_subject_and_children_in_the_next() {
    let rule = r#"{"rulePriority":1,"selection":{"tagStatus":"any",
        "countType":"sinceImagePushed","countUnit":"days","countNumber":1},
        "action":{"type":"expire"}}"#;
    let images = vec![
        Build::new("child").pushed(9).image(),
        Build::new("list").pushed(9).children(&["child"]).image(),
        Build::new("signature").pushed(9).subject("list").image(),
        Build::new("attestation")
            .pushed(9)
            .subject("signature")
            .image(),
    ];
    let events = walk(&policy(rule), images, at(3), at(0));
    let days: Vec<i64> = events
        .iter()
        .map(|event| at(0).duration_since(event.at).as_hours() / 24)
        .collect();
    assert_eq!(events.len(), 4, "{events:?}");
    assert_eq!(days, [2, 2, 2, 1], "{events:?}");
}

proptest! {
    #[test]
    fn a_jump_does_what_a_walk_from_day_to_day_does(
        rules in any_policy(), images in any_images(), days in 1_i64..200,
    ) {
        let policy = policy(&text(&rules));
        let jumped = walk(&policy, images.clone(), at(0), at(-days));
        let mut left = images;
        let mut walked = Vec::new();
        for day in 1..=days {
            walked.extend(step(&policy, &mut left, at(-day)));
        }
        prop_assert_eq!(jumped, walked);
    }

    #[test]
    fn what_a_preview_shows_happens_and_no_other_image_goes_but_artifacts(
        rules in any_policy(), images in any_images(),
    ) {
        let policy = policy(&text(&rules));
        let shown: Vec<_> = evaluate(&policy, &images, at(0))
            .into_iter()
            .map(|verdict| (verdict.digest, verdict.effect))
            .collect();
        let mut left = images.clone();
        let happened: Vec<_> = step(&policy, &mut left, at(0))
            .into_iter()
            .map(|event| (event.digest, event.effect))
            .collect();
        prop_assert_eq!(&happened[..shown.len()], &shown[..]);
        for (digest, _) in &happened[shown.len()..] {
            let follower = images.iter().find(|image| image.digest == *digest).unwrap();
            prop_assert!(follower.subject.is_some());
        }
        let expired = happened.iter().filter(|(_, effect)| *effect == Effect::Expire);
        prop_assert_eq!(left.len(), images.len() - expired.count());
    }

    #[test]
    fn what_remains_is_stable(rules in any_policy(), images in any_images()) {
        let policy = policy(&text(&rules));
        let mut left = images;
        // A list goes before what it names, so two evaluations may be needed.
        for _ in 0..3 {
            step(&policy, &mut left, at(0));
        }
        prop_assert_eq!(step(&policy, &mut left, at(0)), vec![]);
    }
}
