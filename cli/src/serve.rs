//! `serve`, `api`, `project`, `work`: the processes of the product.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use keynest_api::middleware::Metrics;
use keynest_api::server::{self, Drained, Stop};
use keynest_api::{App, DevMailbox, edge, operations, quiet_operations};
use keynest_commands::{Clock, Commands};
use keynest_crypto::Keyring;
use keynest_projections::Footing;
use keynest_store::EventStore;
use keynest_store::postgres::PostgresQuotas;
use keynest_workers::{
    Consumer, Janitor, JanitorSettings, KeyLedger, Mailer, MailerSettings, Transport, apply_ledger,
    follow_destroyed_keys,
};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::database::Database;
use crate::edge::{edge_settings, server_options, settings};
use crate::local_mailbox::LocalMailbox;
use crate::product::Product;

/// Between two looks at refusals that are counted.
const REFUSALS_FLUSHED_EVERY: Duration = Duration::from_secs(60);
/// Between two looks at the key table.
const KEYS_RELOADED_EVERY: Duration = Duration::from_secs(60);

/// Between two looks at the database's clock.
const CLOCK_COMPARED_EVERY: Duration = Duration::from_secs(1);

/// Which parts a process runs.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// HTTP.
    pub api: bool,
    /// Read models.
    pub projections: bool,
    /// Mails and the janitor.
    pub workers: bool,
}

impl Parts {
    /// As the subcommand is called.
    fn name(self) -> &'static str {
        match (self.api, self.projections, self.workers) {
            (true, false, false) => "api",
            (false, true, false) => "project",
            (false, false, true) => "work",
            _ => "serve",
        }
    }
}

/// Runs until a signal, then drains; a second signal stops at once.
pub async fn run(config: Config, parts: Parts) -> anyhow::Result<()> {
    let delay = Duration::from_millis(config.http.drain_delay_ms);
    let stop = Stop::on_signals(delay).context("listen for signals")?;
    let database = match parts.api && parts.projections {
        // The one process that needs nothing else owns its database.
        true => Database::start(&config).await?,
        false => Database::start_or_join(&config).await?,
    };
    let done = serve_on(config, parts, &database, &stop).await;
    database.stop().await?;
    done
}

async fn serve_on(
    config: Config,
    parts: Parts,
    database: &Database,
    stop: &Stop,
) -> anyhow::Result<()> {
    let product = Product::open_as(parts.name(), config, database).await?;
    let (level, highest) = product.log.level().await.context("look at the log")?;
    if level < highest {
        tracing::info!(%level, %highest, "an upgrade is under way: `keynest migrate --finish` ends it");
    }
    let metrics = Metrics::install().context("start measuring")?;
    let done = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(reload_keys(product.keyring.clone(), done.clone()));
    // Before anything is done by it.
    let clock = product.store.clock().await.context("ask the database for the time")?;
    product.clock.compare(clock);
    tasks.spawn(compare_clocks(product.clock.clone(), product.store.clone(), done.clone()));
    let ledger = KeyLedger::open(&product.config.destroyed_file())
        .context("open the ledger of destroyed keys")?;
    apply_ledger(&product.store_pool, &product.commands, &ledger)
        .await
        .context("apply the ledger of destroyed keys")?;
    let (store, commands) = (product.store.clone(), product.commands.clone());
    follow_destroyed_keys(store, commands, Some(ledger.clone()), done.clone())
        .await
        .context("follow the log")?;
    if parts.projections {
        rebuild_what_does_not_fit(&product).await?;
    }
    let models = match parts.projections {
        true => product.projections.start(&done),
        false => product.projections.follow(&done),
    };
    if parts.workers {
        start_workers(&product, ledger, &tasks, &done).await?;
    }
    if parts.api {
        if !parts.workers {
            tasks.spawn(flush_refusals(product.commands.clone(), done.clone()));
        }
        serve(&product, metrics, stop, &done).await?;
    } else {
        watch_over(&product, metrics, stop).await?;
        tracing::info!(?parts, "KeyNest is ready");
        stop.drain.cancelled().await;
    }
    done.cancel();
    tasks.close();
    tokio::select! {
        () = tasks.wait() => models.wait().await,
        () = stop.now.cancelled() => {}
    }
    product.close().await;
    Ok(())
}

