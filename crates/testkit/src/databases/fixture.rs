//! What every server with apps in it can do for a test.

use serde_json::Value;

/// A server with tables of apps.
pub trait Fixture: Sized + 'static {
    /// Whether it lets a connection live after an answer.
    const KEEPS_CONNECTIONS: bool = true;

    /// The server that all tests share.
    fn shared() -> &'static Self;

    /// A server that a test may stop.
    fn own() -> Self;

    /// Makes a table with all columns, or makes it anew. Rows are in the spelling of SQL columns.
    fn table(&self, name: &str, rows: &[Value]) -> impl Future<Output = ()>;

    /// The options of a store over a table, as environment.
    fn options(&self, table: &str) -> Vec<(&'static str, String)>;

    /// The option that names the address, with this port in it.
    fn at_port(port: u16) -> (&'static str, String);

    /// Where it listens.
    fn port(&self) -> u16;

    fn stop(&mut self);

    fn start_again(&mut self);
}
