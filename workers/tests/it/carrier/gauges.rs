//! What an operator sees of a consumer.

use keynest_domain::Lifetime;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;

use super::probe::{Answer, Probe};
use crate::world::World;

contract!(waiting_and_dead_work_and_the_lag_are_measured,);

/// The value of a gauge or counter of the durable `probe`.
fn value(rendered: &str, name: &str) -> Option<f64> {
    let start = format!("{name}{{durable=\"probe\"}} ");
    rendered.lines().find_map(|line| line.strip_prefix(start.as_str()))?.parse().ok()
}

async fn waiting_and_dead_work_and_the_lag_are_measured(world: World) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (probe, mut arrivals) = Probe::heard("probe", |number| match number {
        1 | 2 => Answer::GiveUp,
        3 => Answer::Retry,
        _ => Answer::Wait,
    });
    let consumer = world.consumer(&probe).await;
    world.append([1, 2, 3]).await;
    consumer.drain().await.unwrap();
    world.append([4, 5, 6]).await;
    let (stop, handle) = (CancellationToken::new(), recorder.handle());
    // What waits is not due yet.
    world.clock.advance(Lifetime::from_secs(4));
    let running = tokio::spawn(consumer.run(stop.clone()));
    while arrivals.recv().await != Some(4) {}
    while value(&handle.render(), "keynest_consumer_lag_seconds").is_none() {
        tokio::task::yield_now().await;
    }
    let seen = handle.render();
    assert_eq!(value(&seen, "keynest_work_dead"), Some(2.0));
    assert_eq!(value(&seen, "keynest_work_waiting"), Some(1.0));
    assert_eq!(value(&seen, "keynest_work_put_off_total"), Some(3.0));
    // The handler of the first of them waits: three and what stands between them are behind, however long that takes.
    assert_eq!(value(&seen, "keynest_consumer_lag_events"), Some(6.0));
    let lag = value(&seen, "keynest_consumer_lag_seconds").unwrap();
    assert!(lag >= 4.0, "{lag}");
    stop.cancel();
    probe.gate.notify_one();
    running.await.unwrap();
}
