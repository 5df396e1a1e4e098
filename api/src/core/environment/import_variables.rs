//! `POST environments/{id}/import/`: a file of variables, all of it or nothing (R10, D19, D21).

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::environment::{ImportVariables, Imported, VariableValue};
use keynest_domain::EnvironmentId;
use serde::Serialize;
use utoipa::ToSchema;

use super::import_form::Import;
use crate::core::MODELS;
use crate::extract::{Path, Principal};
use crate::variable_file::{self, FileError};
use crate::{App, Done, Problem};

/// How an import is described; it is read by hand, so that a large file is bounded on its way in.
#[derive(ToSchema)]
#[schema(as = ImportWish, example = json!({
    "data": "GREETING=hello\nPORT=8080\n", "format": "env", "overwrite": true,
}))]
#[expect(dead_code, reason = "only the description is used")]
pub struct Request {
    /// The text of the file.
    data: String,
    /// `env`, which is the default, `json`, `yaml` or `auto`.
    format: Option<String>,
    /// Whether keys that exist get the imported values.
    overwrite: Option<bool>,
}

/// The same as a form.
#[derive(ToSchema)]
#[schema(as = ImportForm)]
#[expect(dead_code, reason = "only the description is used")]
pub struct Form {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// Without it, the file's name and its text tell.
    format: Option<String>,
    overwrite: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ImportDone)]
pub struct Response {
    message: String,
    summary: Summary,
    imported_count: u32,
    overwritten_count: u32,
    /// Always null: an import is done as a whole or not at all.
    failed_imports: Option<Vec<String>>,
}

#[derive(Serialize, ToSchema)]
struct Summary {
    imported: u32,
    updated: u32,
    failed: u32,
    total_variables: u32,
}

/// Imports a file of variables.
#[utoipa::path(
    post, path = "/environments/{id}/import/", tag = "variables", operation_id = "import_variables",
    params(("id" = i64, Path)),
    request_body(content((Request = "application/json"), (Form = "multipart/form-data"))),
    responses(
        (status = 200, body = Response),
        (status = 400, description = "`invalid_file`"),
        (status = 403, description = "`role_too_weak`"),
        (status = 409, description = "`conflict`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
    import: Import,
) -> Result<Done<Response>, Problem> {
    let wish = parsed(EnvironmentId::new(id), import)?;
    let done = app.commands.import_variables(&caller.origin, wish).await?;
    let body = Response::from(done.outcome);
    Ok(app.done(StatusCode::OK, done.position, MODELS, body).await)
}

fn parsed(environment: EnvironmentId, import: Import) -> Result<ImportVariables, Problem> {
    let parsed = variable_file::parse(&import.bytes, import.format, import.file_name.as_deref())?;
    let mut entries = Vec::with_capacity(parsed.entries.len());
    for (key, value) in parsed.entries {
        let bad = |why: keynest_domain::Invalid| Problem::validation([(key.as_str(), why.message)]);
        let value = VariableValue::parse(value).map_err(bad)?;
        entries.push((key, value));
    }
    let overwrite = import.overwrite;
    Ok(ImportVariables { environment, format: parsed.format, overwrite, entries })
}

impl From<Imported> for Response {
    fn from(done: Imported) -> Self {
        let Imported { created: imported, changed: updated } = done;
        let total_variables = imported + updated;
        Self {
            message: format!("{total_variables} variables imported."),
            summary: Summary { imported, updated, failed: 0, total_variables },
            imported_count: imported,
            overwritten_count: updated,
            failed_imports: None,
        }
    }
}

/// Every bad line is named, no value is.
impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        let line = |line: &variable_file::LineError| match line.line {
            Some(number) => format!("Line {number}: {}", line.message),
            None => line.message.clone(),
        };
        let mut texts: Vec<String> = error.lines.iter().map(line).collect();
        if error.omitted > 0 {
            texts.push(format!("and {} more", error.omitted));
        }
        let problem =
            Problem::new("invalid_file").detail(format!("The file cannot be read. {}", texts[0]));
        problem.with("details", texts)
    }
}
