//! An actor's team: somebody is invited, comes by the mail, gets another role and leaves; or the invitation is taken back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::Actor;
use crate::ledger::{Cancelled, What};
use crate::withdrawn::Withdrawn;

/// How far it is with the guest of a team.
#[derive(Clone, Debug, Default)]
pub enum Guest {
    #[default]
    None,
    /// The invitation's id, and how many mails the guest had before.
    Invited(String, usize),
    /// Came, and is not in the list of members yet.
    Joined,
    Member(i64),
    Editor(i64),
    /// May not change anything any more.
    Demoted(i64),
}

type Wish = (Method, String, Option<Value>);

impl Actor {
    /// One step with the guest. Waits for no mail: there is other work.
    pub async fn entertain(&mut self, organization: i64) {
        let base = format!("/api/core/organizations/{organization}");
        self.guest = match std::mem::take(&mut self.guest) {
            Guest::None => self.invite(organization, &base).await,
            Guest::Invited(id, before) => self.accept(organization, &base, id, before).await,
            Guest::Joined => self.find_guest(&base).await,
            Guest::Member(user) => {
                self.promote(user, "editor", organization, &base).await;
                Guest::Editor(user)
            }
            Guest::Editor(user) => {
                std::mem::take(&mut self.is_invited_again).store(true, Ordering::SeqCst);
                self.promote(user, "viewer", organization, &base).await;
                self.shut_out("somebody whose role was changed", Self::intrusion);
                Guest::Demoted(user)
            }
            Guest::Demoted(user) => {
                let (path, body) = (format!("{base}/remove_member/"), json!({"user_id": user}));
                self.must(What::RemoveMember(organization), Method::DELETE, &path, body).await;
                self.shut_out("somebody who was removed", Self::intrusion);
                self.shut_out("somebody who was removed", |_| {
                    (Method::GET, format!("{base}/"), None)
                });
                Guest::None
            }
        };
    }

    async fn promote(&mut self, user: i64, role: &str, organization: i64, base: &str) {
        let path = format!("{base}/update_member_role/");
        let body = json!({"user_id": user, "role": role});
        self.must(What::ChangeRole(organization), Method::PATCH, &path, body).await;
    }

    /// The guest may not do something any more, and tries.
    fn shut_out(&mut self, what: &'static str, wish: impl FnOnce(&Self) -> Wish) {
        let mut guest = self.caller.clone();
        let token = guest.ledger().open().tokens.get(&self.peer).cloned();
        guest.token = token;
        let (method, path, body) = wish(self);
        let since = Instant::now();
        let is_over = Arc::clone(&self.is_invited_again);
        let out = Withdrawn { what, caller: guest, method, path, body, since, is_over };
        self.looking.spawn(out.watch());
    }

    /// A change of what the guest could change before.
    fn intrusion(&self) -> Wish {
        let environment = self.memory().lock().unwrap().filled;
        let body = json!({"key": "INTRUDER", "value": "x", "environment": environment});
        (Method::POST, "/api/core/variables/".to_owned(), Some(body))
    }

    async fn invite(&mut self, organization: i64, base: &str) -> Guest {
        std::mem::take(&mut self.is_invited_again).store(true, Ordering::SeqCst);
        let before = self.sink.to(&self.peer).len();
        let (path, peer) = (format!("{base}/invite_member/"), self.peer.clone());
        let body = json!({"email": peer, "role": "viewer"});
        let sent = self.must(What::Invite(organization), Method::POST, &path, body).await;
        let id = sent.body["invitation"]["id"].as_str().expect("the invitation has an id");
        Guest::Invited(id.to_owned(), before)
    }

    /// One invitation in four is taken back instead.
    async fn accept(&mut self, organization: i64, base: &str, id: String, before: usize) -> Guest {
        if self.dice.below(4) == 0 {
            let path = format!("{base}/invitations/{id}/");
            let what = What::RevokeInvitation(organization);
            self.must(what, Method::DELETE, &path, Value::Null).await;
            let cancelled = Cancelled { invitation: id, at: Instant::now() };
            self.caller.ledger().open().cancelled.push(cancelled);
            return Guest::None;
        }
        let mails = self.sink.to(&self.peer);
        let links = mails.iter().skip(before).flat_map(|mail| &mail.links);
        let Some(link) = links.into_iter().find(|link| link.contains("/accept-invitation/")) else {
            return Guest::Invited(id, before);
        };
        let token = link.trim_matches('/').rsplit('/').next().unwrap();
        let body = json!({"token": token});
        let own = self.caller.token.take();
        let path = "/api/auth/invitations/accept/";
        self.must(What::Accept(organization), Method::POST, path, body).await;
        self.caller.token = own;
        Guest::Joined
    }

    /// As soon as the list of members shows the guest.
    async fn find_guest(&mut self, base: &str) -> Guest {
        let members = self.caller.look(&format!("{base}/members/")).await;
        let rows = members.body["members"].as_array().or(members.body["results"].as_array());
        let guest = rows.into_iter().flatten().find(|row| row["email"] == self.peer.as_str());
        guest.map_or(Guest::Joined, |guest| Guest::Member(guest["id"].as_i64().unwrap()))
    }
}
