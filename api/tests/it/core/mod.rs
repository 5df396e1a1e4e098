//! Organizations, projects, environments and variables as their users meet them.

mod address_rules;
mod audit_log;
mod environments;
mod files;
mod invitations;
mod lists;
mod members;
mod organizations;
mod projects;
mod races;
mod role_matrix;
pub mod team;
mod values;
mod variables;