async fn start_workers(
    product: &Product,
    ledger: KeyLedger,
    tasks: &TaskTracker,
    done: &CancellationToken,
) -> anyhow::Result<()> {
    let config = &product.config;
    let transport = match config.smtp.url.reveal() {
        Some(url) => {
            let roots = smtp_roots(config)?;
            Transport::smtp(url, &config.smtp.from, smtp_limits(config), roots.as_deref())
                .context("read smtp.url")?
        }
        None => Transport::Mailbox(product.mailbox.clone()),
    };
    let site = config.frontend.url.as_ref().unwrap_or(&config.public.url).as_str().to_owned();
    let domain = message_domain(&config.smtp.from);
    let pages = config.public.url.as_str().to_owned();
    let settings = MailerSettings { site, pages, domain, has_notices: config.mail.notices };
    let mailer =
        Mailer::new(product.commands.clone(), product.store_pool.clone(), transport, settings)
            .context("compile the mail templates")?;
    let feed = crate::feed::start(product, tasks, done).await?;
    let consumer =
        Consumer::new(feed, product.store_pool.clone(), product.clock.clone(), Arc::new(mailer));
    // Its place in the log before anything is served, or a first start could lose the first mails.
    consumer.start().await.context("take the mailer's place in the log")?;
    tasks.spawn(consumer.run(done.clone()));
    let settings = JanitorSettings {
        interval: Duration::from_secs(config.janitor.interval_seconds),
        batch: u32::try_from(config.janitor.batch_max).unwrap_or(u32::MAX),
        ..JanitorSettings::default()
    };
    let janitor = Janitor::new(
        product.commands.clone(),
        product.queries.clone(),
        product.idempotency.clone(),
        product.store_pool.clone(),
        settings,
    );
    tasks.spawn(janitor.with_ledger(ledger).run(done.clone()));
    Ok(())
}

/// The right part of every Message-ID: the sender's, as mail servers expect.
fn message_domain(from: &str) -> String {
    let domain =
        from.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches(['>', ' ']));
    if domain.is_empty() { "localhost".to_owned() } else { domain.to_owned() }
}

/// Certificates that are trusted for the mail server besides those of the system.
fn smtp_roots(config: &Config) -> anyhow::Result<Option<Vec<u8>>> {
    let path = &config.smtp.ca_file;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let roots =
        std::fs::read(path).with_context(|| format!("read smtp.ca_file {}", path.display()))?;
    Ok(Some(roots))
}

/// Read models of an older version, or of a life of the log before a restore, are built anew; queries see the old ones
/// until then. Those of a newer version stay, or two binaries would build them in turns.
pub(crate) async fn rebuild_what_does_not_fit(product: &Product) -> anyhow::Result<()> {
    let statuses = product.projections.status().await.context("look at the read models")?;
    for status in statuses {
        let is_newer = status.checkpoint.is_some_and(|found| found.version > status.version);
        if status.footing == Footing::OtherVersion && is_newer {
            tracing::warn!(read_model = status.name, "a newer binary keeps this read model");
            continue;
        }
        if matches!(status.footing, Footing::OtherVersion | Footing::OtherIncarnation) {
            tracing::info!(read_model = status.name, "building a read model anew");
            let rebuilt = product.projections.rebuild(status.name, &|_| {}).await;
            rebuilt.with_context(|| format!("build {} anew", status.name))?;
        }
    }
    Ok(())
}

/// Other processes may have rotated keys; the old ones stay good for longer than this takes.
async fn reload_keys(keyring: Keyring, done: CancellationToken) {
    let mut tick = tokio::time::interval(KEYS_RELOADED_EVERY);
    loop {
        tokio::select! {
            () = done.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = keyring.reload().await {
            tracing::warn!(error = %error, "the keys could not be read again");
        }
    }
}

/// One that was set while nobody looked is believed when the database says the same.
async fn compare_clocks(clock: Clock, store: EventStore, done: CancellationToken) {
    let mut tick = tokio::time::interval(CLOCK_COMPARED_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = done.cancelled() => return,
            _ = tick.tick() => {}
        }
        // While the database is away the clock goes on as it is.
        if let Ok(there) = store.clock().await {
            clock.compare(there);
        }
    }
}

