//! Several images, published together.
//!
//! They share one login, one client of the registry and one run of cargo. Everything of
//! all images is in the registry before the first tag of any is set; then come the
//! immutable tags of all, then the moving ones. What fails before leaves the tags of
//! all as they were, and what has been pushed is not sent again the next time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use aws::Client;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use receipts::{Problem, PublishReceipt, TagOutcome};

use super::found::{Found, Verdict};
use super::push::{Complete, Push, TagsSet};
use super::session::Session;
use super::{Destination, PublishFailure, PublishPlan, SourcePublish};
use crate::build::{BuildPlan, Materials, milliseconds};
use crate::event::{Event, Observer, Stage};

/// How many images are looked up or pushed at the same time; each does several
/// requests at a time by itself.
const TOGETHER: usize = 8;

/// An image among several, by its name.
#[derive(Debug, Clone)]
pub struct Named<T> {
    /// The name.
    pub name: String,
    /// What is published.
    pub publish: T,
}

/// Why several images were not published, and how far each has come.
#[derive(Debug)]
pub struct SeveralFailure {
    /// The names of the images.
    images: Vec<String>,
    /// Those that failed.
    failures: Vec<(String, PublishFailure)>,
    /// Tags that were set, as `NAME:TAG`.
    tags_set: Vec<String>,
    /// The images that had all their tags before.
    tagged: Vec<String>,
}

impl SourcePublish {
    /// Publishes several images of one source.
    pub async fn execute_all(
        publishes: &[Named<Self>],
        client: &Arc<Client>,
        observe: Observer<'_>,
    ) -> Result<Vec<PublishReceipt>, SeveralFailure> {
        let several = Several::new(publishes, observe);
        let destinations = publishes.iter().map(|named| &named.publish.destination);
        observe(Event::Stage(Stage::Inputs));
        let opening = opening(destinations.clone().next(), client);
        for named in publishes {
            named.publish.reads_base_by(client);
        }
        let plans: Vec<_> = publishes.iter().map(|named| &named.publish.build).collect();
        let materials = BuildPlan::look_all(&plans).await;
        let materials = materials.map_err(|failure| several.all(PublishFailure::Build(failure)))?;
        let session = several.opened(opening).await?;
        let looked = look_up(publishes, &materials, &session).await;
        let looked = looked.map_err(|failure| several.one(failure))?;
        let wanted = looked.iter().zip(&materials);
        let wanted: Vec<_> = wanted
            .map(|((_, verdict), materials)| verdict.wanted(materials.len()))
            .collect();
        let programs = BuildPlan::programs(&materials, &wanted, observe).await;
        let programs = programs.map_err(|failure| several.all(PublishFailure::Build(failure)))?;
        observe(Event::Stage(Stage::Push));
        let within = |event: Event<'_>| several.observe_within(event);
        let pushes = pushes(destinations, &session, &within);
        let contents = programs.into_iter().enumerate().map(|(place, programs)| {
            let (found, verdict) = &looked[place];
            let programs = programs.into_iter().map(|program| program.compiled);
            let made = (verdict, programs.collect());
            let (push, materials) = (&pushes[place], &materials[place]);
            let publish = &publishes[place].publish;
            Box::pin(publish.content(push, found, materials, made))
        });
        let contents: Vec<_> = stream::iter(contents).buffered(TOGETHER).collect().await;
        several.finish(contents, &pushes).await
    }
}

impl PublishPlan {
    /// Publishes several images, each from its own layout.
    pub async fn execute_all(
        plans: &[Named<(PathBuf, Self)>],
        client: &Arc<Client>,
        observe: Observer<'_>,
    ) -> Result<Vec<PublishReceipt>, SeveralFailure> {
        let several = Several::new(plans, observe);
        let destinations = plans.iter().map(|named| &named.publish.1.destination);
        observe(Event::Stage(Stage::VerifyLayout));
        let mut verified = Vec::new();
        for Named {
            name,
            publish: (directory, plan),
        } in plans
        {
            let image = plan.opened(directory);
            verified.push(image.map_err(|failure| several.one((name.clone(), failure)))?);
        }
        observe(Event::Stage(Stage::Identity));
        let opening = opening(destinations.clone().next(), client);
        let session = several.opened(opening).await?;
        observe(Event::Stage(Stage::Push));
        let within = |event: Event<'_>| several.observe_within(event);
        let pushes = pushes(destinations, &session, &within);
        let contents = plans.iter().enumerate().map(|(place, named)| {
            let (directory, plan) = &named.publish;
            Box::pin(plan.content(directory, &verified[place], &pushes[place]))
        });
        let contents: Vec<_> = stream::iter(contents).buffered(TOGETHER).collect().await;
        several.finish(contents, &pushes).await
    }
}

