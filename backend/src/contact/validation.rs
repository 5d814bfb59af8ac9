//! What a message must be. Lengths are in characters (Unicode scalar values),
//! after white space around the value has been taken off.

use super::ContactMessage;
use crate::problem::FieldError;

const LONGEST_NAME: usize = 100;
const LONGEST_MESSAGE: usize = 5000;
/// RFC 5321, section 4.5.3.1: the longest address that fits in a mail command.
const LONGEST_EMAIL: usize = 254;
/// RFC 5321, section 4.5.3.1.1, in bytes.
const LONGEST_LOCAL_PART: usize = 64;
/// RFC 1035, section 2.3.4, in bytes.
const LONGEST_LABEL: usize = 63;

/// A message that may be kept.
#[derive(Debug)]
pub(super) struct ValidMessage {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) message: String,
}

impl TryFrom<ContactMessage> for ValidMessage {
    type Error = Vec<FieldError>;

    /// Judges every field, so that the visitor can mend all of them at once.
    fn try_from(given: ContactMessage) -> Result<Self, Vec<FieldError>> {
        let valid = Self {
            name: given.name.trim().to_owned(),
            email: given.email.trim().to_owned(),
            message: unix_lines(given.message.trim()),
        };
        let verdicts = [
            ("name", judge_name(&valid.name, &given.name)),
            ("email", judge_email(&valid.email)),
            ("message", judge_message(&valid.message, &given.message)),
        ];
        let errors: Vec<FieldError> = verdicts
            .into_iter()
            .filter_map(|(field, verdict)| {
                let message = verdict.err()?;
                Some(FieldError { field, message })
            })
            .collect();
        if errors.is_empty() {
            Ok(valid)
        } else {
            Err(errors)
        }
    }
}

/// Browsers send each line break as two characters, and count it as one. A lone
/// carriage return is the end of a line for some mail servers.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Some control characters are white space: `given` has those too that were taken off.
fn judge_name(name: &str, given: &str) -> Result<(), String> {
    judge_length(name, LONGEST_NAME)?;
    if given.contains(char::is_control) {
        return Err("must be one line without control characters".to_owned());
    }
    Ok(())
}

fn judge_email(email: &str) -> Result<(), String> {
    judge_length(email, LONGEST_EMAIL)?;
    if is_plausible_email(email) {
        Ok(())
    } else {
        Err("must be an address such as name@example.com".to_owned())
    }
}

fn judge_message(message: &str, given: &str) -> Result<(), String> {
    judge_length(message, LONGEST_MESSAGE)?;
    let is_refused = |character: char| character.is_control() && !"\n\r\t".contains(character);
    if given.contains(is_refused) {
        return Err("must not have control characters other than line breaks and tabs".to_owned());
    }
    Ok(())
}

fn judge_length(text: &str, longest: usize) -> Result<(), String> {
    match text.chars().count() {
        0 => Err("must not be empty".to_owned()),
        length if length > longest => Err(format!(
            "must have at most {longest} characters, and has {length}"
        )),
        _ => Ok(()),
    }
}

/// Whether mail could reach it, as far as its looks tell. Stricter than RFC 5322:
/// nobody types a quoted local part or an address literal into a form, and their
/// characters are the ones that do harm in a mail header.
fn is_plausible_email(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else {
        return false;
    };
    let is_harmful = |character: char| {
        character.is_whitespace() || character.is_control() || "\"(),:;<>@[\\]".contains(character)
    };
    (1..=LONGEST_LOCAL_PART).contains(&local.len())
        && !local.contains(is_harmful)
        && local.split('.').all(|atom| !atom.is_empty())
        && domain.contains('.')
        && domain.split('.').all(is_domain_label)
}

fn is_domain_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|character| character.is_alphanumeric() || character == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_refused(name: &str, email: &str, message: &str) -> Vec<&'static str> {
        let given = ContactMessage {
            name: name.to_owned(),
            email: email.to_owned(),
            message: message.to_owned(),
            website: String::new(),
        };
        let errors = ValidMessage::try_from(given).err().unwrap_or_default();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn an_ordinary_message_is_accepted_and_trimmed() {
        let valid = ValidMessage::try_from(ContactMessage {
            name: " Zoë Ångström ".to_owned(),
            email: " zoe@example.com ".to_owned(),
            message: "Hello,\r\n\tnice work.\n".to_owned(),
            website: String::new(),
        })
        .expect("an ordinary message");
        assert_eq!(valid.name, "Zoë Ångström");
        assert_eq!(valid.email, "zoe@example.com");
        assert_eq!(valid.message, "Hello,\n\tnice work.");
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let refused = fields_refused(" ", "nobody", "a\u{0}b");
        assert_eq!(refused, ["name", "email", "message"]);
    }

    #[test]
    fn lengths_are_counted_in_characters_up_to_the_limit() {
        let (name, message) = ("å".repeat(100), "å".repeat(5000));
        assert!(fields_refused(&name, "a@b.example", &message).is_empty());
        let (name, message) = (name + "å", message + "å");
        let refused = fields_refused(&name, "a@b.example", &message);
        assert_eq!(refused, ["name", "message"]);
    }

    #[test]
    fn a_name_cannot_smuggle_a_second_line() {
        let refused = fields_refused("Eve\r\nBcc: all@example.com", "e@b.example", "hi");
        assert_eq!(refused, ["name"]);
    }

    #[test]
    fn control_characters_are_refused_at_the_ends_too() {
        let refused = fields_refused("Ada\u{b}", "a@b.example", "\u{85}hi");
        assert_eq!(refused, ["name", "message"]);
        assert!(fields_refused(" Ada ", "a@b.example", "\thi\r\n").is_empty());
    }

    #[test]
    fn plausible_addresses_are_told_from_others() {
        for email in [
            "a@b.example",
            "a.b+c@sub.example.com",
            "post@blåbær.example",
        ] {
            assert!(is_plausible_email(email), "{email} was refused");
        }
        let long_local = format!("{}@b.example", "a".repeat(65));
        let long_label = format!("a@{}.example", "b".repeat(64));
        for email in [
            "",
            "@",
            "a",
            "a@",
            "@b.example",
            "a@b",
            "a@b..example",
            "a@.example",
            "a@b.example.",
            "a b@c.example",
            "a@b@c.example",
            ".a@b.example",
            "a.@b.example",
            "a@-b.example",
            "a@[127.0.0.1]",
            "\"a\"@b.example",
            "<a@b.example>",
            "a@b.example\n",
            &long_local,
            &long_label,
        ] {
            assert!(!is_plausible_email(email), "{email} was accepted");
        }
    }
}
