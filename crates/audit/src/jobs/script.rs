//! The commands of a shell script, as far as words tell.
//!
//! This is no shell: it splits a script into commands and those into words, and
//! takes nothing apart that is quoted. It is used to recognise commands, so what
//! it does not recognise counts as the repository's own code.

/// One command with its arguments, quotes removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) words: Vec<String>,
}

/// The commands of `script`; lines that go on after a `\` are one.
pub(crate) fn commands(script: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    let mut chars = script.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, reader.quote) {
            ('\\', None | Some('"')) => match chars.next() {
                Some('\n') | None => reader.end_word(),
                Some(next) => reader.push(next),
            },
            (quote, Some(open)) if quote == open => reader.quote = None,
            ('"' | '\'', None) => {
                reader.quote = Some(char);
                reader.in_word = true;
            }
            ('#', None) if !reader.in_word => {
                while chars.next_if(|char| *char != '\n').is_some() {}
            }
            ('\n' | ';' | '&' | '|' | '(' | ')', None) => reader.end_command(),
            (space, None) if space.is_whitespace() => reader.end_word(),
            (other, _) => reader.push(other),
        }
    }
    reader.end_command();
    reader.commands
}

#[derive(Default)]
struct Reader {
    commands: Vec<Command>,
    words: Vec<String>,
    word: String,
    in_word: bool,
    quote: Option<char>,
}

impl Reader {
    fn push(&mut self, char: char) {
        self.word.push(char);
        self.in_word = true;
    }

    fn end_word(&mut self) {
        if std::mem::take(&mut self.in_word) {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            let words = std::mem::take(&mut self.words);
            self.commands.push(Command { words });
        }
    }
}

impl Command {
    /// The name of the program, without its folder; assignments before it are
    /// passed over.
    pub(crate) fn program(&self) -> Option<&str> {
        let word = self.words.iter().find(|word| !is_assignment(word))?;
        Some(file_name(word))
    }

    /// The arguments of `longshore`, or of the Cargo alias of that name.
    pub(crate) fn longshore(&self) -> Option<&[String]> {
        let start = self.words.iter().position(|word| !is_assignment(word))?;
        let (program, rest) = self.words.get(start..)?.split_first()?;
        match (file_name(program), rest.split_first()) {
            ("longshore", _) => Some(rest),
            ("cargo", Some((alias, rest))) if alias == "longshore" => Some(rest),
            _ => None,
        }
    }

    /// The value of `--name VALUE` or `--name=VALUE`.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.words.iter().enumerate().find_map(|(at, word)| {
            if word == name {
                return self.words.get(at + 1).map(String::as_str);
            }
            word.strip_prefix(name)?.strip_prefix('=')
        })
    }
}

fn file_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

pub(crate) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .chars()
                .all(|char| char == '_' || char.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(script: &str) -> Vec<Vec<String>> {
        commands(script)
            .into_iter()
            .map(|command| command.words)
            .collect()
    }

    #[test]
    fn a_script_falls_into_commands_and_words() {
        assert_eq!(
            words("# comment\ncd \"a b\" && x='1 ; 2' make \\\n  all # b\necho ok; (ls | wc)\n"),
            [
                vec!["cd", "a b"],
                vec!["x=1 ; 2", "make", "all"],
                vec!["echo", "ok"],
                vec!["ls"],
                vec!["wc"]
            ]
        );
    }

    #[test]
    fn longshore_is_recognised_wherever_it_lies() {
        for script in [
            "longshore publish --tag x",
            "\"$RUNNER_TEMP/tool/longshore\" publish --tag x",
            "A=b ./longshore publish --tag x",
            "cargo longshore publish --tag x",
        ] {
            let commands = commands(script);
            assert_eq!(
                commands[0].longshore().unwrap(),
                ["publish", "--tag", "x"],
                "{script}"
            );
            assert_eq!(commands[0].option("--tag"), Some("x"));
        }
        assert_eq!(commands("echo longshore publish")[0].longshore(), None);
    }

    #[test]
    fn an_option_may_have_an_equals_sign() {
        assert_eq!(commands("a --b=c")[0].option("--b"), Some("c"));
        assert_eq!(commands("a --bee=c --b")[0].option("--b"), None);
    }

    proptest! {
        #[test]
        fn any_script_is_read_without_panic(script in "\\PC{0,60}") {
            for command in commands(&script) {
                let _ = (command.program(), command.longshore(), command.option("--x"));
            }
        }
    }
}
