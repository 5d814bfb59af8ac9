//! Every setting: its key in the file, its variable, what it is and what it may be.

use std::fmt::Write as _;

use std::time::Duration;

use axum::http::HeaderValue;
use tracing::level_filters::LevelFilter;

use super::{Config, Endpoint, telemetry_settings};
use crate::contact::delivery::Delivery;
use crate::timestamp::is_timestamp;

/// One setting.
pub(super) struct Setting {
    /// Its key in the configuration file.
    pub(super) key: &'static str,
    /// Its environment variable.
    pub(super) variable: &'static str,
    /// What it is, in a line of `--help`.
    pub(super) about: &'static str,
    /// What its value may be, as the end of "must be".
    pub(super) expected: &'static str,
    /// Whether its value is shown to nobody.
    pub(super) is_secret: bool,
    /// Puts a value into the configuration, unless it cannot be.
    pub(super) take: fn(&str, &mut Config) -> Option<()>,
    /// The value in the configuration, in the form in which it is taken.
    pub(super) show: fn(&Config) -> Option<String>,
}

impl Setting {
    /// Whether a value of it that cannot be must not be told: it is secret, or an address
    /// with a login or a key in it.
    pub(super) fn hides(&self, value: &str) -> bool {
        self.is_secret || self.expected == Endpoint::EXPECTED || value.contains('@')
    }
}

/// What a setting in seconds may be.
const SECONDS: &str = "a number of seconds from 1 to 3600";

/// All of them, in the order in which they are shown.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().chain(telemetry_settings::SETTINGS)
}

