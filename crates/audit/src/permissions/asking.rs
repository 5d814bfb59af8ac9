//! The session of a role, asking what it may do.

use policy::{Context, Policies, evaluate};

use super::Gathered;
use crate::reading::Reading;

/// Whether an action is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Whatever is not known.
    Allowed,
    /// Whatever is not known.
    Denied,
    /// On conditions about these keys.
    Depends(String),
}

/// The session of a role, asking. Policies that are not known are left out:
/// they are the business of [`Gathered::unknowns`].
pub(crate) struct Asking<'a> {
    gathered: &'a Gathered<'a>,
    elsewhere: Side,
    /// On the repository, whose own policy has a say.
    there: Side,
}

/// What decides, read both ways.
struct Side {
    context: Context,
    widest: Policies,
    narrowest: Policies,
    /// The keys that only a request decides.
    open: String,
}

impl<'a> Asking<'a> {
    /// A session of which nothing is known but its role.
    pub(crate) fn new(gathered: &'a Gathered<'a>) -> Self {
        Self::with_token(gathered, Context::new())
    }

    /// The session of a token, with the keys that it keeps of it.
    pub(crate) fn with_token(gathered: &'a Gathered<'a>, mut token: Context) -> Self {
        gathered.add_keys(&mut token);
        let mut there = token.clone();
        gathered.add_repository_keys(&mut there);
        let mut elsewhere = Side::new(gathered, token);
        elsewhere.widest.resource = None;
        elsewhere.narrowest.resource = None;
        Self {
            gathered,
            elsewhere,
            there: Side::new(gathered, there),
        }
    }

    /// The same without the permissions boundary.
    pub(crate) fn unbounded(mut self) -> Self {
        for side in [&mut self.elsewhere, &mut self.there] {
            side.widest.boundary = None;
            side.narrowest.boundary = None;
        }
        self
    }

    /// Whether the session may do it.
    pub(crate) fn answer(&self, action: &str, resource: &str) -> Answer {
        let side = if self.gathered.is_about(resource) {
            &self.there
        } else {
            &self.elsewhere
        };
        let request = self.gathered.request(action, resource, &side.context);
        let allowed = |policies: &Policies| evaluate(&request, policies).is_allowed();
        match (allowed(&side.widest), allowed(&side.narrowest)) {
            (_, true) => Answer::Allowed,
            (false, false) => Answer::Denied,
            (true, false) => Answer::Depends(side.open.clone()),
        }
    }
}

impl Side {
    fn new(gathered: &Gathered<'_>, context: Context) -> Self {
        Self {
            widest: gathered.known_policies(Reading::Widest, &context),
            narrowest: gathered.known_policies(Reading::Narrowest, &context),
            open: gathered.open_keys(&context).join(", "),
            context,
        }
    }
}
