//! Jobs of calls whose session is unknown or has ended. The vendor's server looks at the session
//! after it has accepted such a call, so clients look for that error in the job. But a request
//! without a credential must not write anything: its job is no more than an id, which tells when
//! it was given out.

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::OperationId;
use uuid::Uuid;

use super::{
    call::{Call, TIMEOUT},
    wire::reply::Accepted,
};

/// How long the vendor's server keeps the jobs that have ended.
const KEPT: SignedDuration = SignedDuration::from_hours(3);

/// All of such an id but its first 32 bits, which are the seconds since 1970.
const TAIL: u128 = 0x5e55_4105_a000_0000_0000_0000;
const TAIL_BITS: u32 = 96;

/// The answer to a call of nobody.
pub(crate) fn accepted(call: &Call, now: Timestamp) -> Accepted {
    call.accepted(&job(now).simple(), TIMEOUT)
}

fn job(now: Timestamp) -> OperationId {
    let seconds = u32::try_from(now.as_second()).unwrap_or_default();
    OperationId::from_uuid(Uuid::from_u128(u128::from(seconds) << TAIL_BITS | TAIL))
}

/// Whether that is the job of a call of nobody, and not too old.
pub(crate) fn has(id: OperationId, now: Timestamp) -> bool {
    let id = id.uuid().as_u128();
    let seconds = i64::try_from(id >> TAIL_BITS).unwrap_or_default();
    let age = now.as_second() - seconds;
    id & ((1 << TAIL_BITS) - 1) == TAIL && (0..=KEPT.as_secs()).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_for_three_hours_what_it_is() {
        let now: Timestamp = "2026-11-21T01:07:00Z".parse().unwrap();
        let id = job(now);
        assert_eq!(id.simple().len(), 32);
        assert!(has(id, now));
        assert!(has(id, now + KEPT));
        assert!(!has(id, now + KEPT + SignedDuration::from_secs(1)));
        assert!(!has(id, now - SignedDuration::from_secs(1)));
        let other = Uuid::from_u128(id.uuid().as_u128() ^ 1);
        assert!(!has(OperationId::from_uuid(other), now));
    }
}
