//! A closed loop: so many clients, each sending its next call when the last one is answered. The clients run in the process
//! of the bench and share the machine with what they call.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::samples::Samples;

/// What a client does again and again.
pub trait Caller: Send + 'static {
    /// One call. `Ok(false)`: it was none, this client has nothing left to do.
    fn call(&mut self) -> impl Future<Output = anyhow::Result<bool>> + Send;

    /// What happens between two calls; nothing by default.
    fn pause(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// For how long.
#[derive(Clone, Copy)]
pub struct Span {
    /// Not counted.
    pub warm_up: Duration,
    pub counted: Duration,
}

impl Span {
    pub const fn millis(warm_up: u64, counted: u64) -> Self {
        Self { warm_up: Duration::from_millis(warm_up), counted: Duration::from_millis(counted) }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Load {
    pub clients: usize,
    pub samples: Samples,
    pub errors: usize,
    /// One of the errors.
    pub error: Option<String>,
    pub elapsed: Duration,
    /// Calls of the warm-up as well, and those that ended too late: what the processor's time is spent on.
    pub all: usize,
}

/// Runs all callers at once and gives them back.
pub async fn closed<C: Caller>(callers: Vec<C>, span: Span) -> anyhow::Result<(Load, Vec<C>)> {
    let clients = callers.len();
    let began = Instant::now();
    let (from, until) = (began + span.warm_up, began + span.warm_up + span.counted);
    let tasks: Vec<_> =
        callers.into_iter().map(|caller| tokio::spawn(one(caller, from, until))).collect();
    let mut load = Load { clients, ..Load::default() };
    let (mut back, mut last) = (Vec::with_capacity(clients), from);
    for task in tasks {
        let (done, caller, ended) = task.await?;
        load.samples.extend(&done.samples);
        load.errors += done.errors;
        load.all += done.all;
        load.error = load.error.or(done.error);
        last = last.max(ended);
        back.push(caller);
    }
    // Clients that run out of work end before the time is up.
    load.elapsed = last.min(until).saturating_duration_since(from);
    Ok((load, back))
}

async fn one<C: Caller>(mut caller: C, from: Instant, until: Instant) -> (Load, C, Instant) {
    let mut load = Load::default();
    let mut now = Instant::now();
    while now < until {
        let began = now;
        let done = caller.call().await;
        now = Instant::now();
        if matches!(done, Ok(false)) {
            break;
        }
        load.all += 1;
        // Answered within the time that counts, whenever it began.
        if now >= from && now < until {
            match done {
                Ok(_) => load.samples.push(now - began),
                Err(error) => {
                    load.errors += 1;
                    load.error.get_or_insert(format!("{error:#}"));
                }
            }
        }
        caller.pause().await;
        now = Instant::now();
    }
    (load, caller, now)
}

impl Load {
    /// Calls in a second.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds == 0.0 { 0.0 } else { self.samples.count() as f64 / seconds }
    }

    /// Cells of a row: rate, p50, p99, errors.
    pub fn cells(&self) -> [String; 4] {
        [
            format!("{:.0}", self.rate()),
            format!("{:.2}", self.samples.median()),
            format!("{:.2}", self.samples.percentile(99)),
            self.errors.to_string(),
        ]
    }

    /// Takes in what another process measured at the same time.
    pub fn join(&mut self, other: &Self) {
        self.clients += other.clients;
        self.samples.extend(&other.samples);
        self.errors += other.errors;
        self.all += other.all;
        self.error = self.error.take().or_else(|| other.error.clone());
        self.elapsed = self.elapsed.max(other.elapsed);
    }

    /// As another process has written it.
    pub fn from_json(told: &Value) -> anyhow::Result<Self> {
        let number = |name: &str| told[name].as_u64().with_context(|| format!("no {name}"));
        let samples = told["samples_us"].as_array().context("no samples")?;
        let micros = samples.iter().filter_map(Value::as_u64).map(Duration::from_micros);
        let samples: Samples = micros.collect();
        Ok(Self {
            clients: usize::try_from(number("clients")?)?,
            all: samples.count(),
            samples,
            errors: usize::try_from(number("errors")?)?,
            error: told["error"].as_str().map(str::to_owned),
            elapsed: Duration::from_micros(number("elapsed_us")?),
        })
    }

    pub fn to_json(&self, what: &str) -> Value {
        json!({
            "what": what, "clients": self.clients, "elapsed_us": self.elapsed.as_micros(),
            "errors": self.errors, "error": self.error, "samples_us": self.samples.micros(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does a number of calls, every third of which fails.
    struct Countdown(usize);

    impl Caller for Countdown {
        async fn call(&mut self) -> anyhow::Result<bool> {
            let Countdown(left) = self;
            if *left == 0 {
                return Ok(false);
            }
            *left -= 1;
            anyhow::ensure!(*left % 3 != 0, "it failed");
            Ok(true)
        }
    }

    #[tokio::test]
    async fn calls_and_errors_of_all_clients_are_counted_once() {
        let span = Span { warm_up: Duration::ZERO, counted: Duration::from_secs(60) };
        let (load, back) = closed(vec![Countdown(6), Countdown(9)], span).await.unwrap();
        assert_eq!((load.clients, load.samples.count(), load.errors), (2, 10, 5));
        assert_eq!(load.error.as_deref(), Some("it failed"));
        assert!(back.iter().all(|it| it.0 == 0) && load.elapsed < span.counted);
    }

    #[test]
    fn loads_of_several_processes_are_read_back_and_joined() {
        let elapsed = Duration::from_millis(500);
        let samples = [2, 4].map(Duration::from_millis).into_iter().collect();
        let load = Load { clients: 3, samples, errors: 1, error: None, elapsed, all: 3 };
        let mut all = Load { elapsed: Duration::from_millis(400), ..Load::default() };
        for _ in 0..2 {
            all.join(&Load::from_json(&load.to_json("child")).unwrap());
        }
        assert_eq!((all.clients, all.samples.count(), all.errors), (6, 4, 2));
        assert_eq!((all.rate(), all.samples.percentile(100)), (8.0, 4.0));
        assert!(Load::from_json(&Value::Null).is_err());
    }

    #[test]
    fn a_rate_is_calls_over_time() {
        let samples = (0..10).map(|_| Duration::from_millis(1)).collect();
        let load = Load { samples, elapsed: Duration::from_millis(500), ..Load::default() };
        assert_eq!(load.rate(), 20.0);
        assert_eq!(Load::default().rate(), 0.0);
    }
}
