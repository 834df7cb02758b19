//! Limits by source: what they promise whatever comes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jackfield_vocabulary::share::{Allowance, Full, Holder, Limits, Pace, PlaceUse, Places, uses};
use jackfield_vocabulary::{Now, UnixTime};
use proptest::prelude::*;

const LIMITS: Limits = Limits { total: 10, share: 4, proved_share: 6, reserve: 3 };

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn stranger(last: u8) -> Holder {
    Holder::stranger(address(last))
}

fn proved(last: u8) -> Holder {
    Holder::proved(address(last))
}

/// Takes an idle place.
fn take(places: &mut Places<u32>, key: u32, holder: Holder) -> Result<Vec<u32>, Full> {
    let gone = places.take(key, holder, 1)?;
    places.idle(&key);
    Ok(gone)
}

#[test]
fn a_source_that_has_its_share_gives_up_its_own_oldest_place() {
    let mut places = Places::new(LIMITS);
    for key in 0..4 {
        assert_eq!(take(&mut places, key, stranger(1)), Ok(vec![]));
    }
    assert_eq!(take(&mut places, 4, stranger(1)), Ok(vec![0]));
    places.idle(&1);
    assert_eq!(take(&mut places, 5, stranger(1)), Ok(vec![2]), "1 became the youngest");
}

#[test]
fn a_source_whose_places_are_all_busy_gets_no_more_than_its_share() {
    let mut places = Places::new(LIMITS);
    for key in 0..4 {
        places.take(key, stranger(1), 1).unwrap();
    }
    assert_eq!(places.take(4, stranger(1), 1), Err(Full::Share));
    assert_eq!(places.take(4, proved(1), 1), Ok(vec![]), "who proved itself is counted apart");
    assert_eq!(places.figures("x").refused, 1);
}

#[test]
fn when_all_is_taken_the_oldest_of_who_holds_most_goes() {
    let mut places = Places::new(LIMITS);
    take(&mut places, 0, stranger(1)).unwrap();
    for key in 1..5 {
        take(&mut places, key, stranger(2)).unwrap();
    }
    for key in 5..7 {
        take(&mut places, key, stranger(3)).unwrap();
    }
    assert_eq!(take(&mut places, 7, stranger(4)), Ok(vec![1]));
    assert_eq!(take(&mut places, 8, stranger(5)), Ok(vec![2]));
    assert_eq!(take(&mut places, 9, stranger(6)), Ok(vec![3]), "2 and 3 hold two, 3 is the older");
}

#[test]
fn a_place_that_was_left_is_a_strangers_again() {
    let mut places = Places::new(LIMITS);
    for key in 0..6 {
        places.take(key, stranger(1), 1).unwrap();
        places.prove(&key);
    }
    assert_eq!(places.take(6, proved(1), 1), Err(Full::Share));
    for key in 0..6 {
        places.abandon(&key);
    }
    assert_eq!((places.held_by(proved(1)), places.holder(&0)), (0, Some(stranger(1))));
    assert_eq!(places.take(6, stranger(1), 1), Ok(vec![0, 1, 2]), "down to a stranger's share");
    assert_eq!(places.take(7, stranger(2), 1), Ok(vec![]));
}

#[test]
fn strangers_leave_the_reserve_and_never_drive_out_who_proved_itself() {
    let mut places = Places::new(LIMITS);
    for key in 0..7 {
        places.take(key, stranger(u8::try_from(key).unwrap()), 1).unwrap();
    }
    assert_eq!(places.take(7, stranger(9), 1), Err(Full::All));
    for key in 10..13 {
        assert_eq!(take(&mut places, key, proved(9)), Ok(vec![]));
    }
    places.idle(&3);
    assert_eq!(take(&mut places, 13, proved(9)), Ok(vec![3]), "a stranger goes first");
    assert_eq!(take(&mut places, 14, stranger(9)), Err(Full::All));
    assert_eq!(places.held(), 10);
}

#[test]
fn who_proves_itself_moves_out_of_the_strangers_share() {
    let mut places = Places::new(LIMITS);
    for key in 0..4 {
        places.take(key, stranger(1), 1).unwrap();
    }
    places.prove(&2);
    assert_eq!((places.held_by(stranger(1)), places.held_by(proved(1))), (3, 1));
    assert_eq!(places.take(4, stranger(1), 1), Ok(vec![]));
}

#[test]
fn what_turns_out_badly_beyond_the_pace_is_owed() {
    let mut pace = Pace::new(Allowance { burst: 2, per_minute: 60 }, 100);
    assert!((0..10).all(|_| pace.admits(at(0), address(1))), "nothing is charged yet");
    (0..10).for_each(|_| pace.charge(at(0), address(1)));
    assert!(!pace.admits(at(8), address(1)), "eight are owed");
    assert!(pace.admits(at(9), address(1)));
    assert!(pace.admits(at(0), address(2)), "another source owes nothing");
    assert_eq!(pace.figures("x").refused, 1);
}

#[test]
fn a_pace_has_its_burst_and_then_its_rate() {
    let mut pace = Pace::new(Allowance { burst: 3, per_minute: 60 }, 100);
    assert_eq!((0..5).filter(|_| pace.allows(at(0), address(1))).count(), 3);
    assert!(!pace.would_allow(at(0), address(1)));
    assert_eq!(pace.take(at(1), address(1)), Some(2), "two were refused meanwhile");
    assert_eq!(pace.take(at(1), address(1)), None);
    assert!(pace.allows(at(1), address(2)), "another source has its own");
}

