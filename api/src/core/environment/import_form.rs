//! What an import sends: a form with a file, or JSON with the text. Bounded before anything is kept.

use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::extract::{Json, Text};
use crate::variable_file::Format;
use crate::{App, Problem};

/// Longest text of a small field of the form, in bytes.
const SMALL_FIELD_BYTES_MAX: usize = 1_024;
/// Fields of a form at most.
const FORM_FIELDS_MAX: usize = 16;

/// A file, however it was sent. Holds secrets: no `Debug`.
pub struct Import {
    pub bytes: Bytes,
    pub format: Format,
    pub file_name: Option<String>,
    pub overwrite: bool,
}

#[derive(Deserialize)]
struct Body {
    data: Option<Text>,
    format: Option<Text>,
    overwrite: Option<Text>,
}

impl FromRequest<App> for Import {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let is_form = media.is_some_and(|media| {
            media.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
        });
        let bytes_max = app.settings.import_bytes_max;
        if is_form {
            let form = Multipart::from_request(request, app).await;
            return from_form(form.map_err(|_| Problem::new("invalid_body"))?, bytes_max).await;
        }
        let Json(body) = Json::<Body>::from_request(request, app).await?;
        let data = body.data.ok_or_else(nothing_sent)?.0;
        if data.len() > bytes_max {
            return Err(Problem::new("body_too_large"));
        }
        let format = format(body.format.as_ref().map(|text| text.0.as_str()), Format::Env)?;
        let overwrite = overwrite(body.overwrite.as_ref().map(|text| text.0.as_str()))?;
        Ok(Self { bytes: data.into(), format, file_name: None, overwrite })
    }
}

async fn from_form(mut form: Multipart, bytes_max: usize) -> Result<Import, Problem> {
    let (mut file, mut file_name) = (None, None);
    let (mut wanted, mut overwrites) = (None, None);
    for _ in 0..FORM_FIELDS_MAX {
        let Some(field) = form.next_field().await.map_err(broken)? else {
            let bytes = file.ok_or_else(nothing_sent)?;
            let format = format(wanted.as_deref(), Format::Auto)?;
            let overwrite = overwrite(overwrites.as_deref())?;
            return Ok(Import { bytes, format, file_name, overwrite });
        };
        match field.name() {
            Some("file") => {
                file_name = field.file_name().map(str::to_owned);
                file = Some(bounded(field, bytes_max).await?);
            }
            Some("data") if file.is_none() => file = Some(bounded(field, bytes_max).await?),
            Some("format") => wanted = Some(small(field).await?),
            Some("overwrite") => overwrites = Some(small(field).await?),
            Some(_) | None => drop(bounded(field, SMALL_FIELD_BYTES_MAX).await?),
        }
    }
    Err(Problem::new("invalid_body").detail("The form has too many fields"))
}

async fn bounded(mut field: Field<'_>, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut kept = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if kept.len() + chunk.len() > bytes_max {
            return Err(Problem::new("body_too_large"));
        }
        kept.extend_from_slice(&chunk);
    }
    Ok(kept.into())
}

async fn small(field: Field<'_>) -> Result<String, Problem> {
    let bytes = bounded(field, SMALL_FIELD_BYTES_MAX).await?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::new("invalid_body"))
}

/// The name of a format; nothing is the usual one.
fn format(name: Option<&str>, usual: Format) -> Result<Format, Problem> {
    match name.map(str::trim) {
        None | Some("") => Ok(usual),
        Some("auto") => Ok(Format::Auto),
        Some("env") => Ok(Format::Env),
        Some("json") => Ok(Format::Json),
        Some("yaml" | "yml") => Ok(Format::Yaml),
        Some(_) => Err(Problem::validation([("format", "Expected one of auto, env, json, yaml.")])),
    }
}

/// A real yes or no: the text `false` is no (D19).
fn overwrite(text: Option<&str>) -> Result<bool, Problem> {
    match text.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "false" | "0" | "no" | "off") => Ok(false),
        Some("true" | "1" | "yes" | "on") => Ok(true),
        Some(_) => Err(Problem::validation([("overwrite", "Expected true or false.")])),
    }
}

fn nothing_sent() -> Problem {
    Problem::validation([("file", "Send a file, or its text as data.")])
}

fn broken(error: MultipartError) -> Problem {
    let is_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
    Problem::new(if is_large { "body_too_large" } else { "invalid_body" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d19_the_text_false_does_not_overwrite() {
        for text in
            [None, Some(""), Some("false"), Some(" False "), Some("0"), Some("no"), Some("off")]
        {
            assert!(!overwrite(text).unwrap(), "{text:?}");
        }
        for text in ["true", "TRUE", "1", "yes", "on"] {
            assert!(overwrite(Some(text)).unwrap(), "{text}");
        }
        assert_eq!(overwrite(Some("maybe")).unwrap_err().code(), "validation");
    }
}
