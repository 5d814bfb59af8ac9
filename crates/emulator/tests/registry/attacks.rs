//! What no client of good will sends: refused with a clear error, nothing has
//! changed afterwards, and others are served meanwhile. Each test is a line of
//! `docs/attacks.md`.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use oci::{Descriptor, Digest, media_type};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bystander::beside;
use crate::served::{REPOSITORY, header};
use crate::side::{NAME, Side, describe, seen};

/// Sends bytes as they are and returns all that comes back.
async fn raw(side: &Side, request: String) -> String {
    let host = side.served.host().to_owned();
    let work = move || {
        let mut stream = TcpStream::connect(host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        // A server may refuse, and close, before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// A request head with a login, and without an end.
fn head(side: &Side, method: &str, target: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\nconnection: close\r\n",
        side.served.host(),
        side.login()
    )
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {answer:?}"))
}

/// A request of somebody else.
async fn is_served(side: &Side) {
    let tags = side.get(&format!("/v2/{NAME}/tags/list")).await;
    assert_eq!(tags.status(), 200);
}

/// Every file of the emulator but its trail, which grows, and its database.
fn files(side: &Side) -> BTreeSet<String> {
    fn walk(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("trail") {
                walk(&path, found);
            }
            found.insert(path.display().to_string());
        }
    }
    let mut found = BTreeSet::new();
    walk(side.data(), &mut found);
    found
}

/// Targets that name nothing, climb, or are no targets.
fn odd_targets() -> Vec<String> {
    let long = "a".repeat(257);
    let digest = Digest::of(b"");
    vec![
        "/v2/../../../etc/passwd".to_owned(),
        "/v2/%2e%2e/%2e%2e/manifests/v1".to_owned(),
        "/v2/..%2f..%2fetc/manifests/v1".to_owned(),
        "/v2/a%2f..%2fb/tags/list".to_owned(),
        "/v2/a/./b/tags/list".to_owned(),
        "/v2//a/tags/list".to_owned(),
        "/v2/a//b/tags/list".to_owned(),
        "/v2/a/tags/list/".to_owned(),
        "/v2/a%00b/tags/list".to_owned(),
        "/v2/%00/tags/list".to_owned(),
        "/v2/%c0%ae%c0%ae/tags/list".to_owned(),
        "/v2/%ff%fe/tags/list".to_owned(),
        "/v2/%E2%80%AE/tags/list".to_owned(),
        "/v2/%C3%BCber/tags/list".to_owned(),
        "/v2/Upper/tags/list".to_owned(),
        "/v2/a b/tags/list".to_owned(),
        "/v2/-a/tags/list".to_owned(),
        "/v2/a_/tags/list".to_owned(),
        "/v2/a...b/tags/list".to_owned(),
        "/v2/a\\b/tags/list".to_owned(),
        "/v2/a?b#c/tags/list".to_owned(),
        format!("/v2/{long}/tags/list"),
        format!("/v2/{}/tags/list", "a/".repeat(2000)),
        format!("/v2/{NAME}/manifests/..%2f..%2fstate.redb"),
        format!("/v2/{NAME}/manifests/{}", "t".repeat(129)),
        format!("/v2/{NAME}/manifests/.hidden"),
        format!("/v2/{NAME}/manifests/%00"),
        format!("/v2/{NAME}/blobs/..%2f..%2fstate.redb"),
        format!("/v2/{NAME}/blobs/sha256:..%2f..%2fstate.redb"),
        format!("/v2/{NAME}/blobs/sha256:{}", "0".repeat(63)),
        format!("/v2/{NAME}/blobs/sha256:{}", "0".repeat(65)),
        format!("/v2/{NAME}/blobs/sha256:{}", "A".repeat(64)),
        format!("/v2/{NAME}/blobs/sha256:{}g", "0".repeat(63)),
        format!("/v2/{NAME}/blobs/sha384:{}", "0".repeat(96)),
        format!("/v2/{NAME}/blobs/SHA256:{}", digest.hex()),
        format!("/v2/{NAME}/blobs/{}:{}", "x".repeat(10_000), digest.hex()),
        format!("/v2/{NAME}/blobs/uploads/..%2f..%2fstate.redb"),
        format!("/v2/{NAME}/referrers/latest"),
        format!("/v2/{NAME}/unknown/thing"),
        "/layers/sha256:..%2f..%2fstate.redb".to_owned(),
        "/layers/%2e%2e/state.redb?Expires=9999999999&Signature=00".to_owned(),
        format!("/layers/{digest}?Expires=99999999999999999999&Signature=00"),
        "/v2\u{0}/".to_owned(),
        "*".to_owned(),
        "//v2/".to_owned(),
    ]
}

#[tokio::test]
async fn odd_targets_are_refused_and_touch_nothing() {
    for side in Side::both().await {
        // Waits for the issuer's key, which is made beside the first requests.
        side.get("/github/.well-known/jwks").await;
        let before = files(&side);
        let pairs = odd_targets()
            .into_iter()
            .flat_map(|target| ["GET", "PUT", "DELETE"].map(|method| (method, target.clone())));
        let pairs: Vec<_> = pairs.collect();
        let attack = async || {
            for (method, target) in &pairs {
                let request = head(&side, method, target) + "content-length: 0\r\n\r\n";
                let answer = raw(&side, request).await;
                let status = status(&answer);
                assert!((400..500).contains(&status), "{method} {target}: {answer}");
                assert!(answer.len() < 4_000, "{method} {target}: {}", answer.len());
            }
        };
        beside(attack, async || is_served(&side).await).await;
        assert_eq!(files(&side), before);
    }
}

/// The descriptor of a blob that claims a size.
fn part(content: &[u8], size: &str) -> String {
    let digest = Digest::of(content);
    format!("{{\"mediaType\":\"a/b\",\"digest\":\"{digest}\",\"size\":{size}}}")
}

/// A manifest of texts that need not be JSON.
fn with(config: &str, layers: &str) -> String {
    let kind = media_type::MANIFEST;
    format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{kind}\",\"config\":{config},\
         \"layers\":[{layers}]}}"
    )
}

