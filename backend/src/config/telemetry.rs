//! Where traces and metrics are sent, under the standard names of OpenTelemetry
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Endpoint;

/// What is sent where. Without an endpoint nothing is.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// Whether nothing is sent whatever else is said.
    pub is_disabled: bool,
    /// The collector, for traces and metrics.
    pub endpoint: Option<Endpoint>,
    /// What every request to it carries.
    pub headers: Headers,
    /// What counts for traces alone.
    pub traces: Signal,
    /// What counts for metrics alone.
    pub metrics: Signal,
    /// The file with the authorities that are trusted, if not the system's.
    pub certificate: Option<PathBuf>,
    /// How long a collector may take to answer.
    pub timeout: Duration,
    /// What this service is called.
    pub service_name: Option<String>,
    /// What else is said of it.
    pub attributes: Attributes,
    /// Which traces are sent.
    pub sampling: Sampling,
    /// How long a span waits for others, at most.
    pub schedule_delay: Duration,
    /// How often metrics are sent.
    pub metric_interval: Duration,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            is_disabled: false,
            endpoint: None,
            headers: Headers::default(),
            traces: Signal::default(),
            metrics: Signal::default(),
            certificate: None,
            timeout: Duration::from_secs(10),
            service_name: None,
            attributes: Attributes::default(),
            sampling: Sampling::default(),
            schedule_delay: Duration::from_secs(5),
            metric_interval: Duration::from_mins(1),
        }
    }
}

impl Telemetry {
    /// Where traces are sent, if they are.
    pub fn traces(&self) -> Option<Destination> {
        self.of_signal(&self.traces, "v1/traces")
    }

    /// Where metrics are sent, if they are.
    pub fn metrics(&self) -> Option<Destination> {
        self.of_signal(&self.metrics, "v1/metrics")
    }

    /// Whether an endpoint would have anything sent to it.
    pub(super) fn is_on(&self) -> bool {
        !self.is_disabled && (self.traces.is_on || self.metrics.is_on)
    }

    /// An endpoint of the signal is taken as it is, the common one has `path` after it.
    fn of_signal(&self, signal: &Signal, path: &str) -> Option<Destination> {
        if self.is_disabled || !signal.is_on {
            return None;
        }
        let own = signal.endpoint.clone();
        let common = || self.endpoint.as_ref()?.below(path);
        Some(Destination {
            endpoint: own.or_else(common)?,
            headers: signal.headers.as_ref().unwrap_or(&self.headers).clone(),
        })
    }
}

/// What counts for one signal alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Whether it is sent where there is an endpoint.
    pub is_on: bool,
    /// Where it goes instead.
    pub endpoint: Option<Endpoint>,
    /// What its requests carry instead.
    pub headers: Option<Headers>,
}

impl Default for Signal {
    fn default() -> Self {
        Self {
            is_on: true,
            endpoint: None,
            headers: None,
        }
    }
}

/// Where a signal is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// The whole address.
    pub endpoint: Endpoint,
    /// What every request carries.
    pub headers: Headers,
}

/// Headers, which may be secret: they are printed without their values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub HeaderMap);

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromStr for Headers {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs(text)? {
            let name: HeaderName = name.parse().map_err(drop)?;
            let mut value: HeaderValue = value.parse().map_err(drop)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self(headers))
    }
}

/// Attributes of the resource, as `OTEL_RESOURCE_ATTRIBUTES` has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<(String, String)>);

impl FromStr for Attributes {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        pairs(text).map(Self)
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            write!(formatter, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

/// `name=value,name=value`, the values percent-encoded, as in W3C's baggage.
fn pairs(text: &str) -> Result<Vec<(String, String)>, ()> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or(())?;
        let value = percent_decode_str(value.trim()).decode_utf8();
        let name = name.trim();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let value = value.map_err(drop)?.into_owned();
        is_name.then(|| (name.to_owned(), value)).ok_or(())
    };
    text.split(',')
        .filter(|part| !part.trim().is_empty())
        .map(pair)
        .collect()
}

/// Which traces are sent (`OTEL_TRACES_SAMPLER`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Whether what the caller says counts for its own trace.
    pub follows_caller: bool,
    /// Which others are.
    pub share: Share,
    /// The part of the traces where it is one, from 0 to 1.
    pub ratio: f64,
}

/// How many traces are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Every one.
    All,
    /// None.
    None,
    /// A part of them.
    Part,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            follows_caller: true,
            share: Share::All,
            ratio: 1.0,
        }
    }
}

/// The samplers by name.
const SAMPLERS: [(&str, bool, Share); 6] = [
    ("always_on", false, Share::All),
    ("always_off", false, Share::None),
    ("traceidratio", false, Share::Part),
    ("parentbased_always_on", true, Share::All),
    ("parentbased_always_off", true, Share::None),
    ("parentbased_traceidratio", true, Share::Part),
];

