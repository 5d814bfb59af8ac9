use std::io::Write as _;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;

fn read_variables(variables: &[(&str, &str)]) -> Result<Effective, Mistakes> {
    read(
        variables
            .iter()
            .map(|(name, value)| (name.into(), value.into())),
    )
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("its text");
    file
}

/// Reads variables and a file of this text.
fn read_with_file(text: &str, variables: &[(&str, &str)]) -> Result<Effective, Mistakes> {
    let file = file(text);
    let path = file.path().to_str().expect("a path").to_owned();
    let mut variables = variables.to_vec();
    variables.push((FILE_VARIABLE, &path));
    read_variables(&variables)
}

fn mistakes_in(text: &str) -> Vec<String> {
    let mistakes = read_with_file(text, &[]).expect_err("mistakes");
    mistakes.0.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_set_gives_the_documented_defaults() {
    let config = read_variables(&[("PATH", "/bin"), ("PORTFOLIO_LOG", "")])
        .expect("the defaults")
        .config;
    assert_eq!(config, Config::default());
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.database, PathBuf::from("data/portfolio.sqlite"));
}

#[test]
fn every_variable_is_taken_over() {
    let commit = "0123456789abcdef0123456789abcdef01234567-dirty";
    let config = read_variables(&[
        ("PORTFOLIO_LISTEN", "[::1]:0"),
        ("PORTFOLIO_DATABASE", "/srv/data.sqlite"),
        ("PORTFOLIO_COMMIT", commit),
        ("PORTFOLIO_BUILT_AT", "2026-01-31T09:30:00+01:00"),
        ("PORTFOLIO_LOG", "debug"),
    ])
    .expect("a configuration")
    .config;
    assert_eq!(config.listen.to_string(), "[::1]:0");
    assert_eq!(config.database, PathBuf::from("/srv/data.sqlite"));
    assert_eq!(config.build.commit.as_deref(), Some(commit));
    assert_eq!(
        config.build.built_at.as_deref(),
        Some("2026-01-31T09:30:00+01:00")
    );
    assert_eq!(config.log, LevelFilter::DEBUG);
}

#[test]
fn a_variable_outweighs_the_file_and_the_file_outweighs_the_default() {
    let effective = read_with_file(
        "listen = \"127.0.0.1:1\"\nlog = 'error'\nbuilt-at = 2026-01-31T09:30:00Z\n",
        &[("PORTFOLIO_LOG", "debug")],
    )
    .expect("a configuration");
    let config = &effective.config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:1");
    assert_eq!(config.log, LevelFilter::DEBUG);
    assert_eq!(
        config.build.built_at.as_deref(),
        Some("2026-01-31T09:30:00Z")
    );
    assert_eq!(config.database, Config::default().database);
}

#[test]
fn what_counts_is_shown_as_a_file_that_says_the_same_with_the_origin_of_each_value() {
    let effective = read_with_file(
        "database = '/srv/a \"b\"\\c.sqlite'\n",
        &[("PORTFOLIO_LOG", "warn")],
    )
    .expect("a configuration");
    let shown = effective.to_string();
    let line = |key: &str| {
        let mut lines = shown.lines();
        lines.find(|line| line.contains(key)).expect("a line")
    };
    assert!(line("listen").ends_with("# default"), "{shown}");
    assert!(line("log =").ends_with("# PORTFOLIO_LOG"), "{shown}");
    let file = effective.file.as_ref().expect("a file").display();
    assert!(line("database").ends_with(&format!("# {file}")), "{shown}");
    assert!(line("commit").starts_with("# commit is not set"), "{shown}");
    let again = read_with_file(&shown, &[]).expect("a configuration");
    assert_eq!(again.config, effective.config);
}

