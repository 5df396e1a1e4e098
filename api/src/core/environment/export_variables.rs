//! `GET environments/{id}/export/`: all values as a file, on record before the first is opened (D5).

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use keynest_commands::access::{Export as Recorded, Revealed};
use keynest_domain::{EnvironmentId, FileFormat, Permission, Place};
use keynest_projections::{Export, QueryError, value_context};
use serde::Deserialize;
use utoipa::IntoParams;

use super::file_name::disposition;
use crate::core::found;
use crate::core::variable::{UNREADABLE, reveal};
use crate::extract::{Path, Principal, Query};
use crate::{App, Problem, variable_file};

/// How many values of the file do not open.
pub const WARNINGS: HeaderName = HeaderName::from_static("x-decryption-warnings");

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wish {
    /// `env`, which is the default, `json` or `yaml`.
    #[param(value_type = Option<String>)]
    format: Option<String>,
}

impl Wish {
    fn parse(&self) -> Result<FileFormat, Problem> {
        let wanted = self.format.as_deref().unwrap_or("env");
        let known = [FileFormat::Env, FileFormat::Json, FileFormat::Yaml];
        let unknown = || Problem::validation([("format", "Expected one of env, json, yaml.")]);
        known.into_iter().find(|known| known.name() == wanted).ok_or_else(unknown)
    }
}

/// The variables of an environment as a file.
#[utoipa::path(
    get, path = "/environments/{id}/export/", tag = "variables", operation_id = "export_variables",
    params(("id" = i64, Path), Wish),
    responses(
        (status = 200, content(
            (String = "text/plain"), (Object = "application/json"), (String = "application/x-yaml"))),
        (status = 403, description = "`role_too_weak`"),
        (status = 413, description = "`too_large`"),
        (status = 503, description = "`audit_unavailable`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let format = wish.parse()?;
    let export = recorded(&app, &caller, EnvironmentId::new(id), format).await?;
    rendered(&app, &export, format).await
}

async fn recorded(
    app: &App,
    caller: &Principal,
    id: EnvironmentId,
    format: FileFormat,
) -> Result<Export, Problem> {
    for _ in 0..reveal::ATTEMPTS_MAX {
        let export = found(app.queries.export(&caller.reader, id).await.map_err(too_many)?)?;
        let place = Place::environment(export.organization, export.project, id);
        caller.require(place, Some(export.role), Permission::ExportValues)?;
        let record = Recorded {
            organization: export.organization,
            revision: export.organization_revision,
            project: export.project,
            environment: id,
            format,
            variables: u32::try_from(export.variables.len()).unwrap_or(u32::MAX),
        };
        let recorded = app.commands.record_export(&caller.origin, &record).await;
        match recorded.map_err(reveal::unrecorded)? {
            Revealed::Recorded(_) => return Ok(export),
            Revealed::Stale { .. } => reveal::settle(app).await?,
        }
    }
    Err(Problem::new("audit_unavailable"))
}

fn too_many(error: QueryError) -> Problem {
    match error {
        QueryError::TooMany { .. } => Problem::new("too_large").detail(error.to_string()),
        QueryError::AddressNotAllowed(_)
        | QueryError::SecondFactorRequired(_)
        | QueryError::Throttled { .. }
        | QueryError::Unavailable(_)
        | QueryError::Inconsistent { .. } => error.into(),
    }
}

async fn rendered(app: &App, export: &Export, format: FileFormat) -> Result<Response, Problem> {
    let variables = &export.variables;
    let keys = app.commands.keyring().opening_keys(variables.iter().map(|it| &it.value)).await;
    let keys = keys.map_err(|error| Problem::unavailable(&error))?;
    let mut unreadable = 0_u32;
    let mut texts = Vec::with_capacity(variables.len());
    for it in variables {
        let context = value_context(export.environment, it.id, it.version);
        let text = keys.open_text(&context, &it.value).ok().flatten();
        unreadable += u32::from(text.is_none());
        texts.push(text);
    }
    let value = |at: usize| texts[at].as_deref().map_or(UNREADABLE, String::as_str);
    let entries: Vec<_> =
        variables.iter().enumerate().map(|(at, it)| (it.key.as_str(), value(at))).collect();
    let file = variable_file::render(&entries, format);
    let name = disposition(&export.project_name, &export.environment_name, format);
    let name = HeaderValue::from_str(&name).expect("a file name of printable ASCII");
    let media = HeaderValue::from_static(media_type(format));
    let mut response = ([(CONTENT_TYPE, media), (CONTENT_DISPOSITION, name)], file).into_response();
    if unreadable > 0 {
        response.headers_mut().insert(WARNINGS, unreadable.into());
    }
    Ok(response)
}

fn media_type(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Env => "text/plain; charset=utf-8",
        FileFormat::Json => "application/json",
        FileFormat::Yaml => "application/x-yaml",
    }
}
