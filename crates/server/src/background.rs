//! What runs beside the shards, from the start to the end: metrics, files, signals, Redis for
//! rates and last events, the store of apps.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use app_stores::AppStore;
use redis_client::RedisOptions;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::cache::{finish_redis_cache, serve_redis_cache};
use crate::changed_files::Changes;
use crate::drain::drain;
use crate::limits::{RedisQuestions, serve_redis_rates};
use crate::node::Node;
use crate::outside::keep_time;
use crate::peers::Membership;
use crate::reload::{self, Reload};
use crate::webhooks::{Opened, Work};
use crate::{apps, metrics};

/// What runs on the background runtime.
pub(crate) struct Background {
    pub(crate) node: Arc<Node>,
    pub(crate) metrics: Option<std::net::TcpListener>,
    pub(crate) signals: Option<Signals>,
    pub(crate) membership: Option<Arc<Membership>>,
    pub(crate) redis_questions: Option<RedisQuestions>,
    /// Where the last events of cache channels are kept.
    pub(crate) redis_cache: Option<RedisOptions>,
    /// Where apps are looked up.
    pub(crate) store: Option<Arc<dyn AppStore>>,
    pub(crate) webhooks: Opened,
}

impl Background {
    /// Runs until the server has stopped.
    pub(crate) fn run(self, runtime: Runtime, stopped: mpsc::Receiver<()>) {
        let membership = self.membership.clone();
        let local = LocalSet::new();
        if let Err(error) = runtime.block_on(local.run_until(self.serve(stopped))) {
            tracing::error!(%error, "the background runtime failed");
        }
        // What still looks at files must not hold the exit up.
        runtime.shutdown_timeout(Duration::from_millis(100));
        if let Some(membership) = membership {
            membership.leave();
        }
    }

    async fn serve(self, mut stopped: mpsc::Receiver<()>) -> io::Result<()> {
        let Background { node, metrics: metrics_listener, signals, membership, .. } = self;
        let Background { redis_questions, redis_cache, store, webhooks, .. } = self;
        let (work, webhook_metrics) = Work::start(&node.config, &node.channels, webhooks);
        // It is set once.
        let _ = node.webhook_metrics.set(webhook_metrics);
        redis_questions.map(|asked| tokio::task::spawn_local(serve_redis_rates(asked)));
        redis_cache
            .map(|at| tokio::task::spawn_local(serve_redis_cache(node.channels.clone(), at)));
        let set_open = |open| membership.iter().for_each(|cluster| cluster.set_open(open));
        set_open(true);
        let certificates = membership.as_deref().and_then(Membership::certificates);
        certificates.map(|certificates| tokio::spawn(certificates.clone().keep_fresh()));
        if let Some(store) = store {
            let node = node.clone();
            tokio::spawn(async move {
                apps::look_up_in(&node.apps, store, |gone| node.outside().close(gone)).await;
            });
        }
        if membership.is_none() {
            // Otherwise the cluster's thread does.
            tokio::spawn(keep_time(node.channels.clone()));
        }
        tokio::spawn(keep_house(node.clone()));
        if let Some(tls) = &node.tls {
            tokio::spawn(tls.clone().keep_fresh());
        }
        if let Some(listener) = metrics_listener {
            let listener = TcpListener::from_std(listener)?;
            tokio::spawn(metrics::serve(node.clone(), membership.clone(), listener));
        }
        match signals {
            Some(signals) => signals.until_the_end(&node, &mut stopped).await,
            None => drop(stopped.recv().await),
        }
        set_open(false);
        drain(&node).await;
        work.close().await;
        finish_redis_cache(&node.channels).await;
        Ok(())
    }
}

/// What has to be done now and then.
async fn keep_house(node: Arc<Node>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        node.channels.sweep_last_events();
        node.apps.sweep();
    }
}

/// What ends the node or changes its apps, from outside of it.
pub(crate) struct Signals {
    reload: Reload,
    changes: Changes,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn of(reload: Reload) -> io::Result<Self> {
        Ok(Signals {
            changes: Changes::of(&reload.watched),
            reload,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the end, and reloads when asked to.
    async fn until_the_end(mut self, node: &Node, stopped: &mut mpsc::Receiver<()>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = stopped.recv() => return,
                _ = self.hang_up.recv() => {
                    node.tls.iter().for_each(|tls| tls.ask());
                    reload::reload(node, &self.reload);
                }
                () = self.changes.next() => reload::reload(node, &self.reload),
            }
        }
    }
}