#[test]
fn a_value_that_cannot_be_is_refused_with_its_variable() {
    for (name, value) in [
        ("PORTFOLIO_LISTEN", "8080"),
        ("PORTFOLIO_LISTEN", "localhost:8080"),
        ("PORTFOLIO_LISTEN", "0.0.0.0:65536"),
        ("PORTFOLIO_COMMIT", "main"),
        ("PORTFOLIO_COMMIT", "abcdef"),
        ("PORTFOLIO_BUILT_AT", "yesterday"),
        ("PORTFOLIO_LOG", "INFO"),
        ("PORTFOLIO_LOG", "trace"),
    ] {
        let refusal = read_variables(&[(name, value)])
            .expect_err("a bad value")
            .to_string();
        assert!(
            refusal.starts_with(&format!("{name} must be ")),
            "{refusal}"
        );
        assert!(refusal.ends_with(&format!("not `{value}`")), "{refusal}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let mistakes = read_with_file(
        "lisen = 'a'\nlog = 1\n",
        &[("PORTFOLIO_LISTEN", "x"), ("PORTFOLIO_LOGS", "debug")],
    )
    .expect_err("mistakes")
    .to_string();
    assert_eq!(mistakes.lines().count(), 4, "{mistakes}");
    for part in [
        "`lisen` is no key",
        "must be error, warn, info or debug, not `1`",
        "PORTFOLIO_LISTEN must be",
        "PORTFOLIO_LOGS is no variable",
    ] {
        assert!(mistakes.contains(part), "{mistakes}");
    }
}

#[test]
fn a_value_of_another_kind_is_refused_and_a_broken_file_is_told_by_line() {
    let [kind] = &mistakes_in("[log]\nlevel = 'debug'\n")[..] else {
        panic!("one mistake")
    };
    assert!(kind.contains("log in /"), "{kind}");
    assert!(
        kind.contains("must be error, warn, info or debug"),
        "{kind}"
    );
    let [syntax] = &mistakes_in("log = 'debug'\nlisten = \n")[..] else {
        panic!("one mistake")
    };
    assert!(syntax.contains(":2: "), "{syntax}");
    let absent = read_variables(&[(FILE_VARIABLE, "/nowhere/portfolio.toml")]);
    let absent = absent.expect_err("no file").to_string();
    assert!(absent.contains("/nowhere/portfolio.toml"), "{absent}");
}

#[test]
fn variables_that_kubernetes_makes_are_left_alone() {
    let ok = read_variables(&[
        ("PORTFOLIO_SERVICE_HOST", "10.0.0.1"),
        ("PORTFOLIO_SERVICE_PORT_HTTP", "80"),
        ("PORTFOLIO_PORT", "tcp://10.0.0.1:80"),
        ("PORTFOLIO_DB_PORT_5432_TCP_ADDR", "10.0.0.2"),
    ]);
    assert!(ok.is_ok(), "{ok:?}");
}

#[test]
fn the_refusal_is_one_line_whatever_the_value_holds() {
    let mistakes = read_variables(&[("PORTFOLIO_LOG", "a\n\u{1b}[31mb")]).expect_err("a bad value");
    assert_eq!(
        mistakes.to_string(),
        "PORTFOLIO_LOG must be error, warn, info or debug, not `a\\n\\u{1b}[31mb`"
    );
}

#[test]
fn a_login_or_a_key_in_an_address_is_in_no_refusal() {
    for key in [
        "otlp-endpoint",
        "otlp-traces-endpoint",
        "otlp-metrics-endpoint",
        "url",
    ] {
        let variable = settings::of_key(key).expect("a setting").variable;
        for value in [
            "https://user:hunter2@collector",
            "http://user:hunter2@collector:4318x",
            "user:hunter2@collector",
            "https://user%3ahunter2%40collector",
            "https://collector/?api-key=hunter2",
            "collector/?api-key=hunter2",
        ] {
            if key == "url" && !value.contains('@') {
                continue;
            }
            let refusal = read_variables(&[(variable, value)]).expect_err("a bad value");
            let refusals = mistakes_in(&format!("{key} = '{value}'")).concat();
            let said = format!("{refusal} {refusal:?} {refusals}");
            assert!(said.contains(variable) && said.contains(key), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

/// What tooling gives every program of a machine, whether it sends anything or not.
const STANDARD: [(&str, &str); 8] = [
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
    ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key.pem"),
    ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/a.pem"),
    ("OTEL_TRACES_SAMPLER", "xray"),
    ("OTEL_METRICS_EXPORTER", "prometheus"),
    ("OTEL_SDK_DISABLED", "1"),
    ("OTEL_RESOURCE_ATTRIBUTES", "a"),
];

#[test]
fn standard_variables_are_judged_only_where_something_is_sent() {
    let effective = read_variables(&STANDARD).expect("a configuration");
    assert_eq!(effective.config, Config::default());
    assert_eq!(effective.ignored, []);
    for off in [
        &[("OTEL_SDK_DISABLED", "TRUE")][..],
        &[
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
        ],
    ] {
        let variables = [
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318x")],
            &STANDARD[..4],
            off,
        ];
        let effective = read_variables(&variables.concat()).expect("a configuration");
        assert_eq!(effective.ignored, []);
    }
    let [in_the_file] = &mistakes_in("otel-traces-sampler = 'xray'")[..] else {
        panic!("one mistake")
    };
    assert!(in_the_file.contains("`xray`"), "{in_the_file}");
}

#[test]
#[cfg(feature = "otlp")]
fn where_something_is_sent_it_is_refused_what_misdirects_it_and_ignored_what_else_is_unknown() {
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")];
    let mistakes = |variables: &[(&str, &str)]| {
        let all = [variables, &STANDARD[..4]].concat();
        let mistakes = read_variables(&all).expect_err("mistakes");
        mistakes.to_string()
    };
    for said in [
        mistakes(&endpoint),
        mistakes(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector:")]),
    ] {
        for (variable, _) in &STANDARD[..4] {
            assert!(said.contains(variable), "{said}");
        }
        assert!(said.contains("must be http/protobuf"), "{said}");
    }

    let effective = read_variables(&[&endpoint, &STANDARD[4..]].concat()).expect("a configuration");
    let telemetry = &effective.config.telemetry;
    assert!(telemetry.traces().is_some() && telemetry.metrics().is_some());
    assert_eq!(telemetry.sampling, Sampling::default());
    assert_eq!(effective.ignored.len(), 4);
    let shown = effective.to_string();
    assert!(
        shown.contains("# the default counts: OTEL_TRACES_SAMPLER must be "),
        "{shown}"
    );
    assert!(read_with_file(&shown, &[]).is_ok(), "{shown}");
}

#[test]
fn an_exporter_of_the_list_counts_and_none_is_none() {
    for (value, is_on) in [("none", false), ("otlp", true), ("console, otlp", true)] {
        let config = read_variables(&[("OTEL_TRACES_EXPORTER", value)]);
        let telemetry = config.expect("a configuration").config.telemetry;
        assert_eq!(
            (telemetry.traces.is_on, telemetry.metrics.is_on),
            (is_on, true)
        );
    }
}

#[test]
fn keys_are_the_names_of_variables_and_none_is_there_twice() {
    let mut keys: Vec<_> = settings::all().map(|setting| setting.key).collect();
    for setting in settings::all() {
        let key = setting.key.to_uppercase().replace('-', "_");
        assert!(setting.variable.ends_with(&key), "{key}");
    }
    keys.sort_unstable();
    let all = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), key in "[a-z-]{1,12}", value in any::<String>()) {
        let _ = read_with_file(&text, &[]);
        let _ = read_with_file(&format!("{key} = '''{value}'''"), &[("PORTFOLIO_LOG", &value)]);
    }
}
