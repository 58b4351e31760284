//! A cluster of real processes, and what happens to it: nodes that are killed, frozen, restarted
//! one after another, or share one port. What is true is what the clients saw.
//!
//! A scenario is a function of the adapter that joins the nodes, so that what holds for one adapter
//! can be shown for each.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod discovery;
mod events;
mod freeze;
mod kill;
mod one_port;
mod over_nats;
mod over_redis;
mod pause;
mod places;
mod reconnecting;
mod rolling;

/// Nodes that are joined by the mesh.
mod mesh {
    use testkit::nodes::Adapter;

    #[test]
    fn members_of_a_killed_node_are_removed_everywhere_once() {
        super::kill::members_are_removed_once(&Adapter::mesh());
    }

    #[test]
    fn fifty_kills_and_restarts_leave_nothing_behind() {
        super::kill::nothing_is_left_of_many(&Adapter::mesh());
    }

    #[test]
    fn a_frozen_node_holds_nobody_up_and_comes_back() {
        super::freeze::nobody_is_held_up(&Adapter::mesh());
    }

    #[test]
    fn a_frozen_node_holds_up_the_last_places_once() {
        super::places::a_node_that_does_not_answer_is_waited_for_once(&Adapter::mesh());
    }

    #[test]
    fn the_places_of_a_killed_node_are_free() {
        super::places::those_of_a_killed_node_are_free(&Adapter::mesh());
    }

    #[test]
    fn a_short_pause_of_a_node_loses_no_event() {
        super::pause::a_short_one_delays_events_and_loses_none(&Adapter::mesh());
    }

    #[test]
    fn a_long_pause_of_all_nodes_removes_nobody() {
        super::pause::a_long_one_of_all_removes_nobody(&Adapter::mesh());
    }

    #[test]
    fn a_rolling_restart_loses_nobody_and_no_publish() {
        super::rolling::nothing_is_lost(&Adapter::mesh());
    }

    #[test]
    fn no_event_after_a_first_subscription_is_lost() {
        super::events::none_is_lost_after_a_subscription(&Adapter::mesh(), 10_000);
    }

    #[test]
    fn pipelined_events_arrive_everywhere_in_order() {
        super::events::all_arrive_in_order(&Adapter::mesh());
    }

    #[test]
    fn several_processes_serve_one_port() {
        super::one_port::all_are_reached(&Adapter::mesh());
    }

    #[test]
    fn the_cluster_page_shows_who_is_there() {
        super::discovery::the_page_shows_who_is_there(&Adapter::mesh());
    }
}
