//! What can be told of a Dockerfile without building it: the images that it names, the
//! arguments that it declares, and where its instructions stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::lines::{Letters, Line, lines, place, text_of, words};
use super::variables::{Values, filled};

/// A Dockerfile, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instructions {
    /// Each instruction with the line that it begins on, counted from 1.
    pub(super) steps: Vec<(usize, String)>,
    /// Images of registries, as `FROM`, `COPY --from` and `RUN --mount` name them, with
    /// where in the text that is.
    pub(super) images: Vec<(Range<usize>, String)>,
    /// Where in the text the `FROM` of each stage ends.
    pub(super) stages: Vec<usize>,
    /// Names of `ARG`.
    pub(super) declared: BTreeSet<String>,
}

/// Why it cannot be told which images a Dockerfile names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {reason}")]
pub(super) struct Unclear {
    pub(super) line: usize,
    pub(super) reason: String,
}

impl Instructions {
    /// Reads `text`; `arguments` are those of the build, which `FROM` may use.
    pub(super) fn parse(text: &str, arguments: &BTreeMap<String, String>) -> Result<Self, Unclear> {
        let mut reading = Reading {
            arguments,
            stages: BTreeSet::new(),
            global: Values::given(arguments),
            read: Self::default(),
        };
        for line in lines(text)? {
            let read = reading.line(&line);
            read.map_err(|reason| Unclear {
                line: line.number,
                reason,
            })?;
        }
        Ok(reading.read)
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
    arguments: &'a BTreeMap<String, String>,
    /// Names of the stages so far.
    stages: BTreeSet<String>,
    /// Arguments before the first stage, which `FROM` may use.
    global: Values,
    read: Instructions,
}

impl Reading<'_> {
    fn line(&mut self, line: &Line) -> Result<(), String> {
        let words = words(&line.letters);
        let said: Vec<String> = words.iter().map(|word| text_of(word)).collect();
        let Some((name, rest)) = said.split_first() else {
            return Ok(());
        };
        let places = &words[1..];
        let options = rest
            .iter()
            .take_while(|word| word.starts_with("--"))
            .count();
        match name.to_ascii_uppercase().as_str() {
            "ARG" => rest.iter().for_each(|word| self.argument(word)),
            "FROM" => {
                if let Some(reference) = places.get(options) {
                    self.base(reference)?;
                }
                let name = rest.get(options + 2).map(|word| word.to_ascii_lowercase());
                // A stage without a name counts too: what follows is no global ARG.
                let name = name.unwrap_or_else(|| format!("{}.", self.stages.len()));
                self.stages.insert(name);
                self.read.stages.push(place(&line.letters).end);
            }
            "COPY" | "RUN" => {
                for option in &places[..options] {
                    for source in from_option(option) {
                        self.source(source)?;
                    }
                }
            }
            _ => {}
        }
        self.read.steps.push((line.number, said.join(" ")));
        Ok(())
    }

    fn argument(&mut self, word: &str) {
        let (name, default) = match word.split_once('=') {
            Some((name, default)) => (name, Some(default)),
            None => (word, None),
        };
        self.read.declared.insert(name.to_owned());
        if self.stages.is_empty() {
            let given = self.arguments.get(name).map(String::as_str);
            self.global.declare(name, given, default);
        }
    }

    /// What a `FROM` names, unless that is a stage or nothing.
    fn base(&mut self, word: &Letters) -> Result<(), String> {
        let reference = filled(text_of(word).trim_matches(['"', '\'']), &self.global)?;
        self.image(word, reference);
        Ok(())
    }

    /// What a `COPY` or `RUN` reads from, unless that is a stage, by name or number.
    fn source(&mut self, word: &Letters) -> Result<(), String> {
        let reference = text_of(word);
        if reference.contains('$') {
            // Builders differ in what they fill there, if anything.
            return Err(format!(
                "`from={reference}` has a variable: name a stage there, and use the variable in its FROM"
            ));
        }
        let reference = reference.trim_matches(['"', '\'']).to_owned();
        if !reference.bytes().all(|byte| byte.is_ascii_digit()) {
            self.image(word, reference);
        }
        Ok(())
    }

    fn image(&mut self, word: &Letters, reference: String) {
        let stage = self.stages.contains(&reference.to_ascii_lowercase());
        if !(stage || reference.is_empty() || reference == "scratch") {
            self.read.images.push((place(word), reference));
        }
    }
}