/// A million arrays in each other.
fn deep() -> String {
    format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000))
}

/// Manifests that cost more than they look, with the case of their refusal.
fn hurtful(good: &str) -> Vec<(String, &'static str)> {
    let empty = part(b"{}", "2");
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    let missing: Vec<String> = (0..30_000_u32)
        .map(|number| part(&number.to_be_bytes(), "1"))
        .collect();
    vec![
        (deep(), "manifest that is none"),
        (
            good.replacen('{', "{\"config\":{},", 1),
            "manifest that is none",
        ),
        (
            good.replacen('{', "{\"mediaType\":\"a/b\",", 1),
            "manifest that is none",
        ),
        (with(&part(b"{}", "-1"), ""), "manifest that is none"),
        (with(&part(b"{}", "1e30"), ""), "manifest that is none"),
        (with(&part(b"{}", "2.5"), ""), "manifest that is none"),
        (
            with(&part(b"{}", "18446744073709551615"), ""),
            "manifest that is none",
        ),
        (
            with(&part(b"{}", "99999999999999999999999"), ""),
            "manifest that is none",
        ),
        (with(&part(b"{}", "3"), ""), "manifest that is none"),
        (
            with(
                &empty,
                &part(b"{}", "9223372036854775808").replace("a/b", foreign),
            ),
            "manifest that is none",
        ),
        (
            with(&empty, &missing.join(",")),
            "manifest without its blobs",
        ),
    ]
}

#[tokio::test]
async fn manifests_made_to_hurt_are_refused() {
    for side in Side::both().await {
        let good = side.push_manifest("good", json!({})).await;
        let before = files(&side);
        let hurtful = hurtful(&good);
        let large = format!("{good}{}", " ".repeat(4 * 1024 * 1024));
        let attack = async || {
            for (manifest, refused) in &hurtful {
                let answer = side.put("bad", media_type::MANIFEST, manifest).await;
                let length: usize = header(&answer, "content-length").parse().unwrap();
                assert!(length < 20_000, "{length}");
                side.expect_answer(refused, answer).await;
            }
            let large = side.put("bad", media_type::MANIFEST, &large).await;
            assert_eq!(seen(large).await, "413 SIZE_INVALID");
        };
        beside(attack, async || is_served(&side).await).await;
        // A member that nobody knows may be anything: it is passed over, without
        // recursion.
        let odd = good.replacen('{', &format!("{{\"x\":{},", deep()), 1);
        let odd = side.put("odd", media_type::MANIFEST, &odd).await;
        assert_eq!(odd.status(), 201);
        let empty = part(b"{}", "2");
        let many = with(&empty, &vec![empty.as_str(); 30_000].join(","));
        let many = side.put("many", media_type::MANIFEST, &many).await;
        assert_eq!(many.status(), 201);
        let new: Vec<_> = files(&side).difference(&before).cloned().collect();
        assert_eq!(
            new.iter().filter(|path| path.contains("uploads/")).count(),
            0
        );
        let bad = side.get(&format!("/v2/{NAME}/manifests/bad")).await;
        assert_eq!(bad.status(), 404);
    }
}