fn smtp_limits(config: &Config) -> keynest_workers::SmtpLimits {
    keynest_workers::SmtpLimits {
        timeout: Duration::from_millis(config.smtp.timeout_ms),
        connections_max: config.smtp.connections_max,
    }
}

/// Refusals that are counted within their minute are written once it is over. Beside the workers, the janitor does it;
/// they are held by the process that answered the calls.
async fn flush_refusals(commands: Commands, done: CancellationToken) {
    let mut tick = tokio::time::interval(REFUSALS_FLUSHED_EVERY);
    loop {
        tokio::select! {
            () = done.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = commands.flush_refusals().await {
            tracing::warn!(error = %error, "counted refusals could not be written");
        }
    }
}

/// `/metrics` and `/health/ready` of a process without an API, if it is given a listener.
async fn watch_over(product: &Product, metrics: Metrics, stop: &Stop) -> anyhow::Result<()> {
    let config = &product.config;
    let Some(address) = config.http.metrics_listen else { return Ok(()) };
    let app = app(product).leaving(stop.leave.clone());
    let service = quiet_operations(app, &edge_settings(config, metrics)?);
    let listener = listen(address).await?;
    let listen = listener.local_addr().context("read the listener's address")?;
    tracing::info!(%listen, "metrics and readiness are served");
    tokio::spawn(server::serve(listener, service, server_options(config), stop.clone()));
    Ok(())
}

fn app(product: &Product) -> App {
    let config = &product.config;
    let mailbox: Option<Arc<dyn DevMailbox>> = match config.smtp.url.is_set() {
        true => None,
        false => Some(Arc::new(LocalMailbox(product.mailbox.clone()))),
    };
    App::new(
        product.commands.clone(),
        product.queries.clone(),
        product.projections.clone(),
        product.idempotency.clone(),
        settings(config),
        mailbox,
    )
    .sharing(PostgresQuotas::new(product.store_pool.clone()).into())
}

async fn serve(
    product: &Product,
    metrics: Metrics,
    stop: &Stop,
    done: &CancellationToken,
) -> anyhow::Result<()> {
    let config = &product.config;
    let app = app(product).leaving(stop.leave.clone());
    app.throttle.follow(&app.commands, done.clone()).await.context("read the limits")?;
    app.providers.follow(&app.commands, done.clone()).await.context("read the providers")?;
    let started = app.revocations.start(&app, done.clone()).await;
    started.map_err(|problem| anyhow!("load the ended sessions: {}", problem.text()))?;
    let (uses, clock) = (app.session_uses.clone(), product.commands.clock().clone());
    let until = done.clone();
    tokio::spawn(async move {
        until.run_until_cancelled(uses.keep(|| clock.now())).await;
    });
    let around = edge_settings(config, metrics)?;
    let listener = listen(config.http.listen).await?;
    if let Some(address) = config.http.metrics_listen {
        let service = operations(app.clone(), &around);
        tokio::spawn(server::serve(
            listen(address).await?,
            service,
            server_options(config),
            stop.clone(),
        ));
    }
    let feed = crate::feed_grpc::start(config, &app, &around.proxies, stop).await?;
    announce(config, listener.local_addr().context("read the listener's address")?);
    let drained =
        server::serve(listener, edge(app, &around), server_options(config), stop.clone()).await;
    if drained == Drained::CutOff {
        tracing::warn!("some requests were cut off");
    }
    if let Some(feed) = feed {
        feed.await.context("end the event feed over gRPC")?;
    }
    Ok(())
}

pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))
}

/// What somebody at a terminal wants to know first.
fn announce(config: &Config, listen: SocketAddr) {
    let url = config.public.url.as_str();
    tracing::info!(%listen, url, "KeyNest is ready");
    if !config.smtp.url.is_set() {
        tracing::info!("no SMTP server is configured: mails appear at {url}/dev/mailbox/");
    }
}
