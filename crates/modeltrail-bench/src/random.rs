//! A small seeded generator of pseudo-random numbers and the laws that the load follows. Not for
//! secrets: the same seed gives the same load on every machine.

/// xoshiro256++ (Blackman and Vigna, 2019), seeded through splitmix64 as its authors advise.
pub(crate) struct Rng {
    state: [u64; 4],
    /// The second value of a polar pair, kept for the next call.
    spare: Option<f64>,
}

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        let mut mix = seed;
        let state = std::array::from_fn(|_| {
            mix = mix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state, spare: None }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let out = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        // The reference steps through the words one after the other; this is the same, unrolled.
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        out
    }

    /// Uniform in 0 to `n` − 1; 0 when `n` is 0. Multiply-shift: the bias is below `n` / 2⁶⁴.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or(u64::MAX)
    }

    /// An index of something with `len` items.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        let n = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.below(n)).unwrap_or(0)
    }

    /// Uniform in [0, 1): 53 bits, as many as a double holds exactly.
    pub(crate) fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.bits() >> 11) as f64 * SCALE
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(crate) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.index(of.len())).copied().unwrap_or_default()
    }

    /// Normal, mean 0 and deviation 1 (Marsaglia's polar method).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (u, v) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * s.ln() / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    pub(crate) fn lognormal(&mut self, mu: f64, sigma: f64) -> f64 {
        (mu + sigma * self.normal()).exp()
    }

    /// Exponential with this mean, cut to a whole number.
    pub(crate) fn exponential(&mut self, mean: f64) -> u64 {
        // Never negative, and 1 − unit is at least 2⁻⁵³: at most 37 times the mean.
        (-(1.0 - self.unit()).ln() * mean) as u64
    }

    /// Beta(a, b) by Jöhnk's method.
    pub(crate) fn beta(&mut self, a: f64, b: f64) -> f64 {
        loop {
            let (x, y) = (self.unit().powf(1.0 / a), self.unit().powf(1.0 / b));
            if x + y > 0.0 && x + y <= 1.0 {
                return x / (x + y);
            }
        }
    }
}

/// A discrete law, drawn from in constant time (Walker's alias method, Vose's tables).
pub(crate) struct Law {
    cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
struct Cell {
    /// Of 2³² draws of this cell, so many stay.
    keep: u32,
    /// Where the others go.
    other: u32,
}

impl Law {
    /// The law with these weights, at most 2³² of them.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut share: Vec<f64> = weights.into_iter().collect();
        let mean = share.iter().sum::<f64>() / share.len() as f64;
        share.iter_mut().for_each(|weight| *weight /= mean);
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..share.len()).partition(|&at| share.get(at).is_some_and(|&s| s < 1.0));
        let mut cells = vec![Cell { keep: u32::MAX, other: 0 }; share.len()];
        while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
            let kept = share.get(low).copied().unwrap_or(1.0);
            if let Some(cell) = cells.get_mut(low) {
                let other = u32::try_from(high).unwrap_or(0);
                *cell = Cell { keep: (kept * 4_294_967_296.0) as u32, other };
            }
            if let Some(rest) = share.get_mut(high) {
                *rest -= 1.0 - kept;
                if *rest < 1.0 {
                    large.pop();
                    small.push(high);
                }
            }
        }
        // What is left over in either list is 1 but for rounding.
        for at in small.into_iter().chain(large) {
            if let Some(cell) = cells.get_mut(at) {
                *cell = Cell { keep: u32::MAX, other: u32::try_from(at).unwrap_or(0) };
            }
        }
        Self { cells }
    }

    /// Zipf's law over `n` ranks: weight 1 / (rank + shift)^exponent, ranks from 1.
    pub(crate) fn zipf(n: u32, shift: f64, exponent: f64) -> Self {
        Self::new((1..=n).map(|rank| (f64::from(rank) + shift).powf(-exponent)))
    }

    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        let at = rng.index(self.cells.len());
        let Some(cell) = self.cells.get(at) else { return 0 };
        let toss = u32::try_from(rng.bits() >> 32).unwrap_or(u32::MAX);
        if toss <= cell.keep { at } else { usize::try_from(cell.other).unwrap_or(0) }
    }
}
