//! Names of models with wild cards: `*` for any characters, `?` for one.

/// Longest in bytes: names of models have 256 at most.
const GLOB_BYTES_MAX: usize = 256;

/// A name with wild cards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Glob(String);

impl Glob {
    /// `None` for an empty one, one that is too long or has control characters. Several `*` in a
    /// row are one.
    pub(super) fn new(text: &str) -> Option<Self> {
        let sound =
            !text.is_empty() && text.len() <= GLOB_BYTES_MAX && !text.contains(char::is_control);
        let mut folded = text.to_owned();
        let mut last = ' ';
        folded.retain(|c| !(std::mem::replace(&mut last, c) == '*' && c == '*'));
        sound.then_some(Self(folded))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole name fits. Case counts. At most glob × name steps.
    pub(super) fn matches(&self, name: &str) -> bool {
        let (mut glob, mut name) = (self.0.chars(), name.chars());
        // Where the last `*` was, and how much of the name it has taken.
        let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let (mut next_glob, mut next_name) = (glob.clone(), name.clone());
            match (next_glob.next(), next_name.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    star = Some((next_glob.clone(), name.clone()));
                    glob = next_glob;
                }
                (Some(wanted), Some(c)) if wanted == '?' || wanted == c => {
                    (glob, name) = (next_glob, next_name);
                }
                _ => {
                    let Some((after, taken)) = star.as_mut() else { return false };
                    if taken.next().is_none() {
                        return false;
                    }
                    (glob, name) = (after.clone(), taken.clone());
                }
            }
        }
    }
}
