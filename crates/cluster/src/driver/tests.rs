use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::{EntryKind, Log, Reason};

/// Takes down what it is told; appends to every new log and forgets whoever is down.
#[derive(Default)]
struct Notes {
    told: Vec<String>,
    log: Option<Arc<Log>>,
    ticks: usize,
}

struct Recorder(Rc<RefCell<Notes>>);

impl Owner for Recorder {
    fn output(&mut self, driver: &Driver, output: Output) {
        let mut notes = self.0.borrow_mut();
        match output {
            Output::Up { slot, log, info } => {
                log.append(format!("to {}", info.name).into(), EntryKind::Snapshot).unwrap();
                notes.log = Some(log);
                notes.told.push(format!("up {}", slot.0));
                if info.name == "unwanted" {
                    driver.lost(info.incarnation);
                    notes.told.push("said so".into());
                }
            }
            Output::Down { slot, reason, .. } => {
                driver.forget(slot);
                notes.told.push(format!("down {} {reason:?}", slot.0));
            }
            Output::Entry { entry, .. } => {
                notes.told.push(String::from_utf8(entry.to_vec()).unwrap());
            }
            _ => {}
        }
    }

    fn tick(&mut self, _: &Driver) {
        self.0.borrow_mut().ticks += 1;
    }
}

fn driver(me: u64) -> (Rc<Driver>, Rc<RefCell<Notes>>, Wake) {
    let (notes, wake) = (Rc::<RefCell<Notes>>::default(), Wake::new());
    let owner = Box::new(Recorder(notes.clone()));
    (Driver::new(Incarnation(me), Settings::default(), wake.clone(), owner), notes, wake)
}

fn info(incarnation: u64, name: &str) -> PeerInfo {
    PeerInfo { incarnation: Incarnation(incarnation), name: name.into(), version: 1, agreement: 1 }
}

/// Carries everything that is due between two drivers.
fn carry(one: &Driver, other: &Driver) {
    while !one.due().is_empty() || !other.due().is_empty() {
        for (from, to) in [(one, other), (other, one)] {
            while let Some(packet) = from.next_packet(to.me()) {
                assert_eq!(to.receive(packet), Received::Taken);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn entries_reach_the_owner() {
    let ((one, ..), (two, notes, wake)) = (driver(1), driver(2));
    one.found(info(2, "two"));
    two.found(info(1, "one"));
    carry(&one, &two);
    assert_eq!(notes.borrow().told, ["up 1", "to two"]);
    two.woken().await;

    let log = notes.borrow().log.clone().unwrap();
    let thread = std::thread::spawn(move || {
        if log.append("later".into(), EntryKind::Event).unwrap().wake {
            wake.wake();
        }
    });
    two.woken().await;
    thread.join().unwrap();
    assert_eq!(two.due(), [Incarnation(1)]);
}

#[tokio::test]
async fn what_the_owner_calls_from_within_is_told_afterwards() {
    let (driver, notes, _) = driver(1);
    driver.found(info(2, "unwanted"));
    driver.found(info(3, "three"));
    let told = ["up 1", "said so", "down 1 Lost", "up 1"];
    assert_eq!(notes.borrow().told, told, "slot 1 was forgotten from within");
}

#[tokio::test(start_paused = true)]
async fn time_passes() {
    let (driver, notes, _) = driver(1);
    driver.found(info(2, "two"));
    let _ = tokio::time::timeout(Duration::from_secs(3), driver.keep_time()).await;
    let notes = notes.borrow();
    assert_eq!(notes.told, ["up 1", &format!("down 1 {:?}", Reason::Silent)]);
    assert!((10..=13).contains(&notes.ticks));
}
