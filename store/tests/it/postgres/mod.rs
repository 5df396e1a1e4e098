//! What only the Postgres backend has: start-up checks, lost connections, notifications, other processes.

mod backup;
mod committer;
mod follow;
mod handover;
mod levels;
mod migrations;
mod self_check;
mod silence;
mod verify;