#[test]
fn a_flood_from_everywhere_shuts_nobody_out_and_gets_one_try_each() {
    let mut pace = Pace::new(Allowance { burst: 2, per_minute: 60 }, 4096);
    let sources = (0..50_000_u32).map(|n| IpAddr::from(n.to_be_bytes()));
    let allowed = sources.flat_map(|source| [source; 3]).filter(|s| pace.allows(at(0), *s));
    assert_eq!(allowed.count(), 2 * 4096 + (50_000 - 4096));
    assert_eq!(pace.sources(), 4096);
    assert!(pace.allows(at(0), address(1)));
}

#[test]
fn a_source_that_is_at_it_is_not_forgotten_for_others() {
    let mut pace = Pace::new(Allowance { burst: 1, per_minute: 1 }, 10);
    assert!(pace.allows(at(0), address(1)));
    for other in 2..100 {
        pace.allows(at(0), address(other));
        assert!(!pace.allows(at(0), address(1)));
    }
}

#[test]
fn the_administrators_guide_shows_the_figures_in_force() {
    let guide = include_str!("../../../docs/administrators.md");
    let tables = uses::tables();
    assert!(guide.contains(&tables), "docs/administrators.md should have:\n\n{tables}");
}

#[test]
fn every_use_has_a_name_of_its_own_and_leaves_something_for_others() {
    let mut names: Vec<_> = uses::PLACES.iter().map(|row| row.name).collect();
    names.extend(uses::PACES.iter().map(|row| row.name));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    for PlaceUse { name, share, reserve, .. } in uses::PLACES {
        assert!((1..100).contains(share) && *reserve < 100, "{name}");
    }
}

fn at(seconds: u64) -> Now {
    Now::new(seconds * 1_000_000, UnixTime(0))
}

#[derive(Clone, Debug)]
enum Step {
    Take(u8, bool, u64),
    Release(usize),
    Idle(usize),
    Busy(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, any::<bool>(), 0..5_u64).prop_map(|(who, proved, n)| Step::Take(who, proved, n)),
        1 => any::<usize>().prop_map(Step::Release),
        3 => any::<usize>().prop_map(Step::Idle),
        1 => any::<usize>().prop_map(Step::Busy),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_no_limit_is_passed_and_only_idle_places_go(
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let mut places = Places::new(LIMITS);
        // What the test knows: holder, amount, idle.
        let mut known: BTreeMap<u32, (Holder, u64, bool)> = BTreeMap::new();
        for (key, step) in (0..).zip(steps) {
            let nth = |n: usize| known.keys().nth(n % known.len().max(1)).copied();
            match step {
                Step::Take(who, is_proved, amount) => {
                    let holder = Holder { proved: is_proved, ..stranger(who) };
                    let before = places.held();
                    match places.take(key, holder, amount) {
                        Ok(gone) => {
                            for one in gone {
                                let (whose, _, idle) = known.remove(&one).unwrap();
                                prop_assert!(idle && (is_proved || !whose.proved));
                            }
                            known.insert(key, (holder, amount, false));
                        }
                        Err(_) => prop_assert_eq!(places.held(), before),
                    }
                }
                Step::Release(n) => if let Some(key) = nth(n) {
                    places.release(&key);
                    known.remove(&key);
                },
                Step::Idle(n) => if let Some(key) = nth(n) {
                    places.idle(&key);
                    known.get_mut(&key).unwrap().2 = true;
                },
                Step::Busy(n) => if let Some(key) = nth(n) {
                    places.busy(&key);
                    known.get_mut(&key).unwrap().2 = false;
                },
            }
            let sum = |of: &dyn Fn(Holder) -> bool| -> u64 {
                known.values().filter(|(whose, ..)| of(*whose)).map(|(_, amount, _)| amount).sum()
            };
            prop_assert_eq!(places.held(), sum(&|_| true));
            prop_assert!(places.held() <= LIMITS.total);
            prop_assert!(sum(&|whose| !whose.proved) <= LIMITS.total - LIMITS.reserve);
            for who in 0..6 {
                for holder in [stranger(who), proved(who)] {
                    prop_assert_eq!(places.held_by(holder), sum(&|whose| whose == holder));
                    let share = if holder.proved { LIMITS.proved_share } else { LIMITS.share };
                    prop_assert!(places.held_by(holder) <= share);
                }
            }
        }
    }

    #[test]
    fn a_pace_never_gives_more_than_burst_and_rate(
        tries in proptest::collection::vec((0..4_u8, 0..3_u64), 0..300),
    ) {
        let allowance = Allowance { burst: 5, per_minute: 30 };
        let mut pace = Pace::new(allowance, 100);
        let (mut now, mut allowed) = (0, BTreeMap::<u8, u64>::new());
        for (who, wait) in tries {
            now += wait;
            *allowed.entry(who).or_default() += u64::from(pace.allows(at(now), address(who)));
        }
        for count in allowed.values() {
            prop_assert!(*count <= 5 + now / 2 + 1);
        }
    }
}
