//! What the load generator can do to a server, one file each. A scenario knows the server only
//! through its sockets and /proc.

pub(crate) mod broadcast;
pub(crate) mod channels;
pub(crate) mod churn;
pub(crate) mod deliveries;
pub(crate) mod draw;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod publish;