/// What the tags of each image point to, and what there is to do; an image that cannot
/// be published is found here, before anything is compiled.
async fn look_up(
    publishes: &[Named<SourcePublish>],
    materials: &[Vec<Materials>],
    session: &Arc<Session>,
) -> Result<Vec<(Found, Verdict)>, (String, PublishFailure)> {
    let looked = publishes
        .iter()
        .zip(materials)
        .map(async |(named, materials)| {
            let publish = &named.publish;
            let look = async {
                let found = Found::read(&publish.destination, Arc::clone(session)).await?;
                let verdict = publish.verdict(&found, materials).await?;
                Ok((found, verdict))
            };
            look.await.map_err(|failure| (named.name.clone(), failure))
        });
    stream::iter(looked).buffered(TOGETHER).try_collect().await
}

/// The push of each image, all by one session.
fn pushes<'a>(
    destinations: impl Iterator<Item = &'a Destination>,
    session: &'a Session,
    observe: Observer<'a>,
) -> Vec<Push<'a>> {
    let push = |destination| Push {
        destination,
        session,
        observe,
    };
    destinations.map(push).collect()
}

type Opening = tokio::task::JoinHandle<Result<Session, PublishFailure>>;

/// Begins to open the session of all, which is that of the first.
fn opening(first: Option<&Destination>, client: &Arc<Client>) -> Option<Opening> {
    let (destination, client) = (first?.clone(), Arc::clone(client));
    Some(tokio::spawn(async move { destination.open(&client).await }))
}

/// One publish of several images.
struct Several<'a> {
    names: Vec<String>,
    observe: Observer<'a>,
    started: Instant,
}

impl<'a> Several<'a> {
    fn new<T>(publishes: &[Named<T>], observe: Observer<'a>) -> Self {
        Self {
            names: publishes.iter().map(|named| named.name.clone()).collect(),
            observe,
            started: Instant::now(),
        }
    }

    async fn opened(&self, opening: Option<Opening>) -> Result<Arc<Session>, SeveralFailure> {
        let nothing = || PublishFailure::Interrupted("there is no image".to_owned());
        let opening = opening.ok_or_else(|| self.all(nothing()))?;
        let session = opening
            .await
            .unwrap_or_else(|error| Err(PublishFailure::Interrupted(error.to_string())));
        session.map(Arc::new).map_err(|failure| self.all(failure))
    }

    /// The stages of one image are not those of all.
    fn observe_within(&self, event: Event<'_>) {
        if !matches!(event, Event::Stage(_)) {
            (self.observe)(event);
        }
    }

