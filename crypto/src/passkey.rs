//! Passkeys (WebAuthn level 2): the ceremonies and their states. Attestation is not asked for; what counts is that the
//! same key signs again, for this site and for the challenge of this moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AuthenticationState, COSEKey, Credential, PublicKeyCredential, RegisterPublicKeyCredential,
    RegistrationState, UserVerificationPolicy,
};

const NAME: &str = "KeyNest";
/// How long the browser waits for the person.
const BROWSER_WAIT: Duration = Duration::from_secs(300);

/// A point of P-256 whose private half was never kept. What is compared with it is refused whatever comes out.
static NOBODYS: LazyLock<COSEKey> =
    LazyLock::new(|| serde_json::from_str(NOBODYS_TEXT).expect("a constant"));
const NOBODYS_TEXT: &str = r#"{
    "type_": "ES256",
    "key": { "EC_EC2": {
        "curve": "SECP256R1",
        "x": "fh27fdv2SAfwMIlnr3m65EUgy5dhu6qP_XovHJJv2pg",
        "y": "PMdV774oV2AawR9riiubsdG1DDuABTtQHgWRlpgNOyc"
    } }
}"#;

/// The site that passkeys are for: its name and the origins that may ask for them, from the configuration alone.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    core: WebauthnCore,
    compared: Arc<AtomicU64>,
}

/// Equal when the same origins ask for the same passkeys.
impl PartialEq for RelyingParty {
    fn eq(&self, other: &Self) -> bool {
        self.core.get_allowed_origins() == other.core.get_allowed_origins()
    }
}

/// A credential as it is stored under a seal.
#[derive(Clone)]
pub struct PasskeyCredential(Credential);

/// A response of an authenticator that was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Of signatures; 0 where the authenticator has none.
    pub counter: u32,
    /// Whether the authenticator verified its holder.
    pub is_verified: bool,
}

/// A ceremony that began: what the browser gets, and what finishes it.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// For `navigator.credentials`.
    pub options: Value,
    /// To be kept from everybody, and used once.
    pub state: String,
}

/// Why a ceremony did not succeed. The reason is for the log; callers are only told that it did not.
#[derive(Debug, thiserror::Error)]
#[error("the passkey ceremony failed: {0}")]
pub struct PasskeyError(String);

impl RelyingParty {
    /// For a site whose links lead to `site`, and whose API may serve pages itself. `None` where passkeys cannot work: an
    /// address instead of a name.
    pub fn new(site: &str, api: &str) -> Option<Self> {
        let site = Url::parse(site).ok()?;
        let Some(Host::Domain(id)) = site.host() else { return None };
        let id = id.to_owned();
        let api = Url::parse(api).ok().filter(|api| {
            let host = api.host_str().unwrap_or_default();
            host == id || host.ends_with(&format!(".{id}"))
        });
        let origins = std::iter::once(site).chain(api).collect();
        let core = WebauthnCore::new_unsafe_experts_only(
            NAME,
            &id,
            origins,
            BROWSER_WAIT,
            Some(false),
            Some(false),
        );
        Some(Self { core, compared: Arc::default() })
    }

    /// Begins making a passkey: discoverable, its holder verified.
    pub fn begin_enrolment(
        &self,
        handle: &[u8],
        name: &str,
        known: &[PasskeyCredential],
    ) -> Result<Ceremony, PasskeyError> {
        let builder =
            self.core.new_challenge_register_builder(handle, name, name).map_err(failed)?;
        let builder = builder
            .user_verification_policy(UserVerificationPolicy::Required)
            .require_resident_key(true);
        let (options, state) = self.core.generate_challenge_register(builder).map_err(failed)?;
        let mut options = json(&options)?;
        // Told to the browser alone: that no credential is there twice is kept by a claim.
        let known: Vec<Value> = known.iter().map(PasskeyCredential::descriptor).collect();
        options["publicKey"]["excludeCredentials"] = known.into();
        Ok(Ceremony { options, state: text(&state)? })
    }

    /// The passkey that was made, with its counter.
    pub fn finish_enrolment(
        &self,
        state: &str,
        response: Value,
    ) -> Result<(PasskeyCredential, Signed), PasskeyError> {
        let state: RegistrationState = read(state)?;
        let response: RegisterPublicKeyCredential = value(response)?;
        let credential = self.core.register_credential(&response, &state, None).map_err(failed)?;
        let signed = Signed { counter: credential.counter, is_verified: credential.user_verified };
        Ok((PasskeyCredential(credential), signed))
    }

    /// Asks one of these passkeys to sign, or any that the person has for this site, with the holder verified.
    pub fn begin(&self, known: &[PasskeyCredential]) -> Result<Ceremony, PasskeyError> {
        let credentials = known.iter().map(|known| known.0.clone()).collect();
        let policy = Some(UserVerificationPolicy::Required);
        let builder =
            self.core.new_challenge_authenticate_builder(credentials, policy).map_err(failed)?;
        let builder = builder.allow_backup_eligible_upgrade(true);
        let (options, mut state) =
            self.core.generate_challenge_authenticate(builder).map_err(failed)?;
        // Whatever is enrolled when the answer comes counts, not what was when the question went out.
        state.set_allowed_credentials(Vec::new());
        Ok(Ceremony { options: json(&options)?, state: text(&state)? })
    }