/// Those of this program alone.
const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        variable: "PORTFOLIO_LISTEN",
        about: "where to listen",
        expected: "an IP address and a port, such as 0.0.0.0:8080 or [::1]:8080",
        is_secret: false,
        take: |value, config| put(&mut config.listen, value.parse().ok()),
        show: |config| Some(config.listen.to_string()),
    },
    Setting {
        key: "metrics-listen",
        variable: "PORTFOLIO_METRICS_LISTEN",
        about: "where to serve /metrics to Prometheus, if at all",
        expected: "an IP address and a port, such as 0.0.0.0:9090 or [::1]:9090",
        is_secret: false,
        take: |value, config| put(&mut config.metrics_listen, value.parse().ok().map(Some)),
        show: |config| config.metrics_listen.map(|address| address.to_string()),
    },
    Setting {
        key: "database",
        variable: "PORTFOLIO_DATABASE",
        about: "the SQLite file, unless there is DATABASE_URL",
        expected: "the path of a file",
        is_secret: false,
        take: |value, config| put(&mut config.database, Some(value.into())),
        show: |config| Some(config.database.display().to_string()),
    },
    Setting {
        key: "database-url",
        variable: "DATABASE_URL",
        about: "the PostgreSQL database",
        expected: "an address such as postgres://name:password@host/database",
        is_secret: true,
        take: |value, config| put(&mut config.server, value.parse().ok().map(Some)),
        show: |config| config.server.as_ref().map(ToString::to_string),
    },
    Setting {
        key: "url",
        variable: "PORTFOLIO_URL",
        about: "where people find the service: links in the feed begin with it",
        expected: "an address such as https://portfolio.example, without a path",
        is_secret: false,
        take: |value, config| put(&mut config.site.url, site_url(value)),
        show: |config| Some(config.site.url.clone()),
    },
    Setting {
        key: "contact-delivery",
        variable: "PORTFOLIO_CONTACT_DELIVERY",
        about: "where contact messages go, besides the database",
        expected: "log, file:PATH, smtps://name:password@host/mailbox@example.org, or smtp:// with ?tls=required, which a login needs",
        is_secret: true,
        take: |value, config| put(&mut config.delivery, value.parse().ok()),
        show: |config| {
            let delivery = &config.delivery;
            (*delivery != Delivery::Log).then(|| delivery.to_string())
        },
    },
    Setting {
        key: "contact-per-address",
        variable: "PORTFOLIO_CONTACT_PER_ADDRESS",
        about: "messages an hour from one address",
        expected: "a number",
        is_secret: false,
        take: |value, config| put(&mut config.site.contact_per_address, value.parse().ok()),
        show: |config| Some(config.site.contact_per_address.to_string()),
    },
    Setting {
        key: "contact-per-hour",
        variable: "PORTFOLIO_CONTACT_PER_HOUR",
        about: "messages an hour from all addresses",
        expected: "a number",
        is_secret: false,
        take: |value, config| put(&mut config.site.contact_per_hour, value.parse().ok()),
        show: |config| Some(config.site.contact_per_hour.to_string()),
    },
    Setting {
        key: "client-address-header",
        variable: "PORTFOLIO_CLIENT_ADDRESS_HEADER",
        about: "the header in which a trusted proxy names the client",
        expected: "the name of a header, such as x-forwarded-for",
        is_secret: false,
        take: |value, config| {
            let header = value.parse().ok().map(Some);
            put(&mut config.site.client_address_header, header)
        },
        show: |config| {
            let header = config.site.client_address_header.as_ref();
            header.map(ToString::to_string)
        },
    },
    Setting {
        key: "commit",
        variable: "PORTFOLIO_COMMIT",
        about: "the commit that /version shows",
        expected: "a commit id of 7 to 64 hexadecimal digits, which `-dirty` may follow",
        is_secret: false,
        take: |value, config| put(&mut config.build.commit, commit(value).map(Some)),
        show: |config| config.build.commit.clone(),
    },
    Setting {
        key: "built-at",
        variable: "PORTFOLIO_BUILT_AT",
        about: "the build time that /version shows",
        expected: "a time as in RFC 3339, such as 2026-01-31T09:30:00Z",
        is_secret: false,
        take: |value, config| {
            let time = is_timestamp(value).then(|| value.to_owned());
            put(&mut config.build.built_at, time.map(Some))
        },
        show: |config| config.build.built_at.clone(),
    },
    Setting {
        key: "log",
        variable: "PORTFOLIO_LOG",
        about: "the least important level that is logged",
        expected: "error, warn, info or debug",
        is_secret: false,
        take: |value, config| put(&mut config.log, level(value)),
        show: |config| Some(config.log.to_string()),
    },
    Setting {
        key: "emf-namespace",
        variable: "PORTFOLIO_EMF_NAMESPACE",
        about: "the namespace of CloudWatch's metrics in the log, if there are to be any",
        expected: "1 to 255 letters, digits and any of . - _ / #, not beginning with AWS/",
        is_secret: false,
        take: |value, config| put(&mut config.emf_namespace, namespace(value).map(Some)),
        show: |config| config.emf_namespace.clone(),
    },
    Setting {
        key: "connections",
        variable: "PORTFOLIO_CONNECTIONS",
        about: "connections that are open at once",
        expected: "a number from 1 to 1000000",
        is_secret: false,
        take: |value, config| put(&mut config.limits.connections, count(value)),
        show: |config| Some(config.limits.connections.to_string()),
    },
    Setting {
        key: "requests",
        variable: "PORTFOLIO_REQUESTS",
        about: "requests that are worked on at once; one more is answered 503",
        expected: "a number from 1 to 1000000",
        is_secret: false,
        take: |value, config| put(&mut config.limits.requests, count(value)),
        show: |config| Some(config.limits.requests.to_string()),
    },
    Setting {
        key: "head-timeout",
        variable: "PORTFOLIO_HEAD_TIMEOUT",
        about: "seconds that the head of a request may take",
        expected: SECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.limits.head, seconds(value)),
        show: |config| Some(config.limits.head.as_secs().to_string()),
    },
    Setting {
        key: "request-timeout",
        variable: "PORTFOLIO_REQUEST_TIMEOUT",
        about: "seconds that a body may take, and then its answer",
        expected: SECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.limits.request, seconds(value)),
        show: |config| Some(config.limits.request.as_secs().to_string()),
    },
    Setting {
        key: "write-timeout",
        variable: "PORTFOLIO_WRITE_TIMEOUT",
        about: "seconds in which a client must read something of an answer",
        expected: SECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.limits.write, seconds(value)),
        show: |config| Some(config.limits.write.as_secs().to_string()),
    },
    Setting {
        key: "idle-timeout",
        variable: "PORTFOLIO_IDLE_TIMEOUT",
        about: "seconds that a connection may be open without a request",
        expected: SECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.limits.idle, seconds(value)),
        show: |config| Some(config.limits.idle.as_secs().to_string()),
    },
    Setting {
        key: "stop-delay",
        variable: "PORTFOLIO_STOP_DELAY",
        about: "seconds between the order to stop, which /readyz shows, and the stop",
        expected: "a number of seconds from 0 to 3600",
        is_secret: false,
        take: |value, config| put(&mut config.limits.stop_delay, delay(value)),
        show: |config| Some(config.limits.stop_delay.as_secs().to_string()),
    },
    Setting {
        key: "stop-timeout",
        variable: "PORTFOLIO_STOP_TIMEOUT",
        about: "seconds that open requests may take after that",
        expected: SECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.limits.stop, seconds(value)),
        show: |config| Some(config.limits.stop.as_secs().to_string()),
    },
    Setting {
        key: "cors-origins",
        variable: "PORTFOLIO_CORS_ORIGINS",
        about: "the sites whose scripts may read the API, with commas between them",
        expected: "origins such as https://www.example.com, with commas between them",
        is_secret: false,
        take: |value, config| put(&mut config.cors_origins, origins(value)),
        show: |config| {
            let origins: Vec<_> = config
                .cors_origins
                .iter()
                .filter_map(|origin| origin.to_str().ok())
                .collect();
            (!origins.is_empty()).then(|| origins.join(","))
        },
    },
];

