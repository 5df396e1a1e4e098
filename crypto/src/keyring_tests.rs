//! Tests of sealing, opening, destroying and of the root check.

use keynest_domain::{EnvironmentId, InvitationId, OrganizationId, StreamName, UserId};

use super::*;
use crate::key_table::{MemoryKeyTable, is_empty};
use crate::root_key::RootKey;
use crate::testing::{ROOT, keyring, root};

const ANN: Subject = Subject::User(UserId::new(1));

fn context() -> Context {
    Context::new(ANN, StreamName::new("user", 1), "user.registered", "email")
}

async fn over(table: &Arc<MemoryKeyTable>) -> Keyring {
    Keyring::unlock(root(ROOT), Arc::clone(table) as Arc<dyn KeyTable>).await.unwrap()
}

#[tokio::test]
async fn what_was_sealed_is_opened_also_by_another_process() {
    let table = Arc::new(MemoryKeyTable::new());
    let keyring = over(&table).await;
    for plain in [&b""[..], b"ann@example.com", &[0; 65_536]] {
        let sealed = keyring.seal(&context(), plain).await.unwrap();
        assert_eq!(sealed.as_bytes().len(), plain.len() + 45);
        for reader in [&keyring, &over(&table).await] {
            assert_eq!(*reader.open(&context(), &sealed).await.unwrap().unwrap(), plain);
        }
    }
    let sealed = keyring.seal(&context(), "Grüße".as_bytes()).await.unwrap();
    assert_eq!(*keyring.open_text(&context(), &sealed).await.unwrap().unwrap(), "Grüße");
    let sealed = keyring.seal(&context(), b"\xff").await.unwrap();
    assert!(matches!(keyring.open_text(&context(), &sealed).await, Err(KeyringError::NotText)));
}

#[tokio::test]
async fn a_value_opens_in_its_own_place_only() {
    let keyring = keyring().await;
    let sealed = keyring.seal(&context(), b"x").await.unwrap();
    let stream = StreamName::new("user", 2);
    let moved = [
        Context { stream, ..context() },
        Context { event: "user.profile_updated".into(), ..context() },
        Context { field: "username".into(), ..context() },
        Context { event: "user.registeredemail".into(), field: "".into(), ..context() },
        Context { event: "user.registered".into(), field: "emai".into(), ..context() },
    ];
    for place in moved {
        let refusal = keyring.open(&place, &sealed).await;
        assert!(matches!(refusal, Err(KeyringError::Tampered)), "{place:?}");
    }
    for subject in [
        Subject::User(UserId::new(2)),
        Subject::Organization(OrganizationId::new(1)),
        Subject::Environment(EnvironmentId::new(1)),
        Subject::Invitation(InvitationId::new(uuid::Uuid::from_u128(1))),
        Subject::Day(1),
    ] {
        let place = Context { subject, ..context() };
        keyring.seal(&place, b"its key exists").await.unwrap();
        let refusal = keyring.open(&place, &sealed).await;
        assert!(matches!(refusal, Err(KeyringError::WrongSubject)), "{place:?}");
    }
}

#[tokio::test]
async fn a_flipped_bit_or_a_cut_is_an_error_at_every_place() {
    let keyring = keyring().await;
    let bytes = keyring.seal(&context(), b"secret").await.unwrap().into_bytes();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        let refusal = keyring.open(&context(), &Sealed::from_bytes(flipped)).await.unwrap_err();
        match at {
            0 => assert!(matches!(refusal, KeyringError::Malformed), "{at}: {refusal}"),
            1..=16 => assert!(matches!(refusal, KeyringError::UnknownKey(_)), "{at}: {refusal}"),
            _ => assert!(matches!(refusal, KeyringError::Tampered), "{at}: {refusal}"),
        }
        let cut = Sealed::from_bytes(bytes[..at].to_vec());
        let refusal = keyring.open(&context(), &cut).await.unwrap_err();
        match at {
            0..=16 => assert!(matches!(refusal, KeyringError::Malformed), "{at}: {refusal}"),
            _ => assert!(matches!(refusal, KeyringError::Tampered), "{at}: {refusal}"),
        }
    }
}

#[tokio::test]
async fn a_destroyed_key_opens_nothing_and_seals_nothing_more() {
    let table = Arc::new(MemoryKeyTable::new());
    let (keyring, other) = (over(&table).await, over(&table).await);
    assert_eq!(keyring.destroy(ANN).await.unwrap(), None);
    let sealed = keyring.seal(&context(), b"x").await.unwrap();
    other.open(&context(), &sealed).await.unwrap().unwrap();
    let id = keyring.destroy(ANN).await.unwrap().unwrap();
    assert_eq!(keyring.destroy(ANN).await.unwrap(), Some(id), "the ledger wants it again");
    other.forget(&[id]);
    for keyring in [&keyring, &other, &over(&table).await] {
        assert!(keyring.open(&context(), &sealed).await.unwrap().is_none());
        let refusal = keyring.seal(&context(), b"y").await;
        assert!(matches!(refusal, Err(KeyringError::Destroyed(name)) if name == "user:1"));
    }
}

