//! Limits: what they count, and who may change them how.

use super::*;
use crate::Timestamp;
use crate::testing::given;

const TEAM: OrganizationId = OrganizationId::new(7);

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
}

fn changed(policy: Policy, organization: Option<OrganizationId>, quota: Option<Quota>) -> Event {
    LimitChanged { policy, organization, quota }.into()
}

#[test]
fn a_change_holds_until_it_is_taken_back_and_an_organizations_own_comes_first() {
    let ten = Some(Quota::new(10, 60));
    given::<Limits>([])
        .when(|it| change(it, None, &[(Policy::Auth, ten), (Policy::User, None)]))
        .then([changed(Policy::Auth, None, ten)]);
    let past = [
        changed(Policy::Invitations, None, ten),
        changed(Policy::Invitations, Some(TEAM), Some(Quota::new(99, 60))),
    ];
    let state = past.iter().fold(Limits::default(), |state, event| state.evolve(event));
    let quota =
        |state: &Limits, team| state.quota(Policy::Invitations, team, &Quotas::default()).quota;
    assert_eq!((quota(&state, None), quota(&state, Some(TEAM))), (10, 99));
    let back = state.evolve(&changed(Policy::Invitations, Some(TEAM), None));
    assert_eq!(quota(&back, Some(TEAM)), 10);
    let back = back.evolve(&changed(Policy::Invitations, None, None));
    assert_eq!(quota(&back, Some(TEAM)), 50);
    assert_eq!(back, Limits::default());
}

#[test]
fn what_is_out_of_bounds_is_refused() {
    for (policy, team, quota, why) in [
        (Policy::User, Some(TEAM), Quota::new(1, 60), Rejection::NotPerOrganization),
        (Policy::User, None, Quota::new(1, 0), Rejection::OutOfBounds { quota_max: QUOTA_MAX }),
        (
            Policy::User,
            None,
            Quota::new(1, 86_401),
            Rejection::OutOfBounds { quota_max: QUOTA_MAX },
        ),
        (
            Policy::User,
            None,
            Quota::new(QUOTA_MAX + 1, 60),
            Rejection::OutOfBounds { quota_max: QUOTA_MAX },
        ),
        (Policy::Invitations, None, Quota::new(501, 60), Rejection::OutOfBounds { quota_max: 500 }),
    ] {
        given::<Limits>([])
            .when(|it| change(it, team, &[(policy, Some(quota))]))
            .then_rejected(why);
    }
}

#[test]
fn a_window_is_full_until_its_first_time_is_over() {
    let quota = Quota::new(3, 60);
    let times = [at(0), at(10), at(20)];
    assert_eq!(full_until(&times, quota, at(20)), Some(at(60)));
    assert_eq!(full_until(&times, quota, at(60)), None);
    assert_eq!(full_until(&times, Quota::new(0, 60), at(20)), None);
    assert_eq!(full_until(&times, Quota::new(2, 60), at(20)), Some(at(70)), "after a cut");
}

#[test]
fn times_are_kept_for_a_day_and_not_without_end() {
    let mut times = Vec::new();
    (0..2_000).for_each(|second| keep_time(&mut times, at(second)));
    assert_eq!((times.len(), times[0]), (TIMES_KEPT_MAX, at(1_500)));
    keep_time(&mut times, at(86_400 + 1_998));
    assert_eq!(times, [at(1_999), at(88_398)]);
}
