//! Images and policies for the tests.

use jiff::{SignedDuration, Timestamp};
use oci::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Policy;
use super::image::Image;
use super::rule::StorageClass;

/// Midnight of the day that is `days_ago` before the tests' present.
pub(super) fn at(days_ago: i64) -> Timestamp {
    let today: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    today - SignedDuration::from_hours(24 * days_ago)
}

pub(super) fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// A policy of `rules`, JSON objects separated by commas.
pub(super) fn policy(rules: &str) -> Policy {
    Policy::parse(&format!(r#"{{"rules":[{rules}]}}"#)).unwrap()
}

/// An image to be described.
pub(super) struct Build(Image);

impl Build {
    pub(super) fn new(name: &str) -> Self {
        Self(Image {
            digest: digest(name),
            tags: Vec::new(),
            pushed: at(0),
            pulled: None,
            archived: None,
            activated: None,
            class: Some(StorageClass::Standard),
            children: Vec::new(),
            subject: None,
        })
    }

    pub(super) fn tags(mut self, tags: &[&str]) -> Self {
        self.0.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        self
    }

    pub(super) fn pushed(mut self, days_ago: i64) -> Self {
        self.0.pushed = at(days_ago);
        self
    }

    pub(super) fn pulled(mut self, days_ago: i64) -> Self {
        self.0.pulled = Some(at(days_ago));
        self
    }

    pub(super) fn archived(mut self, days_ago: i64) -> Self {
        self.0.archived = Some(at(days_ago));
        self.0.class = Some(StorageClass::Archive);
        self
    }

    pub(super) fn activated(mut self, days_ago: i64) -> Self {
        self.0.activated = Some(at(days_ago));
        self
    }

    pub(super) fn activating(mut self) -> Self {
        self.0.class = None;
        self
    }

    pub(super) fn children(mut self, names: &[&str]) -> Self {
        self.0.children = names.iter().map(|name| digest(name)).collect();
        self
    }

    pub(super) fn subject(mut self, name: &str) -> Self {
        self.0.subject = Some(digest(name));
        self
    }

    pub(super) fn image(self) -> Image {
        self.0
    }
}

/// The rules of a policy that ECR accepts.
pub(super) fn any_policy() -> impl Strategy<Value = Vec<Value>> {
    let lists = prop::sample::subsequence(vec!["a*", "*b", "c*1", "*"], 0..4);
    let limits = (1_u64..6, 1_u64..120, any::<bool>());
    let untagged = prop::option::of(limits.clone());
    let any = prop::option::of(limits.clone());
    let archive = prop::option::of(90_u64..120);
    (lists, limits, untagged, any, archive).prop_map(|(lists, limits, untagged, any, archive)| {
        let mut rules = Vec::new();
        for list in lists {
            rules.push(rule(
                json!({ "tagStatus": "tagged", "tagPatternList": [list] }),
                limits,
            ));
        }
        rules.extend(untagged.map(|limits| rule(json!({ "tagStatus": "untagged" }), limits)));
        rules.extend(any.map(|limits| rule(json!({ "tagStatus": "any" }), limits)));
        rules.extend(archive.map(|days| {
            json!({ "action": { "type": "expire" }, "selection": {
                "tagStatus": "any", "storageClass": "archive", "countUnit": "days",
                "countType": "sinceImageTransitioned", "countNumber": days } })
        }));
        if rules.is_empty() {
            rules.push(rule(json!({ "tagStatus": "any" }), limits));
        }
        for (index, rule) in rules.iter_mut().enumerate() {
            rule["rulePriority"] = json!(index * 3 + 1);
        }
        rules
    })
}

/// A rule that counts images when `days` is even, otherwise days.
fn rule(mut selection: Value, (images, days, transition): (u64, u64, bool)) -> Value {
    let (kind, number) = match (days % 4, transition) {
        (0 | 2, _) => ("imageCountMoreThan", images),
        (1, true) => ("sinceImagePulled", days),
        _ => ("sinceImagePushed", days),
    };
    selection["countType"] = json!(kind);
    selection["countNumber"] = json!(number);
    if kind != "imageCountMoreThan" {
        selection["countUnit"] = json!("days");
    }
    let action = if transition {
        json!({ "type": "transition", "targetStorageClass": "archive" })
    } else {
        json!({ "type": "expire" })
    };
    json!({ "selection": selection, "action": action })
}

/// The rules, separated by commas.
pub(super) fn text(rules: &[Value]) -> String {
    let rules: Vec<String> = rules.iter().map(Value::to_string).collect();
    rules.join(",")
}

/// Up to a dozen images; some list or speak about others.
pub(super) fn any_images() -> impl Strategy<Value = Vec<Image>> {
    let tags = prop::sample::subsequence(vec!["a1", "ab", "c1", "x"], 0..3);
    let times = (0_i64..150, prop::option::of(0_i64..150), 0_i64..150);
    let kind = (0_u8..12, 0_usize..12);
    let image = (tags, times, kind);
    prop::collection::vec(image, 0..12).prop_map(|described| {
        let named = |index: usize| format!("image {index}");
        let images = described.into_iter().enumerate();
        images
            .map(|(index, (tags, (pushed, pulled, other), (kind, target)))| {
                let mut build = Build::new(&named(index)).tags(&tags).pushed(pushed);
                if let Some(pulled) = pulled {
                    build = build.pulled(pulled.min(pushed));
                }
                // Only earlier images are named: no image can name itself.
                let target = named(target % index.max(1));
                match kind {
                    0 | 1 => build.archived(other.min(pushed)),
                    2 => build.activated(other.min(pushed)),
                    3 => build.activating(),
                    4 if index > 0 => build.children(&[&target]),
                    5 if index > 0 => build.subject(&target),
                    _ => build,
                }
                .image()
            })
            .collect()
    })
}
