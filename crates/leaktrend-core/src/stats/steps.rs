//! Level shifts, one or a few, found greedily and then each once more given the others.

use super::ar1::{Noise, PHI, Regression, WrittenOut};
use super::robust::mean;

/// Rounds in which every step is placed again given the others.
const ROUNDS: usize = 2;
/// Steps are looked for until so many in a row did not pay.
const PATIENCE: usize = 2;
/// No step leaves fewer samples than this on either side.
const MARGIN: usize = 3;
/// A step of which less than this share lies outside the columns is one of them.
const DEPENDENT: f64 = 1e-6;

/// The best placement of a number of steps under the φ that explains them best.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Index of the first sample after each step, in no order.
    pub at: Vec<usize>,
    /// -2 log likelihood up to a constant.
    pub criterion: f64,
    /// Index in `PHI` under which it is smallest.
    pub lane: usize,
}

/// The best placements of 1, 2, ... `most` steps beside the columns of a regression; shorter where no further step fits.
///
/// Takes O(n (p + most)) time per step, round and φ. From the best of a third of the φ it goes on to the neighbours
/// until none is better.
pub fn place(regression: &Regression<'_>, floor: f64, most: usize) -> Vec<Placement> {
    let mut best = Vec::new();
    let mut tried = [false; PHI.len()];
    let mut lanes = vec![1, 4, 7, 10];
    while !lanes.is_empty() {
        lanes.iter().for_each(|lane| tried[*lane] = true);
        place_under(regression, &lanes, floor, most, 0.0, &mut best);
        let beside = best.iter().flat_map(|placement| [placement.lane.saturating_sub(1), placement.lane + 1]);
        lanes = beside.filter(|lane| tried.get(*lane) == Some(&false)).collect();
        lanes.sort_unstable();
        lanes.dedup();
    }
    best
}

/// The same under some φ only, added to the `best` known; each gives up after steps that do not pay `price`.
fn place_under(
    regression: &Regression<'_>,
    lanes: &[usize],
    floor: f64,
    most: usize,
    price: f64,
    best: &mut Vec<Placement>,
) {
    let mut scan = Scan::default();
    for &lane in lanes {
        let mut cheapest = (regression.criterion_under(lane, 0.0, floor), 0);
        scan.begin(&regression.written_out(lane));
        let mut at: Vec<usize> = Vec::new();
        for count in 1..=most {
            let Some((step, mut explained)) = scan.best() else { break };
            at.push(step);
            scan.push(step);
            if count >= 2 {
                explained = refine(&mut scan, &mut at, explained);
            }
            let criterion = regression.criterion_under(lane, explained, floor);
            match best.get_mut(count - 1) {
                Some(known) if known.criterion <= criterion => {}
                Some(known) => *known = Placement { at: at.clone(), criterion, lane },
                None => best.push(Placement { at: at.clone(), criterion, lane }),
            }
            let paid = criterion + count as f64 * price;
            if paid < cheapest.0 {
                cheapest = (paid, count);
            } else if count >= cheapest.1 + PATIENCE {
                break;
            }
        }
    }
}

/// Places every step again given the others, until each has its place beside them as they are; gives what they explain
/// together. All steps are in place before and after, the last one where it is best.
fn refine(scan: &mut Scan, at: &mut [usize], mut explained: f64) -> f64 {
    let mut in_place = 1;
    for index in (0..at.len()).cycle().take(ROUNDS * at.len()) {
        if in_place == at.len() {
            break;
        }
        in_place += 1;
        let Some((step, together)) = scan.best_instead_of(at, index) else { continue };
        explained = together;
        if step != at[index] {
            in_place = 1;
            at[index] = step;
            scan.keep(index);
            at[index..].iter().for_each(|&at| scan.push(at));
        }
    }
    explained
}

/// What one more step would explain, at every location at once.
///
/// Under AR(1) noise a whitened step at `c` is `w[c]` there, the same `w[i] (1 - rho[i])` at every later `i` whatever
/// `c` is, and 0 before. So its products with anything are suffix sums, that of two steps depends on the later one
/// only, and no step is ever written out.
#[derive(Default)]
struct Scan {
    /// The square of each whitened step.
    whole: Vec<f64>,
    /// The product of two different steps, by the location of the later one.
    shared: Vec<f64>,
    /// The products of each step with the columns that were projected.
    columns: Vec<Vec<f64>>,
    /// One layer more than there are steps in place; layers after these are spare.
    layers: Vec<Layer>,
    placed: usize,
    /// Room for one row, and for what each step would explain.
    row: Vec<f64>,
    gains: Vec<f64>,
}

