//! The catalogue of rules: each has a stable id, a severity, one sentence, and a
//! page `docs/checks/ID.md`.

use receipts::Severity;

macro_rules! rules {
    ($($variant:ident = $id:literal, $severity:ident, $title:literal;)*) => {
        /// A rule. Its id keeps its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $title] $variant,)*
        }

        impl Rule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable id, kebab-case.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// How much a finding of this rule matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What the rule says, one sentence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The page that explains the rule, Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../../../docs/checks/", $id, ".md")),)*
                }
            }
        }
    };
}

rules! {
    // Trust policies: who gets in.
    TrustWithoutSubject = "trust-without-subject", Error, "A trust policy for GitHub's issuer does not compare `:sub` with anything: every repository on GitHub gets in.";
    TrustAdmitsStrangers = "trust-admits-strangers", Error, "A trust policy admits repositories of other owners.";
    TrustAdmitsOtherRepositories = "trust-admits-other-repositories", Error, "A trust policy admits other repositories of the same owner.";
    TrustAdmitsPullRequests = "trust-admits-pull-requests", Error, "A trust policy admits pull requests.";
    TrustAdmitsOtherRefs = "trust-admits-other-refs", Warning, "A trust policy admits branches or tags that no job needs.";
    TrustAdmitsOtherEnvironments = "trust-admits-other-environments", Warning, "A trust policy admits environments that no job needs.";
    TrustNameOnly = "trust-name-only", Warning, "A trust policy lists only the name form of the subject, which new and renamed repositories no longer mint.";
    TrustIgnoresIds = "trust-ignores-ids", Warning, "A trust policy puts wildcards where the immutable ids stand, so that a recycled name gets in.";
    TrustLiteralStar = "trust-literal-star", Error, "`StringEquals` with a wildcard, which it takes literally.";
    TrustKeyNeverFilled = "trust-key-never-filled", Error, "A trust policy tests a key that AWS never fills from GitHub's token.";
    TrustVacuousCondition = "trust-vacuous-condition", Error, "A condition of a trust policy holds for every caller, so it protects nothing.";
    TrustAdmitsNobody = "trust-admits-nobody", Error, "A statement of a trust policy can never apply: its conditions contradict each other.";
    TrustSubjectNeverMinted = "trust-subject-never-minted", Error, "A trust policy wants a subject that GitHub never mints.";
    TrustWrongCase = "trust-wrong-case", Error, "A subject differs from the repository's name in letter case only.";
    TrustAudienceMismatch = "trust-audience-mismatch", Error, "The audience of the trust policy or of the provider is not the one that a job asks for.";
    TrustWithoutAudience = "trust-without-audience", Note, "A trust policy does not compare `:aud`.";
    TrustWrongAction = "trust-wrong-action", Error, "A trust policy for an identity provider does not allow `sts:AssumeRoleWithWebIdentity`.";
    TrustOpenPrincipal = "trust-open-principal", Error, "A trust policy names everyone as principal.";
    TrustProviderElsewhere = "trust-provider-elsewhere", Error, "A trust policy names an identity provider that the role's account does not have.";
    TrustRejectedByIam = "trust-rejected-by-iam", Error, "IAM refuses to store the trust policy.";
    TrustOnMutableClaim = "trust-on-mutable-claim", Warning, "A trust policy rests on a name that its holder can change or give up.";
    TrustOnFloatingWorkflow = "trust-on-floating-workflow", Warning, "A trust policy pins a reusable workflow without the ref it is called at.";
    TrustReliesOnEnvironment = "trust-relies-on-environment", Note, "A trust policy rests on an environment, which is only as good as its protection rules.";
    ProviderUrlNeverMatches = "provider-url-never-matches", Error, "The identity provider's URL is not the issuer that GitHub writes into its tokens.";
    SessionTooLong = "session-too-long", Warning, "A session lasts longer than a publish needs.";
    SessionLongerThanRole = "session-longer-than-role", Error, "A job asks for a longer session than its role gives.";

    // Workflows and jobs: who has an identity.
    JobRefused = "job-refused", Error, "A job asks for a role that does not admit it.";
    RoleUnused = "role-unused", Warning, "A role admits GitHub's runs, and no job uses it.";
    IdentityBesideCode = "identity-beside-code", Warning, "A job that can mint an identity runs the repository's code.";
    IdentityForAllJobs = "identity-for-all-jobs", Warning, "Every job of a workflow can mint an identity.";
    IdentityMissing = "identity-missing", Error, "A job assumes a role and may not ask for an identity.";
    IdentityInPullRequestTarget = "identity-in-pull-request-target", Error, "A workflow that strangers can start with their own input has an identity.";
    IdentityWithUnpinnedAction = "identity-with-unpinned-action", Warning, "A job with an identity uses an action that is not pinned to a commit.";
    PublishWithoutConcurrency = "publish-without-concurrency", Warning, "Two publishes can run at once, and the older one can move the tag last.";
    WorkflowWithoutPermissions = "workflow-without-permissions", Warning, "A workflow does not say what its token may do.";
    StoredAwsKey = "stored-aws-key", Error, "A long-lived AWS key is used or stands in a file.";
    WorkflowUnreadable = "workflow-unreadable", Error, "A workflow file cannot be read.";

    // Permissions: what those who got in can do.
    PermissionWildcardAction = "permission-wildcard-action", Error, "A policy allows actions by a wildcard.";
    PermissionWildcardResource = "permission-wildcard-resource", Error, "A policy allows actions on every resource that could be limited to one.";
    PermissionMissing = "permission-missing", Error, "A publish needs a permission that the role does not have.";
    PermissionExcess = "permission-excess", Warning, "A role that publishes may do more than a publish needs.";
    PermissionAllowWithNot = "permission-allow-with-not", Error, "An `Allow` lists what it does not cover, and so covers everything else, also what AWS adds tomorrow.";
    PermissionTokenOnRepository = "permission-token-on-repository", Error, "`ecr:GetAuthorizationToken` is allowed on a repository, where it has no effect.";
    PermissionKeyNeverFilled = "permission-key-never-filled", Error, "A permission policy tests a claim that is not in the session.";
    PermissionRejectedByIam = "permission-rejected-by-iam", Error, "IAM refuses to store the policy.";

    // The registry.
    EcrMutableTags = "ecr-mutable-tags", Warning, "Tags of the repository can be moved, so a tag proves nothing.";
    EcrWithoutLifecycle = "ecr-without-lifecycle", Warning, "Images of the repository are kept for ever.";
    EcrWithoutScan = "ecr-without-scan", Warning, "Images are not scanned when they are pushed.";
    EcrDefaultEncryption = "ecr-default-encryption", Note, "The repository does not say how it is encrypted.";
    EcrOpenPolicy = "ecr-open-policy", Error, "The repository's policy lets other accounts or everyone in.";

    // What prevents an answer.
    TerraformUnreadable = "terraform-unreadable", Error, "A Terraform root cannot be read.";
    TrustNotProved = "trust-not-proved", Error, "Whom a trust policy admits could not be decided.";
    TerraformUnknown = "terraform-unknown", Note, "A value that identity depends on cannot be known before an apply.";
    SuppressionExpired = "suppression-expired", Warning, "A suppression has expired.";
    SuppressionUnused = "suppression-unused", Warning, "A suppression suppresses nothing.";
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn ids_are_unique_kebab_case() {
        let ids: std::collections::BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        for id in ids {
            assert!(
                id.chars()
                    .all(|char| char.is_ascii_lowercase() || char == '-'),
                "{id}"
            );
        }
    }
}
