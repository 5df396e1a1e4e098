//! The page to browse the description: whole, from this origin alone, under a policy that lets it work.

use sqlx::PgPool;

use crate::app::TestApp;

/// What the page must be allowed, and nothing of the network.
const POLICY: [&str; 8] = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
];

#[sqlx::test(migrations = false)]
async fn the_page_needs_nothing_from_elsewhere(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let moved = app.get("/api/docs").send().await.unwrap();
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (303, &"/api/docs/".parse().unwrap())
    );
    let page = app.get("/api/docs/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert_eq!(policy.split(';').map(str::trim).collect::<Vec<_>>(), POLICY);
    let html = page.text().await.unwrap();
    assert!(
        !html.contains("<style") && !html.contains("javascript:"),
        "inline parts would be refused"
    );
    assert!(
        !html.split("<script").skip(1).any(|tag| tag.starts_with('>')),
        "inline scripts are refused"
    );
    let files: Vec<&str> =
        ["src=\"", "href=\""].into_iter().flat_map(|it| html.split(it).skip(1)).collect();
    let files: Vec<&str> = files.into_iter().map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert!(!file.contains("//"), "{file} is elsewhere");
        let path = format!("/api/docs/{}", file.trim_start_matches("./"));
        let answer = app.get(&path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let is_known = ["text/css", "text/javascript", "application/javascript", "image/png"]
            .iter()
            .any(|known| kind.starts_with(known));
        assert!(is_known, "{path} is {kind}, which a browser would not use");
    }
}

#[sqlx::test(migrations = false)]
async fn the_page_shows_this_description_and_asks_no_validator(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let script = app.get("/api/docs/swagger-initializer.js").send().await.unwrap();
    let script = script.text().await.unwrap();
    assert!(script.contains(keynest_api::DOCUMENT_PATH), "{script}");
    assert!(script.contains(r#""validatorUrl": "none""#), "{script}");
}

#[sqlx::test(migrations = false)]
async fn the_policy_knows_the_one_inline_style(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let script = app
        .get("/api/docs/swagger-ui-standalone-preset.js")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    // The hash in the policy is of this text. Where another version has another, a browser says so in its console.
    assert!(
        script.contains(".logo_small_svg__cls-2{fill:#fff}.logo_small_svg__cls-3{fill:#85ea2d}")
    );
}
