//! Files in and out: what comes in is what was written, what goes out comes in again.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::{Answer, Team};

impl Team {
    async fn import(&self, body: Value) -> Answer {
        let path = format!("environments/{}/import/", self.environment);
        self.app.make(&self.editor, &path, body).await
    }

    async fn upload(&self, name: &str, file: Vec<u8>, fields: &[(&'static str, &str)]) -> Answer {
        let path = format!("/api/core/environments/{}/import/", self.environment);
        let mut form = Form::new().part("file", Part::bytes(file).file_name(name.to_owned()));
        for (field, text) in fields {
            form = form.text(*field, (*text).to_owned());
        }
        let request = self.app.as_person(&self.editor, Method::POST, &path).multipart(form);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        Answer { status, body: answer.json().await.unwrap() }
    }

    async fn export(&self, environment: i64, query: &str) -> reqwest::Response {
        let path = format!("/api/core/environments/{environment}/export/{query}");
        self.app.as_person(&self.editor, Method::GET, &path).send().await.unwrap()
    }
}

#[sqlx::test(migrations = false)]
async fn r10_an_import_counts_at_the_top_and_in_its_summary(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("A", "old").await;
    let done =
        team.import(json!({"data": "A=new\nB=2\nC=3\n", "overwrite": true})).await.expect(200).body;
    assert_eq!((&done["imported_count"], &done["overwritten_count"]), (&json!(2), &json!(1)));
    assert_eq!(
        done["summary"],
        json!({"imported": 2, "updated": 1, "failed": 0, "total_variables": 3})
    );
    assert_eq!(done["failed_imports"], Value::Null);
    let values: Vec<_> =
        team.shown(&team.editor).await.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["new", "2", "3"]);
}

#[sqlx::test(migrations = false)]
async fn keys_that_differ_only_in_case_are_exported_and_imported_again(pool: PgPool) {
    let team = Team::start(pool).await;
    for (key, value) in [("HTTP_PROXY", "one"), ("http_proxy", "two"), ("Http_Proxy", "three")] {
        team.variable(key, value).await;
    }
    let made = team.shown(&team.editor).await;
    assert_eq!(made.len(), 3);
    for format in ["env", "json", "yaml"] {
        let file = team.export(team.environment, &format!("?format={format}")).await;
        let file = file.text().await.unwrap();
        let body = json!({"data": file, "format": format, "overwrite": true});
        let done = team.import(body).await.expect(200).body;
        assert_eq!(done["summary"]["failed"], 0, "{format}");
        assert_eq!(team.shown(&team.editor).await, made, "{format}");
    }
    team.import(json!({"data": "A=1\nA=2\n"})).await.expect(400);
}

#[sqlx::test(migrations = false)]
async fn existing_keys_are_conflicts_and_nothing_is_stored(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("B", "old").await;
    team.variable("C", "old").await;
    let refused = team.import(json!({"data": "A=1\nC=2\nB=3\n"})).await.expect(409).body;
    assert_eq!(refused["conflicts"], json!(["B", "C"]));
    assert!(refused["message"].is_string() && refused["error"].is_string());
    assert_eq!(team.shown(&team.editor).await.len(), 2);
}

#[sqlx::test(migrations = false)]
async fn d19_overwrite_false_in_a_form_does_not_overwrite(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("A", "old").await;
    for text in ["false", "False", "0", ""] {
        team.upload(".env", b"A=new".to_vec(), &[("overwrite", text)]).await.expect(409);
    }
    team.upload(".env", b"A=new".to_vec(), &[("overwrite", "maybe")]).await.expect(400);
    assert_eq!(team.shown(&team.editor).await[0].1, "old");
    team.upload(".env", b"A=new".to_vec(), &[("overwrite", "true")]).await.expect(200);
    assert_eq!(team.shown(&team.editor).await[0].1, "new");
}

#[sqlx::test(migrations = false)]
async fn d21_one_bad_line_stops_all_and_every_one_is_named(pool: PgPool) {
    let team = Team::start(pool).await;
    let file = format!("A=1\n{}=2\nnonsense\nB=3\n", "K".repeat(256));
    let refused = team.upload("x.env", file.into_bytes(), &[]).await.expect(400).body;
    assert_eq!(refused["code"], "invalid_file");
    let details: Vec<_> =
        refused["details"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(details[0].starts_with("Line 2:") && details[1].starts_with("Line 3:"), "{details:?}");
    assert_eq!(team.shown(&team.editor).await, []);
}

#[sqlx::test(migrations = false)]
async fn d22_files_up_to_10_mib_are_taken_and_larger_ones_get_a_problem(pool: PgPool) {
    let team = Team::start(pool).await;
    let value = "x".repeat(64 * 1024);
    let file: String = (0..150).map(|n| format!("K{n}={value}\n")).collect();
    assert!(file.len() > 9 * 1024 * 1024);
    let done = team.upload(".env", file.into_bytes(), &[]).await.expect(200).body;
    assert_eq!(done["imported_count"], 150);
    let large = vec![b'#'; 10 * 1024 * 1024 + 1];
    let refused = team.upload(".env", large, &[]).await;
    assert!([400, 413].contains(&refused.status.as_u16()), "{refused:?}");
    assert!(refused.body["error"].is_string());
}

#[sqlx::test(migrations = false)]
async fn imports_without_a_file_or_with_too_many_keys_are_refused(pool: PgPool) {
    let team = Team::start(pool).await;
    let many: String = (0..1_001).map(|n| format!("K{n}=1\n")).collect();
    for body in [
        json!({}),
        json!({"data": ""}),
        json!({"data": "# nothing\n"}),
        json!({"data": many}),
        json!({"data": "A=1\nA=2"}),
        json!({"data": "A=[HIDDEN]"}),
        json!({"data": "A=1", "format": "xml"}),
        json!({"data": "A=1", "overwrite": "maybe"}),
        json!({"data": "{", "format": "json"}),
        json!({"data": "A: &a [x]\nB: *a", "format": "yaml"}),
    ] {
        let refused = team.import(body).await.expect(400).body;
        assert!(refused["error"].as_str().is_some_and(|text| !text.is_empty()), "{refused}");
    }
    let path = format!("environments/{}/import/", team.environment);
    let empty = team.app.call(Some(&team.editor), Method::POST, &path, Value::Null).await;
    assert!([400, 415].contains(&empty.status.as_u16()), "{empty:?}");
    assert_eq!(team.shown(&team.editor).await, []);
}

#[sqlx::test(migrations = false)]
async fn the_format_is_told_or_found(pool: PgPool) {
    let team = Team::start(pool).await;
    team.import(json!({"data": "{\"A\": \"1\"}", "format": "json"})).await.expect(200);
    team.import(json!({"data": "---\nB: two\n", "format": "yaml"})).await.expect(200);
    team.import(json!({"data": "{\"C\": \"3\"}", "format": "auto"})).await.expect(200);
    team.upload("settings.json", b"{\"D\": \"4\"}".to_vec(), &[]).await.expect(200);
    team.upload("settings.yml", b"E: five".to_vec(), &[]).await.expect(200);
    team.upload("prod.env", b"export F=6".to_vec(), &[]).await.expect(200);
    let values: Vec<_> =
        team.shown(&team.editor).await.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["1", "two", "3", "4", "five", "6"]);
}

#[sqlx::test(migrations = false)]
async fn d11_every_format_is_exported_under_its_name_and_type(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("TOKEN", "x y").await;
    for (query, name, media) in [
        ("", "web_dev.env", "text/plain; charset=utf-8"),
        ("?format=env", "web_dev.env", "text/plain; charset=utf-8"),
        ("?format=json", "web_dev.json", "application/json"),
        ("?format=yaml", "web_dev.yaml", "application/x-yaml"),
    ] {
        let file = team.export(team.environment, query).await;
        assert_eq!(file.status(), StatusCode::OK, "{query}");
        assert_eq!(file.headers()["content-type"], media);
        let disposition = file.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!(
            disposition,
            format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}")
        );
        assert!(file.text().await.unwrap().contains("x y"), "{query}");
    }
    assert_eq!(
        team.export(team.environment, "?format=xml").await.status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(team.export(7, "").await.status(), StatusCode::NOT_FOUND);
}

#[sqlx::test(migrations = false)]
async fn d05_viewers_export_nothing_and_outsiders_find_nothing(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("TOKEN", "canary").await;
    let path = format!("environments/{}/export/", team.environment);
    for (person, status) in [(&team.viewer, 403), (&team.outsider, 404)] {
        let refused = team.app.read(person, &path).await.expect(status);
        assert!(!refused.body.to_string().contains("canary"));
    }
}

#[sqlx::test(migrations = false)]
async fn d37_nasty_values_come_back_byte_for_byte_through_every_format(pool: PgPool) {
    let team = Team::start(pool).await;
    let long = "ü\n\"'`$\\#= ".repeat(5_000);
    let nasty = [
        "",
        " ",
        " both ",
        "\t",
        "a b",
        "multi\nline\n",
        "cr\r\nlf\r\n",
        "\r",
        "'single'",
        "\"double\"",
        "`back`",
        "mixed\"'`",
        "# not a comment",
        "a # b",
        "a#b",
        "$HOME ${X} $(id) $$",
        "\\",
        "\\n",
        "a\\",
        "=",
        "a=b=c",
        "yes",
        "null",
        "~",
        "012",
        "1e3",
        "true",
        "- x",
        ": x",
        "{a: b}",
        "[1]",
        "*x",
        "&x",
        "!x",
        "%x",
        "@x",
        "|",
        ">",
        "---",
        "...",
        "ü 漢字 🦀",
        "\u{feff}bom",
        "\u{85}\u{2028}\u{2029}",
        "\u{1b}[0m\u{7f}\u{1}",
        &long,
    ];
    let mut made = Vec::new();
    for (at, value) in nasty.iter().enumerate() {
        let key = format!("K{at:03}");
        team.variable(&key, value).await;
        made.push((key, (*value).to_owned()));
    }
    let mut team = team;
    let source = team.environment;
    for format in ["env", "json", "yaml"] {
        let query = format!("?format={format}");
        let file = team.export(source, &query).await.bytes().await.unwrap();
        let wish = json!({"name": format!("copy-{format}"), "project": team.project});
        team.environment =
            team.app.make(&team.editor, "environments/", wish).await.expect(201).id();
        team.upload(&format!("x.{format}"), file.to_vec(), &[]).await.expect(200);
        assert_eq!(team.shown(&team.editor).await, made, "{format} as a file");
        let text = String::from_utf8(file.to_vec()).unwrap();
        team.import(json!({"data": text, "format": format, "overwrite": true})).await.expect(200);
        assert_eq!(team.shown(&team.editor).await, made, "{format} as a text");
        let again = team.export(team.environment, &query).await.bytes().await.unwrap();
        assert_eq!(again, file, "{format} again");
    }
}

#[sqlx::test(migrations = false)]
async fn d38_yaml_aliases_and_deep_nesting_are_refused_at_once(pool: PgPool) {
    let team = Team::start(pool).await;
    let mut bomb = "a: &a [x, x]\n".to_owned();
    for (last, next) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        bomb += &format!("{next}: &{next} [*{last}, *{last}, *{last}, *{last}]\n");
    }
    for file in [bomb, format!("A: {}", "[".repeat(100_000))] {
        team.upload("x.yaml", file.into_bytes(), &[]).await.expect(400);
    }
    team.upload("x.json", "[".repeat(100_000).into_bytes(), &[]).await.expect(400);
    for bytes in [b"\x1f\x8b\x08\0".to_vec(), b"PK\x03\x04".to_vec(), b"\xff\xfeA\0=\0".to_vec()] {
        team.upload("x.env", bytes, &[]).await.expect(400);
    }
}
