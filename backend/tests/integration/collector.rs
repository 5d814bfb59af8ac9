//! A collector of OpenTelemetry: it reads what comes with OpenTelemetry's own types.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// It listens, on a thread of its own, as long as the test process lives.
pub(crate) struct Collector {
    pub(crate) address: String,
    requests: Receiver<Received>,
}

/// A request as it came.
pub(crate) struct Received {
    /// Method and path.
    pub(crate) target: String,
    /// With names in lower case.
    pub(crate) headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// The attributes by name, numbers as text.
pub(crate) type Attributes = HashMap<String, String>;

/// How long what must come may take where everything else is slow too.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

impl Collector {
    /// One that takes everything.
    pub(crate) fn start() -> Self {
        Self::on("127.0.0.1:0", Vec::new())
    }

    /// One that gives the first requests these answers, and takes those after.
    pub(crate) fn on(address: &str, answers: Vec<&'static str>) -> Self {
        let listener = TcpListener::bind(address).expect("an address");
        let address = listener.local_addr().expect("an address").to_string();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                let stream = stream.expect("a connection");
                // Nobody may wait for the answer any more.
                let _ = serve(stream, answers.next().unwrap_or(TAKEN), &sender);
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request of a signal; others are let go.
    pub(crate) fn next(&self, path: &str) -> Received {
        let target = format!("POST {path}");
        loop {
            let request = self.requests.recv_timeout(PATIENCE).expect("a request");
            if request.target == target {
                return request;
            }
        }
    }

    /// The spans that come until one is called `name`, and that one.
    pub(crate) fn spans_until(&self, name: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        while !spans.iter().any(|span: &Span| span.name == name) {
            spans.extend(self.next("/v1/traces").spans().1);
        }
        spans
    }

    /// What has come of a signal by now; others are let go.
    pub(crate) fn all(&self, path: &str) -> Vec<Received> {
        let target = format!("POST {path}");
        let requests = self.requests.try_iter();
        requests.filter(|it| it.target == target).collect()
    }
}

/// Reads one request, and answers it.
pub(crate) fn serve(
    stream: impl Read + Write,
    answer: &str,
    requests: &Sender<Received>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let target = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let received = Received {
        target,
        headers,
        body,
    };
    // The test may have seen enough.
    let _ = requests.send(received);
    stream.get_mut().write_all(answer.as_bytes())
}

impl Received {
    /// The resource and the spans.
    pub(crate) fn spans(&self) -> (Attributes, Vec<Span>) {
        let request = ExportTraceServiceRequest::decode(&*self.body).expect("spans");
        let [of_resource] = <[_; 1]>::try_from(request.resource_spans).expect("one resource");
        let [of_scope] = <[_; 1]>::try_from(of_resource.scope_spans).expect("one scope");
        assert_scope(of_scope.scope);
        (resource(of_resource.resource), of_scope.spans)
    }

    /// The resource and the metrics by name.
    pub(crate) fn metrics(&self) -> (Attributes, HashMap<String, Metric>) {
        let request = ExportMetricsServiceRequest::decode(&*self.body).expect("metrics");
        let [of_resource] = <[_; 1]>::try_from(request.resource_metrics).expect("one resource");
        let [of_scope] = <[_; 1]>::try_from(of_resource.scope_metrics).expect("one scope");
        assert_scope(of_scope.scope);
        let metrics = of_scope.metrics.into_iter();
        let by_name = metrics.map(|metric| (metric.name.clone(), metric));
        (resource(of_resource.resource), by_name.collect())
    }
}

fn assert_scope(scope: Option<InstrumentationScope>) {
    assert_eq!(scope.expect("a scope").name, "backend");
}

fn resource(resource: Option<Resource>) -> Attributes {
    attributes(&resource.expect("a resource").attributes)
}

pub(crate) fn attributes(attributes: &[KeyValue]) -> Attributes {
    let plain = |attribute: &KeyValue| {
        let value = attribute.value.clone().and_then(|value| value.value);
        let value = match value.expect("a value") {
            Value::StringValue(text) => text,
            Value::IntValue(number) => number.to_string(),
            other => panic!("{other:?}"),
        };
        (attribute.key.clone(), value)
    };
    attributes.iter().map(plain).collect()
}
