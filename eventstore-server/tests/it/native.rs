//! Events of KeyNest's own, told as they stand in the log.

use bytes::Bytes;
use keynest_domain::{CommandId, OrganizationId, StreamName, UserId};
use keynest_store::{Append, Expected, Metadata, NewEvent, StreamAppend, event_id};
use kurrentdb::{ReadAllOptions, SubscriptionFilter};
use uuid::Uuid;

use crate::server::Face;

async fn an_event_of_keynests_is_told_with_its_place_and_who_did_it(face: Face) {
    let command_id = CommandId::new(Uuid::from_u128(9));
    let event = |name: &str, version| NewEvent {
        name: name.into(),
        version,
        data: Bytes::from_static(br#"{"at":1}"#),
    };
    let stream = StreamName::new("organization", 5);
    let events = vec![event("organization.created", 1), event("organization.renamed", 3)];
    let append = Append {
        command_id,
        streams: vec![StreamAppend { stream, expected: Expected::Any, events }],
        checks: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        metadata: Metadata {
            actor: Some(UserId::new(3)),
            organization: Some(OrganizationId::new(5)),
            correlation: Some(Uuid::from_u128(11)),
            ..Metadata::default()
        },
    };
    let appended = face.store.append(append).await.unwrap();
    let filter = SubscriptionFilter::on_event_type().add_prefix("organization.re");
    let read = face.read_all(ReadAllOptions::default().filter(filter)).await.unwrap();
    let [event] = &read[..] else { panic!("{read:?}") };
    assert_eq!((event.stream_id(), event.revision), ("organization-5", 1));
    assert_eq!((event.event_type.as_str(), event.is_json), ("organization.renamed", true));
    assert_eq!(event.id, event_id(command_id, 1).get());
    assert_eq!(event.position.commit, appended.position.to_stored());
    assert_eq!(&event.data[..], br#"{"at":1}"#);
    let metadata: serde_json::Value = serde_json::from_slice(&event.custom_metadata).unwrap();
    let told = serde_json::json!({
        "version": 3, "actor": "3", "organization": "5",
        "$correlationId": Uuid::from_u128(11).to_string(),
    });
    assert_eq!(metadata, told);
}

on_each_backend![an_event_of_keynests_is_told_with_its_place_and_who_did_it];
