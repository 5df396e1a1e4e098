//! The public gRPC protocol of KurrentDB (EventStoreDB): messages and both sides of its services, generated when the crate is built.
//! The store's backend is a client of it, `eventstore-server` serves it.
#![expect(clippy::all, clippy::allow_attributes, clippy::too_many_lines, reason = "generated")]

pub mod event_store {
    pub mod client {
        tonic::include_proto!("event_store.client");

        pub mod streams {
            tonic::include_proto!("event_store.client.streams");
        }
        pub mod persistent_subscriptions {
            tonic::include_proto!("event_store.client.persistent_subscriptions");
        }
        pub mod server_features {
            tonic::include_proto!("event_store.client.server_features");
        }
        pub mod gossip {
            tonic::include_proto!("event_store.client.gossip");
        }
    }
}
pub mod google {
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}
pub mod v2 {
    tonic::include_proto!("kurrentdb.protocol.v2.streams");

    pub mod errors {
        tonic::include_proto!("kurrentdb.protocol.v2.streams.errors");
    }
}
