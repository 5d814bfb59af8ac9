//! How near the registry is to ECR's.

use super::behaviour::DEVIATIONS;
use crate::fidelity::Fidelity::{self, Documented, Inferred, NotEmulated};
use crate::fidelity::{Chapter, Row};

/// The chapter about the registry.
pub(crate) fn fidelity() -> Chapter {
    Chapter {
        title: "The registry",
        about: "Requests of the OCI distribution specification v1.1, under `/v2/`, as ECR \
                answers them; what is known of ECR is often a report of its users, which is \
                named. `--spec-registry` leaves out what departs from the specification \
                ([registry.md](registry.md)). A request that is not here is 405 `UNSUPPORTED`."
            .to_owned(),
        calls: CALLS.to_vec(),
        behaviours: BEHAVIOURS,
        deviations: DEVIATIONS,
    }
}

const SPECIFICATION: Fidelity = Documented("distribution specification");

#[rustfmt::skip] // one line for each, to be read as a table
const CALLS: &[Row] = &[
    ("GET /v2/", SPECIFICATION),
    ("HEAD /v2/NAME/blobs/DIGEST", SPECIFICATION),
    ("GET /v2/NAME/blobs/DIGEST", SPECIFICATION),
    ("DELETE /v2/NAME/blobs/DIGEST", Inferred("405 `UNSUPPORTED`: layers go with their images")),
    ("POST /v2/NAME/blobs/uploads/", SPECIFICATION),
    ("POST /v2/NAME/blobs/uploads/?digest=DIGEST", SPECIFICATION),
    ("POST /v2/NAME/blobs/uploads/?mount=DIGEST", Documented("distribution specification; Amazon ECR User Guide, Blob mounting")),
    ("GET /v2/NAME/blobs/uploads/ID", Inferred("needs `ecr:UploadLayerPart`")),
    ("PATCH /v2/NAME/blobs/uploads/ID", SPECIFICATION),
    ("PUT /v2/NAME/blobs/uploads/ID?digest=DIGEST", Inferred("bytes in the body need `ecr:UploadLayerPart` too")),
    ("DELETE /v2/NAME/blobs/uploads/ID", Inferred("needs `ecr:UploadLayerPart`; the specification does not have it, Docker's registry does")),
    ("HEAD /v2/NAME/manifests/REFERENCE", SPECIFICATION),
    ("GET /v2/NAME/manifests/REFERENCE", SPECIFICATION),
    ("PUT /v2/NAME/manifests/REFERENCE", SPECIFICATION),
    ("DELETE /v2/NAME/manifests/REFERENCE", Inferred("needs `ecr:BatchDeleteImage`")),
    ("GET /v2/NAME/tags/list", Inferred("needs `ecr:ListImages`")),
    ("GET /v2/NAME/referrers/DIGEST", Documented("distribution specification; service model, `ListImageReferrers`")),
    ("GET /v2/_catalog", Inferred("needs `ecr:DescribeRepositories`; pages have 1,000 names at most")),
];

#[rustfmt::skip] // one line for each, to be read as a table
const BEHAVIOURS: &[Row] = &[
    ("which permission a request needs", Documented("Amazon ECR User Guide, IAM permissions for pushing and pulling")),
    ("a login", Documented("Amazon ECR User Guide, Private registry authentication: HTTP Basic, twelve hours, one region")),
    ("a login whose session has ended", Inferred("goes on until its own end")),
    ("a login that has expired", Inferred("403")),
    ("a login of another region", Inferred("403 `Not Authorized`")),
    ("a login that cannot be read", Inferred("400")),
    ("a manifest that names a blob which is not there", Inferred("404 `MANIFEST_BLOB_UNKNOWN`")),
    ("statuses of ECR's exceptions", Inferred("except 403, those of the specification's code")),
    ("an address of a layer", Inferred("is good for an hour, as the `X-Amz-Expires` of AWS's addresses, and until the emulator stops or its state is replaced")),
    ("hosts of registries", Documented("Amazon ECR User Guide, Amazon ECR endpoints")),
    ("conditions and ranges", Documented("RFC 9110, sections 13 and 14")),
    ("manifests of Docker and of OCI, converted into each other", NotEmulated("a pull gets what was pushed; `BatchGetImage` converts")),
    ("an upload to a repository that does not exist", NotEmulated("404 `NAME_UNKNOWN`; ECR is reported to cut the connection (aws/containers-roadmap#1970)")),
    ("`GET` of an upload, as ECR Public answers it (404)", NotEmulated("204 (dotnet/sdk#33019)")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::route::Route;

    #[test]
    fn every_call_is_one_that_the_registry_routes() {
        for (call, _) in CALLS {
            let (_, path) = call.split_once(' ').unwrap();
            let (path, _) = path.split_once('?').unwrap_or((path, ""));
            let digest = oci::Digest::of(b"").to_string();
            let path = path.replace("NAME", "team/app").replace("DIGEST", &digest);
            let path = path.replace("REFERENCE", "v1").replace("ID", "1");
            assert!(
                Route::parse(&path, &[oci::Algorithm::Sha256]).is_ok(),
                "{call}"
            );
        }
    }
}
