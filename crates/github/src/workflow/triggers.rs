//! The `on` key.
//!
//! Events and filters:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>.

use std::collections::BTreeMap;

use super::node::{Content, Node};
use super::{Place, WorkflowError};

/// The events that start a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggers {
    events: BTreeMap<String, Trigger>,
}

/// One event with its filters. An empty list is a filter that is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Where the event is named.
    pub place: Place,
    /// Patterns of branches: those pushed to, and for pull requests the base.
    pub branches: Vec<String>,
    /// Patterns of branches that are left out.
    pub branches_ignore: Vec<String>,
    /// Patterns of tags.
    pub tags: Vec<String>,
    /// Patterns of tags that are left out.
    pub tags_ignore: Vec<String>,
    /// Patterns of changed paths. They are not looked at when a tag is pushed.
    pub paths: Vec<String>,
    /// Patterns of paths whose change does not count.
    pub paths_ignore: Vec<String>,
    /// The kinds of activity, such as `published` of `release`.
    pub types: Vec<String>,
    /// The workflows that `workflow_run` follows, by name.
    pub workflows: Vec<String>,
}

impl Triggers {
    /// Whether `event` starts the workflow.
    pub fn has(&self, event: &str) -> bool {
        self.events.contains_key(event)
    }

    /// The trigger of `event`, if there is one.
    pub fn get(&self, event: &str) -> Option<&Trigger> {
        self.events.get(event)
    }

    /// The `push` trigger, if there is one.
    pub fn push(&self) -> Option<&Trigger> {
        self.get("push")
    }

    /// Every event with its filters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Trigger)> {
        self.events
            .iter()
            .map(|(event, trigger)| (event.as_str(), trigger))
    }

    pub(super) fn read(node: &Node) -> Result<Self, WorkflowError> {
        let events = match &node.content {
            Content::Text(event) => [(event.clone(), Trigger::bare(node.place))].into(),
            Content::List(list) => list
                .iter()
                .map(|event| match &event.content {
                    Content::Text(name) => Ok((name.clone(), Trigger::bare(event.place))),
                    _ => Err(event.wrong("an event in `on` is not a text")),
                })
                .collect::<Result<_, _>>()?,
            Content::Map(map) => map
                .iter()
                .map(|(event, filters)| {
                    let trigger = Trigger::read(event, event.place, filters)?;
                    Ok((event.value.clone(), trigger))
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(node.wrong("`on` must be a text, a list or a map")),
        };
        Ok(Self { events })
    }
}

impl Trigger {
    fn bare(place: Place) -> Self {
        Self {
            place,
            branches: Vec::new(),
            branches_ignore: Vec::new(),
            tags: Vec::new(),
            tags_ignore: Vec::new(),
            paths: Vec::new(),
            paths_ignore: Vec::new(),
            types: Vec::new(),
            workflows: Vec::new(),
        }
    }

    fn read(event: &str, place: Place, filters: &Node) -> Result<Self, WorkflowError> {
        let mut trigger = Self::bare(place);
        let fields = match &filters.content {
            Content::Map(fields) => fields,
            // `schedule` has a list of times.
            Content::Null | Content::List(_) => return Ok(trigger),
            _ => return Err(filters.wrong(format!("`{event}` must be a map of filters"))),
        };
        for (key, value) in fields {
            let list = match key.as_str() {
                "branches" => &mut trigger.branches,
                "branches-ignore" => &mut trigger.branches_ignore,
                "tags" => &mut trigger.tags,
                "tags-ignore" => &mut trigger.tags_ignore,
                "paths" => &mut trigger.paths,
                "paths-ignore" => &mut trigger.paths_ignore,
                "types" => &mut trigger.types,
                "workflows" => &mut trigger.workflows,
                _ => continue,
            };
            *list = value.texts(&format!("`{}` of `{event}`", key.value))?;
        }
        Ok(trigger)
    }
}
