//! Databases with tables of apps, which a test starts and ends.

mod certificates;
mod fixture;
mod mariadb;
mod postgres;
pub mod process;

pub use certificates::Certificates;
pub use fixture::Fixture;
pub use mariadb::Maria;
pub use postgres::Postgres;
