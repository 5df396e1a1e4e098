//! What the auditor remembers of earlier events: names, and what belongs to what.

use std::collections::{BTreeMap, BTreeSet};

use keynest_domain::{OrganizationId, Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::error::ApplyError;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    User,
    Session,
    Organization,
    Invitation,
    Project,
    Environment,
    Variable,
}

/// One thing: its kind and its id as text.
pub(crate) type Key = (Kind, String);

/// A thing that a row mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named(Key);

/// What is remembered of one thing. Names are null once their key is destroyed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// Address of a person or invitation, name of an organization, project or environment, key of a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The person of a session, the inviter of an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When the invitation was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// The facts that a batch needs, and those that it adds.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    known: BTreeMap<Key, Fact>,
    changed: BTreeSet<Key>,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::User,
        Self::Session,
        Self::Organization,
        Self::Invitation,
        Self::Project,
        Self::Environment,
        Self::Variable,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Organization => "organization",
            Self::Invitation => "invitation",
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Variable => "variable",
        }
    }
}

impl Named {
    pub fn new(kind: Kind, id: impl ToString) -> Self {
        Self((kind, id.to_string()))
    }
}

impl Fact {
    pub fn user(&self) -> Option<UserId> {
        self.user.as_ref()?.parse().ok()
    }

    pub fn organization(&self) -> Option<OrganizationId> {
        self.organization.as_ref()?.parse().ok()
    }
}

impl Facts {
    /// Reads the facts about these things, and about whatever they belong to, in one statement.
    pub async fn load(
        named: impl Iterator<Item = Named>,
        rows: &mut PgConnection,
    ) -> Result<Self, ApplyError> {
        let wanted: BTreeSet<Key> = named.map(|Named(key)| key).collect();
        let kinds: Vec<String> = wanted.iter().map(|(kind, _)| kind.name().to_owned()).collect();
        let ids: Vec<String> = wanted.into_iter().map(|(_, id)| id).collect();
        let found = sqlx::query!(
            r#"with recursive wanted(kind, id) as (
                   select * from unnest($1::text[], $2::text[])
                   union
                   select parent.kind, f.fact ->> parent.kind
                   from wanted w
                   join audit_facts f on f.kind = w.kind and f.id = w.id
                   cross join (values ('user'), ('organization'), ('project')) parent(kind)
                   where f.fact ->> parent.kind is not null)
               select f.kind, f.id, f.fact::text as "fact!"
               from wanted w join audit_facts f on f.kind = w.kind and f.id = w.id
               order by f.kind, f.id limit 100000"#,
            &kinds,
            &ids
        )
        .fetch_all(rows)
        .await?;
        let mut facts = Self::default();
        for row in found {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == row.kind);
            let kind = kind.ok_or_else(|| ApplyError::failing("a fact is of no known kind"))?;
            let fact = serde_json::from_str(&row.fact)
                .map_err(|_| ApplyError::failing("a fact is not of the known shape"))?;
            facts.known.insert((kind, row.id), fact);
        }
        Ok(facts)
    }

    /// What is known of a thing; nothing of one whose stream was parked.
    pub fn get(&self, kind: Kind, id: impl ToString) -> Fact {
        self.known.get(&(kind, id.to_string())).cloned().unwrap_or_default()
    }

    /// The name of a thing.
    pub fn name(&self, kind: Kind, id: impl ToString) -> Option<String> {
        self.get(kind, id).name
    }

    /// The name of the organization that a fact belongs to.
    pub fn organization_of(&self, fact: &Fact) -> Option<String> {
        self.name(Kind::Organization, fact.organization.as_ref()?)
    }

    /// The name of the project that a fact belongs to.
    pub fn project_of(&self, fact: &Fact) -> Option<String> {
        self.name(Kind::Project, fact.project.as_ref()?)
    }

    /// Remembers something of a thing.
    pub fn set(&mut self, kind: Kind, id: impl ToString, fact: Fact) {
        let key = (kind, id.to_string());
        self.changed.insert(key.clone());
        self.known.insert(key, fact);
    }

    /// Gives a thing another name and answers the one before.
    pub fn rename(
        &mut self,
        kind: Kind,
        id: impl ToString,
        name: Option<String>,
    ) -> Option<String> {
        let id = id.to_string();
        let before = self.get(kind, &id);
        self.set(kind, id, Fact { name, ..before.clone() });
        before.name
    }

    /// Writes what was learned.
    pub async fn store(self, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let (mut kinds, mut ids, mut facts) = (Vec::new(), Vec::new(), Vec::new());
        for key in self.changed {
            let Some(fact) = self.known.get(&key) else { continue };
            facts.push(serde_json::to_string(fact).expect("texts, numbers and a role are JSON"));
            kinds.push(key.0.name().to_owned());
            ids.push(key.1);
        }
        sqlx::query!(
            "insert into audit_facts (kind, id, fact)
             select kind, id, fact::jsonb from unnest($1::text[], $2::text[], $3::text[]) as f(kind, id, fact)
             on conflict (kind, id) do update set fact = excluded.fact",
            &kinds,
            &ids,
            &facts
        )
        .execute(rows)
        .await?;
        Ok(())
    }
}
