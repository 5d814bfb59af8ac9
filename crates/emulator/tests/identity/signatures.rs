//! Requests that are signed as they must be.

use crate::served::{ACCOUNT, Served, form};
use crate::signer::Signed;

#[tokio::test]
async fn a_good_signature_says_who_signed_in_the_header_and_in_the_query() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let header = served.prepare(&served.root, "GetCallerIdentity").await;
    let query = form("sts", "GetCallerIdentity", &[]);
    let scope = served.scope("sts").await;
    let presigned = Signed::presigned(&served.base, &query, &served.root, scope);
    for request in [header, presigned] {
        let answer = served.send(request).await.good();
        assert_eq!(answer.text("Account"), ACCOUNT);
        assert_eq!(answer.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
    }
}
