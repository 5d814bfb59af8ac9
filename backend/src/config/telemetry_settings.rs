//! The settings whose names are OpenTelemetry's.

use std::time::Duration;

use super::mistake::Mistake;
use super::settings::{Setting, put};
use super::{Endpoint, Telemetry};

/// What a setting in milliseconds may be.
const MILLISECONDS: &str = "a number of milliseconds from 1 to 3600000";
/// What headers and attributes may be.
const PAIRS: &str = "name=value,name=value, the values percent-encoded";
/// The one protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";

/// All of them, in the order in which they are shown.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "otlp-endpoint",
        variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
        about: "where traces and metrics are sent (OTLP), if at all",
        expected: Endpoint::EXPECTED,
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.endpoint, value.parse().ok().map(Some)),
        show: |config| shown(config.telemetry.endpoint.as_ref()),
    },
    Setting {
        key: "otlp-traces-endpoint",
        variable: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        about: "where traces are sent instead, with its path",
        expected: Endpoint::EXPECTED,
        is_secret: false,
        take: |value, config| {
            let endpoint = value.parse().ok().map(Some);
            put(&mut config.telemetry.traces.endpoint, endpoint)
        },
        show: |config| shown(config.telemetry.traces.endpoint.as_ref()),
    },
    Setting {
        key: "otlp-metrics-endpoint",
        variable: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        about: "where metrics are sent instead, with its path",
        expected: Endpoint::EXPECTED,
        is_secret: false,
        take: |value, config| {
            let endpoint = value.parse().ok().map(Some);
            put(&mut config.telemetry.metrics.endpoint, endpoint)
        },
        show: |config| shown(config.telemetry.metrics.endpoint.as_ref()),
    },
    Setting {
        key: "otlp-protocol",
        variable: "OTEL_EXPORTER_OTLP_PROTOCOL",
        about: "how they are sent",
        expected: "http/protobuf, the only protocol that this program speaks (collectors have it at port 4318)",
        is_secret: false,
        take: |value, _| (value == PROTOCOL).then_some(()),
        show: |_| Some(PROTOCOL.to_owned()),
    },
    Setting {
        key: "otlp-headers",
        variable: "OTEL_EXPORTER_OTLP_HEADERS",
        about: "headers for the collector, such as its key",
        expected: PAIRS,
        is_secret: true,
        take: |value, config| put(&mut config.telemetry.headers, value.parse().ok()),
        show: |config| {
            let headers = &config.telemetry.headers;
            (!headers.0.is_empty()).then(|| format!("{headers:?}"))
        },
    },
    Setting {
        key: "otlp-traces-headers",
        variable: "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        about: "headers for traces instead",
        expected: PAIRS,
        is_secret: true,
        take: |value, config| {
            let headers = value.parse().ok().map(Some);
            put(&mut config.telemetry.traces.headers, headers)
        },
        show: |config| {
            let headers = config.telemetry.traces.headers.as_ref();
            headers.map(|headers| format!("{headers:?}"))
        },
    },
    Setting {
        key: "otlp-metrics-headers",
        variable: "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        about: "headers for metrics instead",
        expected: PAIRS,
        is_secret: true,
        take: |value, config| {
            let headers = value.parse().ok().map(Some);
            put(&mut config.telemetry.metrics.headers, headers)
        },
        show: |config| {
            let headers = config.telemetry.metrics.headers.as_ref();
            headers.map(|headers| format!("{headers:?}"))
        },
    },
    Setting {
        key: "otlp-certificate",
        variable: "OTEL_EXPORTER_OTLP_CERTIFICATE",
        about: "the authorities whose collectors are trusted, if not the system's",
        expected: "the path of a file (PEM)",
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.certificate, Some(Some(value.into()))),
        show: |config| {
            let certificate = config.telemetry.certificate.as_ref();
            certificate.map(|path| path.display().to_string())
        },
    },
    Setting {
        key: "otlp-timeout",
        variable: "OTEL_EXPORTER_OTLP_TIMEOUT",
        about: "milliseconds that the collector may take",
        expected: MILLISECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.timeout, milliseconds(value)),
        show: |config| Some(config.telemetry.timeout.as_millis().to_string()),
    },
    Setting {
        key: "otel-service-name",
        variable: "OTEL_SERVICE_NAME",
        about: "what the service is called there, if not backend",
        expected: "a name",
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.service_name, Some(Some(value.into()))),
        show: |config| config.telemetry.service_name.clone(),
    },
    Setting {
        key: "otel-resource-attributes",
        variable: "OTEL_RESOURCE_ATTRIBUTES",
        about: "what else is said of it there",
        expected: PAIRS,
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.attributes, value.parse().ok()),
        show: |config| {
            let attributes = &config.telemetry.attributes;
            (!attributes.0.is_empty()).then(|| attributes.to_string())
        },
    },
    Setting {
        key: "otel-traces-exporter",
        variable: "OTEL_TRACES_EXPORTER",
        about: "whether traces are sent",
        expected: "otlp or none",
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.traces.is_on, exporter(value)),
        show: |config| Some(name_of_exporter(config.telemetry.traces.is_on)),
    },
    Setting {
        key: "otel-metrics-exporter",
        variable: "OTEL_METRICS_EXPORTER",
        about: "whether metrics are sent",
        expected: "otlp or none",
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.metrics.is_on, exporter(value)),
        show: |config| Some(name_of_exporter(config.telemetry.metrics.is_on)),
    },
    Setting {
        key: "otel-traces-sampler",
        variable: "OTEL_TRACES_SAMPLER",
        about: "which traces are sent",
        expected: "always_on, always_off, traceidratio or one of these after parentbased_",
        is_secret: false,
        take: |value, config| {
            let sampling = &mut config.telemetry.sampling;
            put(sampling, sampling.named(value))
        },
        show: |config| config.telemetry.sampling.name().map(str::to_owned),
    },
    Setting {
        key: "otel-traces-sampler-arg",
        variable: "OTEL_TRACES_SAMPLER_ARG",
        about: "the ratio for traceidratio",
        expected: "a number from 0 to 1, such as 0.1 (in the file in quotes)",
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.sampling.ratio, ratio(value)),
        show: |config| Some(config.telemetry.sampling.ratio.to_string()),
    },
    Setting {
        key: "otel-bsp-schedule-delay",
        variable: "OTEL_BSP_SCHEDULE_DELAY",
        about: "milliseconds that a span waits for others",
        expected: MILLISECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.schedule_delay, milliseconds(value)),
        show: |config| Some(config.telemetry.schedule_delay.as_millis().to_string()),
    },
    Setting {
        key: "otel-metric-export-interval",
        variable: "OTEL_METRIC_EXPORT_INTERVAL",
        about: "milliseconds between metrics",
        expected: MILLISECONDS,
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.metric_interval, milliseconds(value)),
        show: |config| Some(config.telemetry.metric_interval.as_millis().to_string()),
    },
    Setting {
        key: "otel-sdk-disabled",
        variable: "OTEL_SDK_DISABLED",
        about: "whether nothing is sent, whatever else is set",
        expected: "true or false",
        is_secret: false,
        take: |value, config| {
            let value = value.to_ascii_lowercase().parse().ok();
            put(&mut config.telemetry.is_disabled, value)
        },
        show: |config| Some(config.telemetry.is_disabled.to_string()),
    },
];

