//! What can be told of a Dockerfile without building it: the images that it names, the
//! arguments that it declares, and where its instructions stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A Dockerfile, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instructions {
    /// Each instruction with the line that it begins on, counted from 1.
    pub(super) steps: Vec<(usize, String)>,
    /// Images of registries, as `FROM`, `COPY --from` and `RUN --mount` name them, with
    /// where in the text that is.
    pub(super) images: Vec<(Range<usize>, String)>,
    /// Names of `ARG`.
    pub(super) declared: BTreeSet<String>,
}

/// A logical line: its words, with their places in the text.
struct Line {
    number: usize,
    range: Range<usize>,
}

impl Instructions {
    /// Reads `text`; `arguments` are those of the build, which `FROM` may use.
    pub(super) fn parse(text: &str, arguments: &BTreeMap<String, String>) -> Self {
        let mut reading = Reading {
            text,
            arguments,
            stages: BTreeSet::new(),
            global: BTreeMap::new(),
            read: Self::default(),
        };
        for line in lines(text) {
            reading.line(&line);
        }
        reading.read
    }

    /// The line of the step that `words` begin, as a builder prints it.
    pub(super) fn find(&self, words: &str) -> Option<&(usize, String)> {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = plain(words);
        let mut steps = self.steps.iter();
        steps.find(|(_, step)| {
            let step = plain(step);
            !wanted.is_empty() && (step.starts_with(&wanted) || wanted.starts_with(&step))
        })
    }
}

/// A Dockerfile that is being read.
struct Reading<'a> {
    text: &'a str,
    arguments: &'a BTreeMap<String, String>,
    /// Names of the stages so far.
    stages: BTreeSet<String>,
    /// Arguments before the first stage, which `FROM` may use.
    global: BTreeMap<String, String>,
    read: Instructions,
}

impl Reading<'_> {
    fn line(&mut self, line: &Line) {
        let text = self.text;
        let words = words(text, line.range.clone());
        let Some((name, rest)) = words.split_first() else {
            return;
        };
        let said: Vec<_> = words.iter().map(|word| &text[word.clone()]).collect();
        self.read.steps.push((line.number, said.join(" ")));
        let is_option = |word: &&Range<usize>| text[(*word).clone()].starts_with("--");
        match text[name.clone()].to_ascii_uppercase().as_str() {
            "ARG" => rest
                .iter()
                .for_each(|word| self.argument(&text[word.clone()])),
            "FROM" => {
                let mut rest = rest.iter().skip_while(is_option);
                if let Some(reference) = rest.next() {
                    self.image(reference.clone());
                }
                let name = rest
                    .nth(1)
                    .map(|word| text[word.clone()].to_ascii_lowercase());
                // A stage without a name counts too: what follows is no global ARG.
                let name = name.unwrap_or_else(|| format!("{}.", self.stages.len()));
                self.stages.insert(name);
            }
            "COPY" | "RUN" => {
                let options = rest.iter().take_while(is_option);
                for range in options.filter_map(|word| from_option(text, word)) {
                    self.image(range);
                }
            }
            _ => {}
        }
    }

    fn argument(&mut self, word: &str) {
        let (name, default) = word.split_once('=').unwrap_or((word, ""));
        self.read.declared.insert(name.to_owned());
        if self.stages.is_empty() {
            let given = self.arguments.get(name).map(String::as_str);
            let value = given.unwrap_or(default.trim_matches(['"', '\'']));
            self.global.insert(name.to_owned(), value.to_owned());
        }
    }

    /// What is named at `range`, unless that is a stage or nothing.
    fn image(&mut self, range: Range<usize>) {
        let reference = filled(&self.text[range.clone()], &self.global);
        let numbered = reference.bytes().all(|byte| byte.is_ascii_digit());
        let stage = self.stages.contains(&reference.to_ascii_lowercase());
        if !(numbered || stage || reference == "scratch") {
            self.read.images.push((range, reference));
        }
    }
}

/// The value of `--from=X`, or of `from=X` in `--mount=...`.
fn from_option(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let option = &text[word.clone()];
    let (name, value) = option.split_once('=')?;
    let start = word.start + name.len() + 1;
    match name {
        "--from" => Some(start..word.end),
        "--mount" => {
            let mut at = start;
            for field in value.split(',') {
                if let Some(image) = field.strip_prefix("from=") {
                    let end = at + field.len();
                    return Some(end - image.len()..end);
                }
                at += field.len() + 1;
            }
            None
        }
        _ => None,
    }
}

