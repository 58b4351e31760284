//! Limits that are counted: rates and file descriptors. What a limit is for, and what happens when
//! it is reached, is decided where it is asked.

mod descriptors;
mod redis_rates;

pub(crate) use descriptors::{Descriptors, OpenSocket};
pub(crate) use redis_rates::{RedisQuestions, RedisRates, Unanswered, serve as serve_redis_rates};
