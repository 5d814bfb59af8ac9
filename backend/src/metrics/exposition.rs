//! `/metrics`, on a listener of its own: what it tells is for operators. It is
//! Prometheus's text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{self, Write as _};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use super::reading::{Label, Metric, Name, Point, Points, read};
use super::{BOUNDS, Durations};
use crate::app::AppState;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `/metrics`.
pub fn app(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(state)
}

async fn metrics(State(state): State<AppState>) -> ([(HeaderName, &'static str); 1], String) {
    let mut text = String::new();
    for metric in read(&state).await.metrics {
        // Writing into a string does not fail.
        let _ = write_metric(&mut text, &metric);
    }
    ([(CONTENT_TYPE, TEXT)], text)
}

fn write_metric(text: &mut String, metric: &Metric) -> fmt::Result {
    let Some(name) = metric.name.prometheus else {
        return Ok(());
    };
    let kind = match metric.points {
        Points::Counts(_) => "counter",
        Points::Levels(_) => "gauge",
        Points::Durations(_) => "histogram",
    };
    writeln!(text, "# HELP {name} {}", metric.about)?;
    writeln!(text, "# TYPE {name} {kind}")?;
    match &metric.points {
        Points::Counts(points) | Points::Levels(points) => {
            for Point { labels, value } in points {
                writeln!(text, "{name}{} {value}", in_braces(labels, None)?)?;
            }
        }
        Points::Durations(points) => {
            for point in points {
                write_durations(text, name, point)?;
            }
        }
    }
    Ok(())
}

fn write_durations(text: &mut String, name: &str, point: &Point<Durations>) -> fmt::Result {
    let Point { labels, value } = point;
    let mut count = 0;
    let bounds = BOUNDS.map(|bound| format!("{bound:?}"));
    let bounds = bounds.iter().map(String::as_str).chain(["+Inf"]);
    for (bound, of_class) in bounds.zip(value.counts) {
        count += of_class;
        let labels = in_braces(labels, Some(bound))?;
        writeln!(text, "{name}_bucket{labels} {count}")?;
    }
    let labels = in_braces(labels, None)?;
    writeln!(text, "{name}_sum{labels} {}", value.sum)?;
    writeln!(text, "{name}_count{labels} {count}")
}

/// The labels, and `le` if it is one; nothing if there is none.
fn in_braces(labels: &[(Name, Label)], bound: Option<&str>) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let mut write = |name: &str, value: &str| {
        let separator = if text.is_empty() { '{' } else { ',' };
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        write!(text, "{separator}{name}=\"{value}\"")
    };
    for (name, label) in labels {
        if let Some(name) = name.prometheus {
            match label {
                Label::Text(value) => write(name, value)?,
                Label::Number(value) => write(name, &value.to_string())?,
            }
        }
    }
    if let Some(bound) = bound {
        write("le", bound)?;
    }
    if !text.is_empty() {
        text.push('}');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_label_is_written_so_that_it_is_read_as_it_was() {
        let name = Name {
            prometheus: Some("route"),
            otlp: None,
        };
        let label = Label::Text("/a\"b\\c\nd".to_owned());
        let written = in_braces(&[(name, label)], Some("+Inf"));
        assert_eq!(written.as_deref(), Ok(r#"{route="/a\"b\\c\nd",le="+Inf"}"#));
    }

    #[test]
    fn classes_add_up_and_their_bounds_belong_to_them() {
        let metrics = crate::metrics::Metrics::default();
        for milliseconds in [1, 2, 20_000] {
            let duration = std::time::Duration::from_millis(milliseconds);
            metrics.count("BREW", "/", 200, duration);
        }
        let (answered, value) = metrics.durations().first_key_value().map_or_else(
            || panic!("nothing was counted"),
            |(answered, value)| (answered.clone(), value.clone()),
        );
        assert_eq!(answered.method, "_OTHER");
        let point = Point {
            labels: Vec::new(),
            value,
        };
        let mut text = String::new();
        write_durations(&mut text, "d", &point).expect("text");
        for line in [
            "d_bucket{le=\"0.0005\"} 0\n",
            "d_bucket{le=\"0.001\"} 1\n",
            "d_bucket{le=\"0.0025\"} 2\n",
            "d_bucket{le=\"10.0\"} 2\n",
            "d_bucket{le=\"+Inf\"} 3\n",
            "d_sum 20.003\n",
            "d_count 3\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