#[tokio::test]
async fn another_repository_s_blobs_are_out_of_reach() {
    for side in Side::both().await {
        let secret = side.push_blob(b"of another repository").await;
        let blob = format!("/v2/{REPOSITORY}/blobs/{}", secret.digest);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": secret, "layers": [],
        })
        .to_string();
        let path = format!("/v2/{REPOSITORY}/manifests/v1");
        let elsewhere = side.begin().await.replace(NAME, REPOSITORY);
        let attack = async || {
            assert_eq!(seen(side.get(&blob).await).await, "404 BLOB_UNKNOWN");
            let put = side.request(Method::PUT, &path);
            let put = put.header("content-type", media_type::MANIFEST);
            let put = put.body(manifest.clone()).send().await.unwrap();
            side.expect_answer("manifest without its blobs", put).await;
            let sent = side.chunk(&elsewhere, "0-2", b"one").await;
            assert_eq!(seen(sent).await, "404 BLOB_UPLOAD_UNKNOWN");
        };
        beside(attack, async || is_served(&side).await).await;
    }
}

#[tokio::test]
async fn bytes_that_are_not_those_of_their_digest_are_refused() {
    for side in Side::both().await {
        let manifest = side.push_manifest("good", json!({})).await;
        let digest = Digest::of(b"announced");
        let path = format!("/v2/{NAME}/blobs/uploads/?digest={digest}");
        let attack = async || {
            let posted = side.request(Method::POST, &path).body("others").send();
            let put = side.end(&side.begin().await, &digest, b"others").await;
            let upload = side.begin().await;
            side.chunk(&upload, "0-5", b"others").await;
            let chunked = side.end(&upload, &digest, b"").await;
            for answer in [posted.await.unwrap(), put, chunked] {
                side.expect_answer("blob with a wrong digest", answer).await;
            }
            let reference = digest.to_string();
            let put = side.put(&reference, media_type::MANIFEST, &manifest).await;
            side.expect_answer("manifest with a wrong digest", put)
                .await;
        };
        beside(attack, async || is_served(&side).await).await;
        let blob = format!("/v2/{NAME}/blobs/{digest}");
        assert_eq!(seen(side.get(&blob).await).await, "404 BLOB_UNKNOWN");
    }
}

#[tokio::test]
async fn nothing_is_decompressed() {
    // One gibibyte of nothing would unpack from far less than this.
    let bomb = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &[0; 1024]].concat();
    for side in Side::both().await {
        let manifest = format!("/v2/{NAME}/manifests/bomb");
        let digest = Digest::of(&bomb);
        let blob = format!("/v2/{NAME}/blobs/uploads/?digest={digest}");
        let packed = |method: Method, path: &str| {
            let request = side.request(method, path);
            let request = request.header("content-encoding", "gzip");
            request.body(bomb.clone())
        };
        let attack = async || {
            let put = packed(Method::PUT, &manifest);
            let put = put.header("content-type", media_type::MANIFEST);
            let answer = put.send().await.unwrap();
            side.expect_answer("manifest that is none", answer).await;
            let stored = packed(Method::POST, &blob).send().await.unwrap();
            assert_eq!(stored.status(), 201);
        };
        beside(attack, async || is_served(&side).await).await;
        let kept = side.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
        assert_eq!(kept.bytes().await.unwrap(), bomb);
    }
}

/// Header lines and what follows them, which no client of good will sends.
fn odd_heads() -> Vec<(String, &'static str)> {
    vec![
        ("x: y\r\n".repeat(5_000), ""),
        (format!("x: {}\r\n", "y".repeat(2_000_000)), ""),
        (
            "content-length: 5\r\ncontent-length: 6\r\n".to_owned(),
            "hello!",
        ),
        ("content-length: -1\r\n".to_owned(), ""),
        ("content-length: 99999999999999999999999\r\n".to_owned(), ""),
        ("content-length: 0x5\r\n".to_owned(), "hello"),
        (
            "transfer-encoding: chunked\r\n".to_owned(),
            "ffffffffffffffffff\r\nx",
        ),
        ("transfer-encoding: chunked\r\n".to_owned(), "nonsense\r\n"),
        ("transfer-encoding: gzip\r\n".to_owned(), "x"),
        ("bad header\r\n".to_owned(), ""),
    ]
}

