//! A subject of GitHub, or a pattern for some, taken apart.

/// `repo:OWNER[@ID]/NAME[@ID]:CONTEXT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    pub(crate) owner: &'a str,
    pub(crate) owner_id: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) context: Context<'a>,
    /// `github.com/` or a URL before the owner, which no token has there.
    pub(crate) host: Option<&'a str>,
}

/// What stands behind the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context<'a> {
    /// The job's environment, with `%3A` for colons.
    Environment(&'a str),
    /// A pull request.
    PullRequest,
    /// A branch or tag, `refs/heads/main`.
    Ref(&'a str),
    /// A pattern, or a subject that the owner customised.
    Other(&'a str),
    /// Nothing: a pattern that ends within the repository.
    Nothing,
}

impl<'a> Subject<'a> {
    /// `None` for what does not begin as GitHub's default subject does.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("repo:")?;
        let (host, rest) = without_host(rest);
        let (owner, rest) = rest.split_once('/')?;
        let (name, context) = match rest.split_once(':') {
            Some((name, context)) => (name, Context::parse(context)),
            None => (rest, Context::Nothing),
        };
        let (owner, owner_id) = with_id(owner);
        let (name, id) = with_id(name);
        Some(Self {
            owner,
            owner_id,
            name,
            id,
            context,
            host,
        })
    }

    /// Whether it is of the immutable form, at least in part.
    pub(crate) fn has_ids(&self) -> bool {
        self.owner_id.is_some() || self.id.is_some()
    }

    /// Whether it can only match the form without ids.
    pub(crate) fn is_name_form(&self) -> bool {
        !self.is_immutable_form()
    }

    /// Whether it can match the form with ids: a star behind the owner's name
    /// reaches over `@ID` as well.
    pub(crate) fn is_immutable_form(&self) -> bool {
        self.owner_id.is_some() || self.owner.contains(['*', '?'])
    }
}

impl<'a> Context<'a> {
    fn parse(text: &'a str) -> Self {
        let (_, value) = text.split_once(':').unwrap_or_default();
        if text == "pull_request" {
            Self::PullRequest
        } else if value.contains(':') {
            // A colon of GitHub's own is written `%3A`: the owner put more claims in.
            Self::Other(text)
        } else if let Some(environment) = text.strip_prefix("environment:") {
            Self::Environment(environment)
        } else if let Some(git_ref) = text.strip_prefix("ref:") {
            Self::Ref(git_ref)
        } else {
            Self::Other(text)
        }
    }

    /// As it stands in a subject, without the colon before it.
    pub(crate) fn written(self) -> String {
        match self {
            Self::Environment(name) => format!("environment:{name}"),
            Self::PullRequest => "pull_request".to_owned(),
            Self::Ref(git_ref) => format!("ref:{git_ref}"),
            Self::Other(text) => text.to_owned(),
            Self::Nothing => String::new(),
        }
    }

    /// The same with the colon, where anything follows the repository.
    pub(crate) fn behind_repository(self) -> String {
        match self {
            Self::Nothing => String::new(),
            context => format!(":{}", context.written()),
        }
    }

    /// In words, with its article.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Environment(name) => format!("the environment `{}`", name.replace("%3A", ":")),
            Self::PullRequest => "a pull request".to_owned(),
            Self::Ref(git_ref) => ref_in_words(git_ref),
            Self::Other(text) => format!("`{text}`"),
            Self::Nothing => "anything".to_owned(),
        }
    }
}

/// `the branch main`, `the tag v1`.
pub(crate) fn ref_in_words(git_ref: &str) -> String {
    if let Some(branch) = git_ref.strip_prefix("refs/heads/") {
        format!("the branch `{branch}`")
    } else if let Some(tag) = git_ref.strip_prefix("refs/tags/") {
        format!("the tag `{tag}`")
    } else {
        format!("the ref `{git_ref}`")
    }
}

fn without_host(text: &str) -> (Option<&str>, &str) {
    let scheme = ["https://", "http://"]
        .iter()
        .find(|scheme| text.starts_with(**scheme))
        .map_or(0, |scheme| scheme.len());
    let rest = &text[scheme..];
    // No owner has a dot in its name, every host has.
    match rest.split_once('/') {
        Some((host, rest)) if host.contains('.') && rest.contains('/') => {
            (Some(&text[..text.len() - rest.len()]), rest)
        }
        _ => (None, text),
    }
}

fn with_id(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((name, id)) => (name, Some(id)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_a_host_are_taken_apart() {
        let subject = Subject::parse("repo:acme@11/api@22:ref:refs/heads/main").unwrap();
        assert_eq!((subject.owner, subject.owner_id), ("acme", Some("11")));
        assert_eq!((subject.name, subject.id), ("api", Some("22")));
        assert_eq!(subject.context, Context::Ref("refs/heads/main"));
        let subject = Subject::parse("repo:https://github.com/acme/api:pull_request").unwrap();
        assert_eq!(subject.host, Some("https://github.com/"));
        assert_eq!((subject.owner, subject.name), ("acme", "api"));
        assert_eq!(subject.context, Context::PullRequest);
    }

    #[test]
    fn a_pattern_may_end_anywhere_behind_the_owner() {
        assert_eq!(Subject::parse("repo:acme/*").unwrap().name, "*");
        assert_eq!(
            Subject::parse("repo:acme/api:*").unwrap().context,
            Context::Other("*")
        );
        let customised = "repo:acme/api:environment:prod:actor:ada";
        assert_eq!(
            Subject::parse(customised).unwrap().context,
            Context::Other("environment:prod:actor:ada")
        );
        for other in ["", "repo:", "repo:acme*", "repository_owner:acme", "*"] {
            assert_eq!(Subject::parse(other), None, "{other}");
        }
    }
}
