//! The caller's own account: closing it, erasing it, taking a copy of everything that is kept about it.

pub(super) mod deactivate_account;
pub(super) mod erase_account;
pub(super) mod export_account;