    /// Whether this credential signed. Its stored counter is compared by the domain, at the append. With none, and wherever
    /// something else is wrong, a signature is compared all the same: how long a refusal takes tells nobody which passkeys
    /// are known (THREATS A7).
    pub fn finish(
        &self,
        state: &str,
        response: Value,
        credential: Option<&PasskeyCredential>,
    ) -> Result<Signed, PasskeyError> {
        let state: AuthenticationState = read(state)?;
        let response: PublicKeyCredential = value(response)?;
        let result = credential.map_or(Err(WebauthnError::CredentialNotFound), |credential| {
            let mut credential = credential.0.clone();
            credential.counter = 0;
            self.core.authenticate_single_credential(&response, &state, &credential)
        });
        if matches!(result, Ok(_) | Err(WebauthnError::AuthenticationFailure)) {
            self.compared.fetch_add(1, Ordering::Relaxed);
        } else {
            self.compare_nobodys(&response);
        }
        let result = result.map_err(failed)?;
        Ok(Signed { counter: result.counter(), is_verified: result.user_verified() })
    }

    /// Signatures compared so far.
    pub fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    fn compare_nobodys(&self, response: &PublicKeyCredential) {
        let given = &response.response;
        // A black box: a comparison whose outcome nobody asks for must not be left out.
        let outcome = NOBODYS.verify_signature(&given.signature, &given.authenticator_data);
        std::hint::black_box(outcome).ok();
        self.compared.fetch_add(1, Ordering::Relaxed);
    }
}

impl PasskeyCredential {
    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// For storage under a seal.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).expect("a credential is made of bytes and numbers")
    }

    /// Its id, which the authenticator chose.
    pub fn id(&self) -> &[u8] {
        self.0.cred_id.as_slice()
    }

    fn descriptor(&self) -> Value {
        let id = serde_json::to_value(&self.0)
            .ok()
            .and_then(|mut all| Some(all.get_mut("cred_id")?.take()));
        serde_json::json!({ "type": "public-key", "id": id })
    }
}

/// The credential id that a response names, before anything of it is proved.
pub fn credential_id(response: &Value) -> Option<Vec<u8>> {
    let response: PublicKeyCredential = serde_json::from_value(response.clone()).ok()?;
    Some(response.get_credential_id().to_vec())
}

/// Public keys and ids are personal data.
impl std::fmt::Debug for PasskeyCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasskeyCredential(..)")
    }
}

fn failed(error: impl std::fmt::Debug) -> PasskeyError {
    PasskeyError(format!("{error:?}"))
}

fn json(options: &impl Serialize) -> Result<Value, PasskeyError> {
    serde_json::to_value(options).map_err(failed)
}

fn text(state: &impl Serialize) -> Result<String, PasskeyError> {
    serde_json::to_string(state).map_err(failed)
}

fn read<T: DeserializeOwned>(state: &str) -> Result<T, PasskeyError> {
    serde_json::from_str(state).map_err(failed)
}

fn value<T: DeserializeOwned>(response: Value) -> Result<T, PasskeyError> {
    serde_json::from_value(response).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_and_its_api_may_ask_and_an_address_may_not() {
        let origins = |site: &str, api: &str| {
            let party = RelyingParty::new(site, api)?;
            Some(party.core.get_allowed_origins().iter().map(Url::to_string).collect::<Vec<_>>())
        };
        let both =
            Some(vec!["https://keys.example/".to_owned(), "https://api.keys.example/".to_owned()]);
        assert_eq!(origins("https://keys.example", "https://api.keys.example"), both);
        let one = Some(vec!["https://keys.example/".to_owned()]);
        assert_eq!(origins("https://keys.example", "https://evilkeys.example"), one);
        assert_eq!(origins("http://127.0.0.1:8000", "http://127.0.0.1:8000"), None);
        assert!(origins("http://localhost:8000", "http://localhost:8000").is_some());
    }

    #[test]
    fn nobodys_key_is_one_and_no_signature_is_its() {
        let response = serde_json::json!({
            "id": "bm9ib2R5", "rawId": "bm9ib2R5", "type": "public-key",
            "response": { "authenticatorData": "", "clientDataJSON": "", "signature": "MAYCAQECAQE" },
        });
        let party = RelyingParty::new("https://keys.example", "https://keys.example").unwrap();
        let state = party.begin(&[]).unwrap().state;
        assert!(party.finish(&state, response, None).is_err());
        assert_eq!(party.compared(), 1);
        let one = [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
        assert!(matches!(NOBODYS.verify_signature(&one, b""), Ok(false)));
    }

    #[test]
    fn what_is_not_a_response_is_refused() {
        let party = RelyingParty::new("https://keys.example", "https://keys.example").unwrap();
        let begun = party.begin_enrolment(b"handle", "ann", &[]).unwrap();
        assert_eq!(begun.options["publicKey"]["rp"]["id"], "keys.example");
        for odd in [Value::Null, serde_json::json!({}), serde_json::json!({"id": 1})] {
            assert!(party.finish_enrolment(&begun.state, odd).is_err());
        }
        assert!(party.finish_enrolment("{}", Value::Null).is_err());
    }
}
