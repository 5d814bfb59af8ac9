//! The settings whose names are OpenTelemetry's.

use std::time::Duration;

use super::settings::{Setting, put};
use super::telemetry::Endpoint;

/// What a setting in milliseconds may be.
const MILLISECONDS: &str = "a number of milliseconds from 1 to 3600000";
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
        show: |config| config.telemetry.endpoint.as_ref().map(ToString::to_string),
    },
    Setting {
        key: "otlp-traces-endpoint",
        variable: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        about: "where traces are sent instead, with its path",
        expected: Endpoint::EXPECTED,
        is_secret: false,
        take: |value, config| {
            let endpoint = value.parse().ok().map(Some);
            put(&mut config.telemetry.traces_endpoint, endpoint)
        },
        show: |config| {
            let endpoint = config.telemetry.traces_endpoint.as_ref();
            endpoint.map(ToString::to_string)
        },
    },
    Setting {
        key: "otlp-metrics-endpoint",
        variable: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        about: "where metrics are sent instead, with its path",
        expected: Endpoint::EXPECTED,
        is_secret: false,
        take: |value, config| {
            let endpoint = value.parse().ok().map(Some);
            put(&mut config.telemetry.metrics_endpoint, endpoint)
        },
        show: |config| {
            let endpoint = config.telemetry.metrics_endpoint.as_ref();
            endpoint.map(ToString::to_string)
        },
    },
    Setting {
        key: "otlp-protocol",
        variable: "OTEL_EXPORTER_OTLP_PROTOCOL",
        about: "how they are sent",
        expected: "http/protobuf, the only protocol that this program speaks",
        is_secret: false,
        take: |value, _| (value == PROTOCOL).then_some(()),
        show: |_| Some(PROTOCOL.to_owned()),
    },
    Setting {
        key: "otlp-headers",
        variable: "OTEL_EXPORTER_OTLP_HEADERS",
        about: "headers for the collector, such as its key",
        expected: "name=value,name=value, the values percent-encoded",
        is_secret: true,
        take: |value, config| put(&mut config.telemetry.headers, value.parse().ok()),
        show: |config| {
            let headers = &config.telemetry.headers;
            (!headers.0.is_empty()).then(|| format!("{headers:?}"))
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
        expected: "name=value,name=value, the values percent-encoded",
        is_secret: false,
        take: |value, config| put(&mut config.telemetry.attributes, value.parse().ok()),
        show: |config| {
            let attributes = &config.telemetry.attributes;
            (!attributes.0.is_empty()).then(|| attributes.to_string())
        },
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
