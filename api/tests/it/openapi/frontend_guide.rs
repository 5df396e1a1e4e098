//! `docs/FRONTEND_INTEGRATION.md` shows requests and answers as they really are.

use std::path::Path;

use keynest_api::middleware::CorsOrigins;
use keynest_api::throttle::ThrottleLimits;
use sqlx::PgPool;

use super::guide;
use crate::app::TestApp;

/// Set, the guide is written instead of compared.
const UPDATE: &str = "KEYNEST_UPDATE_DOCS";

#[sqlx::test(migrations = false)]
async fn the_frontend_guide_shows_real_answers(pool: PgPool) {
    let mut builder = TestApp::builder(pool);
    builder.edge.origins = CorsOrigins::parse(["http://localhost:3000"]).unwrap();
    builder.settings.throttles = ThrottleLimits::default();
    builder.settings.exchange.issuers = vec![super::guide::tokens::ISSUER.to_owned()];
    let app = builder.start().await;
    let text = guide::walk(&app).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FRONTEND_INTEGRATION.md");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let difference =
        text.lines().zip(written.lines()).enumerate().find(|(_, (real, old))| real != old);
    if let Some((line, (real, old))) = difference {
        panic!(
            "line {}: the guide says `{old}`, the server `{real}`; run with {UPDATE}=1",
            line + 1
        );
    }
    assert_eq!(text.len(), written.len(), "the guide ends elsewhere; run with {UPDATE}=1");
}
