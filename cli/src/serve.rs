//! `serve`, `api`, `project`, `work`: the processes of the product.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use keynest_api::server::{self, Stop};
use keynest_api::{App, DevMail, DevMailbox, MailboxError, router};
use keynest_workers::{
    Consumer, Feed, Janitor, JanitorSettings, Mailbox, Mailer, MailerSettings, StoredMail, Transport,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::database::Database;
use crate::edge;
use crate::product::Product;

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

/// Runs until a signal, then drains; a second signal stops at once.
pub async fn run(config: Config, parts: Parts) -> anyhow::Result<()> {
    let database = Database::start_or_join(&config).await?;
    let product = Product::open(config, database).await?;
    let stop = Stop::new();
    let done = CancellationToken::new();
    let tasks = TaskTracker::new();
    listen_for_signals(stop.clone())?;
    if parts.projections {
        product.projections.start(done.clone());
    } else {
        product.projections.follow(done.clone());
    }
    if parts.workers {
        start_workers(&product, &tasks, &done)?;
    }
    if parts.api {
        serve(&product, &stop, &done).await?;
    } else {
        stop.requested().await;
    }
    done.cancel();
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = stop.at_once() => {}
    }
    product.close().await
}

fn start_workers(product: &Product, tasks: &TaskTracker, done: &CancellationToken) -> anyhow::Result<()> {
    let config = &product.config;
    let transport = match config.smtp.url.reveal() {
        Some(url) => Transport::smtp(url, &config.smtp.from, smtp_limits(config)).context("read smtp.url")?,
        None => Transport::Mailbox(product.mailbox.clone()),
    };
    let site = config.frontend.url.as_ref().unwrap_or(&config.public.url).as_str().to_owned();
    let domain = site.split("://").nth(1).and_then(|host| host.split(':').next()).unwrap_or("localhost").to_owned();
    let settings = MailerSettings { site, domain, has_notices: config.mail.notices };
    let mailer = Mailer::new(product.commands.clone(), product.store_pool.clone(), transport, settings)
        .context("compile the mail templates")?;
    let feed = Feed::Store(product.store.clone());
    let consumer = Consumer::new(feed, product.store_pool.clone(), product.clock.clone(), Arc::new(mailer));
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
    tasks.spawn(janitor.run(done.clone()));
    Ok(())
}

fn smtp_limits(config: &Config) -> keynest_workers::SmtpLimits {
    keynest_workers::SmtpLimits {
        timeout: Duration::from_millis(config.smtp.timeout_ms),
        connections_max: config.smtp.connections_max,
    }
}

async fn serve(product: &Product, stop: &Stop, done: &CancellationToken) -> anyhow::Result<()> {
    let config = &product.config;
    let mailbox: Option<Arc<dyn DevMailbox>> = match config.smtp.url.is_set() {
        true => None,
        false => Some(Arc::new(LocalMailbox(product.mailbox.clone()))),
    };
    let app = App::new(
        product.commands.clone(),
        product.queries.clone(),
        product.projections.clone(),
        product.idempotency.clone(),
        edge::settings(config),
        mailbox,
    );
    app.revocations.start(&app, done.clone()).await.context("load the ended sessions")?;
    let edge = edge::edge_settings(config);
    let listener = server::Listener::bind(config.http.listen, edge::server_options(config))
        .await
        .with_context(|| format!("listen on {}", config.http.listen))?;
    if let Some(address) = config.http.metrics_listen {
        let listener = server::Listener::bind(address, edge::server_options(config))
            .await
            .with_context(|| format!("listen on {address}"))?;
        let router = keynest_api::operations_router(app.clone());
        tokio::spawn(server::serve(listener, router, stop.clone()));
    }
    announce(config);
    server::serve(listener, router(app, &edge), stop.clone()).await;
    Ok(())
}

/// What somebody at a terminal wants to know first.
fn announce(config: &Config) {
    let url = config.public.url.as_str();
    tracing::info!(listen = %config.http.listen, url, "KeyNest is ready");
    if !config.smtp.url.is_set() {
        tracing::info!("no SMTP server is configured: mails appear at {url}/dev/mailbox/");
    }
}

fn listen_for_signals(stop: Stop) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for signals")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping; a second signal stops at once");
            stop.request();
        }
    });
    Ok(())
}

struct LocalMailbox(Mailbox);

#[async_trait::async_trait]
impl DevMailbox for LocalMailbox {
    async fn list(&self, recipient: Option<&str>, limit: i64) -> Result<Vec<DevMail>, MailboxError> {
        let mails = self.0.list(recipient, limit).await.map_err(|error| MailboxError(error.into()))?;
        Ok(mails.into_iter().map(shown).collect())
    }

    async fn get(&self, id: i64) -> Result<Option<DevMail>, MailboxError> {
        Ok(self.0.get(id).await.map_err(|error| MailboxError(error.into()))?.map(shown))
    }
}

fn shown(mail: StoredMail) -> DevMail {
    DevMail {
        id: mail.id,
        sent_at: mail.sent_at,
        recipient: mail.recipient,
        subject: mail.subject,
        text: mail.body_text,
        html: mail.body_html,
    }
}
