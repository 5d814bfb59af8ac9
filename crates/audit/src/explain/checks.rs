//! What STS checks before it looks at the trust policy, in its order.

use jiff::Timestamp;
use receipts::{Check, CheckResult};

use super::kind::MissKind;
use super::miss::{Miss, list};
use super::question::{Answer, Evidence, ProviderFacts, Question, RoleArn, Source, Trust};
use super::signature;

/// One check, with the miss if it fails.
pub(super) struct Step {
    pub(super) check: Check,
    pub(super) miss: Option<Miss>,
}

impl Step {
    pub(super) fn new(name: &str, result: CheckResult, detail: impl Into<String>) -> Self {
        Self {
            check: Check {
                name: name.to_owned(),
                result,
                detail: detail.into(),
            },
            miss: None,
        }
    }

    pub(super) fn failed(name: &str, miss: Miss) -> Self {
        Self {
            miss: Some(miss.clone()),
            ..Self::new(name, CheckResult::Failed, miss.sentence)
        }
    }

    pub(super) fn passed(name: &str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Passed, detail)
    }

    pub(super) fn unknown(name: &str, detail: impl Into<String>) -> Self {
        Self::new(name, CheckResult::Unknown, detail)
    }
}

/// Token, provider, audience, signature, time.
pub(super) fn before_role(question: &Question) -> Vec<Step> {
    let mut steps = Vec::new();
    if question.evidence == Evidence::NoToken {
        steps.push(Step::failed(
            "token",
            Miss::new(
                MissKind::NoToken,
                "GitHub gives a pull request of a fork no token, whatever its workflow asks for",
                "run the job on `push`, after the pull request is merged",
            ),
        ));
    }
    let provider = provider(question);
    let audience = audience(question);
    for (level, step) in [
        (Answer::NoProvider, provider),
        (Answer::Audience, audience),
        (Answer::Signature, signature::check(question)),
        (Answer::Expired, time(question)),
    ] {
        steps.push(corrected(question.answer, level, step));
    }
    steps
}

/// AWS's own answer outranks what was concluded here.
fn corrected(answer: Option<Answer>, level: Answer, step: Step) -> Step {
    let Some(answer) = answer.filter(|answer| *answer != Answer::Other) else {
        return step;
    };
    if order(answer) > order(level) {
        let passed = step.check.result == CheckResult::Passed;
        let detail = if passed {
            step.check.detail
        } else {
            "AWS got past this check".to_owned()
        };
        return Step::passed(&step.check.name, detail);
    }
    if answer == level && step.miss.is_none() {
        let name = step.check.name;
        return Step::failed(&name, refused_by_aws(level));
    }
    step
}

fn order(answer: Answer) -> usize {
    match answer {
        Answer::NoProvider => 0,
        Answer::Audience => 1,
        Answer::Signature => 2,
        Answer::Expired => 3,
        Answer::Denied | Answer::Other => 4,
    }
}

fn refused_by_aws(level: Answer) -> Miss {
    match level {
        Answer::NoProvider => Miss::new(
            MissKind::WrongAccount,
            "AWS says that the role's account has no identity provider for this issuer",
            "compare the twelve digits in the role's ARN with the account, then run \
             `terraform apply` there",
        ),
        Answer::Audience => Miss::new(
            MissKind::Audience,
            "AWS says that the provider does not accept the token's audience",
            "add the audience to the provider's `client_id_list`, then run `terraform apply`",
        ),
        Answer::Expired => Miss::new(
            MissKind::Expired,
            "AWS says that the token has expired",
            "a token lives five minutes: ask for it right before it is used",
        ),
        Answer::Signature | Answer::Denied | Answer::Other => Miss::new(
            MissKind::Signature,
            "AWS could not verify the token's signature",
            "try again in a moment: now and then AWS fails to fetch GitHub's keys",
        ),
    }
}

fn provider(question: &Question) -> Step {
    const NAME: &str = "provider";
    let issuer = question.claim("iss").unwrap_or_default();
    let (Some(arn), Some(role)) = (question.provider_arn(), RoleArn::parse(&question.role)) else {
        let sentence = if issuer.is_empty() {
            "the claims have no issuer (`iss`)".to_owned()
        } else {
            format!("the issuer `{issuer}` is not a URL that begins with `https://`")
        };
        let advice = "use the token that GitHub mints for the job";
        return Step::failed(NAME, Miss::new(MissKind::WrongProvider, sentence, advice));
    };
    let account = role.account;
    let Some(providers) = &question.providers else {
        let detail =
            format!("not looked up: account {account} must have a provider for `{issuer}`");
        return Step::unknown(NAME, detail);
    };
    if providers.list.iter().any(|provider| provider.arn == arn) {
        return Step::passed(
            NAME,
            format!("account {account} has a provider for `{issuer}`"),
        );
    }
    let plain = |url: &str| url.trim_end_matches('/').to_ascii_lowercase();
    let host = question.issuer_host().map(plain);
    let near = |provider: &&ProviderFacts| Some(plain(&provider.url)) == host;
    if let Some(provider) = providers.list.iter().find(near) {
        let miss = near_provider(question, account, provider);
        return Step::failed(NAME, miss.comparing(arn, provider.arn.as_str()));
    }
    if providers.complete {
        let miss = Miss::new(
            MissKind::WrongProvider,
            format!("account {account} has no provider for `{issuer}`"),
            format!(
                "create an identity provider with the URL `{issuer}` and the client id \
                 `sts.amazonaws.com` in account {account}"
            ),
        );
        return Step::failed(NAME, miss);
    }
    let known_from = &providers.known_from;
    Step::unknown(
        NAME,
        format!(
            "{known_from} does not create a provider for `{issuer}`; account {account} must have \
             one already"
        ),
    )
}