/// The state after some steps are in place.
#[derive(Default)]
struct Layer {
    /// The products of each step with the direction that the latest step in place added; of the first layer none.
    row: Vec<f64>,
    /// The product of each step with the residual.
    along: Vec<f64>,
    /// What of each step's square is left outside the columns and the steps in place.
    left: Vec<f64>,
    /// The product of the residual before with that direction.
    share: f64,
    /// By how much the residual sum of squares fell since the first layer.
    explained: f64,
}

impl Scan {
    /// Begins without steps.
    fn begin(&mut self, WrittenOut { basis, residual, edges, insides }: &WrittenOut) {
        let n = edges.len();
        if self.layers.is_empty() {
            self.layers.push(Layer::default());
        }
        let Scan { whole, shared, columns, layers, placed, row, gains } = self;
        let Layer { along, left, .. } = &mut layers[0];
        *placed = 0;
        suffix_sums(edges, insides, residual, along);
        // Where the later of two steps begins, the earlier one is already inside.
        suffix_sums(edges, insides, insides, shared);
        whole.clear();
        whole.extend((0..n).map(|at| shared[at] + edges[at] * (edges[at] - insides[at])));
        columns.resize_with(basis.len(), Vec::new);
        left.clone_from(whole);
        for (column, direction) in columns.iter_mut().zip(basis) {
            suffix_sums(edges, insides, direction, column);
            left.iter_mut().zip(column).for_each(|(left, product)| *left -= *product * *product);
        }
        row.resize(n, 0.0);
        gains.resize(n, 0.0);
    }

    /// The index at which one more step explains most, and what all steps then explain together; `None` where none
    /// fits.
    fn best(&mut self) -> Option<(usize, f64)> {
        let Layer { along, left, explained, .. } = &self.layers[self.placed];
        for (((gain, along), left), whole) in self.gains.iter_mut().zip(along).zip(left).zip(&self.whole) {
            *gain = gain_of(*along, *left, *whole);
        }
        most_gained(&self.gains).map(|(at, gain)| (at, explained + gain))
    }

    /// The same with the step at `at[index]` taken away, where all of `at` are in place, in this order.
    ///
    /// Of what the steps span, one direction is orthogonal to all others but this: it is given back.
    fn best_instead_of(&mut self, at: &[usize], index: usize) -> Option<(usize, f64)> {
        let rows = &self.layers[1..=self.placed];
        let mut parts = vec![0.0; rows.len()];
        for later in index..rows.len() {
            // The product of a step with its own direction is what it was divided by: 0 where it added none.
            let own = rows[later].row[at[later]];
            let due = if later == index { 1.0 } else { 0.0 };
            let known: f64 = (index..later).map(|earlier| parts[earlier] * rows[earlier].row[at[later]]).sum();
            parts[later] = if own > 0.0 { (due - known) / own } else { 0.0 };
        }
        let length = parts.iter().map(|part| part * part).sum::<f64>().sqrt();
        let Layer { along, left, explained, .. } = &self.layers[self.placed];
        self.row.fill(0.0);
        let mut given_back = 0.0;
        if length > 0.0 {
            for (part, layer) in parts.iter().zip(rows).skip(index) {
                let part = part / length;
                given_back += part * layer.share;
                self.row.iter_mut().zip(&layer.row).for_each(|(product, row)| *product += part * row);
            }
        }
        let steps = self.row.iter().zip(along).zip(left).zip(&self.whole);
        for (gain, (((row, along), left), whole)) in self.gains.iter_mut().zip(steps) {
            *gain = gain_of(along + given_back * row, left + row * row, *whole);
        }
        let explained = explained - given_back * given_back;
        most_gained(&self.gains).map(|(at, gain)| (at, explained + gain))
    }

    /// Puts a step in place.
    fn push(&mut self, at: usize) {
        if self.layers.len() == self.placed + 1 {
            self.layers.push(Layer::default());
        }
        let (placed, spare) = self.layers.split_at_mut(self.placed + 1);
        let (before, layer) = (&placed[self.placed], &mut spare[0]);
        self.placed += 1;
        for room in [&mut layer.row, &mut layer.along, &mut layer.left] {
            room.resize(self.whole.len(), 0.0);
        }
        layer.explained = before.explained;
        if before.left[at] <= DEPENDENT * self.whole[at] {
            layer.along.copy_from_slice(&before.along);
            layer.left.copy_from_slice(&before.left);
            layer.row.fill(0.0);
            layer.share = 0.0;
            return;
        }

        layer.row[..at].fill(self.shared[at]);
        layer.row[at..].copy_from_slice(&self.shared[at..]);
        layer.row[at] = self.whole[at];
        let known = self.columns.iter().chain(placed[1..].iter().map(|layer| &layer.row));
        for direction in known {
            let share = direction[at];
            layer.row.iter_mut().zip(direction).for_each(|(product, direction)| *product -= share * direction);
        }
        let length = before.left[at].sqrt();
        let step = before.along[at] / length;
        layer.share = step;
        layer.explained += step * step;
        let known = before.along.iter().zip(&before.left);
        let layer = layer.row.iter_mut().zip(&mut layer.along).zip(&mut layer.left);
        for (((product, along), left), (known_along, known_left)) in layer.zip(known) {
            *product /= length;
            *along = known_along - step * *product;
            *left = known_left - *product * *product;
        }
    }

