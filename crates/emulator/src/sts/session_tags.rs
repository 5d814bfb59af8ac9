//! Tags and the source identity of a session: what its maker says of it, and
//! what it passes on to the sessions that are made from it.
//!
//! Source: IAM User Guide, "Pass session tags in AWS STS" and "Monitor and
//! control actions taken with assumed roles".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::parameters::NAME;
use super::session_policies::packed;
use crate::caller::Inherited;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::trail::Note;

const MOST_TAGS: usize = 50;
/// The claims in which an issuer passes them.
const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";

/// What is asked for, and what comes from the session before.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct SessionTags {
    requested: BTreeMap<String, String>,
    /// Keys among `requested` that are passed on.
    transitive: BTreeSet<String>,
    requested_source: Option<String>,
    inherited: Inherited,
}

impl SessionTags {
    /// Reads `Tags`, `TransitiveTagKeys` and `SourceIdentity` of a call by a
    /// session that passes `inherited` on.
    pub(super) fn read(parameters: &Parameters, inherited: &Inherited) -> Result<Self, AwsError> {
        let requested = parameters.tags()?;
        let listed = parameters.list("TransitiveTagKeys");
        if let Some(key) = listed.iter().find(|key| !requested.contains_key(**key)) {
            return Err(invalid(format!(
                "The specified transitive tag key must be included in the requested tags: {key}"
            )));
        }
        let source = parameters.optional("SourceIdentity", 2..=64)?;
        if let Some(source) = source {
            Parameters::of_pattern("SourceIdentity", source, NAME)?;
        }
        let transitive = listed.into_iter().map(str::to_owned).collect();
        Self::checked(
            requested,
            transitive,
            source.map(str::to_owned),
            inherited.clone(),
        )
    }

