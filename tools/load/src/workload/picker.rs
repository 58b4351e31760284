//! Which event is published next, where it matters on which node its subscriber is. It must not
//! know how events are published.

/// Picks events in turn, so that a given share of them is for another node than the publisher's.
pub(super) struct Picker {
    /// The events by the node of their subscriber, and how many of them were picked.
    by_node: Vec<(Vec<usize>, usize)>,
    /// None leaves it to chance.
    share: Option<f64>,
    picked: usize,
    /// What part of an event for elsewhere is due.
    due: f64,
}

impl Picker {
    /// From events whose subscribers are on these nodes, of so many.
    pub(super) fn new(
        nodes: usize,
        share: Option<f64>,
        homes: impl Iterator<Item = usize>,
    ) -> Self {
        let mut by_node = vec![(Vec::new(), 0); nodes];
        homes.enumerate().for_each(|(event, node)| by_node[node].0.push(event));
        Picker { by_node, share: share.filter(|_| nodes > 1), picked: 0, due: 0.0 }
    }

    /// The next event for a publisher at a node.
    pub(super) fn event(&mut self, publisher: usize) -> usize {
        self.picked += 1;
        let nodes = self.by_node.len();
        let Some(share) = self.share else {
            let events: usize = self.by_node.iter().map(|(events, _)| events.len()).sum();
            return (self.picked - 1) % events;
        };
        self.due += share;
        let home = if self.due >= 1.0 {
            self.due -= 1.0;
            // All the others in turn.
            (publisher + 1 + self.picked % (nodes - 1)) % nodes
        } else {
            publisher
        };
        let (events, picked) = &mut self.by_node[home];
        *picked += 1;
        events[(*picked - 1) % events.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_for_elsewhere_and_all_nodes_get_some() {
        for (nodes, share) in [(2, 0.75), (4, 0.75), (2, 0.0), (3, 1.0), (1, 0.75)] {
            let homes: Vec<usize> = (0..64).map(|event| event % nodes).collect();
            let mut picker = Picker::new(nodes, Some(share), homes.iter().copied());
            let mut by_home = vec![0; nodes];
            let publisher = nodes - 1;
            (0..1200).for_each(|_| by_home[homes[picker.event(publisher)]] += 1);
            let elsewhere: usize = by_home[..publisher].iter().sum();
            let share = if nodes > 1 { share } else { 0.0 };
            assert_eq!(elsewhere as f64, 1200.0 * share, "{by_home:?}");
            let (least, most) =
                (by_home[..publisher].iter().min(), by_home[..publisher].iter().max());
            assert!(most.unwrap_or(&0) - least.unwrap_or(&0) <= 500, "{by_home:?}");
        }
    }

    #[test]
    fn by_itself_it_goes_through_all_in_turn() {
        let mut picker = Picker::new(2, None, [0, 1, 1].into_iter());
        assert_eq!([0, 1, 0, 1].map(|publisher| picker.event(publisher)), [0, 1, 2, 0]);
    }
}