/// A provider that differs in its account, or in the spelling of its URL.
fn near_provider(question: &Question, account: &str, provider: &ProviderFacts) -> Miss {
    let issuer = question.claim("iss").unwrap_or_default();
    if provider.arn.contains(&format!("::{account}:")) {
        return Miss::new(
            MissKind::WrongProvider,
            format!(
                "the provider's URL is `https://{}`, and the token's issuer is `{issuer}`: they \
                 must be equal to the letter",
                provider.url
            ),
            format!("set the provider's `url` to `{issuer}`"),
        );
    }
    let known_from = question
        .providers
        .as_ref()
        .map_or("", |providers| providers.known_from.as_str());
    Miss::new(
        MissKind::WrongAccount,
        format!(
            "the role's ARN names account {account}, and {known_from} has the provider as `{}`",
            provider.arn
        ),
        "correct the twelve digits in the role's ARN: AWS looks for role and provider in that \
         account",
    )
}

fn audience(question: &Question) -> Step {
    const NAME: &str = "audience";
    let Some(audience) = question.audience() else {
        let miss = if question
            .claims
            .get("aud")
            .is_some_and(serde_json::Value::is_array)
        {
            Miss::new(
                MissKind::Audience,
                "the token's audience is a list, and STS takes one text",
                "ask for a token for `sts.amazonaws.com` alone",
            )
        } else {
            Miss::new(
                MissKind::Audience,
                "the claims have no audience (`aud`)",
                "ask for a token for `sts.amazonaws.com`",
            )
        };
        return Step::failed(NAME, miss);
    };
    let arn = question.provider_arn();
    let known = question.providers.as_ref().and_then(|providers| {
        let found = |provider: &&ProviderFacts| Some(&provider.arn) == arn.as_ref();
        providers.list.iter().find(found)
    });
    let Some(provider) = known else {
        return Step::unknown(
            NAME,
            format!("the provider must list `{audience}` among its client ids"),
        );
    };
    if provider.client_ids.iter().any(|id| id == audience) {
        return Step::passed(NAME, format!("the provider accepts `{audience}`"));
    }
    let accepted = list(&provider.client_ids);
    let miss = Miss::new(
        MissKind::Audience,
        format!("the token is for the audience `{audience}`, and the provider accepts {accepted}"),
        if audience == "sts.amazonaws.com" {
            "add `sts.amazonaws.com` to the provider's `client_id_list`".to_owned()
        } else {
            format!(
                "let the job ask for {accepted}, or add `{audience}` to the provider's `client_id_list`"
            )
        },
    );
    let first = provider.client_ids.first().map_or("", String::as_str);
    Step::failed(NAME, miss.comparing(audience, first))
}

fn time(question: &Question) -> Step {
    const NAME: &str = "time";
    let now = match question.evidence {
        Evidence::Described | Evidence::NoToken => {
            return Step::passed(NAME, "a fresh token is valid for five minutes");
        }
        Evidence::Claims(now) | Evidence::Token(now) => now,
    };
    let second = |name: &str| {
        let number = question.claims.get(name)?.as_i64()?;
        Timestamp::from_second(number).ok()
    };
    let Some(expires) = second("exp") else {
        if question.claims.contains_key("exp") {
            let sentence = "the token's `exp` is no whole number of seconds since 1970";
            let advice = "use the token as GitHub minted it";
            return Step::failed(NAME, Miss::new(MissKind::Expired, sentence, advice));
        }
        return Step::unknown(NAME, "the claims do not say when the token expires (`exp`)");
    };
    if now >= expires {
        let miss = Miss::new(
            MissKind::Expired,
            format!("the token expired at {expires}, and it is judged at {now}"),
            "a token lives five minutes: ask for it right before it is used; to judge an old one \
             as of its own time, pass `--at`",
        );
        return Step::failed(NAME, miss.comparing(now.to_string(), expires.to_string()));
    }
    let begins = [second("nbf"), second("iat")].into_iter().flatten().max();
    if let Some(begins) = begins.filter(|begins| now < *begins) {
        let miss = Miss::new(
            MissKind::NotYetValid,
            format!("the token is valid from {begins}, and it is judged at {now}"),
            "set this machine's clock right, or pass the right time with `--at`",
        );
        return Step::failed(NAME, miss.comparing(now.to_string(), begins.to_string()));
    }
    Step::passed(NAME, format!("valid until {expires}"))
}

/// Whether the role is there.
pub(super) fn role(question: &Question) -> Step {
    const NAME: &str = "role";
    let role = &question.role;
    match &question.trust {
        Trust::Policy { source, .. } => Step::passed(
            NAME,
            match source {
                Source::File { path } => {
                    format!("taken to exist, with the trust policy in `{path}`")
                }
                Source::Terraform { role, .. } => {
                    format!("Terraform has it as `{}`", role.address)
                }
                Source::Live => format!("AWS has `{role}`"),
            },
        ),
        Trust::NoRole { looked_in } => Step::failed(
            NAME,
            Miss::new(
                MissKind::RoleMissing,
                format!(
                    "{looked_in} has no role `{role}`; AWS answers as if its trust policy had refused"
                ),
                "compare account, path and name with the role's ARN, letter by letter",
            ),
        ),
    }
}
