//! What an account's sealed fields say.

use keynest_crypto::{Context, Subject};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{Aggregate, Email, Sealed, UserId};

use crate::{CommandError, Commands};

/// The fields that people choose, in clear. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
}

impl Names {
    /// What a password may not consist of.
    pub fn context_words<'a>(&'a self, further: &'a [String]) -> Vec<&'a str> {
        let own = [&self.username, &self.email, &self.first_name, &self.last_name];
        own.into_iter().chain(further).map(String::as_str).collect()
    }
}

impl Commands {
    /// All of them; an account whose key is destroyed does not exist.
    pub(crate) async fn open_user_names(
        &self,
        id: UserId,
        user: &User,
    ) -> Result<Names, CommandError> {
        let registered = Some("user.registered");
        Ok(Names {
            username: self
                .open_user_field(id, user.username.as_ref(), registered, "username")
                .await?,
            email: self
                .open_user_field(id, user.email.as_ref(), user.email_sealed_by, "email")
                .await?,
            first_name: self
                .open_user_field(id, user.first_name.as_ref(), user.names_sealed_by, "first_name")
                .await?,
            last_name: self
                .open_user_field(id, user.last_name.as_ref(), user.names_sealed_by, "last_name")
                .await?,
        })
    }

    /// The address in its canonical form.
    pub(crate) async fn open_user_email(
        &self,
        id: UserId,
        user: &User,
    ) -> Result<Email, CommandError> {
        let text =
            self.open_user_field(id, user.email.as_ref(), user.email_sealed_by, "email").await?;
        Email::parse(&text).map_err(|_| CommandError::Damaged(User::stream(id).to_string()))
    }

    /// The password's hash in PHC form.
    pub(crate) async fn open_user_password(
        &self,
        id: UserId,
        user: &User,
    ) -> Result<String, CommandError> {
        self.open_user_field(id, user.password.as_ref(), user.password_sealed_by, "password").await
    }

    pub(super) async fn open_user_field(
        &self,
        id: UserId,
        sealed: Option<&Sealed>,
        event: Option<&'static str>,
        field: &'static str,
    ) -> Result<String, CommandError> {
        let (Some(sealed), Some(event)) = (sealed, event) else {
            return Err(Rejection::Absent.into());
        };
        let context = Context::new(Subject::User(id), User::stream(id), event, field);
        let text = self.keyring().open_text(&context, sealed).await?.ok_or(Rejection::Absent)?;
        Ok(text.as_str().to_owned())
    }
}