/// Lines, with those that a `\` (or the `escape` directive's sign) goes on with, without
/// comments and without the bodies of here-documents.
fn lines(text: &str) -> Vec<Line> {
    let escape = if text
        .lines()
        .take_while(|line| line.starts_with('#'))
        .any(|line| line.replace(' ', "").eq_ignore_ascii_case("#escape=`"))
    {
        '`'
    } else {
        '\\'
    };
    let mut found: Vec<Line> = Vec::new();
    let (mut at, mut open) = (0, false);
    let mut documents: Vec<String> = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let range = at..at + line.len();
        at = range.end;
        let plain = line.trim();
        if let Some(end) = documents.first() {
            if plain == end {
                documents.remove(0);
            }
            continue;
        }
        if plain.starts_with('#') || (plain.is_empty() && !open) {
            continue;
        }
        let goes_on = line.trim_end().ends_with(escape);
        match found.last_mut().filter(|_| open) {
            Some(last) => last.range.end = range.end,
            None => found.push(Line {
                number: number + 1,
                range: range.clone(),
            }),
        }
        open = goes_on || (open && plain.is_empty());
        documents.extend(here_documents(plain));
    }
    found
}

/// The ends of the here-documents that begin in a line.
fn here_documents(line: &str) -> Vec<String> {
    let upper = line.to_ascii_uppercase();
    if !["RUN", "COPY", "ADD"]
        .iter()
        .any(|name| upper.starts_with(name))
    {
        return Vec::new();
    }
    let starts = line.split("<<").skip(1);
    let ends = starts.filter_map(|rest| {
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let rest = rest.trim_start_matches(['"', '\'']);
        let letter = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
        let name: String = rest.chars().take_while(letter).collect();
        let begins = name
            .chars()
            .next()
            .is_some_and(|first| !first.is_ascii_digit());
        begins.then_some(name)
    });
    ends.collect()
}

/// The places of the words of a line.
fn words(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let letters = text[line.clone()].char_indices();
    for (at, letter) in letters.chain([(line.len(), ' ')]) {
        let at = line.start + at;
        match start {
            None if !letter.is_whitespace() => start = Some(at),
            Some(from) if letter.is_whitespace() => {
                if !matches!(&text[from..at], "\\" | "`") {
                    words.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// `$NAME`, `${NAME}` and `${NAME:-default}`, filled.
fn filled(word: &str, arguments: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let (name, default, next) = if let Some(braced) = after.strip_prefix('{') {
            let end = braced.find('}').unwrap_or(braced.len());
            let inner = &braced[..end];
            let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
            (name, default, braced.get(end + 1..).unwrap_or_default())
        } else {
            let end = after.find(|letter| !is_name(letter)).unwrap_or(after.len());
            (&after[..end], "", &after[end..])
        };
        let value = arguments.get(name).filter(|value| !value.is_empty());
        filled.push_str(value.map_or(default, String::as_str));
        rest = next;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str) -> Vec<String> {
        let arguments = BTreeMap::from([("GIVEN".to_owned(), "13".to_owned())]);
        let read = Instructions::parse(text, &arguments);
        read.images.into_iter().map(|(_, image)| image).collect()
    }

    #[test]
    fn images_of_registries_are_found_and_stages_are_not() {
        let text = "# FROM comment\nARG GIVEN=12\nARG V=3\nFROM --platform=linux/amd64 debian:${GIVEN} AS Build\nARG V=4\n\
            RUN --mount=type=bind,from=tools:1,target=/t \\\n  # FROM no\n  make\nFROM alpine:$V\nCOPY --from=build /a /a\n\
            COPY --chown=1 --from=other/image@sha256:00 /b /b\nCOPY --from=0 /c /c\nFROM scratch\nFROM build\nFROM ${X:-last}\n";
        assert_eq!(
            images(text),
            [
                "debian:13",
                "tools:1",
                "alpine:3",
                "other/image@sha256:00",
                "last"
            ]
        );
    }

    #[test]
    fn here_documents_are_no_instructions() {
        let text = "FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-'X' /x\nFROM c\nX\nFROM d\n";
        assert_eq!(images(text), ["a", "d"]);
    }

    #[test]
    fn a_step_is_found_by_what_builders_print_of_it() {
        let text = "FROM a\n\nRUN  make \\\n   all\nENV A=b\n";
        let read = Instructions::parse(text, &BTreeMap::new());
        assert_eq!(read.find("RUN make    all").unwrap().0, 3);
        assert_eq!(read.find("ENV A=b").unwrap().0, 5);
        assert_eq!(read.find("RUN test"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let read = Instructions::parse(&text, &BTreeMap::new());
            for (range, _) in read.images {
                let _ = &text[range];
            }
        }

        #[test]
        fn anything_like_a_dockerfile_is_read_without_panic(
            text in "((FROM|ARG|RUN|COPY|#) ?(--from=|--mount=from=|\\$\\{|\\$|<<E|a|\\\\\n|,|ä)*\n?){0,6}"
        ) {
            Instructions::parse(&text, &BTreeMap::new());
        }
    }
}