#[tokio::test]
async fn heads_that_flood_or_contradict_themselves_are_refused() {
    for side in Side::both().await {
        let target = format!("/v2/{NAME}/manifests/v1");
        let heads = odd_heads();
        let attack = async || {
            for (lines, body) in &heads {
                let request = format!("{}{lines}\r\n{body}", head(&side, "PUT", &target));
                let answer = raw(&side, request).await;
                // A connection that is cut is an answer too.
                if !answer.is_empty() {
                    let status = status(&answer);
                    assert!((400..500).contains(&status), "{lines:.60}: {answer}");
                }
            }
        };
        beside(attack, async || is_served(&side).await).await;
        assert_eq!(side.get(&target).await.status(), 404);
    }
}

#[tokio::test]
async fn a_request_to_two_hosts_is_refused() {
    for side in Side::both().await {
        let head = head(&side, "GET", "/_longshore/health");
        let one = raw(&side, format!("{head}connection: close\r\n\r\n")).await;
        assert_eq!(status(&one), 200);
        let two = raw(
            &side,
            format!("{head}host: other\r\nconnection: close\r\n\r\n"),
        )
        .await;
        assert_eq!(status(&two), 400);
    }
}

#[tokio::test]
async fn a_manifest_that_breaks_off_is_not_stored() {
    for side in Side::both().await {
        let manifest = side.push_manifest("v1", json!({})).await;
        let host = side.served.host().to_owned();
        let length = manifest.len() + 1;
        let target = format!("/v2/{NAME}/manifests/v2");
        let head = head(&side, "PUT", &target);
        let kind = media_type::MANIFEST;
        let request =
            format!("{head}content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{manifest}");
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let read = move || {
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        let answer = tokio::task::spawn_blocking(read).await.unwrap();
        assert!(answer.is_empty() || status(&answer) == 400, "{answer}");
        assert_eq!(side.get(&target).await.status(), 404);
    }
}

#[tokio::test]
async fn clients_that_dawdle_slow_nobody() {
    for side in Side::both().await {
        let mut slow = Vec::new();
        for _ in 0..100 {
            let upload = side.begin().await;
            let target = upload.strip_prefix(&side.served.base).unwrap();
            let head = head(&side, "PATCH", target) + "content-length: 1000000\r\n\r\nx";
            let mut stream = TcpStream::connect(side.served.host()).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            slow.push(stream);
            let mut stream = TcpStream::connect(side.served.host()).unwrap();
            stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost:").unwrap();
            slow.push(stream);
        }
        side.push_manifest("quick", json!({})).await;
        // They were there all the while.
        drop(slow);
    }
}

#[tokio::test]
async fn one_upload_takes_one_request_at_a_time() {
    for side in Side::both().await {
        let upload = side.begin().await;
        let target = upload.strip_prefix(&side.served.base).unwrap();
        let head = head(&side, "PATCH", target) + "content-length: 1000000\r\n\r\nx";
        let mut stream = TcpStream::connect(side.served.host()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // Until the first request has the upload, the others may have it.
        let refused = loop {
            let answer = side.get(&upload).await;
            if answer.status() != 204 {
                break seen(answer).await;
            }
        };
        assert_eq!(refused, "409 BLOB_UPLOAD_INVALID");
        drop(stream);
    }
}

#[tokio::test]
async fn referrers_come_by_pages_of_bounded_size() {
    let side = Side::start(emulator::RegistryBehaviour::Specification).await;
    let subject = Descriptor::of(media_type::MANIFEST, b"subject");
    let mut pushed = BTreeSet::new();
    for number in 0..4 {
        let members = json!({
            "subject": subject, "annotations": { "large": "A".repeat(3_000_000), "n": number.to_string() },
        });
        let manifest = side.push_manifest(&format!("v{number}"), members).await;
        pushed.insert(describe(&manifest).digest.to_string());
    }
    let mut path = format!(
        "/v2/{NAME}/referrers/{}?artifactType={}",
        subject.digest,
        media_type::CONFIG.replace('+', "%2B")
    );
    let (mut found, mut pages) = (BTreeSet::new(), 0);
    loop {
        let page = side.get(&path).await;
        let link = header(&page, "link");
        let text = page.text().await.unwrap();
        assert!(text.len() < 8 * 1024 * 1024, "{}", text.len());
        let index: Value = serde_json::from_str(&text).unwrap();
        for manifest in index["manifests"].as_array().unwrap() {
            found.insert(manifest["digest"].as_str().unwrap().to_owned());
        }
        pages += 1;
        match link.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((next, _)) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!((found, pages), (pushed, 2));
}
