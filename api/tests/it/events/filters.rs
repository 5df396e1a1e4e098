//! Which events are asked for, and what is said to those who ask wrongly.

use serde_json::json;

use super::*;

#[sqlx::test(migrations = false)]
async fn every_filter_gives_what_it_names_and_nothing_else(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, organization, project, environment, .. } = &team;
    let wish = json!({"name": "api", "organization": organization});
    let other = app.make(editor, "projects/", wish).await.expect(201).id();
    let within = format!("{ALL}&organization={organization}");
    let (all, end) = app.events(admin, &within).await;
    let is = |event: &Value, name: &str, value: &str| event[name] == *value;
    let begins = |event: &Value, name: &str, start: &str| {
        event[name].as_str().is_some_and(|it| it.starts_with(start))
    };
    let (mine, theirs) = (format!("project-{project}"), format!("project-{other}"));
    let stage = format!("environment-{environment}");
    let (edi, ann) = (editor.id.to_string(), admin.id.to_string());
    type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let whole: Vec<(String, Wanted<'_>)> = vec![
        ("type=project.created".into(), Box::new(|it| is(it, "type", "project.created"))),
        (
            "type=project.created,environment.created".into(),
            Box::new(|it| {
                is(it, "type", "project.created") || is(it, "type", "environment.created")
            }),
        ),
        ("type=project.*".into(), Box::new(|it| begins(it, "type", "project."))),
        (
            "type=organization.*, environment.created".into(),
            Box::new(|it| {
                begins(it, "type", "organization.") || is(it, "type", "environment.created")
            }),
        ),
        (format!("stream={mine}"), Box::new(|it| is(it, "stream", &mine))),
        (
            format!("stream={theirs},{stage}"),
            Box::new(|it| is(it, "stream", &theirs) || is(it, "stream", &stage)),
        ),
        ("stream=project-*".into(), Box::new(|it| begins(it, "stream", "project-"))),
        (format!("actor={edi}"), Box::new(|it| is(it, "actor", &edi))),
        (
            format!("actor={ann}&type=project.*"),
            Box::new(|it| is(it, "actor", &ann) && begins(it, "type", "project.")),
        ),
    ];
    for (query, wanted) in whole {
        let expected: Vec<Value> = all.iter().filter(|it| wanted(it)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query}");
        let (told, position) = app.events(admin, &format!("{within}&{query}")).await;
        assert_eq!(ids(&told), ids(&expected), "{query}");
        let (rest, _) = app.events(admin, &format!("{within}&{query}&after={position}")).await;
        assert!(rest.is_empty(), "{query}");
    }
    let (first, _) = app.events(admin, &format!("limit=3&organization={organization}")).await;
    assert_eq!(ids(&first), ids(&all)[..3]);
    assert_eq!(ids(&app.events(admin, &format!("{within}&after=start")).await.0), ids(&all));
    let (none, at_the_end) = app.events(admin, "after=end").await;
    team.variable("NEXT", "x").await;
    for place in [end, at_the_end] {
        let (news, _) = app.events(admin, &format!("after={place}")).await;
        assert_eq!(types(&news), ["environment.variable_created"]);
    }
    assert!(none.is_empty());
}

#[sqlx::test(migrations = false)]
async fn bad_wishes_are_refused_by_name(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let person = app.register_active("ann").await;
    let (_, good) = app.events(&person, ALL).await;
    let many = format!("stream={}", vec!["x-1"; 51].join(","));
    for (query, code) in [
        ("after=nonsense", "position_unknown"),
        ("after=", "position_unknown"),
        (&*format!("after={good}x"), "position_unknown"),
        ("type=user.teleported", "validation"),
        ("type=nobody.*", "validation"),
        ("type=", "validation"),
        ("limit=0", "validation"),
        ("limit=1001", "validation"),
        ("limit=x", "validation"),
        ("wait=21", "validation"),
        ("wait=-1", "validation"),
        ("organization=x", "validation"),
        ("actor=x", "validation"),
        ("stream=", "validation"),
        (&*format!("stream={}", "x".repeat(201)), "validation"),
        (&many, "validation"),
    ] {
        let refused = app.read(&person, &format!("/api/events/?{query}")).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (400, &json!(code)),
            "{query}"
        );
    }
    let stream = app.as_person(&person, Method::GET, "/api/events/");
    let stream = stream.header("Accept", "text/event-stream").header("Last-Event-ID", "nonsense");
    let refused: Value = stream.send().await.unwrap().json().await.unwrap();
    assert_eq!(refused["code"], "position_unknown");
}

#[sqlx::test(migrations = false)]
async fn a_position_of_the_life_before_a_restore_is_refused(pool: PgPool) {
    let team = Team::start(pool.clone()).await;
    let (_, before) = team.app.events(&team.admin, ALL).await;
    sqlx::raw_sql("update store.log set incarnation = gen_random_uuid()")
        .execute(&pool)
        .await
        .unwrap();
    let restored = team.app.replica().await;
    let url = format!("http://{}/api/events/?after={before}", restored.address);
    let answer = team.app.client.get(url).bearer_auth(&team.admin.access).send().await.unwrap();
    let told: Value = answer.json().await.unwrap();
    assert_eq!(
        (&told["status"], &told["code"]),
        (&json!(400), &json!("position_unknown")),
        "{told}"
    );
    assert!(told["detail"].as_str().unwrap().contains("restored"), "{told}");
}
