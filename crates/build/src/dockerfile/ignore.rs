//! `.dockerignore`, as Docker reads it (docs.docker.com/build/concepts/context/).

/// What a context leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ignore(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: Vec<u8>,
    /// `!`: what matches is in after all.
    exception: bool,
}

impl Ignore {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        Self(text.lines().filter_map(Pattern::parse).collect())
    }

    /// Whether a path, relative to the context, is left out. The last pattern that
    /// matches it or a directory that it lies in decides.
    pub(super) fn leaves_out(&self, path: &str) -> bool {
        let path = path.as_bytes();
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let ends: Vec<_> = slashes.map(|(at, _)| at).chain([path.len()]).collect();
        let matches = |pattern: &&Pattern| ends.iter().any(|end| pattern.matches(&path[..*end]));
        let last = self.0.iter().rev().find(matches);
        last.is_some_and(|pattern| !pattern.exception)
    }

    /// Whether something in a directory that is left out may be in after all.
    pub(super) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|pattern| pattern.exception)
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let line = line.trim();
        let (line, exception) = match line.strip_prefix('!') {
            Some(line) => (line.trim(), true),
            None => (line, false),
        };
        let mut parts = Vec::new();
        for part in line.split('/') {
            match part {
                "" | "." => {}
                // Nothing that it matches lies in the context.
                ".." if parts.is_empty() && !line.starts_with('/') => return None,
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        let text = parts.join("/").into_bytes();
        (!text.is_empty()).then_some(Self { text, exception })
    }

    fn matches(&self, path: &[u8]) -> bool {
        matches(&self.text, path)
    }
}

/// `*` and `?` stay within a name, `**` does not; `[a-z]` is a class, `\` takes the
/// next byte as it is.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return path.is_empty();
    };
    match first {
        b'*' if rest.first() == Some(&b'*') => {
            let rest = &rest[1..];
            // `**/` is also nothing at all.
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            if rest.is_empty() {
                return true;
            }
            let starts = path.iter().enumerate();
            let starts = starts.filter(|(at, _)| *at == 0 || path[at - 1] == b'/');
            starts
                .map(|(at, _)| at)
                .any(|at| matches(rest, &path[at..]))
        }
        b'*' => {
            let name = path.iter().take_while(|byte| **byte != b'/').count();
            (0..=name).any(|at| matches(rest, &path[at..]))
        }
        b'?' => match path.split_first() {
            Some((byte, path)) if *byte != b'/' => matches(rest, path),
            _ => false,
        },
        b'[' => match (class(rest), path.split_first()) {
            (Some((class, rest)), Some((byte, path))) => {
                *byte != b'/' && in_class(class, *byte) && matches(rest, path)
            }
            _ => false,
        },
        b'\\' if !rest.is_empty() => {
            path.first() == Some(&rest[0]) && matches(&rest[1..], &path[1..])
        }
        byte => path.first() == Some(byte) && matches(rest, &path[1..]),
    }
}

/// What is between the brackets, and what follows them.
fn class(pattern: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = pattern.iter().skip(1).position(|byte| *byte == b']')? + 1;
    Some((&pattern[..end], &pattern[end + 1..]))
}

fn in_class(class: &[u8], byte: u8) -> bool {
    let (class, negated) = match class.strip_prefix(b"^") {
        Some(class) => (class, true),
        None => (class, false),
    };
    let mut found = false;
    let mut at = 0;
    while at < class.len() {
        if class.get(at + 1) == Some(&b'-') && at + 2 < class.len() {
            found |= (class[at]..=class[at + 2]).contains(&byte);
            at += 3;
        } else {
            found |= class[at] == byte;
            at += 1;
        }
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_docker_reads_them() {
        let ignore = Ignore::parse(
            "# comment\n\n/target\n*.log\n**/*.tmp\n*/temp?\ndocs/**\n!docs/README.md\n./a/../b/\nx[0-9]\n{a,c}\n../up\nz/../../up\n/../root\n",
        );
        for out in [
            "target",
            "target/debug/x",
            "a.log",
            "a.tmp",
            "a/b/c.tmp",
            "d/temp1",
            "docs/x/y",
            "b/c",
            "x7",
            "{a,c}",
            "root",
        ] {
            assert!(ignore.leaves_out(out), "{out}");
        }
        for stays in [
            "src",
            "a/target",
            "d/a.log",
            "temp1",
            "d/e/temp1",
            "docs/README.md",
            "a",
            "xa",
            "c",
            "# comment",
            "docs",
            "up",
        ] {
            assert!(!ignore.leaves_out(stays), "{stays}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let ignore = Ignore::parse("*\n!src\nsrc/secret\n");
        assert!(ignore.leaves_out("Cargo.toml") && ignore.has_exceptions());
        assert!(!ignore.leaves_out("src/main.rs"));
        assert!(ignore.leaves_out("src/secret/key"));
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_matched_without_panic(text in "[a*?/\\[\\]!\\\\.^-]{0,12}", path in "[a/.]{0,8}") {
            Ignore::parse(&text).leaves_out(&path);
        }
    }
}
