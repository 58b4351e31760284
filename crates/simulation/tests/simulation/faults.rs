//! What goes wrong, and how it ends.

use crate::world::{Place, World};

impl World {
    /// Draws a fault every second or so.
    pub(crate) fn break_something(&mut self) {
        if !self.random.one_in(200) {
            return;
        }
        let until = self.now + self.random.pick(&[300, 1000, 3000, 8000]);
        let at = self.random.between(0, self.places.len() as u64 - 1) as usize;
        match self.random.between(0, 5) {
            0 if self.schedule.partitions => self.network.partition(at, until, &mut self.random),
            1 if self.schedule.lost_ways => self.lose_way(at, until),
            2 | 5 if self.schedule.outages => {
                (0..self.places.len()).for_each(|at| self.lose_way(at, until));
            }
            3 if self.schedule.freezes => self.places[at].frozen_until = until,
            4 if self.schedule.deaths => self.end(at, until),
            5 => self.network.cut_all(at),
            _ => {}
        }
    }

    /// A node ends, in order or not, and comes back later as another one.
    fn end(&mut self, at: usize, until: u64) {
        if self.random.one_in(2) && self.running(at) {
            if self.random.one_in(2) {
                let (now, node) = (self.time(), self.places[at].node.as_mut().unwrap());
                node.disconnect_all(now, &self.names, &mut self.ledger);
            }
            self.node(at).cluster.goodbye();
            self.node(at).woken = true;
            self.send(at);
        }
        self.places[at] = Place::new(until);
        self.network.way_down_until[at] = 0;
        self.network.cut_all(at);
    }

    fn lose_way(&mut self, at: usize, until: u64) {
        self.network.way_down_until[at] = until.max(self.network.way_down_until[at]);
        self.notice_way(at, self.now);
    }

    /// All faults end. Some of the dead come back, the others never do.
    pub(crate) fn heal(&mut self) {
        for at in 0..self.places.len() {
            self.places[at].frozen_until = 0;
            if self.network.way_down(self.now, at) {
                self.network.way_down_until[at] = 0;
                self.notice_way(at, self.now);
            }
            let returns = self.random.one_in(2);
            self.places[at].starts_at = if returns { self.now } else { u64::MAX };
        }
        self.network.end_partitions();
        (self.schedule.lost, self.schedule.doubled) = (0, 0);
    }
}