    /// Reads the claims of a web identity token.
    pub(super) fn of_claims(claims: &Map<String, Value>) -> Result<Self, AwsError> {
        let mut requested = BTreeMap::new();
        let tags = &claims.get(TAGS_CLAIM).cloned().unwrap_or_default();
        for (key, value) in tags["principal_tags"].as_object().into_iter().flatten() {
            // Each value is a list of one.
            let value = value.get(0).unwrap_or(value).as_str().unwrap_or_default();
            if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
                return Err(invalid(format!("The session tag {key} is too long")));
            }
            requested.insert(key.clone(), value.to_owned());
        }
        let listed = tags["transitive_tag_keys"].as_array();
        let transitive = listed
            .into_iter()
            .flatten()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect();
        let source = claims.get(SOURCE_IDENTITY_CLAIM).and_then(Value::as_str);
        Self::checked(
            requested,
            transitive,
            source.map(str::to_owned),
            Inherited::default(),
        )
    }

    fn checked(
        requested: BTreeMap<String, String>,
        transitive: BTreeSet<String>,
        requested_source: Option<String>,
        inherited: Inherited,
    ) -> Result<Self, AwsError> {
        if requested.len() > MOST_TAGS {
            return Err(AwsError::validation(
                "tags",
                None,
                "Member must have length less than or equal to 50",
            ));
        }
        if let Some(key) = requested.keys().find(|key| is_reserved(key)) {
            return Err(invalid(format!("Tag keys cannot start with aws: {key}")));
        }
        let same = |key: &&String| {
            let mut passed_on = inherited.transitive_tags.keys();
            passed_on.any(|known| known.eq_ignore_ascii_case(key))
        };
        if requested.keys().any(|key| same(&key)) {
            return Err(invalid(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.".to_owned(),
            ));
        }
        if let (Some(new), Some(old)) = (&requested_source, &inherited.source_identity)
            && new != old
        {
            return Err(AwsError::new(
                403,
                "AccessDenied",
                "The source identity of a session cannot be changed by the sessions that are made from it.",
            ));
        }
        Ok(Self {
            requested,
            transitive,
            requested_source,
            inherited,
        })
    }

    /// Refuses tags that have no room beside policies of `policy_size`
    /// characters. Returns what both take, in percent; `None` for nothing.
    pub(super) fn check_size(&self, policy_size: usize) -> Result<Option<usize>, AwsError> {
        let all = self.requested.iter().chain(&self.inherited.transitive_tags);
        let size: usize = all.map(|(key, value)| key.len() + value.len()).sum();
        let percent = packed(size + policy_size);
        if percent > 100 {
            return Err(AwsError::invalid(
                "PackedPolicyTooLarge",
                format!("Packed size of session tags consumes {percent}% of allotted space."),
            ));
        }
        Ok((percent > 0).then_some(percent))
    }

    /// The further actions that a caller needs to ask for this.
    pub(super) fn actions(&self) -> Vec<&'static str> {
        let mut actions = Vec::new();
        if !self.requested.is_empty() {
            actions.push("sts:TagSession");
        }
        if self.requested_source.is_some() {
            actions.push("sts:SetSourceIdentity");
        }
        actions
    }

    /// The condition keys of the request. Tags that are passed on count too.
    pub(super) fn context(&self) -> Vec<(String, String)> {
        let mut context = Vec::new();
        for (key, value) in self.requested.iter().chain(&self.inherited.transitive_tags) {
            context.push((format!("aws:RequestTag/{key}"), value.clone()));
            context.push(("aws:TagKeys".to_owned(), key.clone()));
        }
        for key in &self.transitive {
            context.push(("sts:TransitiveTagKeys".to_owned(), key.clone()));
        }
        if let Some(source) = self.source_identity() {
            context.push(("sts:SourceIdentity".to_owned(), source.clone()));
        }
        context
    }

    /// Who is behind the session, as far as that was said.
    pub(super) fn source_identity(&self) -> Option<&String> {
        let inherited = self.inherited.source_identity.as_ref();
        self.requested_source.as_ref().or(inherited)
    }

    /// The condition keys that the session has.
    pub(super) fn lasting_context(&self) -> BTreeMap<String, Vec<String>> {
        let all = self.requested.iter().chain(&self.inherited.transitive_tags);
        let mut context: BTreeMap<String, Vec<String>> = all
            .map(|(key, value)| (format!("aws:PrincipalTag/{key}"), vec![value.clone()]))
            .collect();
        if let Some(source) = self.source_identity() {
            context.insert("aws:SourceIdentity".to_owned(), vec![source.clone()]);
        }
        context
    }

    /// Notes what is not among the parameters of the request: what the claims of a
    /// token ask for, and what the session before passes on.
    pub(super) fn note_beyond(&self, parameters: &Parameters, note: &Note) {
        let is_of_claims = parameters.get("WebIdentityToken").is_some();
        if is_of_claims && !self.requested.is_empty() {
            note.parameter("principalTags", json!(self.requested));
        }
        if is_of_claims && !self.transitive.is_empty() {
            note.parameter("transitiveTagKeys", json!(self.transitive));
        }
        if let Some(source) = self.requested_source.as_ref().filter(|_| is_of_claims) {
            note.parameter("sourceIdentity", source.as_str());
        }
        let incoming = &self.inherited.transitive_tags;
        if !incoming.is_empty() {
            note.parameter("incomingTransitiveTags", json!(incoming));
        }
    }

    /// What the session passes on.
    pub(super) fn passed_on(&self) -> Inherited {
        let mut transitive_tags = self.inherited.transitive_tags.clone();
        let new = self.requested.iter();
        let new = new.filter(|(key, _)| self.transitive.contains(*key));
        transitive_tags.extend(new.map(|(key, value)| (key.clone(), value.clone())));
        Inherited {
            transitive_tags,
            source_identity: self.source_identity().cloned(),
        }
    }
}

fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// Sentences of this code are inferred, except that of a conflict.
fn invalid(message: String) -> AwsError {
    AwsError::invalid("InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(form: &str, inherited: &Inherited) -> Result<SessionTags, AwsError> {
        SessionTags::read(&Parameters::parse(form.as_bytes()).unwrap(), inherited)
    }

    #[test]
    fn what_claims_ask_for_and_sessions_pass_on_is_noted() {
        let claims = json!({
            TAGS_CLAIM: { "principal_tags": { "team": ["web"] }, "transitive_tag_keys": ["team"] },
            SOURCE_IDENTITY_CLAIM: "ada",
        });
        let first = SessionTags::of_claims(claims.as_object().unwrap()).unwrap();
        let note = Note::new(crate::trail::Origin::default());
        let parameters = Parameters::parse(b"WebIdentityToken=eyJ").unwrap();
        first.note_beyond(&parameters, &note);
        assert_eq!(
            note.noted_parameters(),
            json!({
                "principalTags": { "team": "web" },
                "transitiveTagKeys": ["team"],
                "sourceIdentity": "ada",
            })
        );
        let parameters = Parameters::parse(b"RoleSessionName=next").unwrap();
        let second = SessionTags::read(&parameters, &first.passed_on()).unwrap();
        let note = Note::new(crate::trail::Origin::default());
        second.note_beyond(&parameters, &note);
        assert_eq!(
            note.noted_parameters(),
            json!({ "incomingTransitiveTags": { "team": "web" } })
        );
    }

    #[test]
    fn transitive_tags_and_the_source_identity_are_passed_on_and_stay() {
        let form = "Tags.member.1.Key=team&Tags.member.1.Value=web&Tags.member.2.Key=job\
                    &Tags.member.2.Value=1&TransitiveTagKeys.member.1=team&SourceIdentity=ada";
        let first = read(form, &Inherited::default()).unwrap();
        assert_eq!(first.actions(), ["sts:TagSession", "sts:SetSourceIdentity"]);
        let inherited = first.passed_on();
        assert_eq!(inherited.transitive_tags["team"], "web");
        assert_eq!(inherited.transitive_tags.len(), 1);
        let second = read("", &inherited).unwrap();
        assert!(second.actions().is_empty());
        assert_eq!(second.passed_on(), inherited);
        assert_eq!(second.lasting_context()["aws:PrincipalTag/team"], ["web"]);
        assert_eq!(second.lasting_context()["aws:SourceIdentity"], ["ada"]);
        let again = read("Tags.member.1.Key=TEAM&Tags.member.1.Value=x", &inherited);
        assert_eq!(again.unwrap_err().code, "InvalidParameterValue");
        let other = read("SourceIdentity=bob", &inherited);
        assert_eq!(other.unwrap_err().code, "AccessDenied");
    }

    #[test]
    fn an_issuer_passes_tags_in_a_claim() {
        let claims = json!({
            TAGS_CLAIM: {
                "principal_tags": { "team": ["web"], "job": ["1"] },
                "transitive_tag_keys": ["job"],
            },
            SOURCE_IDENTITY_CLAIM: "ada",
        });
        let tags = SessionTags::of_claims(claims.as_object().unwrap()).unwrap();
        assert_eq!(tags.requested["team"], "web");
        assert_eq!(tags.passed_on().transitive_tags["job"], "1");
        assert_eq!(tags.source_identity(), Some(&"ada".to_owned()));
        let none = SessionTags::of_claims(&Map::new()).unwrap();
        assert_eq!(none, SessionTags::default());
        assert_eq!(none.check_size(0), Ok(None));
    }

    #[test]
    fn tags_that_have_no_room_are_refused_by_percent() {
        let tags: Vec<String> = (1..10)
            .map(|n| {
                format!(
                    "Tags.member.{n}.Key=T{n}&Tags.member.{n}.Value={}",
                    "a".repeat(250)
                )
            })
            .collect();
        let tags = read(&tags.join("&"), &Inherited::default()).unwrap();
        let error = tags.check_size(0).unwrap_err();
        assert_eq!(
            error.message,
            "Packed size of session tags consumes 111% of allotted space."
        );
    }
}
