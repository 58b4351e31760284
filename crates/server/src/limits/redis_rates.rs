//! Budgets per second that all nodes draw on, kept in Redis (`rateLimiter.driver` = `redis`).
//!
//! The connection lives on the background runtime; whoever asks waits for an answer, but not for
//! long, and goes on without Redis if there is none.

use std::rc::Rc;
use std::time::Duration;

use failures::LogThrottle;
use redis_client::{CallError, Client, ConnectionChange, RedisOptions};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Questions that may wait; beyond that, whoever asks goes on without Redis.
const MAX_QUESTIONS: usize = 4096;
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(100);
/// How long Redis may take before it is held for away.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);

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
        let (to, questions) = mpsc::channel(MAX_QUESTIONS);
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
        match timeout(ANSWER_TIMEOUT, answer).await {
            Ok(Ok(Duration::ZERO)) => Ok(Ok(())),
            Ok(Ok(wait)) => Ok(Err(wait)),
            _ => Err(Unanswered),
        }
    }
}

/// Answers questions, and connects again and again where need be, until nobody can ask any more.
/// While there is no connection, nobody is kept waiting.
pub(crate) async fn serve(mut asked: RedisQuestions) {
    let client = Client::new(asked.options, CALL_TIMEOUT).on_change(|change| match change {
        ConnectionChange::Up => tracing::info!("rate limits are kept in Redis"),
        ConnectionChange::Down(reason) => {
            tracing::warn!(reason, "Redis is away: each node limits rates by itself, by its share");
        }
    });
    let client = Rc::new(client);
    let answers = async {
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                question = asked.questions.recv(), if under_way.len() < MAX_QUESTIONS => {
                    let Some(question) = question else { return };
                    let client = client.clone();
                    // They share the connection, where they wait behind each other's commands only.
                    under_way.spawn_local(async move { answer(&client, question).await });
                }
                // A panic there has been counted and logged.
                Some(_) = under_way.join_next() => {}
            }
        }
    };
    tokio::select! {
        () = answers => {}
        () = client.keep_connected() => {}
    }
}

/// Answers, or not at all: then whoever asked goes on without Redis.
async fn answer(client: &Client, Question { key, count, rate, answer }: Question) {
    let mut eval = redis::cmd("EVAL");
    eval.arg(SCRIPT).arg(1).arg(key).arg(count).arg(rate);
    match client.query(&eval).await {
        // Whoever has lost patience has gone on.
        Ok(micros) => drop(answer.send(Duration::from_micros(micros))),
        Err(CallError::Away(_)) => {}
        Err(CallError::Refused(error)) => {
            if REFUSED.may_log() {
                tracing::error!(%error, "Redis refuses to keep a rate limit");
            }
        }
    }
}