    /// Takes all but the first `count` steps away.
    fn keep(&mut self, count: usize) {
        self.placed = self.placed.min(count);
    }
}

/// What a step explains, by its product with the residual (`along`) and what is left of its square; -1 of one that is
/// explained.
fn gain_of(along: f64, left: f64, whole: f64) -> f64 {
    if left > DEPENDENT * whole { along * along / left } else { -1.0 }
}

/// The location at which a step explains most, and how much; the last of equals.
fn most_gained(gains: &[f64]) -> Option<(usize, f64)> {
    let within = gains.get(MARGIN..=gains.len().checked_sub(MARGIN)?)?;
    let most = largest(within);
    let at = within.iter().rposition(|gain| *gain == most).filter(|_| most >= 0.0)?;
    Some((MARGIN + at, most))
}

/// The largest of `values`, or -1; of eight at a time, which does not wait for each before the next.
fn largest(values: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let (chunks, rest) = values.as_chunks::<8>();
    let mut most = [-1.0; 8];
    for chunk in chunks {
        for lane in 0..8 {
            most[lane] = larger(most[lane], chunk[lane]);
        }
    }
    most.into_iter().chain(rest.iter().copied()).fold(-1.0, larger)
}

/// For every location the product of a step there with `values`: `edges` at it, `insides` after it.
fn suffix_sums(edges: &[f64], insides: &[f64], values: &[f64], sums: &mut Vec<f64>) {
    sums.resize(values.len(), 0.0);
    let mut after = 0.0;
    for index in (0..values.len()).rev() {
        sums[index] = edges[index] * values[index] + after;
        after += insides[index] * values[index];
    }
}

/// 0 before `at`, 1 from there on.
pub fn column(at: usize, n: usize) -> Vec<f64> {
    (0..n).map(|index| if index < at { 0.0 } else { 1.0 }).collect()
}

/// Several lasting shifts of a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Shifts {
    /// Index of the first sample after each shift, increasing.
    pub at: Vec<usize>,
    /// By how much the mean changes at each.
    pub sizes: Vec<f64>,
    /// Bayesian information criterion of the description, up to the same constant as a shape's.
    pub bic: f64,
}

/// The number and places of shifts that explain `y` best, at most ten, each at a price of 3 log n (in the spirit of the
/// modified criterion of Zhang, Siegmund 2007); none if `y` does not rise with time. O(n) memory, O(n) time for a bounded number of
/// shifts.
pub fn search(noise: &Noise, y: &[f64], floor: f64) -> Shifts {
    /// Near a unit root every wandering series is a staircase.
    const PHIS: usize = 10;
    /// Where steps lie hardly depends on φ: a few are enough to find them.
    const PLACED_UNDER: [usize; 3] = [1, 4, 7];
    const MOST: usize = 10;
    /// Even steps late in the window leave more of a correlation with time; most series have less, and steps that do
    /// not lead up are not asked for.
    const RISING: f64 = 0.2;

    let n = y.len();
    let price = (n as f64).ln();
    let mut level = Regression::new(noise, noise.column(y.to_vec()));
    level.push(noise.column(vec![1.0; n]));
    let flat = level.criterion(&[0.0; PHI.len()], floor).0;
    let mut placements = Vec::new();
    if correlation_with_time(y) >= RISING {
        place_under(&level, &PLACED_UNDER, floor, MOST.min(n / 10), 3.0 * price, &mut placements);
    }
    let paid = |placement: &Placement| placement.criterion + 3.0 * placement.at.len() as f64 * price;
    let best = placements.into_iter().min_by(|a, b| paid(a).total_cmp(&paid(b)));
    let mut at = best.map_or(Vec::new(), |placement| placement.at);
    at.sort_unstable();
    at.dedup();
    at.iter().for_each(|at| {
        level.push(noise.column(column(*at, n)));
    });
    let under = |lane: usize| level.criterion_under(lane, 0.0, floor);
    let steps = (0..PHIS).map(under).fold(f64::INFINITY, f64::min) + 3.0 * at.len() as f64 * price;
    let criterion = steps.min(flat);
    if flat <= steps {
        at.clear();
    }
    let edges: Vec<usize> = [0].into_iter().chain(at.iter().copied()).chain([n]).collect();
    let levels: Vec<f64> = edges.windows(2).map(|edge| mean(&y[edge[0]..edge[1]]).expect("steps are apart")).collect();
    let sizes = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Shifts { at, sizes, bic: criterion + price }
}