impl Sampling {
    /// Its name among the samplers.
    pub(super) fn name(self) -> Option<&'static str> {
        let found = SAMPLERS
            .iter()
            .find(|(_, follows, share)| (*follows, *share) == (self.follows_caller, self.share));
        found.map(|(name, ..)| *name)
    }

    /// The sampler of this name, with the ratio of this one.
    pub(super) fn named(self, name: &str) -> Option<Self> {
        let (_, follows_caller, share) = SAMPLERS
            .into_iter()
            .find(|(own, ..)| own.eq_ignore_ascii_case(name))?;
        Some(Self {
            follows_caller,
            share,
            ..self
        })
    }

    /// Whether a trace is sent; `caller` is what its caller decided. A part of the traces
    /// is one by their ids, as in the SDKs: services of the same ratio choose the same ones.
    pub fn takes(self, trace_id: u128, caller: Option<bool>) -> bool {
        if let Some(decided) = caller.filter(|_| self.follows_caller) {
            return decided;
        }
        match self.share {
            Share::All => true,
            Share::None => false,
            Share::Part => {
                let low = trace_id & u128::from(u64::MAX);
                low >> 1 < self.bound()
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "from 0 to 2^63, and precise enough for a ratio"
    )]
    fn bound(self) -> u128 {
        (self.ratio * (1_u64 << 63) as f64) as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "otlp")]
    fn what_a_signal_has_of_its_own_counts_and_what_is_off_goes_nowhere() {
        let mut telemetry = Telemetry {
            endpoint: "http://collector:4318/otlp/".parse().ok(),
            headers: "key=common".parse().expect("headers"),
            ..Telemetry::default()
        };
        let of = |destination: Option<Destination>| {
            let Destination { endpoint, headers } = destination.expect("a destination");
            let key = headers.0["key"].to_str().expect("text").to_owned();
            (endpoint.to_string(), key)
        };
        let both = |address: &str, key: &str| (address.to_owned(), key.to_owned());
        assert_eq!(
            of(telemetry.traces()),
            both("http://collector:4318/otlp/v1/traces", "common")
        );
        let metrics = both("http://collector:4318/otlp/v1/metrics", "common");
        assert_eq!(of(telemetry.metrics()), metrics);
        telemetry.traces.endpoint = "http://other:4318/t".parse().ok();
        telemetry.traces.headers = "key=own".parse().ok();
        assert_eq!(of(telemetry.traces()), both("http://other:4318/t", "own"));
        assert_eq!(of(telemetry.metrics()), metrics);
        telemetry.traces.is_on = false;
        assert_eq!(telemetry.traces(), None);
        assert_eq!(of(telemetry.metrics()), metrics);
        telemetry.is_disabled = true;
        assert_eq!(telemetry.metrics(), None);
    }

    #[test]
    fn pairs_are_decoded_and_headers_printed_without_their_values() {
        let headers: Headers = "Authorization=Basic%20c2VjcmV0, x-team = a "
            .parse()
            .expect("headers");
        assert_eq!(headers.0["authorization"], "Basic c2VjcmV0");
        assert_eq!(headers.0["x-team"], "a");
        let printed = format!("{headers:?} {:?}", headers.0);
        assert!(!printed.contains("c2VjcmV0"), "{printed}");
        for refused in ["a", "=b", "a b=c", "a=%0a", "ü=a"] {
            assert!(refused.parse::<Headers>().is_err(), "{refused}");
        }
        let attributes: Attributes = "deployment.environment.name=a%2Cb%3D%20,c="
            .parse()
            .expect("pairs");
        assert_eq!(attributes.0[0].1, "a,b= ");
        assert_eq!(attributes.to_string().parse(), Ok(attributes));
    }

    #[test]
    fn a_sampler_follows_the_caller_or_not_and_a_ratio_is_one_of_ids() {
        let sampler = |name, ratio| {
            let default = Sampling {
                ratio,
                ..Sampling::default()
            };
            let sampling = default.named(name).expect("a sampler");
            assert_eq!(sampling.name(), Some(name));
            move |id, caller| sampling.takes(id, caller)
        };
        let always = sampler("always_on", 0.0);
        assert!(always(1, Some(false)) && always(1, None));
        let follows = sampler("parentbased_always_off", 1.0);
        assert!(follows(1, Some(true)) && !follows(1, Some(false)) && !follows(1, None));
        let half = sampler("traceidratio", 0.5);
        assert!(half(u128::from(u64::MAX / 2), Some(false)));
        assert!(!half(u128::from(u64::MAX / 2 + 2), Some(true)));
        let (all, none) = (sampler("traceidratio", 1.0), sampler("traceidratio", 0.0));
        assert!(all(u128::MAX, None) && !none(0, None));
        assert_eq!(Sampling::default().named("jaeger_remote"), None);
    }
}
