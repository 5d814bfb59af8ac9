//! Jobs and their steps.

use std::collections::BTreeMap;

use super::node::{Content, Node};
use super::{Matrix, Permissions, Place, Placed, WorkflowError};

/// Names to values: an `env` or a `with`. Numbers and booleans are texts, as
/// they are for the program that gets them; lists and maps are left out.
pub type Variables = BTreeMap<String, Placed<String>>;

/// Characters of a step's title; longer ones are cut.
const MAX_TITLE_CHARS: usize = 80;

/// A group of runs of which one at a time goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    /// The group's name.
    pub group: String,
}

/// A job of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Where its id stands.
    pub place: Place,
    /// What its token may do; `None` inherits the workflow's.
    pub permissions: Option<Placed<Permissions>>,
    /// The deployment environment, which changes the subject.
    pub environment: Option<Placed<String>>,
    /// Which runs of it exclude each other.
    pub concurrency: Option<Placed<Concurrency>>,
    /// `if`: when it runs at all.
    pub condition: Option<Placed<String>>,
    /// The jobs that it waits for.
    pub needs: Vec<String>,
    /// The environment variables of its steps.
    pub env: Variables,
    /// A reusable workflow that this job calls instead of having steps.
    pub uses: Option<Placed<String>>,
    /// The inputs of that workflow, names in lower case.
    pub with: Variables,
    /// The matrix, for every entry of which it runs once.
    pub matrix: Option<Matrix>,
    /// When it is stopped; `None` is GitHub's default of six hours.
    pub timeout_minutes: Option<Placed<String>>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it begins.
    pub place: Place,
    /// The id.
    pub id: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// `if`: when it runs at all.
    pub condition: Option<Placed<String>>,
    /// The action it uses.
    pub uses: Option<Placed<String>>,
    /// The shell script it runs.
    pub run: Option<Placed<String>>,
    /// Its environment variables.
    pub env: Variables,
    /// The inputs of the action, names in lower case: GitHub does not tell the
    /// cases apart.
    pub with: Variables,
}

impl Concurrency {
    pub(super) fn read(node: &Node) -> Result<Self, WorkflowError> {
        let group = text_or_field(node, "concurrency", "group")?.value;
        Ok(Self { group })
    }
}

impl Job {
    pub(super) fn read(id: &Placed<String>, node: &Node) -> Result<Self, WorkflowError> {
        let mut job = Self::empty(id.place);
        for (key, value) in node.fields(&format!("job `{}`", id.value))? {
            match key.as_str() {
                "permissions" => job.permissions = placed(key, Permissions::read(value)?),
                "environment" => job.environment = environment(key, value)?,
                "concurrency" => job.concurrency = placed(key, Concurrency::read(value)?),
                "if" => job.condition = Some(value.text("`if`")?),
                "needs" => job.needs = value.texts("`needs`")?,
                "env" => job.env = variables(value, str::to_owned),
                "uses" => job.uses = Some(value.text("`uses`")?),
                "with" => job.with = variables(value, str::to_lowercase),
                "strategy" => job.matrix = Matrix::read(value),
                "timeout-minutes" => job.timeout_minutes = Some(value.text("`timeout-minutes`")?),
                "steps" => job.steps = steps(value)?,
                _ => {}
            }
        }
        Ok(job)
    }

    fn empty(place: Place) -> Self {
        Self {
            place,
            permissions: None,
            environment: None,
            concurrency: None,
            condition: None,
            needs: Vec::new(),
            env: Variables::new(),
            uses: None,
            with: Variables::new(),
            matrix: None,
            timeout_minutes: None,
            steps: Vec::new(),
        }
    }
}

impl Step {
    /// What it is called in a message: its name, its id, the action, or the first
    /// two words of its script; further words may be secrets.
    pub fn title(&self) -> String {
        let script = self.run.as_deref().map(|run| {
            let words = run.split_whitespace().filter(|word| !word.contains('='));
            words.take(2).collect::<Vec<_>>().join(" ")
        });
        let title = self
            .name
            .clone()
            .or_else(|| self.id.clone())
            .or_else(|| self.uses.as_ref().map(|uses| uses.value.clone()))
            .or(script)
            .unwrap_or_else(|| "a step without a name".to_owned());
        let line = title.lines().next().unwrap_or_default();
        line.chars().take(MAX_TITLE_CHARS).collect()
    }

    fn read(node: &Node) -> Result<Self, WorkflowError> {
        let mut step = Self {
            place: node.place,
            id: None,
            name: None,
            condition: None,
            uses: None,
            run: None,
            env: Variables::new(),
            with: Variables::new(),
        };
        for (key, value) in node.fields("a step")? {
            match key.as_str() {
                "id" => step.id = value.scalar(),
                "name" => step.name = value.scalar(),
                "if" => step.condition = Some(value.text("`if`")?),
                "uses" => step.uses = Some(value.text("`uses`")?),
                "run" => step.run = Some(value.text("`run`")?),
                "env" => step.env = variables(value, str::to_owned),
                "with" => step.with = variables(value, str::to_lowercase),
                _ => {}
            }
        }
        Ok(step)
    }
}

/// `value` at the place of its key.
pub(super) fn placed<T>(key: &Placed<String>, value: T) -> Option<Placed<T>> {
    Some(Placed {
        value,
        place: key.place,
    })
}

/// The variables of an `env` or a `with`; none where an expression makes them.
pub(super) fn variables(node: &Node, name: fn(&str) -> String) -> Variables {
    let Content::Map(fields) = &node.content else {
        return Variables::new();
    };
    fields
        .iter()
        .filter_map(|(key, value)| {
            let text = value.text("").ok()?;
            Some((name(key), text))
        })
        .collect()
}

/// The environment; an empty name is none.
fn environment(key: &Placed<String>, node: &Node) -> Result<Option<Placed<String>>, WorkflowError> {
    if matches!(node.content, Content::Null) {
        return Ok(None);
    }
    let name = text_or_field(node, "environment", "name")?.value;
    Ok((!name.is_empty()).then(|| placed(key, name)).flatten())
}

fn steps(node: &Node) -> Result<Vec<Step>, WorkflowError> {
    match &node.content {
        Content::Null => Ok(Vec::new()),
        Content::List(steps) => steps.iter().map(Step::read).collect(),
        _ => Err(node.wrong("`steps` must be a list")),
    }
}

/// Several keys take either a text or a map in which one field is that text.
fn text_or_field(node: &Node, key: &str, field: &str) -> Result<Placed<String>, WorkflowError> {
    let Content::Map(fields) = &node.content else {
        return node.text(&format!("`{key}`, unless it is a map with `{field}`,"));
    };
    fields
        .iter()
        .find(|(name, _)| name.value == field)
        .ok_or_else(|| node.wrong(format!("`{key}` has no `{field}`")))
        .and_then(|(_, value)| value.text(&format!("`{field}` of `{key}`")))
}
