//! Somebody of good will beside an attack.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;

/// Attackers at a time.
const ATTACKERS: usize = 4;
/// How often the bystander is served.
const TIMES: usize = 3;
/// Far longer than any machine needs: a bystander who is not served by then is
/// locked out.
const PATIENCE: Duration = Duration::from_mins(5);

/// Attacks without a pause until the bystander was served in the midst of it.
/// Both fail the test by themselves where they are not answered as they must be.
pub(crate) async fn beside(attack: impl AsyncFn(), bystander: impl AsyncFn()) {
    let served = Cell::new(0);
    let attacking = async || {
        loop {
            attack().await;
            if served.get() == TIMES {
                return;
            }
        }
    };
    let standing_by = async {
        for number in 1..=TIMES {
            bystander().await;
            served.set(number);
        }
    };
    let attacks = join_all((0..ATTACKERS).map(|_| attacking()));
    let both = async { tokio::join!(attacks, standing_by) };
    let ended = tokio::time::timeout(PATIENCE, both).await;
    ended.expect("the bystander is served while the attack goes on");
}