/// The value of `--from=X`, or those of `from=X` in `--mount=...`.
fn from_option(option: &Letters) -> Vec<&Letters> {
    let cut = |letters: &Letters| letters.iter().position(|(_, letter)| *letter == '=');
    let Some(at) = cut(option) else {
        return Vec::new();
    };
    let value = &option[at + 1..];
    match text_of(&option[..at]).as_str() {
        "--from" if !value.is_empty() => vec![value],
        "--mount" => value
            .split(|(_, letter)| *letter == ',')
            .filter_map(|field| {
                let quote = |letters: &&(usize, char)| matches!(letters.1, '"' | '\'');
                let first = field.iter().take_while(quote).count();
                let last = field.iter().rev().take_while(quote).count();
                let field = field.get(first..field.len() - last)?;
                let at = cut(field)?;
                let is_from = text_of(&field[..at]).eq_ignore_ascii_case("from");
                (is_from && at + 1 < field.len()).then(|| &field[at + 1..])
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str) -> Vec<String> {
        let arguments = BTreeMap::from([("GIVEN".to_owned(), "13".to_owned())]);
        let read = Instructions::parse(text, &arguments).unwrap();
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
    fn what_is_no_here_document_swallows_nothing() {
        for run in [
            "RUN echo $((1<<SHIFT))",
            "RUN echo \"a <<EOF b\"",
            "RUN cat <<<EOF",
            "RUN cat<<EOF",
            "RUN echo $((1 << 2))",
            "ENV A <<EOF",
            "# RUN <<EOF",
        ] {
            assert_eq!(
                images(&format!("FROM a\n{run}\nFROM b\n")),
                ["a", "b"],
                "{run}"
            );
        }
        let text =
            "FROM a\nRUN sh \\\n 3<<-\"E.1\" \\\n <<F\nFROM x\n\t\tE.1\nFROM y\n F\nF\nFROM b\n";
        assert_eq!(images(text), ["a", "b"]);
    }

    #[test]
    fn a_here_document_without_an_end_is_refused_with_its_line() {
        for end in ["", " EOF\n", "EOF \n", "\tEOF\n"] {
            let text = format!("FROM a\n\nRUN cat <<EOF\n{end}FROM b\n");
            let error = Instructions::parse(&text, &BTreeMap::new()).unwrap_err();
            assert_eq!(error.line, 3);
            assert!(error.reason.contains("EOF"), "{error}");
        }
    }

    #[test]
    fn sources_are_found_behind_comments_and_whatever_the_case_of_their_key() {
        let text = "FROM a\nRUN --mount=type=bind,From=b,target=/b \\\n# says why\n\n  --mount=FROM=c:\\\n1,target=/c \\\n make\n\
            COPY --from=0 / /\nFROM 123\n";
        assert_eq!(images(text), ["a", "b", "c:1", "123"]);
        let read = Instructions::parse(text, &BTreeMap::new()).unwrap();
        let places: Vec<_> = read
            .images
            .iter()
            .map(|(at, _)| &text[at.clone()])
            .collect();
        assert_eq!(places, ["a", "b", "c:\\\n1", "123"]);
        let text = "FROM a\nCOPY --from=$X / /\n";
        let error = Instructions::parse(text, &BTreeMap::new()).unwrap_err();
        assert_eq!(error.line, 2);
    }

    #[test]
    fn a_step_is_found_by_what_builders_print_of_it() {
        let text = "FROM a\n\nRUN  make \\\n   all\nENV A=b\n";
        let read = Instructions::parse(text, &BTreeMap::new()).unwrap();
        assert_eq!(read.find("RUN make    all").unwrap().0, 3);
        assert_eq!(read.find("ENV A=b").unwrap().0, 5);
        assert_eq!(read.find("RUN test"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let read = Instructions::parse(&text, &BTreeMap::new()).unwrap_or_default();
            for (range, _) in read.images {
                let _ = &text[range];
            }
            for end in read.stages {
                let _ = &text[end..];
            }
        }

        #[test]
        fn anything_like_a_dockerfile_is_read_without_panic(
            text in "((FROM|ARG|RUN|COPY|#) ?(--from=|--mount=from=|\\$\\{|\\$|<<E|a|\\\\\n|,|ä)*\n?){0,6}"
        ) {
            let read = Instructions::parse(&text, &BTreeMap::new()).unwrap_or_default();
            for (range, _) in read.images {
                let _ = &text[range];
            }
            for end in read.stages {
                let _ = &text[end..];
            }
        }
    }
}
