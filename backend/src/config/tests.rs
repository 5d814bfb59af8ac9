use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    Config::from_variables(variables)
}

#[test]
fn nothing_set_gives_the_documented_defaults() {
    let config = read(&[("PATH", "/bin"), ("PORTFOLIO_LOG", "")]).expect("the defaults");
    assert_eq!(config, Config::default());
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.database, PathBuf::from("data/portfolio.sqlite"));
}

#[test]
fn every_variable_is_taken_over() {
    let config = read(&[
        ("PORTFOLIO_LISTEN", "[::1]:0"),
        ("PORTFOLIO_DATABASE", "/srv/data.sqlite"),
        (
            "PORTFOLIO_COMMIT",
            "0123456789abcdef0123456789abcdef01234567-dirty",
        ),
        ("PORTFOLIO_BUILT_AT", "2026-01-31T09:30:00+01:00"),
        ("PORTFOLIO_LOG", "debug"),
        ("PORTFOLIO_SERVICE_HOST", "10.0.0.1"),
    ])
    .expect("a configuration");
    assert_eq!(config.listen.to_string(), "[::1]:0");
    assert_eq!(config.database, PathBuf::from("/srv/data.sqlite"));
    assert_eq!(
        config.build.commit.as_deref(),
        Some("0123456789abcdef0123456789abcdef01234567-dirty")
    );
    assert_eq!(
        config.build.built_at.as_deref(),
        Some("2026-01-31T09:30:00+01:00")
    );
    assert_eq!(config.log, LevelFilter::DEBUG);
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
        let error = read(&[(name, value)]).expect_err("a bad value");
        assert_eq!((error.variable, error.value.as_str()), (name, value));
    }
}

#[test]
fn the_refusal_is_one_line_whatever_the_value_holds() {
    let error = read(&[("PORTFOLIO_LOG", "a\n\u{1b}[31mb")]).expect_err("a bad value");
    assert_eq!(
        error.to_string(),
        "PORTFOLIO_LOG must be error, warn, info or debug, not `a\\n\\u{1b}[31mb`"
    );
}
