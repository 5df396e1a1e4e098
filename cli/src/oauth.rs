//! From the configuration to identity providers; one that is not usable is left out, and the log says why.

use std::time::Duration;

use keynest_api::oauth::{OAuthSettings, ProviderKind, ProviderSettings};
use keynest_api::outgoing::OutgoingSettings;
use keynest_domain::ProviderName;
use secrecy::SecretString;

use crate::config::{Config, OidcProvider, Secret};

/// All that are configured.
pub fn oauth(config: &Config) -> OAuthSettings {
    let oauth = &config.oauth;
    let mut providers = Vec::new();
    if is_whole("google", &oauth.google_client_id, &oauth.google_client_secret) {
        let secret = secret(&oauth.google_client_secret);
        providers.push(ProviderSettings::google(oauth.google_client_id.clone(), secret));
    }
    if is_whole("github", &oauth.github_client_id, &oauth.github_client_secret) {
        let (web, api) = (oauth.github_url.clone(), oauth.github_api_url.clone());
        let (id, secret) = (oauth.github_client_id.clone(), secret(&oauth.github_client_secret));
        providers.push(ProviderSettings::github(id, secret, web, api));
    }
    for wanted in &oauth.providers {
        match provider(wanted, &providers) {
            Ok(provider) => providers.push(provider),
            Err(why) => {
                tracing::warn!(provider = wanted.name, why, "the provider is switched off");
            }
        }
    }
    let internal = oauth.internal_origins.iter().filter_map(|it| it.as_str().parse().ok());
    let timeout = Duration::from_millis(oauth.timeout_ms);
    OAuthSettings {
        providers,
        outgoing: OutgoingSettings { timeout, internal: internal.collect() },
    }
}

/// Half a configuration is a mistake worth a word.
fn is_whole(name: &str, id: &str, secret: &Secret) -> bool {
    if id.is_empty() == secret.is_set() {
        tracing::warn!(
            provider = name,
            "the provider needs a client id and a secret: it is switched off"
        );
    }
    !id.is_empty() && secret.is_set()
}

fn provider(
    wanted: &OidcProvider,
    earlier: &[ProviderSettings],
) -> Result<ProviderSettings, &'static str> {
    let name = ProviderName::parse(&wanted.name)
        .map_err(|_| "the name is not 2 to 32 lower-case letters, digits and hyphens")?;
    if earlier.iter().any(|it| it.name == name) || ["google", "github"].contains(&name.as_str()) {
        return Err("the name is taken");
    }
    let kind = ProviderKind::oidc(&wanted.issuer, &wanted.origins);
    let title = if wanted.title.is_empty() { &wanted.name } else { &wanted.title };
    Ok(ProviderSettings {
        name,
        title: title.clone(),
        client_id: wanted.client_id.clone(),
        client_secret: secret(&wanted.client_secret),
        scopes: wanted.scopes.clone(),
        kind: kind.map_err(|_| "one of its origins is none")?,
    })
}

fn secret(secret: &Secret) -> SecretString {
    SecretString::from(secret.reveal().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(toml: &str) -> Vec<String> {
        let config: Config = toml::from_str(toml).unwrap();
        oauth(&config).providers.iter().map(|it| it.name.to_string()).collect()
    }

    #[test]
    fn nothing_is_on_by_itself() {
        assert_eq!(names(""), Vec::<String>::new());
    }

    #[test]
    fn what_is_whole_is_on_and_the_rest_is_off() {
        let text = r#"
            [oauth]
            google_client_id = "id"
            google_client_secret = "secret"
            github_client_id = "id"
            [[oauth.providers]]
            name = "work"
            issuer = "https://login.example"
            client_id = "id"
            [[oauth.providers]]
            name = "work"
            [[oauth.providers]]
            name = "Not a name"
            [[oauth.providers]]
            name = "hosts"
            origins = ["nonsense"]
        "#;
        assert_eq!(names(text), ["google", "work"]);
    }
}
