//! The query string.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::fields::{self, Given};
use crate::Problem;
use crate::problem::WHOLE_BODY;

/// Parameters that a query may have; unknown ones are ignored.
const PARAMETERS_MAX: usize = 64;

/// The query string. Every bad parameter is named; one that appears twice is bad.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let whole = |message: &str| Problem::validation([(WHOLE_BODY, message)]);
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let axum::extract::Query(pairs) =
            pairs.map_err(|_| whole("The query string is malformed."))?;
        if pairs.len() > PARAMETERS_MAX {
            return Err(whole("The query string has too many parameters."));
        }
        let mut given = BTreeMap::new();
        for (name, text) in &pairs {
            if given.insert(name.as_str(), Given::Text(text)).is_some() {
                return Err(Problem::validation([(
                    name.as_str(),
                    "This parameter appears twice.",
                )]));
            }
        }
        fields::read(&given).map(Self)
    }
}
