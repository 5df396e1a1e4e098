//! Providers of administrators: set up, changed, taken away.

use super::*;
use crate::Lifetime;
use crate::testing::given;

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
}

fn id(number: u128) -> ProviderId {
    ProviderId::new(uuid::Uuid::from_u128(number))
}

fn name(text: &str) -> ProviderName {
    ProviderName::parse(text).unwrap()
}

fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.into())
}

fn added(text: &str, number: u128) -> ProviderAdded {
    ProviderAdded {
        provider: id(number),
        name: name(text),
        issuer: "https://login.example".to_owned(),
        title: "Work".to_owned(),
        client_id: "keynest".to_owned(),
        client_secret: sealed("secret"),
        scopes: vec!["openid".to_owned()],
        origins: Vec::new(),
        at: at(1),
    }
}

fn unchanged(number: u128) -> ProviderChanged {
    ProviderChanged {
        provider: id(number),
        title: None,
        client_id: None,
        client_secret: None,
        scopes: None,
        origins: None,
        at: at(2),
    }
}

#[test]
fn a_name_is_one_providers() {
    given::<Providers>([]).when(|it| add(it, added("work", 1))).then([added("work", 1)]);
    given::<Providers>([added("work", 1).into()])
        .when(|it| add(it, added("work", 2)))
        .then_rejected(Rejection::NameTaken);
    let removed = ProviderRemoved { provider: id(1), name: name("work"), at: at(3) };
    given::<Providers>([added("work", 1).into(), removed.into()])
        .when(|it| add(it, added("work", 2)))
        .then([added("work", 2)]);
}

#[test]
fn their_number_is_bounded() {
    let past: Vec<Event> =
        (0..PROVIDERS_MAX).map(|n| added(&format!("p{n}"), n as u128).into()).collect();
    given::<Providers>(past)
        .when(|it| add(it, added("one-more", 999)))
        .then_rejected(Rejection::TooMany);
}

#[test]
fn a_change_says_only_what_is_new() {
    let past = [added("work", 1).into()];
    let wish = ProviderChanged {
        title: Some("Work".to_owned()),
        client_id: Some("another".to_owned()),
        ..unchanged(1)
    };
    let said = ProviderChanged { title: None, ..wish.clone() };
    given::<Providers>(past.clone())
        .when(|it| change(it, &name("work"), wish))
        .then([said.clone()]);
    let same = ProviderChanged { title: Some("Work".to_owned()), ..unchanged(1) };
    given::<Providers>(past.clone()).when(|it| change(it, &name("work"), same)).then_nothing();
    let secret = ProviderChanged { client_secret: Some(sealed("new")), ..unchanged(1) };
    let state = past.iter().fold(Providers::default(), |state, event| state.evolve(event));
    let state = state.evolve(&said.into()).evolve(&secret.into());
    let known = state.get(&name("work")).unwrap();
    assert_eq!((known.title.as_str(), known.client_id.as_str()), ("Work", "another"));
    assert_eq!(
        (&known.client_secret, known.secret_sealed_by),
        (&sealed("new"), "provider.changed")
    );
    assert_eq!((known.added_at, known.changed_at), (at(1), at(2)));
}

#[test]
fn what_is_not_there_is_neither_changed_nor_believed() {
    let past = [added("work", 1).into()];
    given::<Providers>(past.clone())
        .when(|it| change(it, &name("other"), unchanged(1)))
        .then_rejected(Rejection::Absent);
    let state = past.iter().fold(Providers::default(), |state, event| state.evolve(event));
    assert_eq!(state.require(&name("work"), id(1)), Ok(()));
    assert_eq!(state.require(&name("work"), id(2)), Err(Rejection::Absent), "its successor's name");
    assert_eq!(state.require(&name("other"), id(1)), Err(Rejection::Absent));
}

#[test]
fn who_removes_a_provider_in_use_must_know_it() {
    let past = [added("work", 1).into()];
    let gone = ProviderRemoved { provider: id(1), name: name("work"), at: at(3) };
    given::<Providers>(past.clone())
        .when(|it| remove(it, &name("work"), 2, false, at(3)))
        .then_rejected(Rejection::InUse { accounts: 2 });
    for (accounts, is_known) in [(0, false), (2, true)] {
        given::<Providers>(past.clone())
            .when(|it| remove(it, &name("work"), accounts, is_known, at(3)))
            .then([gone.clone()]);
    }
    given::<Providers>(past)
        .when(|it| remove(it, &name("other"), 0, true, at(3)))
        .then_rejected(Rejection::Absent);
}
