//! `api`, `project` and `work` as processes of their own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;

use keynest_cli::config::Config;
use keynest_cli::database::Database;
use keynest_cli::product::Product;
use keynest_commands::Origin;
use keynest_commands::user::Register;
use keynest_crypto::Password;
use keynest_domain::{Email, PersonName, Username};
use keynest_workers::MAILER;
use serde_json::Value;

use crate::running::{Place, signal};

fn register() -> Register {
    Register {
        username: Username::parse("ann").unwrap(),
        email: Email::parse("ann@example.com").unwrap(),
        password: Password::parse("correct-Horse-7-battery").unwrap(),
        first_name: PersonName::parse("").unwrap(),
        last_name: PersonName::parse("").unwrap(),
    }
}

#[tokio::test]
async fn what_is_asked_for_before_the_mailer_ever_ran_is_mailed() {
    let place = Place::new();
    let config = Config { data_dir: place.data(), ..Config::default() };
    let database = Database::start(&config).await.unwrap();
    let product = Product::open(config.clone(), &database).await.unwrap();
    let before = product.store.head().await.unwrap();
    let origin = Origin::product(product.clock.request_id());
    product.commands.register(&origin, register()).await.unwrap();
    product.close().await;

    let product = Product::open(config, &database).await.unwrap();
    let (head, now) = (product.store.head().await.unwrap(), product.clock.now());
    let life = product.store.incarnation();
    let begins = product.work.checkpoint(MAILER, life, head, now).await.unwrap();
    assert!(begins == before && begins < head, "the registration lies before {begins:?}");
    product.close().await;
    database.stop().await.unwrap();
}

#[tokio::test]
async fn a_process_without_an_api_tells_how_it_is() {
    for part in ["project", "work"] {
        let place = Place::new();
        let mut command = place.keynest(&[part]);
        command.env("KEYNEST_HTTP_METRICS_LISTEN", "127.0.0.1:0").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let address = lines
            .map(|line| serde_json::from_str::<Value>(&line).unwrap_or_default())
            .find(|line| line["message"] == "metrics and readiness are served")
            .map(|line| line["listen"].as_str().unwrap().parse::<SocketAddr>().unwrap())
            .expect("it says where");
        let get = async |path: &str| {
            let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (status, text) = get("/health/ready").await;
        let told: Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> =
            told["checks"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        // Only `project` brings the read models forward; beside `work` alone they may be behind.
        assert!(status == 200 || part == "work", "{part}: {text}");
        assert_eq!(names, ["store", "read_models", "clock"], "{part}");
        let (status, text) = get("/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("keynest_http_requests_total"), "{part}: {text}");
        assert_eq!(get("/api/auth/config/").await.0, 404, "{part} has no API");
        signal("TERM", &child.id().to_string());
        assert!(child.wait().unwrap().success(), "{part}");
    }
}
