//! Which operation of ECR a request stands for, told by its head alone.

use http::Method;
use http::request::Parts;

/// The operation, in the words of the trail. A request that names nothing is
/// like a login: its credentials are all that is looked at.
pub(crate) fn operation(parts: &Parts) -> &'static str {
    let method = &parts.method;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let path = parts.uri.path().trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    match (segments.as_slice(), method) {
        (["_catalog"], _) => "DescribeRepositories",
        ([.., "tags", "list"], _) => "ListImages",
        ([.., "referrers", _], _) => "ListImageReferrers",
        ([.., "manifests", _], &Method::PUT) => "PutImage",
        ([.., "manifests", _], _) if reads => "BatchGetImage",
        ([.., "blobs", "uploads"], &Method::POST) if is_whole(parts) => "CompleteLayerUpload",
        ([.., "blobs", "uploads"], _) => "InitiateLayerUpload",
        ([.., "blobs", "uploads", _], &Method::PATCH) => "UploadLayerPart",
        ([.., "blobs", "uploads", _], &Method::PUT) => "CompleteLayerUpload",
        ([.., "blobs", "uploads", _], &Method::DELETE) => "CancelUpload",
        ([.., "blobs", "uploads", _], _) => "GetUploadStatus",
        ([.., "blobs", _], &Method::HEAD) => "BatchCheckLayerAvailability",
        ([.., "blobs", _], &Method::GET) => "GetDownloadUrlForLayer",
        ([.., "manifests" | "blobs", _], &Method::DELETE) => "BatchDeleteImage",
        _ => "RegistryLogin",
    }
}

/// Whether the body is a whole blob.
fn is_whole(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "digest")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn every_request_of_the_protocol_stands_for_an_operation() {
        for (method, path, expected) in [
            ("GET", "/v2/", "RegistryLogin"),
            ("GET", "/v2/_catalog", "DescribeRepositories"),
            ("GET", "/v2/a/b/tags/list", "ListImages"),
            ("GET", "/v2/a/referrers/sha256:1", "ListImageReferrers"),
            ("PUT", "/v2/a/manifests/v1", "PutImage"),
            ("HEAD", "/v2/manifests/manifests/v1", "BatchGetImage"),
            ("DELETE", "/v2/a/manifests/v1", "BatchDeleteImage"),
            ("POST", "/v2/a/blobs/uploads/", "InitiateLayerUpload"),
            (
                "POST",
                "/v2/a/blobs/uploads/?mount=sha256:1&from=b",
                "InitiateLayerUpload",
            ),
            (
                "POST",
                "/v2/a/blobs/uploads/?digest=sha256:1",
                "CompleteLayerUpload",
            ),
            ("PATCH", "/v2/a/blobs/uploads/1", "UploadLayerPart"),
            (
                "PUT",
                "/v2/a/blobs/uploads/1?digest=sha256:1",
                "CompleteLayerUpload",
            ),
            ("GET", "/v2/a/blobs/uploads/1", "GetUploadStatus"),
            ("DELETE", "/v2/a/blobs/uploads/1", "CancelUpload"),
            (
                "HEAD",
                "/v2/a/blobs/sha256:1",
                "BatchCheckLayerAvailability",
            ),
            ("GET", "/v2/a/blobs/sha256:1", "GetDownloadUrlForLayer"),
            ("DELETE", "/v2/a/blobs/sha256:1", "BatchDeleteImage"),
        ] {
            let request = Request::builder().method(method).uri(path).body(());
            let (parts, ()) = request.unwrap().into_parts();
            assert_eq!(operation(&parts), expected, "{method} {path}");
        }
    }
}
