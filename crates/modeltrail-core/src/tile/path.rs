//! Paths under which C2SP tlog-tiles serves a log.

use std::fmt;

use super::{TILE_WIDTH, Tile};

/// What a tiled log serves, by path below its prefix; [`fmt::Display`] writes the path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resource {
    /// `checkpoint`: the latest signed checkpoint.
    Checkpoint,
    /// `tile/<level>/<index>`, and `.p/<width>` behind it when the tile is not full.
    Tile(Tile),
    /// `tile/entries/<index>`, likewise: the entries under a tile of level 0.
    Entries(Tile),
}

impl Resource {
    /// Reads a path without a slash before it. `None` for a path that [`fmt::Display`] would write
    /// in another way (leading zeros, needless elements, `.p/256`), so that each resource has one
    /// path and caches keep it once.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        let rest = path.strip_prefix("tile/")?;
        let (level, place) = rest.split_once('/')?;
        let (index, width) = parse_place(place)?;
        let resource = if level == "entries" {
            Self::Entries(Tile::new(0, index, width)?)
        } else {
            Self::Tile(Tile::new(level.parse().ok()?, index, width)?)
        };
        (resource.to_string() == path).then_some(resource)
    }
}

/// Index and width of `x001/x234/067.p/8`.
fn parse_place(place: &str) -> Option<(u64, u16)> {
    let (digits, width) = match place.split_once(".p/") {
        Some((digits, width)) => (digits, width.parse().ok().filter(|w| *w < TILE_WIDTH)?),
        None => (place, TILE_WIDTH),
    };
    let mut index = 0_u64;
    for element in digits.split('/') {
        let number: u64 = element.strip_prefix('x').unwrap_or(element).parse().ok()?;
        // An element of more digits is told by the comparison with the path that is written.
        index = index.checked_mul(1000)?.checked_add(number)?;
    }
    Some((index, width))
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile(tile) => {
                write!(f, "tile/{}/", tile.level())?;
                write_place(f, tile)
            }
            Self::Entries(tile) => {
                f.write_str("tile/entries/")?;
                write_place(f, tile)
            }
        }
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, tile: &Tile) -> fmt::Result {
    // An index below 2^55 has at most six groups of three digits.
    let mut groups = Vec::with_capacity(6);
    let mut rest = tile.index();
    while rest >= 1000 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    groups.push(rest);
    for (n_after, group) in groups.iter().enumerate().rev() {
        if n_after == 0 {
            write!(f, "{group:03}")?;
        } else {
            write!(f, "x{group:03}/")?;
        }
    }
    if tile.is_full() { Ok(()) } else { write!(f, ".p/{}", tile.width()) }
}
