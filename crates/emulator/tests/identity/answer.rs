//! What a Query call was answered.

use roxmltree::Document;

use crate::signer::Keys;

/// Status and XML.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) xml: String,
}

impl Answer {
    /// The texts of all elements of a name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let document =
            Document::parse(&self.xml).unwrap_or_else(|error| panic!("{error}: {}", self.xml));
        document
            .descendants()
            .filter(|node| node.tag_name().name() == name)
            .map(|node| node.text().unwrap_or_default().to_owned())
            .collect()
    }

    /// The text of the first element of a name.
    pub(crate) fn text(&self, name: &str) -> String {
        let found = self.all(name).into_iter().next();
        found.unwrap_or_else(|| panic!("{name}: {}", self.xml))
    }

    /// The answer, which is one of success.
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.xml);
        self
    }

    /// The credentials in the answer.
    pub(crate) fn keys(&self) -> Keys {
        Keys {
            id: self.text("AccessKeyId"),
            secret: self.text("SecretAccessKey"),
            session_token: self.all("SessionToken").into_iter().next(),
        }
    }

    /// Status, code and sentence of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        assert_ne!(self.status, 200, "{}", self.xml);
        (self.status, self.text("Code"), self.text("Message"))
    }

    /// Fails unless this is the refusal of that status and code, whose sentence
    /// has this in it.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: &str, sentence: &str) {
        let (found_status, found_code, found) = self.refusal();
        assert_eq!(
            (found_status, found_code.as_str()),
            (status, code),
            "{found}"
        );
        assert!(found.contains(sentence), "{found}");
    }
}