#[tokio::test]
async fn many_values_of_many_subjects_are_opened_at_once() {
    let keyring = keyring().await;
    let place = |number: i64| {
        let subject = Subject::Environment(EnvironmentId::new(number % 7));
        let stream = StreamName::new("environment", number % 7);
        Context::new(subject, stream, "variable", format!("{number}/1"))
    };
    let mut values = Vec::new();
    for number in 0..1_000 {
        let key = keyring.sealing_key(place(number).subject).await.unwrap();
        values.push(key.seal(&place(number), &number.to_be_bytes()).unwrap());
        let foreign = key.seal(&context(), b"x");
        assert!(matches!(foreign, Err(KeyringError::WrongSubject)));
    }
    keyring.destroy(place(3).subject).await.unwrap();
    let nonsense = Sealed::from_bytes(vec![9]);
    let keys = keyring.opening_keys(values.iter().chain([&nonsense])).await.unwrap();
    for (number, value) in (0..).zip(&values) {
        let plain = keys.open(&place(number), value).unwrap();
        let expected = (number % 7 != 3).then(|| number.to_be_bytes().to_vec());
        assert_eq!(plain.map(|plain| plain.to_vec()), expected, "{number}");
    }
    assert!(matches!(keys.open(&context(), &nonsense), Err(KeyringError::Malformed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_first_seals_at_once_all_use_one_key() {
    let table = Arc::new(MemoryKeyTable::new());
    let mut callers = Vec::new();
    for _ in 0..64 {
        let keyring = over(&table).await;
        callers.push(tokio::spawn(async move { keyring.seal(&context(), b"x").await }));
    }
    let reader = over(&table).await;
    let mut used = HashSet::new();
    for caller in callers {
        let sealed = caller.await.unwrap().unwrap();
        used.insert(key_of(&sealed).unwrap());
        assert_eq!(**reader.open(&context(), &sealed).await.unwrap().unwrap(), *b"x");
    }
    assert_eq!(used.len(), 1);
    assert_eq!(table.history("user:1").await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_100_000_seals_no_two_have_the_same_nonce() {
    let keyring = keyring().await;
    let key = keyring.sealing_key(ANN).await.unwrap();
    let place = context();
    let nonces: HashSet<[u8; 12]> = (0..100_000)
        .map(|_| key.seal(&place, b"x").unwrap().as_bytes()[17..29].try_into().unwrap())
        .collect();
    assert_eq!(nonces.len(), 100_000);
}

#[tokio::test]
async fn a_wrong_root_key_is_refused_and_changes_nothing() {
    let table = Arc::new(MemoryKeyTable::new());
    let sealed = over(&table).await.seal(&context(), b"x").await.unwrap();
    let before = table.list(None, PAGE_MAX).await.unwrap();
    let refusal =
        Keyring::unlock(RootKey::generate(), Arc::clone(&table) as Arc<dyn KeyTable>).await;
    let wrapped_by = root(ROOT).id().to_owned();
    assert!(
        matches!(refusal, Err(KeyringError::WrongRootKey { wrapped_by: id }) if id == wrapped_by)
    );
    assert_eq!(table.list(None, PAGE_MAX).await.unwrap(), before);
    assert!(over(&table).await.open(&context(), &sealed).await.unwrap().is_some());
}

#[tokio::test]
async fn keys_without_a_root_check_are_refused() {
    let table = Arc::new(MemoryKeyTable::new());
    let id = random::key_id();
    let stray = crate::NewKey {
        id,
        name: "user:1".to_owned(),
        wrapped: root(ROOT).wrap(id, "user:1", &[7; 32]),
        root_id: root(ROOT).id().to_owned(),
    };
    table.insert_if_absent(stray).await.unwrap();
    let refusal = Keyring::unlock(root(ROOT), Arc::clone(&table) as Arc<dyn KeyTable>).await;
    assert!(matches!(refusal, Err(KeyringError::RootCheckMissing)));
    assert_eq!(table.list(None, PAGE_MAX).await.unwrap().len(), 1);
}

#[tokio::test]
async fn swapped_and_damaged_rows_are_noticed() {
    let table = Arc::new(MemoryKeyTable::new());
    let sealed = over(&table).await.seal(&context(), b"x").await.unwrap();
    let row = table.find("user:1").await.unwrap().unwrap();
    let check = table.find("root_check").await.unwrap().unwrap();
    table.replace_wrapping(row.id, &row.wrapped, &check.wrapped, &row.root_id).await.unwrap();
    let refusal = over(&table).await.open(&context(), &sealed).await.unwrap_err();
    assert!(matches!(refusal, KeyringError::DamagedKey(id) if id == row.id));
    table.replace_wrapping(check.id, &check.wrapped, b"", &check.root_id).await.unwrap();
    let refusal = Keyring::unlock(root(ROOT), table as Arc<dyn KeyTable>).await.unwrap_err();
    assert!(matches!(refusal, KeyringError::DamagedKey(id) if id == check.id));
}

#[tokio::test]
async fn digests_are_keyed_by_house_and_kind() {
    let table = Arc::new(MemoryKeyTable::new());
    let keyring = over(&table).await;
    assert!(!is_empty(&*table).await.unwrap());
    let digest = keyring.digest("email", "ann@example.com");
    assert_eq!(digest.len(), 64);
    assert_eq!(over(&table).await.digest("email", "ann@example.com"), digest);
    assert_ne!(keyring.digest("username", "ann@example.com"), digest);
    assert_ne!(keyring.digest("emaila", "nn@example.com"), digest);
    assert_ne!(self::keyring().await.digest("email", "ann@example.com"), digest);
    let ann = Email::parse("Ann@Example.com").unwrap();
    let login = keyring.login_id(&ann);
    assert_eq!(login, over(&table).await.login_id(&Email::parse("ann@example.com").unwrap()));
    assert_ne!(login, self::keyring().await.login_id(&ann));
    assert_eq!(login.get().get_version_num(), 8);
}
