//! Whole clusters on a simulated network: the registry, the replication and the cluster's state
//! machine joined as the server joins them, with a seeded schedule instead of time and sockets.
//!
//! There is nothing but tests here. They must not know the Pusher protocol, sockets, threads or the
//! clock.