    /// Sets the tags, once all images are complete.
    async fn finish(
        &self,
        contents: Vec<Result<Complete, PublishFailure>>,
        pushes: &[Push<'_>],
    ) -> Result<Vec<PublishReceipt>, SeveralFailure> {
        let (mut complete, mut failures, mut tagged) = (Vec::new(), Vec::new(), Vec::new());
        for (content, name) in contents.into_iter().zip(&self.names) {
            match content {
                Ok(content) => {
                    tagged.extend(content.had_its_tags().then(|| name.clone()));
                    complete.push(content);
                }
                Err(failure) => failures.push((name.clone(), failure)),
            }
        }
        if !failures.is_empty() {
            return Err(self.failed(failures, (Vec::new(), tagged)));
        }
        (self.observe)(Event::Stage(Stage::Tag));
        let mut outcomes: Vec<Vec<TagOutcome>> = vec![Vec::new(); complete.len()];
        for places in [0..1, 1..usize::MAX] {
            let set = complete.iter().zip(pushes);
            let set = set.map(|(complete, push)| push.tags(complete, places.clone()));
            let set: Vec<_> = stream::iter(set).buffered(TOGETHER).collect().await;
            let failures = self.gather(set, &mut outcomes);
            if !failures.is_empty() {
                return Err(self.failed(failures, (self.moved(&outcomes), tagged)));
            }
        }
        let milliseconds = milliseconds(self.started);
        let finished = complete.into_iter().zip(outcomes).zip(pushes);
        Ok(finished
            .map(|((complete, tags), push)| complete.receipt(tags, push, milliseconds))
            .collect())
    }

    /// Adds what was set of each image to its outcomes, also where it then failed.
    fn gather(
        &self,
        set: Vec<TagsSet>,
        outcomes: &mut [Vec<TagOutcome>],
    ) -> Vec<(String, PublishFailure)> {
        let mut failures = Vec::new();
        for (place, set) in set.into_iter().enumerate() {
            let set = set.unwrap_or_else(|(set, failure)| {
                failures.push((self.names[place].clone(), failure));
                set
            });
            outcomes[place].extend(set);
        }
        failures
    }

    fn moved(&self, outcomes: &[Vec<TagOutcome>]) -> Vec<String> {
        let all = self.names.iter().zip(outcomes);
        let moved = all.flat_map(|(name, tags)| {
            let moved = tags.iter().filter(|tag| tag.moved);
            moved.map(move |tag| format!("{name}:{}", tag.tag))
        });
        moved.collect()
    }

    /// What is the matter with one image.
    fn one(&self, failure: (String, PublishFailure)) -> SeveralFailure {
        self.failed(vec![failure], Default::default())
    }

    /// What is the matter with all images.
    fn all(&self, failure: PublishFailure) -> SeveralFailure {
        let name = self.names.join(", ");
        self.failed(vec![(name, failure)], Default::default())
    }

    fn failed(
        &self,
        failures: Vec<(String, PublishFailure)>,
        (tags_set, tagged): (Vec<String>, Vec<String>),
    ) -> SeveralFailure {
        SeveralFailure {
            images: self.names.clone(),
            failures,
            tags_set,
            tagged,
        }
    }
}

impl SeveralFailure {
    /// The failure that is told first.
    pub fn first(&self) -> Option<&PublishFailure> {
        self.failures.first().map(|(_, failure)| failure)
    }

    /// What people and machines are told; `first` is about [`Self::first`].
    pub fn problem(&self, mut first: Problem) -> Problem {
        let what = first
            .summary
            .split_once(": ")
            .map(|(_, what)| what.to_owned());
        let what = what.unwrap_or(first.summary);
        let of = match self.failures.len() {
            0 | 1 => String::new(),
            several => format!(" (and {} more)", several - 1),
        };
        let done = if self.tags_set.is_empty() {
            "no tag of any image was moved".to_owned()
        } else {
            format!("only tags {} were set", self.tags_set.join(", "))
        };
        first.summary = format!("{done}: {what}{of}");
        for (name, failure) in &self.failures {
            first = first.fact("failed", format!("{name}: {failure}"));
        }
        for name in &self.images {
            let failed = self
                .failures
                .iter()
                .any(|(failed, _)| failed.split(", ").any(|one| one == name));
            let set = self.tags_set.iter().any(|tag| {
                tag.strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.starts_with(':'))
            });
            if !failed {
                let state = match (set, self.tagged.contains(name)) {
                    (_, true) => "tagged before",
                    (true, false) => "tagged",
                    (false, false) => "not tagged",
                };
                first = first.fact(state, name.as_str());
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use receipts::ProblemCode;

    #[test]
    fn a_tag_that_was_set_before_another_failed_is_told() {
        let several = Several {
            names: vec!["api".to_owned(), "jobs".to_owned()],
            observe: &|_| {},
            started: Instant::now(),
        };
        let tag = |tag: &str, moved| TagOutcome {
            tag: tag.to_owned(),
            moved,
            previous: None,
        };
        let failure = PublishFailure::Interrupted("refused".to_owned());
        let set = vec![
            Ok(vec![tag("same", false)]),
            Err((vec![tag("v1", true)], failure)),
        ];
        let mut outcomes = vec![Vec::new(); 2];
        let failures = several.gather(set, &mut outcomes);
        let failed = several.failed(failures, (several.moved(&outcomes), vec!["api".to_owned()]));
        assert_eq!(failed.tags_set, ["jobs:v1"]);
        let problem = failed.problem(Problem::new(ProblemCode::Io, "nothing: refused"));
        assert_eq!(problem.summary, "only tags jobs:v1 were set: refused");
        // One that had its tags before lacks nothing.
        let before = ("tagged before".to_owned(), "api".to_owned());
        assert!(problem.facts.contains(&before), "{:?}", problem.facts);
    }
}
