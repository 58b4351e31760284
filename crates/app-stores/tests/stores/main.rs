//! Every store against the real server: MariaDB, PostgreSQL, and moto in DynamoDB's place. What all
//! have in common is in `suite`; what only one can do, in its own file.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod dynamodb;
mod mysql;
mod postgres;
mod suite;
mod support;
