//! What was live at the ticks, when the process was at rest: as many points as there is room for, evenly spaced over all ticks.

use crate::record::Ticks;

/// Room for points, a power of 2. Enough to tell a trend from noise, and few enough for a record that people read.
const POINTS_MAX: usize = 1024;

/// Points at every so many ticks, the first tick among them. Noting one allocates nothing.
#[derive(Debug)]
pub(super) struct Rest {
    points: Vec<i64>,
    every: u64,
    ticks: u64,
    pub(super) seconds_per_tick: Option<f64>,
}

impl Rest {
    pub(super) fn new() -> Rest {
        Rest { points: Vec::with_capacity(POINTS_MAX), every: 1, ticks: 0, seconds_per_tick: None }
    }

    /// Notes what is live at the next tick. When there is no more room every second point goes.
    pub(super) fn note(&mut self, live: i64) {
        let tick = self.ticks;
        self.ticks += 1;
        if !tick.is_multiple_of(self.every) {
            return;
        }
        if self.points.len() == POINTS_MAX {
            for kept in 0..POINTS_MAX / 2 {
                self.points[kept] = self.points[2 * kept];
            }
            self.points.truncate(POINTS_MAX / 2);
            // The present tick is due still: it is a multiple of the room, which is even.
            self.every *= 2;
        }
        self.points.push(live);
    }

    /// What goes into the record; None without ticks.
    pub(super) fn ticks(&self) -> Option<Ticks> {
        (self.ticks > 0).then(|| Ticks {
            every: self.every,
            seconds_per_tick: self.seconds_per_tick,
            live_bytes: self.points.iter().map(|&live| live as f64).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks at which as many bytes are live as ticks have gone before.
    fn after(ticks: i64) -> Ticks {
        let mut rest = Rest::new();
        let room = rest.points.as_ptr();
        (0..ticks).for_each(|tick| rest.note(tick));
        assert_eq!(rest.points.as_ptr(), room, "the room was made anew");
        rest.ticks().unwrap()
    }

    #[test]
    fn without_ticks_there_is_nothing() {
        assert_eq!(Rest::new().ticks(), None);
    }

    #[test]
    fn all_are_kept_while_there_is_room() {
        let ticks = after(POINTS_MAX as i64);
        assert_eq!((ticks.every, ticks.live_bytes.len()), (1, POINTS_MAX));
    }

    #[test]
    fn each_point_is_the_tick_that_its_place_says() {
        for count in [1, 1023, 1024, 1025, 2047, 2048, 2049, 4097, 86_400, 1_000_000] {
            let ticks = after(count);
            for (place, &live) in ticks.live_bytes.iter().enumerate() {
                assert_eq!(live, (place as u64 * ticks.every) as f64, "of {count} ticks");
            }
            // None is missing at the end, and half of the room is used at least.
            assert_eq!(ticks.live_bytes.len() as u64, (count as u64).div_ceil(ticks.every));
            assert!(ticks.every == 1 || ticks.live_bytes.len() > POINTS_MAX / 2);
            assert!(ticks.every.is_power_of_two());
        }
    }
}
