//! What is expected of every case: by the specification, and by ECR where it
//! answers otherwise.

/// One case.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The answer: a status, with a code or a header that matters.
    pub(crate) specification: &'static str,
    pub(crate) ecr: Option<Ecr>,
}

/// Where ECR departs.
pub(crate) struct Ecr {
    pub(crate) answer: &'static str,
    pub(crate) source: &'static str,
    /// Names of the conformance suite's tests that do not pass therefore; `*`
    /// stands for any text.
    suite: &'static [&'static str],
}

/// A case in which both are of one mind.
const fn same(name: &'static str, specification: &'static str) -> Case {
    Case {
        name,
        specification,
        ecr: None,
    }
}

/// A case in which ECR answers otherwise.
const fn ecr(name: &'static str, specification: &'static str, ecr: Ecr) -> Case {
    Case {
        name,
        specification,
        ecr: Some(ecr),
    }
}

const CHUNKS: &str = "aws/containers-roadmap#2831";
const SMALL_CHUNKS: &str = "dotnet/sdk-container-builds#424";

const CASES: &[Case] = &[
    // Pull.
    same("blob that is not there", "404 BLOB_UNKNOWN"),
    same("HEAD of a blob", "200, length, digest"),
    ecr(
        "GET of a blob",
        "200",
        Ecr {
            answer: "307",
            source: "Amazon ECR User Guide, common-errors-docker",
            suite: &[],
        },
    ),
    same("manifest that is not there", "404 MANIFEST_UNKNOWN"),
    same("HEAD of a manifest", "200, type, length, digest"),
    ecr(
        "GET of a manifest",
        "200, type, length, digest",
        Ecr {
            answer: "200, type, length",
            source: "aws/containers-roadmap#1931",
            suite: &[],
        },
    ),
    same("digest that is none", "400 DIGEST_INVALID"),
    ecr(
        "SHA-512",
        "201",
        Ecr {
            answer: "400 DIGEST_INVALID",
            source: "inferred",
            suite: &["sha512 blobs/*", "sha512/*"],
        },
    ),
    same("content that the client has", "304"),
    // Push.
    same("blob in one POST", "201, location"),
    same("blob in POST and PUT", "201, location"),
    ecr(
        "chunk",
        "202, location",
        Ecr {
            answer: "201, location",
            source: CHUNKS,
            suite: &["*/blob-patch-chunked", "*/blob-patch-stream"],
        },
    ),
    ecr(
        "range after the second chunk",
        "0-5242889",
        Ecr {
            answer: "0-5242879",
            source: CHUNKS,
            suite: &[],
        },
    ),
    ecr(
        "chunks below 5 MiB",
        "201",
        Ecr {
            answer: "400 BLOB_UPLOAD_INVALID",
            source: SMALL_CHUNKS,
            suite: &[],
        },
    ),
    same("chunk out of order", "416"),
    same("chunk that is not as long as its range", "400 SIZE_INVALID"),
    same("upload after its end", "404 BLOB_UPLOAD_UNKNOWN"),
    same("upload given up", "204"),
    ecr(
        "blob with a wrong digest",
        "400 DIGEST_INVALID",
        Ecr {
            answer: "400 BLOB_UPLOAD_INVALID",
            source: SMALL_CHUNKS,
            suite: &[],
        },
    ),
    ecr(
        "manifest",
        "201, location, digest",
        Ecr {
            answer: "201, digest",
            source: "apple/swift-container-plugin#27",
            suite: &["*/push/manifest-by-digest", "*/push/manifest-by-tag"],
        },
    ),
    same("manifest with a wrong digest", "400 DIGEST_INVALID"),
    ecr(
        "manifest that is none",
        "400 MANIFEST_INVALID",
        Ecr {
            answer: "405 UNSUPPORTED",
            source: "falcosecurity/falcoctl#302",
            suite: &[],
        },
    ),
    ecr(
        "media type with a parameter",
        "201",
        Ecr {
            answer: "405 UNSUPPORTED",
            source: "aws/containers-roadmap#2306",
            suite: &[],
        },
    ),
    same("manifest without its blobs", "404 MANIFEST_BLOB_UNKNOWN"),
    ecr(
        "tag put again in an immutable repository",
        "201",
        Ecr {
            answer: "400 TAG_INVALID",
            source: "Amazon ECR User Guide, image-tag-mutability",
            suite: &[],
        },
    ),
    ecr(
        "mount from a repository",
        "201, location",
        Ecr {
            answer: "202, location",
            source: "Amazon ECR User Guide, blob-mounting; aws/containers-roadmap#2860",
            suite: &["*/blob-mount"],
        },
    ),
    ecr(
        "mount from anywhere",
        "201, location",
        Ecr {
            answer: "202, location",
            source: "inferred",
            suite: &["*/blob-mount-anonymous"],
        },
    ),
    same("mount of what is not there", "202, location"),
    same("mount of what the caller may not read", "202, location"),
    same("mount from no name", "400 NAME_INVALID"),
    // Discovery.
    same("tags of an unknown repository", "404 NAME_UNKNOWN"),
    same("number of tags that is none", "400 UNSUPPORTED"),
    // Management.
    same("DELETE of a tag", "202"),
    same("DELETE of a manifest", "202"),
    ecr(
        "DELETE of a manifest that an index lists",
        "202",
        Ecr {
            answer: "405 UNSUPPORTED",
            source: "inferred",
            suite: &[],
        },
    ),
    ecr(
        "manifest whose last tag was deleted",
        "200",
        Ecr {
            answer: "404",
            source: "inferred, from BatchDeleteImage",
            suite: &[],
        },
    ),
    ecr(
        "DELETE of a blob",
        "202",
        Ecr {
            answer: "405 UNSUPPORTED",
            source: "inferred",
            suite: &["*/blob-delete"],
        },
    ),
];

/// The case of a name.
pub(crate) fn case(name: &str) -> &'static Case {
    let found = CASES.iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("no case is named `{name}`"))
}

#[test]
fn the_page_lists_every_test_of_the_suite_that_ecr_does_not_pass() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/registry.md");
    let page = fs_err::read_to_string(page).unwrap();
    let rows: Vec<String> = CASES.iter().filter_map(row).collect();
    let head = "| tests of the suite | the specification | ECR | source |\n|---|---|---|---|\n";
    let table = format!("{head}{}", rows.concat());
    assert!(
        page.contains(&table),
        "docs/registry.md must contain this table:\n{table}"
    );
}

/// The row of a case that tests of the suite do not pass.
fn row(case: &Case) -> Option<String> {
    let ecr = case.ecr.as_ref().filter(|ecr| !ecr.suite.is_empty())?;
    let tests: Vec<String> = ecr.suite.iter().map(|test| format!("`{test}`")).collect();
    let (tests, name, specified) = (tests.join(" "), case.name, case.specification);
    let Ecr { answer, source, .. } = ecr;
    Some(format!(
        "| {tests} | {name}: {specified} | {answer} | {source} |\n"
    ))
}