/// The largest difference between a mean of last values and a mean of first values: no steps rise by more. O(n) time.
pub fn most_risen(y: &[f64]) -> f64 {
    fn means<'a>(values: impl Iterator<Item = &'a f64>) -> impl Iterator<Item = f64> {
        let sums = values.scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        });
        sums.zip(1..).skip(MARGIN - 1).map(|(sum, count)| sum / f64::from(count))
    }
    let lowest = means(y.iter()).fold(f64::INFINITY, f64::min);
    means(y.iter().rev()).fold(f64::NEG_INFINITY, f64::max) - lowest
}

/// Pearson's correlation with the index; 0 of a constant.
pub fn correlation_with_time(y: &[f64]) -> f64 {
    let n = y.len() as f64;
    let level = mean(y).unwrap_or(0.0);
    let (mut with_time, mut squares) = (0.0, 0.0);
    for (index, y) in y.iter().enumerate() {
        with_time += (index as f64 - (n - 1.0) / 2.0) * (y - level);
        squares += (y - level) * (y - level);
    }
    let of_time = n * (n * n - 1.0) / 12.0;
    if squares > 0.0 { with_time / (of_time * squares).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(levels: &[(usize, f64)], at: &[usize]) {
        let y: Vec<f64> = levels
            .iter()
            .flat_map(|&(count, level)| (0..count).map(move |i| level + if i % 2 == 0 { 0.1 } else { -0.1 }))
            .collect();
        let x: Vec<f64> = (0..y.len()).map(|index| index as f64).collect();
        assert_eq!(search(&Noise::new(&x, &[]), &y, 0.0).at, at);
    }

    /// Placements found from suffix sums explain what the steps, written out, explain; and no other single step more.
    #[test]
    fn the_best_step_is_the_best_of_all_steps() {
        let x: Vec<f64> = (0..40).map(|index| f64::from(index) + if index > 20 { 0.5 } else { 0.0 }).collect();
        let y: Vec<f64> =
            (0..40).map(|index| f64::from(index * index % 7) + if index < 17 { 0.0 } else { 5.0 }).collect();
        let noise = Noise::new(&x, &[]);
        let mut base = Regression::new(&noise, noise.column(y));
        base.push(noise.column(vec![1.0; 40]));
        base.push(noise.column(x));
        let step = |at: usize| noise.column(column(at, 40));
        let with = |steps: &[usize]| {
            let mut regression = base.clone();
            steps.iter().for_each(|at| assert!(regression.push(step(*at))));
            regression
        };
        let rss = |regression: &Regression<'_>, lane: usize| regression.rss()[lane];
        for (lane, phi) in PHI.into_iter().enumerate() {
            let best_beside = |regression: &Regression<'_>| {
                let each = (3..=37).map(|at| (at, regression.gain(&step(at))[lane]));
                each.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
            };
            let (naive, gain) = best_beside(&base);
            let mut scan = Scan::default();
            scan.begin(&base.written_out(lane));
            let (at, most) = scan.best().unwrap();
            assert_eq!(at, naive, "{phi}");
            assert!((most - gain).abs() < 1e-9 * most);

            let beside = with(&[at, 8]);
            scan.push(at);
            scan.push(8);
            let (naive, gain) = best_beside(&beside);
            let (third, together) = scan.best().unwrap();
            assert_eq!(third, naive, "{phi}");
            let expected = rss(&base, lane) - rss(&beside, lane) + gain;
            assert!((together - expected).abs() < 1e-9 * expected);

            // Without the first step: the best beside the other alone.
            let other = with(&[8]);
            let (naive, gain) = best_beside(&other);
            let (instead, together) = scan.best_instead_of(&[at, 8], 0).unwrap();
            assert_eq!(instead, naive, "{phi}");
            let expected = rss(&base, lane) - rss(&other, lane) + gain;
            assert!((together - expected).abs() < 1e-9 * expected);
        }
    }

    #[test]
    fn shifts_are_found_where_they_are() {
        check(&[(60, 1.0)], &[]);
        check(&[(30, 1.0), (30, 2.0)], &[30]);
        check(&[(30, 1.0), (20, 2.0), (40, 5.0), (30, 4.0)], &[30, 50, 90]);
    }
}
