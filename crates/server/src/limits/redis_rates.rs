//! Budgets per second that all nodes draw on, kept in Redis (`rateLimiter.driver` = `redis`).
//!
//! The connection lives on the background runtime; whoever asks waits for an answer, but not for
//! long, and goes on without Redis if there is none.

use std::time::Duration;

use redis_connections::{Commands, RedisOptions, is_away};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use failures::{Backoff, LogThrottle};

/// Questions that may wait; beyond that, whoever asks goes on without Redis.
const QUESTIONS: usize = 4096;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long to wait before the next attempt to connect, at least and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The algorithm of `gcra`, with the clock of Redis: when the budget will be whole again, in
/// microseconds. The answer is how long to wait, 0 if it was taken.
const SCRIPT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
full_at = full_at + math.floor(ARGV[1] * 1000000 / ARGV[2])
local wait = full_at - now - 1000000
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', 2000)
return 0";

static REFUSED: LogThrottle = LogThrottle::new();

struct Question {
    key: String,
    count: u32,
    rate: u32,
    answer: oneshot::Sender<Duration>,
}

/// Shared by all threads.
pub(crate) struct RedisRates {
    questions: mpsc::Sender<Question>,
    key_prefix: String,
}

/// The other end, to be [served](serve) by the background runtime.
pub(crate) struct RedisQuestions {
    questions: mpsc::Receiver<Question>,
    options: RedisOptions,
}

/// There was no answer in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unanswered;

impl RedisRates {
    pub(crate) fn new(options: RedisOptions) -> (Self, RedisQuestions) {
        let (to, questions) = mpsc::channel(QUESTIONS);
        let key_prefix = options.key_prefix.clone();
        (RedisRates { questions: to, key_prefix }, RedisQuestions { questions, options })
    }

    /// Takes from a budget, or says how long to wait.
    pub(crate) async fn take(
        &self,
        budget: &str,
        count: u32,
        rate: u32,
    ) -> Result<Result<(), Duration>, Unanswered> {
        if rate == 0 {
            return Ok(Err(Duration::from_secs(1)));
        }
        let (to, answer) = oneshot::channel();
        let key = format!("{}dunlin:rate:{budget}", self.key_prefix);
        let question = Question { key, count, rate, answer: to };
        self.questions.try_send(question).map_err(|_| Unanswered)?;
        match timeout(PATIENCE, answer).await {
            Ok(Ok(Duration::ZERO)) => Ok(Ok(())),
            Ok(Ok(wait)) => Ok(Err(wait)),
            _ => Err(Unanswered),
        }
    }
}

/// Answers questions, and connects again and again where need be. While there is no connection,
/// nobody is kept waiting.
pub(crate) async fn serve(mut asked: RedisQuestions) {
    let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
    let mut was_up = true;
    loop {
        match timeout(asked.options.connect_timeout, asked.options.commands()).await {
            Ok(Ok(commands)) => {
                tracing::info!("rate limits are kept in Redis");
                let began = Instant::now();
                was_up = true;
                if answer(&mut asked.questions, commands).await.is_none() {
                    return;
                }
                // One that lets us in but does nothing is not tried in a hurry.
                if began.elapsed() > PAUSES.1 {
                    backoff.reset();
                }
                tracing::warn!("Redis is away: each node limits rates by itself, by its share");
            }
            failed => {
                if std::mem::take(&mut was_up) {
                    let reason = match failed {
                        Ok(Err(error)) => error.to_string(),
                        _ => "it does not answer in time".to_owned(),
                    };
                    tracing::warn!(reason, "rate limits cannot be kept in Redis for now");
                }
            }
        }
        let until = Instant::now() + backoff.pause();
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                // Dropped, so that whoever asked goes on at once.
                question = asked.questions.recv() => if question.is_none() { return },
            }
        }
    }
}

/// Answers until the connection fails; none if nobody can ask any more.
async fn answer(questions: &mut mpsc::Receiver<Question>, commands: Commands) -> Option<()> {
    let (failed, mut has_failed) = mpsc::channel(1);
    loop {
        let question = tokio::select! {
            _ = has_failed.recv() => return Some(()),
            question = questions.recv() => question?,
        };
        let (mut commands, failed) = (commands.clone(), failed.clone());
        // They share the connection, where they wait behind each other's commands only.
        tokio::task::spawn_local(async move {
            let Question { key, count, rate, answer } = question;
            let mut eval = redis::cmd("EVAL");
            let eval = eval.arg(SCRIPT).arg(1).arg(key).arg(count).arg(rate);
            match timeout(10 * PATIENCE, eval.query_async::<u64>(&mut commands)).await {
                // Whoever has lost patience goes on without it.
                Ok(Ok(micros)) => drop(answer.send(Duration::from_micros(micros))),
                Ok(Err(error)) if is_away(&error) => {
                    let _ = failed.try_send(());
                }
                Ok(Err(error)) => {
                    if REFUSED.may_log() {
                        tracing::error!(%error, "Redis refuses to keep a rate limit");
                    }
                }
                Err(_) => drop(failed.try_send(())),
            }
        });
    }
}
