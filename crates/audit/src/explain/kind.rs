//! The kinds of near miss.

macro_rules! kinds {
    ($($variant:ident = $id:literal, $meaning:literal;)*) => {
        /// What stands in a caller's way. The id of a kind keeps its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum MissKind {
            $(#[doc = $meaning] $variant,)*
        }

        impl MissKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable id, kebab-case.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// What the kind means, one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

kinds! {
    // Before the trust policy.
    NoToken = "no-token", "GitHub gives the run no token, so there is nothing to show to AWS.";
    WrongAccount = "wrong-account", "The role's ARN names another AWS account than the one that has role and provider.";
    WrongProvider = "wrong-provider", "The account or the trust policy knows another identity provider than the token's issuer.";
    Audience = "audience", "The token is for another audience than the provider or the trust policy wants.";
    Signature = "signature", "No key of the issuer signed the token, or AWS could not verify it.";
    Expired = "expired", "The token is too old.";
    NotYetValid = "not-yet-valid", "The token is from the future: a clock is wrong.";
    RoleMissing = "role-missing", "There is no such role.";
    PolicyUnreadable = "policy-unreadable", "The trust policy is not a policy document.";

    // The trust policy as a whole.
    ExplicitDeny = "explicit-deny", "A `Deny` statement covers the caller, and no `Allow` can outweigh it.";
    WrongAction = "wrong-action", "The statement allows another action than `sts:AssumeRoleWithWebIdentity`.";
    OperatorsAreAnded = "operators-are-anded", "One key stands under two operators; both must hold, and one does.";
    DependsOnRequest = "depends-on-request", "A condition tests something that only the request itself shows, such as its address.";
    NotAsApplied = "not-as-applied", "The policy that was read admits the caller, and AWS refused it: AWS holds another one, or the organisation forbids it.";

    // One condition.
    KeyNeverFilled = "key-never-filled", "The condition tests a key that AWS never fills from this token.";
    ClaimAbsent = "claim-absent", "The condition tests a claim that this token does not carry.";
    ExcludedValue = "excluded-value", "A negated condition excludes the caller's value.";
    NameAgainstImmutable = "name-against-immutable", "The subject has one form (by name, or with the immutable ids) and the policy lists the other.";
    RecycledName = "recycled-name", "The names are the same and the ids are not: another repository took over the name.";
    LetterCase = "letter-case", "Seen and wanted differ in letter case only, and the comparison is case-sensitive.";
    HostInSubject = "host-in-subject", "The policy writes a host before the repository, which no subject has.";
    StarInStringEquals = "star-in-string-equals", "`StringEquals` takes `*` and `?` literally.";
    RefWithoutPrefix = "ref-without-prefix", "The policy writes a branch without `refs/heads/`.";
    RefAgainstEnvironment = "ref-against-environment", "The job has an environment, which takes the place of the ref in the subject, and the policy names a ref; or the reverse.";
    OtherEnvironment = "other-environment", "The job has another environment.";
    PullRequest = "pull-request", "The run is for a pull request.";
    Tag = "tag", "The run is on a tag and the policy names a branch, or the reverse.";
    OtherBranch = "other-branch", "The run is on another branch or tag.";
    OtherRepository = "other-repository", "The run is of another repository.";
    ValueDiffers = "value-differs", "The value is another one, in some other way.";
}