/// What the variables of OpenTelemetry begin with.
pub(super) const PREFIX: &str = "OTEL_";
/// What those begin with that say where something is sent and how.
const EXPORTER: &str = "OTEL_EXPORTER_OTLP_";

/// Whether a variable says how a collector is proved to be one, or this program is proved
/// to it. Those that nothing reads must not be passed over.
pub(super) fn is_proof(name: &str) -> bool {
    let proof = name.strip_prefix(EXPORTER).unwrap_or_default();
    // Nothing sends logs.
    !proof.starts_with("LOGS_") && (proof.ends_with("CERTIFICATE") || proof.ends_with("CLIENT_KEY"))
}

/// What is refused and what is only told, of the mistakes in OpenTelemetry's variables.
/// Tooling sets those for every program of a machine: they are none where nothing is sent.
/// Where something is, what says where and how must be right. What else cannot be is left
/// at its default, as
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> has it.
pub(super) fn judge(
    telemetry: &Telemetry,
    mistakes: Vec<(String, Mistake)>,
) -> (Vec<Mistake>, Vec<Mistake>) {
    let is_endpoint = |(name, _): &(String, Mistake)| name.ends_with("_ENDPOINT");
    let is_sent = telemetry.traces().is_some() || telemetry.metrics().is_some();
    let is_meant = telemetry.is_on() && mistakes.iter().any(is_endpoint);
    if !is_sent && !is_meant {
        return (Vec::new(), Vec::new());
    }
    let of_exporter = |(name, _): &(String, Mistake)| name.starts_with(EXPORTER);
    let (refused, told): (Vec<_>, Vec<_>) = mistakes.into_iter().partition(of_exporter);
    let mistakes = |named: Vec<(String, Mistake)>| named.into_iter().map(|(_, mistake)| mistake);
    (mistakes(refused).collect(), mistakes(told).collect())
}

/// Whether one of the exporters in a list is ours; none of another kind is known.
fn exporter(value: &str) -> Option<bool> {
    let mut names = value.split(',').map(str::trim);
    match value.trim() {
        "none" => Some(false),
        _ => names.any(|name| name == "otlp").then_some(true),
    }
}

fn name_of_exporter(is_on: bool) -> String {
    if is_on { "otlp" } else { "none" }.to_owned()
}

fn shown(endpoint: Option<&Endpoint>) -> Option<String> {
    endpoint.map(ToString::to_string)
}

fn milliseconds(value: &str) -> Option<Duration> {
    let milliseconds: u64 = value.parse().ok()?;
    (1..=3_600_000)
        .contains(&milliseconds)
        .then(|| Duration::from_millis(milliseconds))
}

fn ratio(value: &str) -> Option<f64> {
    value
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
}
