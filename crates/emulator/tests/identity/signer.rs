//! Requests signed by the signer of the AWS SDK for Rust.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use jiff::Timestamp;

/// An access key, or the credentials of a session.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
}

/// What a signature is bound to.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) time: Timestamp,
}

/// A request that may be altered before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

const FORM: &str = "application/x-www-form-urlencoded";

impl Signed {
    /// A form, signed in its headers.
    pub(crate) fn form(url: &str, body: String, keys: &Keys, scope: Scope<'_>) -> Self {
        let unsigned = Self {
            url: url.to_owned(),
            headers: vec![("content-type".to_owned(), FORM.to_owned())],
            body,
        };
        unsigned.sign("POST", keys, scope, None)
    }

    /// A call in the query of a presigned address.
    pub(crate) fn presigned(url: &str, query: &str, keys: &Keys, scope: Scope<'_>) -> Self {
        let unsigned = Self {
            url: format!("{url}/?{query}"),
            headers: Vec::new(),
            body: String::new(),
        };
        let expires = Some(Duration::from_mins(1));
        unsigned.sign("GET", keys, scope, expires)
    }

    /// Signs in the query where that has an expiry.
    fn sign(
        mut self,
        method: &str,
        keys: &Keys,
        scope: Scope<'_>,
        expires: Option<Duration>,
    ) -> Self {
        let token = keys.session_token.clone();
        let identity = Credentials::new(&keys.id, &keys.secret, token, None, "test").into();
        let mut settings = SigningSettings::default();
        if expires.is_some() {
            settings.signature_location = SignatureLocation::QueryParams;
        }
        settings.expires_in = expires;
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(SystemTime::try_from(scope.time).unwrap())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let body = SignableBody::Bytes(self.body.as_bytes());
        let signable = SignableRequest::new(method, &self.url, headers, body).unwrap();
        let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
        let mut request = http::Request::builder().uri(&self.url).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        for (name, value) in request.headers() {
            let value = value.to_str().unwrap().to_owned();
            self.headers.push((name.to_string(), value));
        }
        self.url = request.uri().to_string();
        self
    }

    /// Sets a header to another value, or adds it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> String {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().unwrap().1.clone()
    }
}
