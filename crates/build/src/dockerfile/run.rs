//! A builder at work: its lines as they come, without secrets.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::BuildError;
use crate::dockerfile::builder::Builder;

/// How many of a builder's last lines an error shows.
const SHOWN_LINES: usize = 30;
/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Shorter parts of a secret are in any text by chance.
const SHORTEST_FORM: usize = 8;

/// What a builder said and how it ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) last: VecDeque<String>,
    /// The step that it spoke of last.
    pub(super) step: Option<String>,
}

/// Runs a builder, telling `observe` each line. Dropping the future ends it.
pub(super) async fn run(
    builder: Builder,
    words: &[String],
    variables: &[(&str, &str)],
    secrets: &[String],
    observe: &(dyn Fn(&str) + Send + Sync),
) -> Result<Ended, BuildError> {
    let mut command = Command::new(builder.program());
    command
        .args(words)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let spawned = command.spawn();
    let mut child = spawned.map_err(|_| BuildError::NoBuilder(Some(builder)))?;
    let (sender, mut lines) = unbounded_channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reading = async {
        tokio::join!(read(stdout, sender.clone()), read(stderr, sender.clone()));
        drop(sender);
    };
    let following = async {
        let mut ended = (VecDeque::new(), None);
        while let Some(line) = lines.recv().await {
            let line = redacted(line, secrets);
            observe(&line);
            if let Some(step) = step(&line) {
                ended.1 = Some(step.to_owned());
            }
            ended.0.push_back(line);
            if ended.0.len() > SHOWN_LINES {
                ended.0.pop_front();
            }
        }
        ended
    };
    let ((), (last, step), status) = tokio::join!(reading, following, child.wait());
    Ok(Ended {
        status: status?,
        last,
        step,
    })
}

/// Sends the lines of a pipe; bytes that are no text are replaced.
async fn read(pipe: Option<impl AsyncRead + Unpin>, lines: UnboundedSender<String>) {
    let Some(pipe) = pipe else { return };
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(pipe.read_until(b'\n', &mut line).await, Ok(count) if count > 0) {
        let text = String::from_utf8_lossy(&line);
        // A bar that is drawn over itself counts as its last state.
        let text = text.trim_end().rsplit('\r').next().unwrap_or_default();
        if !text.is_empty() {
            let _ = lines.send(text.to_owned());
        }
        line.clear();
    }
}

/// Every form of a secret's value that may show where the value itself is cut into
/// lines or put into one: the longest first. Lines that only say what a text is, such as
/// `-----BEGIN PRIVATE KEY-----` or `[default]`, are none.
pub(super) fn forms(value: &str) -> Vec<String> {
    let joined: String = value
        .chars()
        .filter(|letter| !matches!(letter, '\r' | '\n'))
        .collect();
    let lines = value.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with("-----") && !line.starts_with('['));
    let mut forms: Vec<String> = lines
        .chain([value.trim(), &joined])
        .filter(|form| form.len() >= SHORTEST_FORM)
        .map(str::to_owned)
        .chain([value.to_owned()])
        .collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

fn redacted(line: String, secrets: &[String]) -> String {
    let long = secrets.iter().filter(|secret| secret.len() >= 4);
    long.fold(line, |line, secret| line.replace(secret.as_str(), REDACTED))
}

/// The instruction that a line says is being carried out: `Step 2/3 : RUN x` of Docker,
/// `STEP 2/3: RUN x` of Buildah, `#5 [2/3] RUN x` of BuildKit, and its
/// ` > [2/3] RUN x:` where it failed.
fn step(line: &str) -> Option<&str> {
    let upper = line.get(..5)?.to_ascii_uppercase();
    let stage = line
        .strip_prefix('[')
        .and_then(|line| line.split_once("] "));
    let line = stage.map_or(line, |(_, line)| line);
    if upper == "STEP " || line.get(..5).is_some_and(|word| word == "STEP ") {
        return line.split_once(':').map(|(_, step)| step.trim());
    }
    let failed = line.trim_start().strip_prefix("> [");
    let begun = line.strip_prefix('#').and_then(|rest| {
        let (number, rest) = rest.split_once(' ')?;
        let numbered = number.bytes().all(|byte| byte.is_ascii_digit());
        rest.strip_prefix('[').filter(|_| numbered)
    });
    let (place, step) = failed.or(begun)?.split_once("] ")?;
    place
        .contains('/')
        .then(|| step.trim_end_matches(':').trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_known_from_every_builders_lines() {
        for (line, expected) in [
            ("Step 3/5 : RUN make all", Some("RUN make all")),
            ("[2/2] STEP 4/11: RUN make all", Some("RUN make all")),
            ("STEP 4/11: RUN make all", Some("RUN make all")),
            ("#8 [stage-1 4/4] RUN make all", Some("RUN make all")),
            (" > [stage-1 4/4] RUN make all:", Some("RUN make all")),
            ("#8 [internal] load build definition", None),
            ("#8 0.212 [x] y", None),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(step(line), expected, "{line}");
        }
    }

    #[test]
    fn each_line_of_a_secret_is_one() {
        let value = "-----BEGIN KEY-----\r\nabcdefgh12\r\n  mnopqrst34\nuv\n-----END KEY-----\n";
        let secrets = forms(value);
        for line in [
            "abcdefgh12",
            "x mnopqrst34.",
            &value.replace(['\r', '\n'], ""),
        ] {
            let told = redacted(line.to_owned(), &secrets);
            assert!(told.contains(REDACTED), "{told}");
            assert!(
                !told.contains("abcdefgh12") && !told.contains("mnopqrst34"),
                "{told}"
            );
        }
        let heading = "-----BEGIN KEY-----";
        assert_eq!(redacted(heading.to_owned(), &secrets), heading);
        assert_eq!(forms("hunter2"), ["hunter2"]);
        assert_eq!(
            forms("hunter2hunter2\n"),
            ["hunter2hunter2\n", "hunter2hunter2"]
        );
    }

    #[test]
    fn secrets_are_not_told() {
        let secrets = ["hunter2".to_owned(), String::new()];
        let line = redacted("token hunter2!".to_owned(), &secrets);
        assert_eq!(line, "token [redacted]!");
    }
}
