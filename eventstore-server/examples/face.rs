//! The test double of a KurrentDB server as a program: `face [ADDRESS]`, without TLS. The log is in memory, or in the database
//! that `DATABASE_URL` names. Nobody is asked who they are: for trying things out.

use std::error::Error;
use std::future::pending;

use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool, migrate};
use tokio::net::TcpListener;

const ADDRESS: &str = "127.0.0.1:2113";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| ADDRESS.to_owned());
    let store = match std::env::var("DATABASE_URL") {
        Ok(url) => {
            let options = StoreOptions::default();
            let pool = connect_store_pool(&url, &options).await?;
            migrate(&pool).await?;
            Postgres::open(pool, &options).await?.into()
        }
        Err(_) => EventStore::memory(),
    };
    let listener = TcpListener::bind(address).await?;
    println!("kurrentdb://{}?tls=false", listener.local_addr()?);
    Ok(serve(store, listener, pending()).await?)
}
