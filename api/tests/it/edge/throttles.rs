//! Throttles on routes (CONTRACT 2.5, D33).

use super::lab::{Lab, config, short};
use keynest_api::middleware::Proxies;

#[tokio::test]
async fn failed_attempts_count_and_the_sixth_is_refused_with_true_counters() {
    let lab = Lab::start(short()).await;
    for remaining in [4, 3, 2, 1, 0] {
        let answer = lab.ask("POST /login/ HTTP/1.1", "").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"auth\";q=5;w=60"));
        let told = answer.header("ratelimit").unwrap();
        let reset = told.strip_prefix(&*format!("\"auth\";r={remaining};t=")).expect(told);
        assert!((50..=60).contains(&reset.parse().unwrap()), "{told}");
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(&*remaining.to_string()));
    }
    let answer = lab.ask("POST /login HTTP/1.1", "").await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "throttled"));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    let told = answer.header("ratelimit").unwrap().rsplit_once("t=").unwrap().1.parse().unwrap();
    assert!((1..=60).contains(&wait) && wait >= told, "{wait} {told}");

    let other = lab.ask("POST /activate/ HTTP/1.1", "").await;
    assert_eq!(
        (other.status, other.header("x-ratelimit-remaining")),
        (200, Some("4")),
        "routes do not share"
    );
}

#[tokio::test]
async fn forged_addresses_do_not_help_and_real_ones_have_their_own_quota() {
    let lab = Lab::start(short()).await;
    let mut statuses = Vec::new();
    for number in 0..6 {
        let lines = format!("POST /login/ HTTP/1.1\nX-Forwarded-For: 192.0.2.{number}");
        statuses.push(lab.ask(&lines, "").await.status);
    }
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429]);

    let mut proxied = config();
    proxied.proxies =
        Proxies { trusted: vec!["127.0.0.1/32".parse().unwrap()], ..Proxies::default() };
    let lab = Lab::with(short(), proxied).await;
    let mut refused = Vec::new();
    for number in 0..12 {
        // One customer's /64 walks through its addresses, another one sends now and then.
        let block = if number == 11 { "2001:db8:0:2" } else { "2001:db8:0:1" };
        let lines = format!("POST /login/ HTTP/1.1\nX-Forwarded-For: {block}::{number}");
        refused.push(lab.ask(&lines, "").await.status == 429);
    }
    assert_eq!(
        refused,
        [false, false, false, false, false, true, true, true, true, true, true, false]
    );
}
