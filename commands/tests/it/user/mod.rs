//! Accounts.

mod activate;
mod password;
mod register;