/// The setting of this key.
pub(super) fn of_key(key: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.key == key)
}

/// The setting of this variable.
pub(super) fn of_variable(variable: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.variable == variable)
}

/// Every setting in a table: variable, what it is, its default.
pub fn list() -> String {
    let defaults = Config::default();
    let mut list = String::new();
    for setting in all() {
        let default = match (setting.show)(&defaults) {
            Some(value) => format!(" [default: {value}]"),
            None => String::new(),
        };
        // Writing into a string does not fail.
        let _ = writeln!(
            list,
            "  {:<36} {}{default}",
            setting.variable, setting.about
        );
    }
    list
}

pub(super) fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn site_url(value: &str) -> Option<String> {
    let url = value.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_host)).then(|| url.to_owned())
}

fn commit(value: &str) -> Option<String> {
    let id = value.strip_suffix("-dirty").unwrap_or(value);
    let is_id = (7..=64).contains(&id.len()) && id.chars().all(|digit| digit.is_ascii_hexdigit());
    is_id.then(|| value.to_owned())
}

fn level(value: &str) -> Option<LevelFilter> {
    match value {
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        _ => None,
    }
}

fn seconds(value: &str) -> Option<Duration> {
    delay(value).filter(|time| !time.is_zero())
}

fn delay(value: &str) -> Option<Duration> {
    let seconds: u64 = value.parse().ok()?;
    (seconds <= 3600).then(|| Duration::from_secs(seconds))
}

fn count(value: &str) -> Option<usize> {
    let count = value.parse().ok()?;
    (1..=1_000_000).contains(&count).then_some(count)
}

/// Origins as browsers send them: a scheme and a host, perhaps a port, no path.
fn origins(value: &str) -> Option<Vec<HeaderValue>> {
    let origin = |text: &str| {
        let text = text.trim();
        let host = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))?;
        let is_plain = |character: char| {
            character.is_ascii_lowercase()
                || character.is_ascii_digit()
                || "-.:[]".contains(character)
        };
        let is_origin = !host.is_empty() && host.chars().all(is_plain);
        is_origin.then(|| HeaderValue::from_str(text).ok())?
    };
    value.split(',').map(origin).collect()
}

fn namespace(value: &str) -> Option<String> {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || ".-_/#".contains(character);
    let is_namespace = (1..=255).contains(&value.len())
        && value.chars().all(is_plain)
        && !value.starts_with("AWS/");
    is_namespace.then(|| value.to_owned())
}
