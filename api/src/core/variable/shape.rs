//! A variable as clients see it (CONTRACT 1.1).

use keynest_projections::VariableRow;
use serde::Serialize;
use utoipa::ToSchema;

/// Shown to those who may not read values (R16).
pub const HIDDEN: &str = "[HIDDEN]";
/// Shown for a value that does not open.
pub const UNREADABLE: &str = "[DECRYPTION_ERROR]";

/// A variable.
#[derive(Serialize, ToSchema)]
pub struct Variable {
    id: i64,
    key: String,
    /// The value, or `[HIDDEN]` for viewers, or `[DECRYPTION_ERROR]`.
    decrypted_value: String,
    environment: i64,
    environment_name: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// The full name, or the username where there is none (R21).
    created_by_name: String,
    /// How many values it has had.
    version: u32,
}

impl Variable {
    /// With its value in clear: from its author, or opened after the reading was recorded.
    pub fn shown(row: VariableRow, value: String) -> Self {
        Self {
            id: row.id.get(),
            key: row.key,
            decrypted_value: value,
            environment: row.environment.get(),
            environment_name: row.environment_name,
            created_at: row.created_at.iso(),
            updated_at: row.updated_at.iso(),
            created_by_name: row.created_by_name,
            version: row.version,
        }
    }

    /// Without its value.
    pub fn hidden(row: VariableRow) -> Self {
        Self::shown(row, HIDDEN.to_owned())
    }
}
