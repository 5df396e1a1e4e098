//! Events as auditors are told of them: names are opened, and nothing else that is sealed; see `sealed_for_auditors`.

use std::collections::HashMap;

use keynest_crypto::OpeningKeys;
use keynest_store::{Position, Recorded, SealedField, cloud_event, sealed_for_auditors};
use serde_json::Value;

use crate::{App, Problem};

/// What some events need to be told.
pub struct Telling<'a> {
    app: &'a App,
    keys: OpeningKeys,
    sealed: HashMap<Position, Vec<SealedField>>,
}

impl<'a> Telling<'a> {
    /// Of events that their reader is an auditor of (`Queries::feed`).
    pub async fn of(
        app: &'a App,
        events: impl Iterator<Item = &Recorded>,
    ) -> Result<Self, Problem> {
        let sealed: HashMap<_, _> =
            events.map(|it| (it.position, sealed_for_auditors(it))).collect();
        let values = sealed.values().flatten().map(|it| &it.sealed);
        let keys = app.commands.keyring().opening_keys(values).await;
        let keys = keys.map_err(|error| Problem::unavailable(&error))?;
        Ok(Self { app, keys, sealed })
    }

    /// A CloudEvent. What was erased stays null.
    pub fn tell(&self, recorded: &Recorded, position: &str) -> Result<Value, Problem> {
        let told = cloud_event(recorded, &self.app.settings.public_url, position);
        let mut told =
            told.map_err(|error| Problem::new("newer_than_this_binary").caused_by(&error))?;
        for SealedField { field, context, sealed } in
            self.sealed.get(&recorded.position).into_iter().flatten()
        {
            let opened = self.keys.open_text(context, sealed);
            let opened = opened.map_err(|error| Problem::unavailable(&error))?;
            told["data"][*field] = opened.map(|text| text.to_string()).into();
        }
        Ok(told)
    }
}
