//! Which lines of a long log are drawn: those that are seen, and some above and below them.

use core::ops::Range;

/// Lines that are drawn above those that are seen, and below them.
pub const BEYOND: usize = 60;
/// Lines are rarely lower than this, in pixels.
const LOW: f64 = 24.0;
/// The height of a view that has not been measured, in pixels.
const TALL: f64 = 1_200.0;
/// What is drawn changes when less than this is left beyond what is seen, in pixels.
pub const MARGIN: f64 = 800.0;

/// The number of lines that a view of this height can show.
fn seen(height: f64) -> usize {
    let height = if height > 0.0 { height } else { TALL };
    (height / LOW) as usize + 1
}

/// How many lines are drawn above those that are seen where the end is seen, once all are …
const ABOVE: usize = 2 * BEYOND;
/// … and how many more each time until then.
const STEP: usize = 40;

/// What is drawn where the end is seen. Whoever opens a conversation sees its end first: the lines above take the browser much
/// longer, so they are drawn after that, a few at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Growth {
    above: usize,
    is_over: bool,
}

impl Growth {
    /// Whether there is nothing left to draw that was there when the conversation was opened.
    pub fn is_over(self) -> bool {
        self.is_over
    }

    /// Draws more.
    pub fn grow(&mut self) {
        self.is_over = self.above == ABOVE;
        self.above = (self.above + STEP).min(ABOVE);
    }

    /// The lines to draw of so many, in a view of this height. If all are drawn at once, that is all of it.
    pub fn at_end(&mut self, height: f64, count: usize) -> Range<usize> {
        if count <= seen(height) {
            *self = Growth {
                above: ABOVE,
                is_over: true,
            };
        }
        count.saturating_sub(seen(height) + self.above)..count
    }
}

/// The lines to draw where this one is seen first.
pub fn around(first: usize, height: f64, count: usize) -> Range<usize> {
    let end = (first + seen(height) + BEYOND).min(count);
    first.saturating_sub(BEYOND).min(end)..end
}

/// Whether so many lines are drawn that some of them have to go.
pub fn is_too_long(range: &Range<usize>, height: f64) -> bool {
    range.len() > 2 * (seen(height) + 2 * BEYOND)
}

/// The heights of the spaces that stand for lines that are not drawn, and by how much the log has to be scrolled so that
/// nothing seems to move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spaces {
    /// The height of the space above, in pixels.
    pub above: f64,
    /// The height of the space below, in pixels.
    pub below: f64,
    /// By how many pixels the log has to be scrolled down.
    pub scroll: f64,
}

/// What is not drawn.
#[derive(Debug, Clone, Copy)]
pub struct Hidden {
    /// The number of lines above.
    pub above: usize,
    /// The number of lines below.
    pub below: usize,
    /// The average height of a line, in pixels.
    pub average: f64,
}

impl Hidden {
    /// Decides how what is seen stays where it is, when it has moved down by so many pixels, below a space of this height.
    /// The space takes it up if it can: scrolling by a program would end the motion of a finger or a wheel.
    pub fn hold(&self, space: f64, moved: f64) -> Spaces {
        let usual = self.above as f64 * self.average;
        let steady = space - moved;
        let fits = self.above > 0 && (0.4 * usual..=2.5 * usual).contains(&steady);
        let above = if fits { steady } else { usual };
        Spaces {
            above,
            below: self.below as f64 * self.average,
            scroll: moved + above - space,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_drawn_and_no_more_than_some_beyond() {
        for count in [0, 1, 50, 200, 10_000] {
            for height in [0.0, 300.0, 1_400.0] {
                let mut growth = Growth {
                    above: ABOVE,
                    is_over: true,
                };
                let end = growth.at_end(height, count);
                assert_eq!(end.end, count);
                assert!(!is_too_long(&end, height));
                for first in [0, count / 2, count.saturating_sub(1)] {
                    let range = around(first, height, count);
                    assert!(count == 0 || range.contains(&first), "{range:?}");
                    assert!(range.end <= count && !is_too_long(&range, height));
                    let beyond = first - range.start;
                    assert!(beyond == BEYOND || range.start == 0);
                }
            }
        }
        assert!(is_too_long(&(0..10_000), 900.0));
    }

    #[test]
    fn the_end_is_drawn_first_and_what_is_above_in_steps_that_do_not_grow_with_the_conversation() {
        for count in [300, 10_000, 1_000_000] {
            let mut growth = Growth::default();
            let mut drawn = growth.at_end(600.0, count);
            assert_eq!(drawn.len(), seen(600.0));
            while !growth.is_over() {
                growth.grow();
                let more = growth.at_end(600.0, count);
                assert!(more.end == count && more.len() - drawn.len() <= STEP);
                // Screen readers are told of what comes only once nothing is drawn that was there before.
                assert_eq!(more == drawn, growth.is_over());
                drawn = more;
            }
            assert_eq!(drawn.len(), seen(600.0) + ABOVE);
        }
        // What is said in a conversation that was short when it was opened is drawn at once.
        let mut growth = Growth::default();
        assert_eq!(growth.at_end(600.0, 3), 0..3);
        assert!(growth.is_over());
        assert_eq!(growth.at_end(600.0, 140), 0..140);
    }

    #[test]
    fn the_space_above_takes_up_what_changes_so_that_nothing_moves() {
        let hidden = |above| Hidden {
            above,
            below: 3,
            average: 50.0,
        };
        // 20 lines of 60 pixels were drawn at the top in place of 50 each.
        let spaces = hidden(80).hold(5_000.0, 1_200.0);
        let expected = Spaces {
            above: 3_800.0,
            below: 150.0,
            scroll: 0.0,
        };
        assert_eq!(spaces, expected);
        // At the beginning there is no space, so the log is scrolled.
        let spaces = hidden(0).hold(1_000.0, 1_200.0);
        assert_eq!((spaces.above, spaces.scroll), (0.0, 200.0));
        // A space that has become much too small or too large is set right.
        for (space, moved) in [(1_000.0, 900.0), (100.0, -50_000.0)] {
            let spaces = hidden(80).hold(space, moved);
            assert_eq!(spaces.above, 4_000.0);
            assert_eq!(spaces.scroll, moved + 4_000.0 - space);
        }
    }
}
